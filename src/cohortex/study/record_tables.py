"""The records of a centre as a table: out, and in as a whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from cohortex.errors import Refused
from cohortex.study.database import StudySession
from cohortex.study.database.tables import Patient, Visit
from cohortex.study.home import Study
from cohortex.study.patients import shift_of
from cohortex.study.record_entries import read_value, recorded, true_first_examination, write_values
from cohortex.study.records import (
    ImportProblem,
    Language,
    RecordProblem,
    RecordRow,
    Words,
    read_records,
    write_records,
)

_NO_PATIENT = (
    Words("There is no patient with this code.", "Non c'è un paziente con questo codice."),
    Words("Check the code, or add the patient first.", "Controllare il codice, o aggiungere prima il paziente."),
)
_NO_VISIT = (
    Words("The patient has no visit on this day.", "Il paziente non ha una visita in questo giorno."),
    Words(
        "Give the true day of the examination as it was entered, or the shifted day as the pages show it; or add the "
        "visit first.",
        "Indicare il giorno vero dell'esame come è stato inserito, o il giorno spostato come lo mostrano le pagine; "
        "oppure aggiungere prima la visita.",
    ),
)
_TWO_VISITS = (
    Words(
        "This day is that of one visit, and the shifted day of another.",
        "Questo giorno è quello di una visita e il giorno spostato di un'altra.",
    ),
    Words("Enter this row by the form of the visit.", "Inserire questa riga con il modulo della visita."),
)


@dataclass(frozen=True, kw_only=True)
class TableImport:
    """What became of a table that was sent.

    Attributes
    ----------
    rows : int
        Rows in it.
    problems : tuple of ImportProblem
        All that is wrong with it.
    changes : int
        Values that were written, or would be.
    written : bool
        Whether they were: only a table without a problem is, and as a whole.
    """

    rows: int
    problems: tuple[ImportProblem, ...]
    changes: int
    written: bool


def import_records(
    study: Study, session: StudySession, content: bytes, *, dry_run: bool = False, language: Language = "en"
) -> TableImport:
    """Enter the records of a table.

    Parameters
    ----------
    study : Study
        Where.
    session : StudySession
        Of the asker, writing.
    content : bytes
        CSV as `records.read_records` takes it. Days of visits are the true ones, or the shifted ones of an export.
    dry_run : bool
        Whether only to say what would be written.
    language : {"en", "it"}
        Of what is said of problems.

    Returns
    -------
    TableImport
        Problems, and whether it was written.
    """
    patients = {patient.code: patient for patient in _patients(session)}
    first_days = {code: true_first_examination(study, patient) for code, patient in patients.items()}
    read = read_records(content, first_examinations={code: day for code, day in first_days.items() if day})
    problems, changes = list(read.problems), 0
    trial = session.begin_nested()
    for row in read.rows:
        patient = patients.get(row.patient)
        if patient is None:
            problems.append(_problem(row.number, "patient", _NO_PATIENT))
            continue
        visits = _on(study, patient, row.visit)
        if len(visits) != 1:
            problems.append(_problem(row.number, "visit", _TWO_VISITS if visits else _NO_VISIT))
            continue
        changes += _enter_row(session, visits[0], row, problems, language)
    written = not problems and not dry_run
    if written:
        trial.commit()
    else:
        trial.rollback()
        session.expire_all()
    return TableImport(rows=read.row_count, problems=tuple(problems), changes=changes, written=written)


def export_records(session: StudySession) -> str:
    """Write the records of all patients the asker may see as CSV; days of visits are shifted.

    Returns
    -------
    str
        One row for each visit, as `import_records` takes it.
    """
    return write_records(
        RecordRow(patient=patient.code, visit=visit.date, values=recorded(visit))
        for patient in _patients(session)
        for visit in sorted(patient.visits, key=lambda visit: visit.date)
    )


def _patients(session: StudySession) -> Sequence[Patient]:
    return session.scalars(
        select(Patient).order_by(Patient.code).options(selectinload(Patient.visits).selectinload(Visit.entries))
    ).all()


def _on(study: Study, patient: Patient, day: date) -> list[Visit]:
    shift = shift_of(study, patient.id)
    return [visit for visit in patient.visits if day in (visit.date, visit.date - shift)]


def _enter_row(
    session: StudySession, visit: Visit, row: RecordRow, problems: list[ImportProblem], language: Language
) -> int:
    fitting = {}
    for name, value in row.values.items():
        try:
            fitting[name] = read_value(visit, name, value.to_json(), first_examination=None)
        except RecordProblem as problem:
            problems.append(ImportProblem(row=row.number, column=name, message=problem.message, remedy=problem.remedy))
    trial = session.begin_nested()
    try:
        changes = write_values(session, visit, fitting, language=language)
    except Refused as refusal:
        trial.rollback()
        for name, words in refusal.fields.items():
            remedy = Words(refusal.remedy, refusal.remedy)
            problems.append(ImportProblem(row=row.number, column=name, message=Words(words, words), remedy=remedy))
        return 0
    trial.commit()
    return changes


def _problem(row: int, column: str, words: tuple[Words, Words]) -> ImportProblem:
    return ImportProblem(row=row, column=column, message=words[0], remedy=words[1])
