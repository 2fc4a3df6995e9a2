"""The statistics of the study, counted anew whenever a value or an image result changes.

Counted are patients with a processed visit. They enter in batches, by the rule that also releases templates: figures
that grew by one patient would tell of that patient. What is known of those already counted follows every change.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import selectinload

from cohortex.progress import ProgressCallback
from cohortex.study.database import THE_STUDY, StudySession
from cohortex.study.database.tables import (
    Centre,
    CountedPatient,
    Job,
    OpenFigure,
    Patient,
    Result,
    Series,
    StudyInfo,
    Visit,
)
from cohortex.study.entries import value_of
from cohortex.study.home import Study
from cohortex.study.jobs.queue import STUDY, enqueue
from cohortex.study.jobs.worker import Finish
from cohortex.study.patients import age_at
from cohortex.study.processing.following import current_version
from cohortex.study.records.facts import EVENTS, PatientFacts, VisitFacts, age_band_of
from cohortex.study.records.statistics import study_statistics

_FORM = 2
"""Raised when what is counted changes: figures of an earlier form are counted anew at the next start."""


def statistics(study: Study, job: Job, progress: ProgressCallback) -> Finish:
    """Count the study."""
    del job, progress  # it takes a moment
    with study.session(THE_STUDY) as session:
        info = session.scalars(select(StudyInfo)).one()
        already = set(session.scalars(select(CountedPatient.patient_id)))
        everyone = _processed(session)
        fresh = [patient for patient in everyone if patient.id not in already]
        if len(fresh) < info.rule_patients or len({patient.centre_id for patient in fresh}) < info.rule_centres:
            fresh = []
        entering = {patient.id for patient in fresh}
        counted = [patient for patient in everyone if patient.id in already | entering]
        facts = _facts(session, counted)
        version = current_version(session)
    found = study_statistics(facts, least_patients=info.least_patients, least_centres=info.least_centres)
    content = {language: found.to_json(language) for language in ("en", "it")} | {"form": _FORM}

    def finish(session: StudySession) -> None:
        for patient in fresh:
            session.add(
                CountedPatient(patient_id=patient.id, centre_id=patient.centre_id, uploader_id=patient.uploader_id)
            )
        latest = _latest(session)
        if latest is None or latest.content != content:
            session.add(OpenFigure(kind="statistics", template_version=version, content=content))

    return finish


def recount_if_outdated(session: StudySession) -> None:
    """Queue the statistics where those that are shown were counted by an earlier form."""
    latest = _latest(session)
    if latest is not None and latest.content.get("form", 1) != _FORM:
        enqueue(session, "statistics", about=STUDY, cause="update")


def _latest(session: StudySession) -> OpenFigure | None:
    return session.scalar(
        select(OpenFigure).where(OpenFigure.kind == "statistics").order_by(OpenFigure.id.desc()).limit(1)
    )


def _counts() -> ColumnElement[bool]:
    """Which results figures are made of: those in force, and until there is a new one that of a visit done again.

    A patient who left the figures while a visit is processed again would be told by the difference.
    """
    has_series = select(Series.visit_id).where(Series.withdrawn_at.is_(None))
    return Result.stale_at.is_(None) | (
        Result.visit_id.in_(has_series) & (Result.earlier_visit_id.is_(None) | Result.earlier_visit_id.in_(has_series))
    )


def _processed(session: StudySession) -> list[Patient]:
    """Every patient with a processed visit, with visits and records."""
    has_result = select(Result.patient_id).where(Result.kind == "visit", _counts())
    return list(
        session.scalars(
            select(Patient)
            .where(Patient.id.in_(has_result))
            .options(selectinload(Patient.visits).selectinload(Visit.entries))
            .order_by(Patient.created_at, Patient.id)
        )
    )


def _facts(session: StudySession, patients: list[Patient]) -> list[PatientFacts]:
    centres = {centre.id: centre.code for centre in session.scalars(select(Centre))}
    current: dict[tuple[str, str], dict[str, Any]] = {
        (result.visit_id, result.kind): result.summary
        for result in session.scalars(
            select(Result).where(_counts()).order_by(Result.stale_at.is_(None), Result.made_at)  # the last one stands
        )
    }
    facts = []
    for patient in patients:
        age = age_at(patient, patient.visits[0].date)
        facts.append(
            PatientFacts(
                centre=centres[patient.centre_id],
                sex=patient.sex,
                age_band="" if age is None or age < 0 else age_band_of(age),
                visits=tuple(_visit_facts(visit, current, patient.visits[0].date) for visit in patient.visits),
            )
        )
    return facts


def _visit_facts(visit: Visit, current: dict[tuple[str, str], dict[str, Any]], first: date) -> VisitFacts:
    images = current.get((visit.id, "visit"), {})
    changes = current.get((visit.id, "comparison"), {}).get("event_counts", {})
    events = {kind: changes[kind] for kind in EVENTS if changes.get(kind) is not None}
    return VisitFacts(
        day=(visit.date - first).days,
        values={entry.field: value_of(entry) for entry in visit.entries if entry.replaced_at is None},
        lesion_count=images.get("lesion_count"),
        lesion_volume_ml=images.get("lesion_volume_ml"),
        brain_volume_ml=images.get("brain_volume_ml"),
        events=events or None,
    )
