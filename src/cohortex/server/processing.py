"""Doing all the work that waits in a study, without serving it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from cohortex.progress import Progress, ProgressCallback, silent
from cohortex.server.crew import Crew
from cohortex.study import Study
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Job, Patient, now
from cohortex.study.jobs import release_expired
from cohortex.study.starting import alone, tidy

_LOOK_EVERY_S = 0.3
_TITLES = {
    "check": "checking the upload",
    "visit": "processing the visit",
    "comparison": "comparing the visits",
    "template": "releasing the template",
    "deviation": "holding it against the study",
    "distances": "laying out the map",
    "statistics": "counting",
}


@dataclass(frozen=True, kw_only=True)
class WorkDone:
    """What came of the jobs that waited.

    Attributes
    ----------
    done, failed : int
        Jobs that ended since the work began.
    failures : tuple of str
        Reason and remedy of each that failed.
    """

    done: int
    failed: int
    failures: tuple[str, ...]


def process_until_idle(study: Study, *, workers: int = 2, progress: ProgressCallback = silent) -> WorkDone:
    """Do all jobs that wait, and those that follow from them.

    Parameters
    ----------
    study : Study
        Whose.
    workers : int
        Worker processes.
    progress : callable
        Told several times a second how many jobs are done and what runs; the work stops when it raises, and goes on
        from there the next time.

    Returns
    -------
    WorkDone
        What came of them.
    """
    began = now()
    with alone(study):
        tidy(study)
        states = _watch(study, workers=workers, began=began, progress=progress)
    with study.session(THE_STUDY) as session:
        failed = session.scalars(select(Job).where(Job.state == "failed", Job.finished_at >= began)).all()
    return WorkDone(
        done=states.get("done", 0),
        failed=len(failed),
        failures=tuple(f"{_TITLES[job.kind]}: {job.reason} {job.remedy}".strip() for job in failed),
    )


@dataclass(frozen=True, kw_only=True)
class WorkNow:
    """How the work of a study stands.

    Attributes
    ----------
    ended, left : int
        Jobs that ended since a moment, and that are queued or run.
    states : dict of str to int
        All of them by state.
    under_way : float
        Jobs' worth of work that running ones have done.
    words : str
        What runs, for whom.
    """

    ended: int
    left: int
    states: dict[str, int]
    under_way: float
    words: str


def work_now(study: Study, *, since: datetime) -> WorkNow:
    """Say how the work stands."""
    with study.session(THE_STUDY) as session:
        states: dict[str, int] = dict(
            session.execute(
                select(Job.state, func.count())
                .where((Job.finished_at >= since) | Job.finished_at.is_(None))
                .group_by(Job.state)
            ).all()
        )
        running = session.execute(
            select(Job.kind, Job.progress, Patient.code)
            .outerjoin(Patient, Patient.id == Job.patient_id)
            .where(Job.state == "running")
            .order_by(Job.started_at)
        ).all()
    return WorkNow(
        ended=sum(states.get(state, 0) for state in ("done", "failed", "cancelled")),
        left=states.get("queued", 0) + states.get("running", 0),
        states=states,
        under_way=sum(share for _, share, _ in running),
        words="; ".join(f"{code or 'study'}: {_TITLES[kind]}" for kind, _, code in running) or "waiting",
    )


def _watch(study: Study, *, workers: int, began: datetime, progress: ProgressCallback) -> dict[str, int]:
    """Let workers work and tell of it until no job is left; give how many jobs ended in which state."""
    with Crew(study, size=workers, log=study.settings.home / "workers.log") as crew:
        while True:
            crew.mend()
            release_expired(study)
            stands = work_now(study, since=began)
            done = stands.ended + stands.under_way
            progress(Progress(task=stands.words, done=done, total=stands.ended + stands.left))
            if not stands.left:
                return stands.states
            time.sleep(_LOOK_EVERY_S)
