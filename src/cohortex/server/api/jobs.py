"""The jobs of the asker's centre and of the study as a whole."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter
from sqlalchemy import func, select

from cohortex.server.api.shapes import JobCounts, JobShape, JobShapes
from cohortex.server.asking import Database, OwnJob, SignedIn
from cohortex.study.database import StudySession
from cohortex.study.database.tables import Job, JobState, Patient, Visit
from cohortex.study.jobs.queue import retry
from cohortex.study.records import Language, Words

router = APIRouter(tags=["jobs"])
_MOST = 500  # in a list; the counts are of all
_TITLES = {
    "check": Words("Check of an upload, visit {visit}", "Controllo di un caricamento, visita {visit}"),
    "visit": Words("Images of visit {visit}", "Immagini della visita {visit}"),
    "comparison": Words("Visit {visit} against the one before", "Visita {visit} rispetto alla precedente"),
    "deviation": Words("Deviation from the study", "Deviazione dallo studio"),
    "template": Words("New version of the template", "Nuova versione del template"),
    "distances": Words("Map of the study", "Mappa dello studio"),
    "statistics": Words("Statistics of the study", "Statistiche dello studio"),
}


@router.get("/jobs")
def list_jobs(session: Database, asker: SignedIn, state: JobState | None = None) -> JobShapes:
    """List jobs, the latest first, and count all by state."""
    jobs = select(Job).order_by(Job.created_at.desc(), Job.id).limit(_MOST)
    if state is not None:
        jobs = jobs.where(Job.state == state)
    counts = dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())
    known = {str(name): n for name, n in counts.items() if name in JobCounts.model_fields}
    return JobShapes(
        jobs=jobs_shown(session, session.scalars(jobs), language=asker.language), counts=JobCounts(**known)
    )


@router.post("/jobs/{job_id}/retry")
def retry_job(job: OwnJob, session: Database, asker: SignedIn) -> JobShape:
    """Queue a failed job again."""
    return jobs_shown(session, [retry(session, job)], language=asker.language)[0]


def jobs_shown(session: StudySession, jobs: Iterable[Job], *, language: str) -> list[JobShape]:
    """Show jobs, each with a title in the asker's language."""
    jobs = list(jobs)
    patients = {job.patient_id for job in jobs if job.patient_id}
    codes = dict(session.execute(select(Patient.id, Patient.code).where(Patient.id.in_(patients))).all())
    days: dict[str, list[str]] = {}
    rows = session.execute(
        select(Visit.patient_id, Visit.id).where(Visit.patient_id.in_(patients)).order_by(Visit.date)
    )
    for patient, visit in rows:
        days.setdefault(patient, []).append(visit)
    spoken: Language = "it" if language == "it" else "en"
    shown = []
    for job in jobs:
        visits = days.get(job.patient_id or "", [])
        number = visits.index(job.visit_id) + 1 if job.visit_id in visits else 0
        shown.append(
            JobShape(
                id=job.id,
                kind=job.kind,
                title=_TITLES[job.kind].filled(visit=str(number)).in_language(spoken),
                patient=codes.get(job.patient_id or ""),
                visit=job.visit_id,
                state=job.state,
                progress=job.progress,
                task=job.task,
                cause=job.cause,
                reason=job.reason,
                remedy=job.remedy,
                attempts=job.attempts,
                created_at=job.created_at,
                started_at=job.started_at,
                finished_at=job.finished_at,
                lease_until=job.lease_until,
            )
        )
    return shown
