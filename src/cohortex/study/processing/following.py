"""What follows from what: which results a change makes stale, and exactly which jobs it starts.

======================  =======================================================================================
change                  jobs
======================  =======================================================================================
clinical value          statistics
series of a visit       that visit
visit without series    the comparison of the visits before and after it; what follows a processed visit
visits compared         statistics
visit processed         its comparisons with the visits before and after it; statistics; the release of a
                        template where the rule is met; else, where there is a template, deviation of the
                        patient and distances
template released       deviation of every patient, distances, statistics
template not released   what was left to its release
======================  =======================================================================================
"""

from __future__ import annotations

from itertools import pairwise

from sqlalchemy import func, select, update

from cohortex.study.database import StudySession
from cohortex.study.database.tables import (
    Job,
    JobCause,
    Patient,
    Result,
    Series,
    StudyInfo,
    TemplateMember,
    TemplateVersion,
    Visit,
    now,
)
from cohortex.study.jobs.queue import STUDY, cancel, enqueue


def record_changed(session: StudySession) -> None:
    """A clinical value was entered or changed: figures of the study follow, no image step does."""
    enqueue(session, "statistics", about=STUDY, cause="record")


def images_changed(session: StudySession, visit: Visit, *, cause: JobCause) -> None:
    """Series of a visit were added, moved or withdrawn: it is processed again, or what was made of it is stale."""
    session.execute(
        update(Result)
        .where((Result.visit_id == visit.id) | (Result.earlier_visit_id == visit.id), Result.stale_at.is_(None))
        .values(stale_at=now())
    )
    left = session.scalar(
        select(func.count()).select_from(Series).where(Series.visit_id == visit.id, Series.withdrawn_at.is_(None))
    )
    if left:
        enqueue(
            session, "visit", about=visit.id, cause=cause, centre_id=visit.centre_id, uploader_id=visit.uploader_id,
            patient_id=visit.patient_id, visit_id=visit.id,
        )  # fmt: skip
    else:
        cancel(session, kind="visit", about=visit.id, reason="no scan of this visit is left")
        waiting = select(Job.about).where(Job.kind == "comparison", Job.patient_id == visit.patient_id)
        for about in session.scalars(waiting.distinct()).all():
            if visit.id in about.split("+"):
                cancel(session, kind="comparison", about=about, reason="no scan of one of these visits is left")
        for earlier, later in pairwise(_processed(session, visit.patient_id)):
            if earlier.date < visit.date < later.date:
                _compare(session, earlier, later, cause=cause)
        patient_changed(session, visit.patient_id, cause=cause)


def visit_processed(session: StudySession, visit: Visit, *, cause: JobCause) -> None:
    """A visit has a new result: it is compared with its neighbours, and those no longer with each other."""
    pairs = list(pairwise(_processed(session, visit.patient_id)))
    neighbours = {(earlier.id, later.id) for earlier, later in pairs}
    for result in session.scalars(
        select(Result).where(
            Result.kind == "comparison", Result.patient_id == visit.patient_id, Result.stale_at.is_(None)
        )
    ):
        if (result.earlier_visit_id, result.visit_id) not in neighbours:
            result.stale_at = now()
    for earlier, later in pairs:
        if visit.id in (earlier.id, later.id):
            _compare(session, earlier, later, cause=cause)
    patient_changed(session, visit.patient_id, cause=cause)


def comparison_made(session: StudySession, *, cause: JobCause) -> None:
    """Two visits were compared: only figures of the study tell of that."""
    enqueue(session, "statistics", about=STUDY, cause=cause)


def patient_changed(session: StudySession, patient_id: str, *, cause: JobCause) -> None:
    """What is known of a patient's images has changed: the figures of the study follow, or its next template."""
    if release_is_due(session):
        enqueue(session, "template", about=STUDY, cause=cause, arguments={"reason": "rule"})
        return  # what depends on the template follows its release
    version = current_version(session)
    member = member_visits(session).get(patient_id)
    if version is not None:
        if member is not None:
            _deviate(session, session.get_one(Patient, patient_id), member, cause=cause)
        enqueue(session, "distances", about=STUDY, cause=cause)
    enqueue(session, "statistics", about=STUDY, cause=cause)


