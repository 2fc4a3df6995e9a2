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


def _watch(study: Study, *, workers: int, began: datetime, progress: ProgressCallback) -> dict[str, int]:
    """Let workers work and tell of it until no job is left; give how many jobs ended in which state."""
    with Crew(study, size=workers, log=study.settings.home / "workers.log") as crew:
        while True:
            crew.mend()
            release_expired(study)
            with study.session(THE_STUDY) as session:
                states: dict[str, int] = dict(
                    session.execute(
                        select(Job.state, func.count())
                        .where((Job.finished_at >= began) | Job.finished_at.is_(None))
                        .group_by(Job.state)
                    ).tuples()
                )
                running = session.execute(
                    select(Job.kind, Job.progress, Patient.code)
                    .outerjoin(Patient, Patient.id == Job.patient_id)
                    .where(Job.state == "running")
                    .order_by(Job.started_at)
                ).all()
            ended = states.get("done", 0) + states.get("failed", 0) + states.get("cancelled", 0)
            left = states.get("queued", 0) + states.get("running", 0)
            words = "; ".join(f"{code or 'study'}: {_TITLES[kind]}" for kind, _, code in running) or "waiting"
            progress(Progress(task=words, done=ended + sum(share for _, share, _ in running), total=ended + left))
            if not left:
                return states
            time.sleep(_LOOK_EVERY_S)
