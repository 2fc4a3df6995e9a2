"""One worker process: does jobs of a study until its parent is gone."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cohortex.report import write_comparison_report, write_visit_report
from cohortex.server.parenthood import end_with
from cohortex.study import Study
from cohortex.study.jobs import work
from cohortex.study.jobs.queue import release_of
from cohortex.study.processing.handlers import handlers


def run_worker(home: Path, *, name: str | None = None, farewell: list[Callable[[], None]] | None = None) -> None:
    """Do jobs until told to stop, or the process that started this one is gone.

    Parameters
    ----------
    home : Path
        Folder of the study.
    name : str, optional
        Of this worker, so that whoever started it can free its job at once when it dies.
    farewell : list of callable, optional
        The farewell of a watch that runs already (`end_with`), to be filled; a watch of the parent is begun when
        omitted.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the keyboard stops the parent, which ends its workers in order
    if farewell is None:
        farewell = []
        end_with(os.getppid(), farewell=farewell)
    farewell.append(stop.set)
    study = Study.open(home)
    name = name or f"worker-{os.getpid()}"
    farewell.append(partial(release_of, study, name, blameless=True))  # the server was killed, not by this job
    work(
        study,
        handlers(write_visit_report=write_visit_report, write_comparison_report=write_comparison_report),
        name=name,
        go_on=lambda: not stop.is_set(),
    )
    study.close()
