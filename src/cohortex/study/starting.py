"""Making a study sound again after whatever ended it the last time; no step of it is a person's."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from cohortex.errors import StudyProblem
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Job
from cohortex.study.home import Study
from cohortex.study.jobs.queue import release_expired
from cohortex.study.processing.summarising import recount_if_outdated
from cohortex.study.unfinished import settle_unfinished
from cohortex.study.uploads import wipe_decided


def tidy(study: Study) -> None:
    """Free the jobs of dead workers, settle uploads, empty the work folder, count anew what is counted otherwise now.

    Parameters
    ----------
    study : Study
        Just opened, with no worker of this machine at work on it yet.
    """
    release_expired(study)
    settle_unfinished(study)
    wipe_decided(study)
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        recount_if_outdated(session)
    with study.session(THE_STUDY) as session:
        running = set(session.scalars(select(Job.id).where(Job.state == "running")))
    for left in study.settings.work.glob("*"):
        if left.name not in running:  # its worker may live a moment longer than the server that started it
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def alone(study: Study) -> Iterator[None]:
    """Keep other servers and commands of this machine from working on the study at the same time.

    Raises
    ------
    StudyProblem
        If one does.
    """
    with (study.settings.home / "in-use").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StudyProblem(
                f"{study.settings.home.name}: another process on this machine serves or processes this study. "
                "Stop it first, or use its pages."
            ) from error
        yield  # the lock goes with the process, however it ends
