"""The worker processes behind a server or a command: started, replaced when they die, ended in order."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from cohortex.study import Study
from cohortex.study.jobs.queue import release_of

_LOG = logging.getLogger(__name__)
_END_WITHIN_S = 3.0


@dataclass
class _Worker:
    name: str
    process: subprocess.Popen[bytes]


class Crew:
    """Worker processes of one study, children of this process.

    Parameters
    ----------
    study : Study
        Whose jobs they do.
    size : int
        How many.
    log : Path, optional
        File for what they say; nowhere when omitted.
    """

    def __init__(self, study: Study, *, size: int, log: Path | None = None) -> None:
        self._study = study
        self._size = size
        self._log = log
        self._workers: list[_Worker] = []

    def start(self) -> None:
        """Start all workers."""
        while len(self._workers) < self._size:
            self._workers.append(self._begin())

    def alive(self) -> int:
        """Count the workers that run."""
        return sum(worker.process.poll() is None for worker in self._workers)

    def mend(self) -> int:
        """Replace workers that died; the job each held is free at once.

        Returns
        -------
        int
            How many had died.
        """
        dead = [worker for worker in self._workers if worker.process.poll() is not None]
        for worker in dead:
            _LOG.warning("worker %s ended with %s; starting another", worker.name, worker.process.returncode)
            release_of(self._study, worker.name)
            self._workers.remove(worker)
        self.start()
        return len(dead)

    def end(self) -> None:
        """End all workers; a job that is not finished by then is done again by the next ones."""
        for worker in self._workers:
            worker.process.terminate()
        deadline = time.monotonic() + _END_WITHIN_S  # for all together
        for worker in self._workers:
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            release_of(self._study, worker.name, blameless=True)
        self._workers.clear()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def _begin(self) -> _Worker:
        name = f"worker-{uuid.uuid4().hex[:12]}"
        home, parent = str(self._study.settings.home), str(os.getpid())  # it may look when this one is gone
        command = [sys.executable, "-m", "cohortex", "study", "worker", home, "--name", name, "--parent", parent]
        if self._log is None:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)  # fmt: skip
        else:
            with self._log.open("ab") as log:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return _Worker(name, process)
