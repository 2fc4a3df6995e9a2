"""Clinical records as a CSV table, out and in; everything wrong in a file is listed before anything is written."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date
from pathlib import Path
from types import MappingProxyType

from cohortex.study.records.fields import JSON, Field, all_fields
from cohortex.study.records.number_text import shown, written_number
from cohortex.study.records.table_columns import KEYS, Column, columns_of, header_words, words_of_identity
from cohortex.study.records.table_dates import Order, may_be_two_dates, order_of_dates, read_date
from cohortex.study.records.value import ClinicalValue, RecordProblem, parse_value
from cohortex.study.records.wording import TABLE, Language, Words

LARGEST_BYTES = 20_000_000
"""Larger files are refused: a record is some 300 bytes."""
PATIENT_CODE = re.compile(r"[A-Z][A-Z0-9]{0,7}-\d{3,6}")
"""What a study code looks like; anything else may be a name or a hospital number."""

_DELIMITERS = (",", ";", "\t")
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # xlsx and ods are archives, xls an OLE file


@dataclass(frozen=True, kw_only=True)
class RecordRow:
    """What one row of the table says: a visit of a patient.

    Attributes
    ----------
    patient : str
        Study code.
    visit : date
        Day of the visit.
    values : mapping of str to ClinicalValue
        By name of the field; what the row leaves empty is not in it.
    number : int
        Of the row as a spreadsheet counts; 0 where it was not read from a file. Equal rows may differ in it.
    """

    patient: str
    visit: date
    values: Mapping[str, ClinicalValue]
    number: int = dataclass_field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class ImportProblem:
    """What is wrong with one cell, column, row or the file.

    Attributes
    ----------
    row : int
        As a spreadsheet counts: 1 is the header; 0 is the file as a whole.
    column : str
        Name of a column that is known, or its letter as in a spreadsheet; empty for a whole row.
    message, remedy : Words
        What is wrong and what to do; without text that may be a name.
    """

    row: int
    column: str
    message: Words
    remedy: Words

    def to_json(self, language: Language = "en") -> dict[str, JSON]:
        """Give row, column, message and remedy in one language."""
        return {
            "row": self.row,
            "column": self.column,
            "message": self.message.in_language(language),
            "remedy": self.remedy.in_language(language),
        }


@dataclass(frozen=True, kw_only=True)
class RecordsImport:
    """A file of records, read but not written anywhere.

    Attributes
    ----------
    rows : tuple of RecordRow
        Rows without a problem.
    row_count : int
        Rows in the file, header and empty rows not counted.
    problems : tuple of ImportProblem
        All that is wrong, in the order of the file.
    """

    rows: tuple[RecordRow, ...]
    row_count: int
    problems: tuple[ImportProblem, ...]

    @property
    def writable(self) -> bool:
        """Whether nothing is wrong: a file is written as a whole or not at all."""
        return not self.problems


def read_records(source: Path | str | bytes, *, first_examinations: Mapping[str, date] | None = None) -> RecordsImport:
    """Read a table of records and list everything that is wrong with it; writes nothing.

    Parameters
    ----------
    source : Path, str or bytes
        The file, or its bytes. Comma, semicolon or tab between cells; UTF-8, UTF-16 or Latin-1.
    first_examinations : mapping of str to date, optional
        Day of the first examination by patient: with it, days may be given as dates. A patient who is not in it
        must have them as whole days.

    Returns
    -------
    RecordsImport
        Rows and problems. Cells are never repeated in a problem unless they look like a code or a measured number.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    content = source if isinstance(source, bytes) else Path(source).read_bytes()
    refused = _refused(content)
    if refused:
        return RecordsImport(rows=(), row_count=0, problems=(_problem(0, "", refused),))
    text = _decoded(content)
    try:
        table = list(csv.reader(io.StringIO(text, newline=None), delimiter=_delimiter(text), strict=True))
    except csv.Error:
        return RecordsImport(rows=(), row_count=0, problems=(_problem(0, "", "broken"),))
    header = next((number for number, cells in enumerate(table) if any(map(str.strip, cells))), None)
    if header is None:
        return RecordsImport(rows=(), row_count=0, problems=(_problem(0, "", "empty"),))
    columns, problems = _columns(table[header], header + 1)
    body = [
        (number, cells) for number, cells in enumerate(table[header + 1 :], header + 2) if any(map(str.strip, cells))
    ]
    if problems:
        return RecordsImport(rows=(), row_count=len(body), problems=tuple(problems))
    place = [column.name for column in columns].index("visit")
    order = order_of_dates(cells[place] for _, cells in body if place < len(cells))
    rows: list[RecordRow] = []
    seen: dict[tuple[str, date], int] = {}
    for number, cells in body:
        row, wrong = _row(number, cells, columns, order, first_examinations or {}, seen)
        problems += wrong
        if row is not None:
            rows.append(row)
    return RecordsImport(rows=tuple(rows), row_count=len(body), problems=tuple(problems))