def template_not_released(session: StudySession) -> None:
    """A release was left because too few were there in the end: what was left to it is done for the one in force."""
    version = current_version(session)
    if version is not None:
        has_one = set(
            session.scalars(
                select(Result.visit_id).where(
                    Result.kind == "deviation", Result.template_version == version, Result.stale_at.is_(None)
                )
            )
        )
        for patient_id, visit in member_visits(session).items():
            if visit.id not in has_one:
                _deviate(session, session.get_one(Patient, patient_id), visit, cause="template")
        enqueue(session, "distances", about=STUDY, cause="template")
    enqueue(session, "statistics", about=STUDY, cause="template")


def template_released(session: StudySession) -> None:
    """A new version of the template is there: exactly what depends on it is done again."""
    session.execute(update(Result).where(Result.kind == "deviation", Result.stale_at.is_(None)).values(stale_at=now()))
    for patient_id, visit in member_visits(session).items():
        _deviate(session, session.get_one(Patient, patient_id), visit, cause="template")
    enqueue(session, "distances", about=STUDY, cause="template")
    enqueue(session, "statistics", about=STUDY, cause="template")


def member_visits(session: StudySession) -> dict[str, Visit]:
    """Give, for each patient who can be part of a template, the earliest visit that was aligned with MNI152."""
    rows = session.execute(
        select(Result, Visit)
        .join(Visit, Visit.id == Result.visit_id)
        .where(Result.kind == "visit", Result.stale_at.is_(None))
        .order_by(Visit.date.desc())
    )
    return {result.patient_id: visit for result, visit in rows if result.summary.get("aligned_brain")}


def release_is_due(session: StudySession) -> bool:
    """Whether the rule of the study asks for a new version: enough new patients from enough centres since the last."""
    info = session.scalars(select(StudyInfo)).one()
    version = current_version(session)
    members = set(session.scalars(select(TemplateMember.patient_id).where(TemplateMember.version == version)))
    fresh = {patient: visit.centre_id for patient, visit in member_visits(session).items() if patient not in members}
    return len(fresh) >= info.rule_patients and len({*fresh.values()}) >= info.rule_centres


def current_version(session: StudySession) -> int | None:
    """Give the number of the template in force; None before the first release."""
    return session.scalar(select(func.max(TemplateVersion.number)))


def is_under_way(session: StudySession, kind: str, about: str) -> bool:
    """Whether such a job is queued or running."""
    return (
        session.scalar(
            select(Job.id).where(Job.kind == kind, Job.about == about, Job.state.in_(("queued", "running"))).limit(1)
        )
        is not None
    )


def follow_each_other(session: StudySession, earlier: str, later: str) -> bool:
    """Whether two visits have results, and none that has one lies between them."""
    processed = _processed(session, session.get_one(Visit, later).patient_id)
    return (earlier, later) in {(first.id, second.id) for first, second in pairwise(processed)}


def _processed(session: StudySession, patient_id: str) -> list[Visit]:
    """Give the visits of a patient that have a result, by day."""
    has_result = (
        select(Result.id).where(Result.kind == "visit", Result.visit_id == Visit.id, Result.stale_at.is_(None)).exists()
    )
    return list(session.scalars(select(Visit).where(Visit.patient_id == patient_id, has_result).order_by(Visit.date)))


def _compare(session: StudySession, earlier: Visit, later: Visit, *, cause: JobCause) -> None:
    enqueue(
        session, "comparison", about=f"{earlier.id}+{later.id}", cause=cause, centre_id=later.centre_id,
        uploader_id=later.uploader_id, patient_id=later.patient_id, visit_id=later.id,
        arguments={"earlier": earlier.id},
    )  # fmt: skip


def _deviate(session: StudySession, patient: Patient, visit: Visit, *, cause: JobCause) -> None:
    enqueue(
        session, "deviation", about=patient.id, cause=cause, centre_id=patient.centre_id,
        uploader_id=patient.uploader_id, patient_id=patient.id, visit_id=visit.id,
    )  # fmt: skip
