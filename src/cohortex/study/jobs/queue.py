"""The queue of jobs: rows that are queued, running with a lease, done, failed with the reason, or cancelled.

A job is taken by one worker in one transaction. Its lease is renewed by a heartbeat; when it runs out (the worker was
killed, the machine went down) the next worker that looks for work queues the job again, so nothing waits for a person.
A job whose worker died five times is failed: it is the job that kills them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, select, update
from sqlalchemy.orm import aliased

from cohortex.errors import NotThere, Refused
from cohortex.study.database import THE_STUDY, StudySession
from cohortex.study.database.tables import Job, JobCause, JobKind, now
from cohortex.study.home import Study

LEASE = timedelta(seconds=30)
MOST_DEATHS = 5
STUDY = "study"
"""What a job is about that is about no patient."""

_LATER = aliased(Job)  # once: making one takes longer than asking with it
STILL_FAILED = and_(
    Job.state == "failed",
    ~select(_LATER.id)
    .where(_LATER.kind == Job.kind, _LATER.about == Job.about, _LATER.created_at > Job.created_at)
    .exists(),
)
"""Of jobs that failed: those of which nothing was begun again since."""

_PRIORITY: Mapping[JobKind, int] = {  # what a person waits for comes first; figures of the study come last
    "check": 0,
    "visit": 1,
    "comparison": 2,
    "template": 3,
    "deviation": 4,
    "distances": 5,
    "statistics": 6,
}


def enqueue(
    session: StudySession,
    kind: JobKind,
    *,
    about: str,
    cause: JobCause,
    centre_id: int | None = None,
    uploader_id: int | None = None,
    patient_id: str | None = None,
    visit_id: str | None = None,
    upload_id: str | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Job:
    """Queue a job, once: where the same work waits already, that row is given.

    Parameters
    ----------
    session : StudySession
        That writes.
    kind : JobKind
        What is to be done.
    about : str
        On what: the key of an upload, a visit, two visits, a patient, or `STUDY`.
    cause : str
        Why: "upload", "record", "template", "withdrawal", "move", "retry".
    centre_id, uploader_id, patient_id, visit_id, upload_id
        About whom; all None for the study as a whole.
    arguments : mapping, optional
        What else it needs, JSON-able.

    Returns
    -------
    Job
        Queued.
    """
    waiting = session.scalar(select(Job).where(Job.kind == kind, Job.about == about, Job.state == "queued"))
    if waiting is not None:
        waiting.arguments = dict(arguments or {})
        return waiting
    job = Job(
        kind=kind,
        about=about,
        cause=cause,
        centre_id=centre_id,
        uploader_id=uploader_id,
        patient_id=patient_id,
        visit_id=visit_id,
        upload_id=upload_id,
        arguments=dict(arguments or {}),
        priority=_PRIORITY[kind],
    )
    session.add(job)
    session.flush()
    return job


def claim(study: Study, *, worker: str, lease: timedelta = LEASE) -> Job | None:
    """Take the next job, if any; of two about the same thing, or two checks about one patient, one runs at a time.

    Parameters
    ----------
    study : Study
        Whose jobs.
    worker : str
        Who takes it, unique among all workers.
    lease : timedelta
        For how long without a heartbeat.

    Returns
    -------
    Job or None
        Running, with this worker's lease.
    """
    twin = aliased(Job)
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        _release_expired(session)
        same_patient = (Job.kind == "check") & (twin.patient_id == Job.patient_id)  # one tells whose the next is
        same_runs = (
            select(twin.id)
            .where(twin.kind == Job.kind, (twin.about == Job.about) | same_patient, twin.state == "running")
            .exists()
        )
        job = session.scalar(
            select(Job)
            .where(Job.state == "queued", ~same_runs)
            .order_by(Job.priority, Job.created_at, Job.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if job is None:
            return None
        moment = now()
        job.state, job.worker, job.lease_until = "running", worker, moment + lease
        job.started_at = job.changed_at = moment
        job.attempts += 1
        job.progress, job.task, job.reason, job.remedy = 0.0, "", "", ""
        return job


def heartbeat(study: Study, job: str, *, worker: str, progress: float, task: str, lease: timedelta = LEASE) -> bool:
    """Renew a lease and say how far the work is.

    Returns
    -------
    bool
        False where the job is no longer this worker's: it must stop, and keep nothing.
    """
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        mine = session.scalar(select(Job).where(Job.id == job, Job.state == "running", Job.worker == worker))
        if mine is None:
            return False
        mine.lease_until = now() + lease
        if (mine.progress, mine.task) != (progress, task):
            mine.progress, mine.task, mine.changed_at = progress, task, now()
        return True


def release_expired(study: Study) -> None:
    """Queue again what a dead worker left; every worker does so whenever it looks for work."""
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        _release_expired(session)


def release_of(study: Study, worker: str, *, blameless: bool = False) -> None:
    """Queue again at once what one worker left that is known to be dead, without waiting for its lease.

    Parameters
    ----------
    study : Study
        Whose jobs.
    worker : str
        Who held them.
    blameless : bool
        Whether it was told to end, so that its end is none of the deaths after which a job is given up.
    """
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        session.execute(
            update(Job)
            .where(Job.state == "running", Job.worker == worker)
            .values(lease_until=now() - LEASE, attempts=Job.attempts - int(blameless))
        )
        _release_expired(session)


def retry(session: StudySession, job: Job) -> Job:
    """Queue a failed job again.

    Raises
    ------
    Refused
        If it did not fail.
    """
    if job.state != "failed":
        raise Refused(f"this job is {job.state}; only a failed one is tried again.")
    again = enqueue(
        session,
        job.kind,
        about=job.about,
        cause="retry",
        centre_id=job.centre_id,
        uploader_id=job.uploader_id,
        patient_id=job.patient_id,
        visit_id=job.visit_id,
        upload_id=job.upload_id,
        arguments=job.arguments,
    )
    job.state, job.changed_at = "cancelled", now()
    return again


def cancel(session: StudySession, *, kind: JobKind, about: str, reason: str) -> None:
    """Take back work, queued or failed, that has lost its object, such as the check of an upload that was withdrawn."""
    idle = select(Job).where(Job.kind == kind, Job.about == about, Job.state.in_(("queued", "failed")))
    for job in session.scalars(idle):
        job.state, job.reason, job.remedy, job.finished_at = "cancelled", reason, "", now()
        job.changed_at = job.finished_at


def job_of(session: StudySession, job: str) -> Job:
    """Fetch a job.

    Raises
    ------
    NotThere
        If there is none, or none the asker may see.
    """
    found = session.scalar(select(Job).where(Job.id == job))
    if found is None:
        raise NotThere("There is no such job.")
    return found


def _release_expired(session: StudySession) -> None:
    moment = now()
    for job in session.scalars(select(Job).where(Job.state == "running", Job.lease_until < moment)):
        job.worker, job.lease_until, job.changed_at = None, None, moment
        waiting = session.scalar(
            select(Job.id).where(Job.kind == job.kind, Job.about == job.about, Job.state == "queued")
        )
        if waiting is not None:
            job.state, job.reason, job.finished_at = "cancelled", "the same work was asked for again", moment
        elif job.attempts >= MOST_DEATHS:
            job.state, job.finished_at = "failed", moment
            job.reason = f"its worker died {job.attempts} times during '{job.task or job.kind}'."
            job.remedy = "Give the machine more memory or run fewer workers, then try again."
        else:
            job.state = "queued"
        session.flush()
