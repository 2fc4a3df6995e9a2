"""The columns of a table of records: which field a header means, and which headers speak of identity."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from cohortex.study.records.fields import Field, all_fields
from cohortex.study.records.number_text import unit_named

KEYS = ("patient", "visit")
"""Columns that say whose record it is: the study code, and the day of the visit."""

_IDENTITY = re.compile(  # words of a header, without accents; English, Italian, and what hospital systems print
    r"name|surname|firstname|lastname|forename|initials|nome|cognome|nominativo|iniziali|"
    r"birth|birthdate|birthday|dob|born|nascita|datanascita|nato|nata|geburtsdatum|"
    r"mrn|pid|patientid|patientname|hospital|ospedale|ward|reparto|nosologico|accession|"
    r"fiscal|fiscale|codicefiscale|cf|ssn|passport|insurance|sanitaria|tessera|"
    r"address|indirizzo|street|via|city|comune|citta|residenza|zip|cap|"
    r"phone|telephone|telefono|mobile|cellulare|email|mail|doctor|medico|physician"
)


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Attributes
    ----------
    name : str
        "patient", "visit", or the name of a field.
    field : Field or None
        The field, where it is one.
    unit : str
        UCUM unit from the header, for all of its numbers; empty where the header gives none.
    """

    name: str
    field: Field | None
    unit: str = ""


def header_words() -> list[str]:
    """Give the header of the table: patient, visit, and every field with its unit in brackets."""
    return [*KEYS, *(f"{known.name} [{known.unit}]" if known.unit else known.name for known in all_fields())]


def columns_of(header: Sequence[str]) -> list[Column | str]:
    """Find what each cell of a header means.

    Returns
    -------
    list of Column or str
        In place of a column that is not known, why: "column" (no such field) or "column_unit" (not its unit).
    """
    return [_column(cell) for cell in header]


def _column(cell: str) -> Column | str:
    found = re.fullmatch(r"\s*(?P<name>[^\[\]]*?)\s*(?:\[(?P<unit>[^\[\]]*)\])?\s*", cell)
    if found is None:
        return "column"
    name = re.sub(r"[\s-]+", "_", found["name"].casefold())
    unit = (found["unit"] or "").strip()
    if name in KEYS:
        return Column(name, None) if not unit else "column_unit"
    known = next((field for field in all_fields() if field.name == name), None)
    if known is None:
        return "column"
    if not unit:
        return Column(name, known)
    accepted = unit_named(unit, known.units)
    return Column(name, known, accepted) if accepted else "column_unit"


def words_of_identity(cell: str) -> str:
    """Give the word of identity that a header holds (name, cognome, dob); empty where it holds none."""
    plain = unicodedata.normalize("NFKD", cell).encode("ascii", "ignore").decode().casefold()
    words = [word for word in re.split(r"[^a-z]+", plain) if word]
    return next((word for word in (*words, "".join(words)) if _IDENTITY.fullmatch(word)), "")
