"""Clinical records in the database: what stands, what it replaced, and what a change does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select

from cohortex.errors import Refused
from cohortex.study.database import Asker, StudySession
from cohortex.study.database.tables import Patient, RecordEntry, Visit, now
from cohortex.study.entries import text_of, value_of
from cohortex.study.home import Study
from cohortex.study.patients import age_at, note, number_of, shift_of
from cohortex.study.processing.following import record_changed
from cohortex.study.records import (
    ClinicalValue,
    Finding,
    Language,
    RecordedVisit,
    RecordProblem,
    Words,
    field,
    fields_for,
    judge_visits,
    parse_value,
)

_NOT_ASKED = Words(
    "{field} is not asked at a visit of this kind.", "{field} non si chiede a una visita di questo tipo."
)
_LEAVE_OUT = Words("Leave it out.", "Ometterlo.")
_NO_FIELD = (
    Words("A value was given for a field that does not exist.", "È dato un valore per un campo che non esiste."),
    Words("Look up the fields of the form.", "Si vedano i campi del modulo."),
)


def entered(visit: Visit) -> dict[str, RecordEntry]:
    """Give the entries of a visit that stand, by field, in the order of the form."""
    found = {entry.field: entry for entry in visit.entries if entry.replaced_at is None}
    return {known.name: found[known.name] for known in fields_for(visit.kind) if known.name in found}


def replaced(visit: Visit) -> list[RecordEntry]:
    """Give the entries of a visit that were replaced, the latest first."""
    return sorted(
        (entry for entry in visit.entries if entry.replaced_at is not None),
        key=lambda entry: (entry.replaced_at or entry.entered_at, entry.id),
        reverse=True,
    )


def recorded(visit: Visit) -> dict[str, ClinicalValue]:
    """Give what is recorded at a visit as values, by field."""
    return {name: value_of(entry) for name, entry in entered(visit).items()}


def judge(patient: Patient) -> dict[str, tuple[Finding, ...]]:
    """Judge the records of all visits of a patient by the plausibility rules: visit -> findings."""
    visits = sorted(patient.visits, key=lambda visit: visit.date)
    if not visits:
        return {}
    first = visits[0].date
    judged = judge_visits(
        [RecordedVisit(day=(visit.date - first).days, values=recorded(visit)) for visit in visits],
        age_years=age_at(patient, first),
    )
    return {visit.id: findings for visit, findings in zip(visits, judged, strict=True)}


def true_first_examination(study: Study, patient: Patient) -> date | None:
    """Tell the true day of the first examination, by which days may be given as dates; it is kept nowhere."""
    days = [visit.date for visit in patient.visits]
    return min(days) - shift_of(study, patient.id) if days else None


def read_value(visit: Visit, name: str, raw: object, *, first_examination: date | None) -> ClinicalValue:
    """Read one value for a visit.

    Raises
    ------
    RecordProblem
        If there is no such field, it is not asked at such a visit, or does not take the value.
    """
    try:
        known = field(name)
    except ValueError as error:
        raise RecordProblem("", *_NO_FIELD) from error
    value = parse_value(known, raw, first_examination=first_examination)
    if visit.kind not in known.applies_to:
        raise RecordProblem(name, _NOT_ASKED.filled(field=known.label), _LEAVE_OUT)
    return value


def enter(
    study: Study, session: StudySession, visit: Visit, values: Mapping[str, object], *, language: Language = "en"
) -> int:
    """Enter, change or take back values of a visit; what they replace stays in its history.

    Parameters
    ----------
    study : Study
        Where.
    session : StudySession
        Of the asker, writing.
    visit : Visit
        Whose.
    values : mapping of str to object
        By field; None takes a value back; else what `records.parse_value` reads. Other fields stay.
    language : {"en", "it"}
        Of what is said of problems.

    Returns
    -------
    int
        Values that changed.

    Raises
    ------
    Refused
        If a field does not take its value, or the record would break a rule it did not break before: nothing changes.
    """
    first = true_first_examination(study, visit.patient)
    read: dict[str, ClinicalValue | None] = {}
    wrong: dict[str, str] = {}
    for name, raw in values.items():
        try:
            read[name] = None if raw is None else read_value(visit, name, raw, first_examination=first)
        except RecordProblem as problem:
            words = f"{problem.message.in_language(language)} {problem.remedy.in_language(language)}"
            wrong[problem.field or "values"] = words
    if wrong:
        raise Refused(f"{_count(len(wrong))} cannot be entered.", remedy="Correct what is named.", fields=wrong)
    return write_values(session, visit, read, language=language)


def write_values(
    session: StudySession, visit: Visit, values: Mapping[str, ClinicalValue | None], *, language: Language = "en"
) -> int:
    """Write values that have been read, judge the record as it then stands, and let the statistics follow.

    Raises
    ------
    Refused
        If the record would break a rule it did not break before.
    """
    asker = session.asker
    if not isinstance(asker, Asker):
        raise Refused("a record is entered by a person of a centre.")
    standing, errors = recorded(visit), _errors(visit.patient)
    changes = {name: value for name, value in values.items() if standing.get(name) != value}
    if not changes:
        return 0
    moment, current = now(), {entry.field: entry for entry in visit.entries if entry.replaced_at is None}
    for name in changes:
        if name in current:
            current[name].replaced_at = moment
    session.flush()  # before the new ones: of a field one value stands
    for name, value in changes.items():
        if value is not None:
            session.add(
                RecordEntry(
                    visit=visit, centre_id=visit.centre_id, uploader_id=asker.uploader_id, field=name,
                    value=text_of(value), unit=value.unit, comparator=value.comparator, missing=value.missing,
                    entered_at=moment,
                )
            )  # fmt: skip
    session.flush()
    broken = {key: finding for key, finding in _errors(visit.patient).items() if key not in errors}
    if broken:
        raise Refused(
            "the record would contradict itself.",
            remedy="Correct what is named, or enter it together with what it depends on.",
            fields={
                finding.field: (
                    ("" if at == visit.id else f"({_numbered(visit, at)}) ") + finding.message.in_language(language)
                )
                for (at, _, _), finding in broken.items()
            },
        )
    names = ", ".join(changes)
    note(session, visit.patient, "record changed", f"visit {number_of(visit)}: {names}")
    record_changed(session)
    return len(changes)


def completeness(visit: Visit) -> tuple[int, int]:
    """Count the fields of a visit that have a value or a reason why there is none, and all that are asked."""
    return len(entered(visit)), len(fields_for(visit.kind))


def complete_visits(session: StudySession) -> set[str]:
    """Find the visits whose every field has a value or a reason why there is none."""
    asked = {kind: {known.name for known in fields_for(kind)} for kind in ("first", "follow-up")}
    filled: dict[tuple[str, str], set[str]] = {}
    rows = session.execute(
        select(RecordEntry.visit_id, Visit.kind, RecordEntry.field)
        .join(Visit, Visit.id == RecordEntry.visit_id)
        .where(RecordEntry.replaced_at.is_(None))
    )
    for visit, kind, name in rows:
        filled.setdefault((visit, kind), set()).add(name)
    return {visit for (visit, kind), names in filled.items() if asked[kind] <= names}


def _errors(patient: Patient) -> dict[tuple[str, str, str], Finding]:
    return {
        (visit, finding.rule, finding.field): finding
        for visit, findings in judge(patient).items()
        for finding in findings
        if finding.level == "error"
    }


def _numbered(visit: Visit, other: str) -> str:
    return next((f"visit {number_of(found)}" for found in visit.patient.visits if found.id == other), "")


def _count(number: int) -> str:
    return "one value" if number == 1 else f"{number} values"