def write_records(rows: Iterable[RecordRow]) -> str:
    """Write records as a table that `read_records` reads back the same."""
    out = io.StringIO(newline="")
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(header_words())
    for row in rows:
        cells = [_cell(row.values.get(known.name)) for known in all_fields()]
        table.writerow([row.patient, row.visit.isoformat(), *cells])
    return out.getvalue()


def template_csv() -> str:
    """Give an empty table with every column, to be filled in."""
    return write_records(())


def _cell(value: ClinicalValue | None) -> str:
    if value is None:
        return ""
    if value.missing:
        return value.missing
    if isinstance(value.value, bool):
        return "yes" if value.value else "no"
    if isinstance(value.value, float):
        return f"{value.comparator}{written_number(value.value)}"
    return str(value.value)


def _refused(content: bytes) -> str:
    if len(content) > LARGEST_BYTES:
        return "large"
    if content.startswith(_SPREADSHEETS):
        return "spreadsheet"
    if not content.strip():
        return "empty"
    utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return "binary" if b"\0" in content and not utf_16 else ""


def _decoded(content: bytes) -> str:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _delimiter(text: str) -> str:
    """The delimiter by which the first line falls into the most columns we know, else into the most."""
    first = next((line for line in text.splitlines() if line.strip()), "")

    def fit(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([first], delimiter=delimiter), [])
        return sum(not isinstance(found, str) for found in columns_of(cells)), len(cells)

    return max(_DELIMITERS, key=fit)


def _columns(header: Sequence[str], number: int) -> tuple[list[Column], list[ImportProblem]]:
    columns: list[Column] = []
    problems: list[ImportProblem] = []
    for place, (cell, found) in enumerate(zip(header, columns_of(header), strict=True)):
        letter = _letter(place)
        if identity := words_of_identity(cell):
            problems.append(_problem(number, letter, "identity", word=identity))
        elif isinstance(found, str):
            problems.append(_problem(number, letter, found, found=shown(cell)))
        elif any(found.name == other.name for other in columns):
            problems.append(_problem(number, letter, "twice", name=found.name))
        else:
            columns.append(found)
    for name in ("patient", "visit"):
        if not problems and all(column.name != name for column in columns):
            problems.append(_problem(number, "", "lacking", name=name))
    return columns, problems


def _row(
    number: int,
    cells: Sequence[str],
    columns: Sequence[Column],
    order: Order,
    first_examinations: Mapping[str, date],
    seen: dict[tuple[str, date], int],
) -> tuple[RecordRow | None, list[ImportProblem]]:
    if len(cells) > len(columns) and any(map(str.strip, cells[len(columns) :])):
        return None, [_problem(number, "", "cells", found=str(len(cells)), expected=str(len(columns)))]
    given = {column.name: (column, cell.strip()) for column, cell in zip(columns, cells, strict=False)}
    patient, visit = (given.get(name, (None, ""))[1] for name in KEYS)  # a short row may lack them
    problems: list[ImportProblem] = []
    if not PATIENT_CODE.fullmatch(patient):
        problems.append(_problem(number, "patient", "patient", found=shown(patient)))
    day = read_date(visit, order)
    if day is None:
        key = "two_dates" if may_be_two_dates(visit, order) else "visit"
        problems.append(_problem(number, "visit", key, found=shown(visit)))
    values: dict[str, ClinicalValue] = {}
    for column, cell in given.values():
        if column.field is None or not cell:
            continue
        raw = _raw(column.field, column.unit, cell)
        try:
            values[column.name] = parse_value(column.field, raw, first_examination=first_examinations.get(patient))
        except RecordProblem as problem:
            problems.append(
                ImportProblem(row=number, column=column.name, message=problem.message, remedy=problem.remedy)
            )
    if day is None or problems:
        return None, problems
    if (earlier := seen.setdefault((patient, day), number)) != number:
        return None, [_problem(number, "visit", "again", other=str(earlier))]
    return RecordRow(patient=patient, visit=day, values=MappingProxyType(values), number=number), []


def _raw(field: Field, unit: str, cell: str) -> object:
    return {"value": cell, "unit": unit} if field.kind == "number" and unit else cell


def _letter(place: int) -> str:
    """The letter a spreadsheet gives a column: A, B … Z, AA."""
    letters = ""
    number = place + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _problem(row: int, column: str, key: str, **parts: Words | str) -> ImportProblem:
    message, remedy = TABLE[key]
    return ImportProblem(row=row, column=column, message=message.filled(**parts), remedy=remedy.filled(**parts))
