"""What a list of patients says of each: visits, diagnosis, lesions, change, and how the patient stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from cohortex.study.database import StudySession
from cohortex.study.database.tables import Patient, RecordEntry, Result, Visit
from cohortex.study.patients import age_at
from cohortex.study.records import field
from cohortex.study.standing import Standing, standings

_DIAGNOSIS, _PHASE = "leukaemia_type", "treatment_phase"


@dataclass(frozen=True, kw_only=True)
class ListedPatient:
    """One patient in a list.

    Attributes
    ----------
    patient : Patient
        The row.
    age_at_first : float or None
        Age at the first examination, years.
    diagnosis, phase : str
        The latest choice of each field; empty where none was entered.
    visits : int
        How many.
    last_visit : date or None
        Shifted day of the latest.
    lesions, event_counts : mapping or None
        Lesions of the latest visit, and what the latest comparison in force says, as in the summaries. A comparison
        outlines its two visits together: where it ends with the latest visit, the lesions are as it has them.
    standing : {"empty", "waiting", "processing", "ready", "attention"}
        How the patient stands.
    """

    patient: Patient
    age_at_first: float | None
    diagnosis: str
    phase: str
    visits: int
    last_visit: date | None
    lesions: Mapping[str, Any] | None
    event_counts: Mapping[str, Any] | None
    standing: Standing


def list_patients(session: StudySession, *, search: str = "", standing: Standing | None = None) -> list[ListedPatient]:
    """List the patients of the asker's centre by code.

    Parameters
    ----------
    session : StudySession
        Of the asker.
    search : str
        Words that code or diagnosis must hold, each; capitals do not count.
    standing : {"empty", "waiting", "processing", "ready", "attention"}, optional
        Only those that stand so.

    Returns
    -------
    list of ListedPatient
        In five queries, however many patients there are.
    """
    patients = session.scalars(select(Patient).order_by(Patient.code).options(selectinload(Patient.visits))).all()
    stands = standings(session).patients
    latest: dict[tuple[str, str], str] = {}
    entries = session.execute(
        select(Visit.patient_id, RecordEntry.field, RecordEntry.value)
        .join(Visit, Visit.id == RecordEntry.visit_id)
        .where(
            RecordEntry.replaced_at.is_(None),
            RecordEntry.value.is_not(None),
            RecordEntry.field.in_((_DIAGNOSIS, _PHASE)),
        )
        .order_by(Visit.date)
    )
    for whose, name, value in entries:
        latest[whose, name] = str(value)
    summaries: dict[tuple[str, str], tuple[str, Mapping[str, Any]]] = {}
    results = session.execute(
        select(Result.patient_id, Result.kind, Result.visit_id, Result.summary)
        .join(Visit, Visit.id == Result.visit_id)
        .where(Result.stale_at.is_(None), Result.kind.in_(("visit", "comparison")))
        .order_by(Visit.date)
    )
    for whose, kind, visit, summary in results:
        summaries[whose, kind] = visit, summary
    found = []
    for patient in patients:
        days = [visit.date for visit in patient.visits]
        _, comparison = summaries.get((patient.id, "comparison"), ("", None))
        line = ListedPatient(
            patient=patient,
            age_at_first=age_at(patient, min(days)) if days else None,
            diagnosis=latest.get((patient.id, _DIAGNOSIS), ""),
            phase=latest.get((patient.id, _PHASE), ""),
            visits=len(days),
            last_visit=max(days, default=None),
            lesions=_lesions(summaries.get((patient.id, "visit")), summaries.get((patient.id, "comparison"))),
            event_counts=comparison["event_counts"] if comparison else None,
            standing=stands.get(patient.id, "empty"),
        )
        if standing in (None, line.standing) and _matches(line, search):
            found.append(line)
    return found


def _lesions(
    visit: tuple[str, Mapping[str, Any]] | None, comparison: tuple[str, Mapping[str, Any]] | None
) -> Mapping[str, Any] | None:
    if visit is None:
        return None
    if comparison and comparison[0] == visit[0] and comparison[1].get("lesion_volume_ml") is not None:
        return comparison[1]
    return visit[1]


def _matches(line: ListedPatient, search: str) -> bool:
    label = field(_DIAGNOSIS).choice(line.diagnosis).label if line.diagnosis else None
    words = f"{line.patient.code} {line.diagnosis} {label.en if label else ''} {label.it if label else ''}".casefold()
    return all(word in words for word in search.casefold().split())
