"""Cleaning the value of one allowed attribute: it must be what its value representation promises, or it goes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword
from pydicom.multival import MultiValue

from cohortex.study.identity.dates import capped_age, clock_time, shift_date, shift_date_time
from cohortex.study.identity.kinds import registered
from cohortex.study.identity.vocabulary import AGENTS, MAKERS, TERMS, WORDS
from cohortex.study.identity.words import clean_text, may_stay
from cohortex.study.pseudonyms import Pseudonyms

Action = Literal["kept", "remapped", "shifted", "cleaned", "removed", "replaced", "written"]
"""What was done to an attribute."""

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_WHOLE = re.compile(r"[+-]?\d{1,12}")
_LONGEST_DECIMAL = 32
_MOST_VALUES = 4096
_BINARY = frozenset({"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"})
_TEXT = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})
_KINDS = frozenset({"SOPClassUID", "ReferencedSOPClassUID"})
_IMAGE_TYPES = frozenset({"ImageType", "FrameType"})
_MAKERS = frozenset({"Manufacturer", "ManufacturerModelName"})
_AGENTS = frozenset({"ContrastBolusAgent", "Radiopharmaceutical"})
_SEXES = frozenset("MFO")
_POSSIBLE = {"PatientSize": (0.2, 2.6), "PatientWeight": (0.3, 500.0)}  # m, kg
_SOME_AGENT = "contrast agent"  # that one was given matters, and stays where its name is not known


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """One attribute after cleaning.

    Attributes
    ----------
    value : object
        What stays; None where nothing does.
    vr : str
        Value representation of the standard, whatever the file claimed.
    action : str
        What was done.
    """

    value: Any
    vr: str
    action: Action


@dataclass(frozen=True, kw_only=True)
class Patient:
    """What the cleaning of one patient's headers goes by.

    Attributes
    ----------
    pseudonyms : Pseudonyms
        Of the study.
    day_shift : int
        Days added to every date.
    never : frozenset of str
        Words of the patient's own name and numbers, which no text may keep.
    """

    pseudonyms: Pseudonyms
    day_shift: int
    never: frozenset[str]


def clean_value(keyword: str, value: Any, patient: Patient, *, signed: bool = False) -> Cleaned:
    """Clean the value of an allowed attribute other than a sequence or pixels.

    Parameters
    ----------
    keyword : str
        DICOM keyword.
    value : object
        As pydicom gives it, whatever value representation the file claimed.
    patient : Patient
        Whose header it is.
    signed : bool
        Pixel representation, for what is signed or unsigned by it.

    Returns
    -------
    Cleaned
        With value None where it is not what the attribute may hold, or nothing of it may stay.
    """
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"{keyword!r} is no attribute of DICOM.")
    vr = dictionary_VR(tag)
    if vr == "US or SS":
        vr = "SS" if signed and keyword != "LUTDescriptor" else "US"
    parts = _parts(value)
    if not parts:
        return Cleaned(value=None, vr=vr, action="removed")
    if vr == "US or OW":
        return _table(value, parts)
    if not _fits(len(parts), dictionary_VM(tag)) and vr not in _TEXT:
        return Cleaned(value=None, vr=vr, action="removed")
    kept, action = _by_kind(keyword, vr, parts, patient)
    if not kept:
        return Cleaned(value=None, vr=vr, action="removed")
    if action == "kept" and kept != parts:
        action = "cleaned"
    return Cleaned(value=kept[0] if len(kept) == 1 else kept, vr=vr, action=action)


def _parts(value: Any) -> list[Any]:
    if value is None or (isinstance(value, str) and not value):
        return []
    return list(value) if isinstance(value, MultiValue | list | tuple) else [value]


def _fits(count: int, multiplicity: str) -> bool:
    """Whether so many values are allowed, by the multiplicity of the data dictionary: 1, 3, 1-n, 2-2n."""
    low, _, high = multiplicity.partition("-")
    step = int(low)
    if not high:
        return count == step
    if high.endswith("n"):
        every = int(high[:-1] or 1)
        return step <= count <= _MOST_VALUES and count % every == 0
    return step <= count <= int(high)


def _by_kind(keyword: str, vr: str, parts: list[Any], patient: Patient) -> tuple[list[Any], Action]:
    texts = [str(part).strip(" \0") for part in parts]
    days = patient.day_shift
    if vr in _BINARY:
        return (parts if all(_is_number(part) for part in parts) else []), "kept"
    if vr in ("DS", "IS"):
        shape = _DECIMAL if vr == "DS" else _WHOLE
        good = all(shape.fullmatch(text) and len(text) <= _LONGEST_DECIMAL for text in texts)
        low, high = _POSSIBLE.get(keyword, (-math.inf, math.inf))
        good = good and all(low <= float(text) <= high for text in texts)
        return (texts if good else []), "cleaned" if texts != [str(part) for part in parts] else "kept"
    if keyword in _KINDS:
        return [text for text in texts if registered(text)], "kept"
    if vr == "UI":
        return [_uid(text, patient.pseudonyms) for text in texts if text], "remapped"
    if vr == "DA":
        return _present([shift_date(text, days=days) for text in texts]), "shifted"
    if vr == "DT":
        return _present([shift_date_time(text, days=days) for text in texts]), "shifted"
    if vr == "TM":
        return _present([clock_time(text) for text in texts]), "kept"
    if vr == "AS":
        return _present([capped_age(text) for text in texts]), "kept"
    if keyword == "PatientSex":
        return [text for text in texts if text in _SEXES], "kept"
    if keyword in _IMAGE_TYPES:
        return [text if _is_term(text) else patient.pseudonyms.word(text) for text in texts], "kept"
    if vr == "CS":
        return [text for text in texts if text and _is_term(text)], "kept"
    if vr in _TEXT:
        return _text(keyword, texts, patient.never), "kept"
    return [], "removed"


def _uid(text: str, pseudonyms: Pseudonyms) -> str:
    return text if registered(text) else pseudonyms.uid(text)


def _text(keyword: str, texts: Sequence[str], never: frozenset[str]) -> list[str]:
    if keyword == "SoftwareVersions":
        cleaned = [clean_text(text, words=MAKERS | WORDS, never=never, dotted=True) for text in texts]
        return [text for text in cleaned if text]
    if keyword in _AGENTS:
        cleaned = [clean_text(text, words=AGENTS | WORDS, never=never) for text in texts]
        given = any(texts) and not any(cleaned)
        return [_SOME_AGENT] if given and keyword == "ContrastBolusAgent" else [text for text in cleaned if text]
    words = MAKERS | WORDS if keyword in _MAKERS else TERMS | WORDS
    return [text for text in (clean_text(text, words=words, never=never) for text in texts) if text]


def _is_term(text: str) -> bool:
    """Whether a coded entry consists of defined terms; an empty value of a list keeps its place."""
    return all(may_stay(token, words=TERMS | WORDS) for token in re.split(r"[^A-Za-z0-9]+", text) if token) and (
        text.isascii()
    )


def _present(values: Sequence[str | None]) -> list[Any]:
    return [value for value in values if value is not None] if None not in values else []


def _is_number(part: Any) -> bool:
    return isinstance(part, int) or (isinstance(part, float) and not math.isinf(part))


def _table(value: Any, parts: list[Any]) -> Cleaned:
    """A lookup table: 16-bit numbers, however they came."""
    if isinstance(value, bytes):
        return Cleaned(value=value, vr="OW", action="kept")
    good = all(isinstance(part, int) for part in parts)
    return Cleaned(value=parts if good else None, vr="US", action="kept" if good else "removed")
