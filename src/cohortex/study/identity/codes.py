"""Coded entries that the standard's dictionaries have, and units put together from known atoms; others go."""

from __future__ import annotations

import re
from functools import cache

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from cohortex.study.identity.vocabulary import UNITS

_SCHEMES = ("DCM", "SCT")
_UNIT_ATOM = re.compile(r"\{?[A-Za-z]+\}?|\[hnsf'U\]")
_LONGEST_UNIT = 16


@cache
def _dictionary() -> dict[tuple[str, str], str]:
    known: dict[tuple[str, str], str] = {}
    for scheme in _SCHEMES:
        for code in getattr(codes, scheme).concepts.values():
            known.setdefault((scheme, code.value), code.meaning)
    for code in codes.UCUM.concepts.values():
        known.setdefault(("UCUM", code.value), code.meaning)
    return known


def clean_code(item: Dataset) -> Dataset | None:
    """Write a coded entry anew from the dictionary.

    Parameters
    ----------
    item : pydicom.Dataset
        Item of a code sequence.

    Returns
    -------
    pydicom.Dataset or None
        Value, scheme and the dictionary's own meaning; None where the dictionary has no such code.
    """
    value, scheme = (str(item.get(keyword) or "").strip() for keyword in ("CodeValue", "CodingSchemeDesignator"))
    meaning = _dictionary().get((scheme, value))
    if meaning is None and scheme == "UCUM" and _is_unit(value):
        meaning = value
    if meaning is None:
        return None
    clean = Dataset()
    clean.CodeValue, clean.CodingSchemeDesignator, clean.CodeMeaning = value, scheme, meaning[:64]
    return clean


def _is_unit(text: str) -> bool:
    """Whether every letter of a UCUM expression belongs to a known unit: um2/s, 10-6.mm2/s."""
    rest = _UNIT_ATOM.sub(lambda atom: "" if atom.group().strip("{}[]") in UNITS | {"hnsf'U"} else "?", text)
    digits = re.findall(r"\d+", rest)
    return (
        0 < len(text) <= _LONGEST_UNIT and bool(re.fullmatch(r"[0-9./%*-]*", rest)) and all(len(d) < 3 for d in digits)
    )
