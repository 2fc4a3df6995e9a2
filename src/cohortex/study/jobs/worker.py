"""A worker: takes one job after another, keeps its lease alive, and finishes it in one transaction or not at all."""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from cohortex.errors import CohortexError, StepFailed
from cohortex.progress import Progress, ProgressCallback
from cohortex.study.database import THE_STUDY, StudySession
from cohortex.study.database.tables import Job, JobKind, now
from cohortex.study.home import Study
from cohortex.study.jobs.queue import LEASE, claim, heartbeat

_LOG = logging.getLogger(__name__)
_LOOK_EVERY_S = 0.4
_TELL_EVERY_S = 0.5
_ALMOST = 0.99  # it is done when it is committed

Finish = Callable[[StudySession], Callable[[], None] | None]
"""Writes what a job came to, inside the transaction that marks it done; may give what to do once that is durable."""

Handler = Callable[[Study, Job, ProgressCallback], Finish]
"""Does the work of one kind of job, keeping nothing that is not written once and named by its content."""


class LeaseLost(Exception):
    """The job was given to another worker meanwhile; what was done here is dropped."""


def work(
    study: Study,
    handlers: Mapping[JobKind, Handler],
    *,
    name: str | None = None,
    lease: timedelta = LEASE,
    until_idle: bool = False,
    go_on: Callable[[], bool] = lambda: True,
    told: Callable[[Job, Progress], None] | None = None,
) -> int:
    """Do jobs until told to stop.

    Parameters
    ----------
    study : Study
        Whose jobs.
    handlers : mapping of JobKind to Handler
        What to do for each kind.
    name : str, optional
        Of this worker; drawn when omitted.
    lease : timedelta
        How long a job waits for a worker that gives no sign of life.
    until_idle : bool
        Whether to return when nothing is queued and nothing runs anywhere.
    go_on : callable
        Asked between jobs; False ends the work.
    told : callable, optional
        Told of each job and its progress here, for a progress bar.

    Returns
    -------
    int
        Jobs finished or failed by this worker.
    """
    name = name or f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    count = 0
    while go_on():
        job = claim(study, worker=name, lease=lease)
        if job is None:
            if until_idle and not _any_left(study):
                return count
            time.sleep(_LOOK_EVERY_S)
            continue
        _do(study, job, handlers[job.kind], worker=name, lease=lease, told=told)
        count += 1
    return count


def _do(
    study: Study,
    job: Job,
    handler: Handler,
    *,
    worker: str,
    lease: timedelta,
    told: Callable[[Job, Progress], None] | None,
) -> None:
    with _Heart(study, job, worker=worker, lease=lease, told=told) as heart:
        try:
            finish = handler(study, job, heart.progress)
            heart.stop()  # its last word must not come after the end
            with study.session(THE_STUDY, writes=True) as session, session.begin():
                mine = _still_mine(session, job, worker)
                afterwards = finish(session)
                mine.state, mine.progress, mine.task = "done", 1.0, ""
                mine.worker, mine.lease_until = None, None
                mine.finished_at = mine.changed_at = now()
            if afterwards is not None:
                afterwards()
        except LeaseLost:
            _LOG.warning("job %s (%s) went to another worker", job.id, job.kind)
        except Exception as error:
            heart.stop()
            if not isinstance(error, CohortexError):
                _LOG.exception("job %s (%s) failed", job.id, job.kind)
            _fail(study, job, error, worker=worker)


def _fail(study: Study, job: Job, error: Exception, *, worker: str) -> None:
    reason, remedy = _in_words(error)
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        try:
            mine = _still_mine(session, job, worker)
        except LeaseLost:
            return
        mine.state, mine.reason, mine.remedy = "failed", reason, remedy
        mine.worker, mine.lease_until = None, None
        mine.finished_at = mine.changed_at = now()


def _in_words(error: Exception) -> tuple[str, str]:
    """Say what went wrong and what to do; of an error nobody foresaw no word is passed on that might hold a name."""
    if isinstance(error, StepFailed) and not isinstance(error.__cause__, CohortexError):
        kind = type(error.__cause__).__name__ if error.__cause__ else "it stopped"
        return f"the step '{error.step}' failed unexpectedly ({kind}).", _UNFORESEEN
    if isinstance(error, CohortexError):
        return str(error), getattr(error, "remedy", "")
    if isinstance(error, OperationalError):
        return "the database did not answer in time.", "Try again; if it repeats, look at the disk of the database."
    return f"an error nobody foresaw ({type(error).__name__}).", _UNFORESEEN


_UNFORESEEN = "Try again; if it repeats, send the job's number and the server's log to whoever runs the server."


def _still_mine(session: StudySession, job: Job, worker: str) -> Job:
    mine = session.scalar(
        select(Job).where(Job.id == job.id, Job.state == "running", Job.worker == worker).with_for_update()
    )
    if mine is None:
        raise LeaseLost
    return mine


def _any_left(study: Study) -> bool:
    with study.session(THE_STUDY) as session:
        return session.scalar(select(Job.id).where(Job.state.in_(("queued", "running"))).limit(1)) is not None


class _Heart:
    """Renews the lease of one job from a thread, and carries its progress to the row."""

    def __init__(
        self, study: Study, job: Job, *, worker: str, lease: timedelta, told: Callable[[Job, Progress], None] | None
    ) -> None:
        self._study, self._job, self._worker, self._lease, self._told = study, job, worker, lease, told
        self._fraction, self._task = 0.0, ""
        self._changed = False
        self._lost = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def progress(self, progress: Progress) -> None:
        if self._lost.is_set():
            raise LeaseLost
        fraction = min(_ALMOST, progress.done / progress.total) if progress.total > 0 else self._fraction
        if (fraction, progress.task) != (self._fraction, self._task):
            self._fraction, self._task, self._changed = fraction, progress.task, True
        if self._told:
            self._told(self._job, progress)

    def stop(self) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def __enter__(self) -> _Heart:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _beat(self) -> None:
        renewed = time.monotonic()
        while not self._end.wait(_TELL_EVERY_S):
            due = time.monotonic() - renewed > self._lease.total_seconds() / 3
            if not (due or self._changed):
                continue
            self._changed = False
            try:
                alive = heartbeat(
                    self._study, self._job.id, worker=self._worker, progress=self._fraction, task=self._task,
                    lease=self._lease,
                )  # fmt: skip
            except OperationalError:
                _LOG.warning("the database did not take the heartbeat of job %s; trying again", self._job.id)
                continue
            renewed = time.monotonic()
            if not alive:
                self._lost.set()
                return
