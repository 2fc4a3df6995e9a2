"""Where jobs run: in this process, or in worker processes of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any, Protocol

from cohortex.pipeline.job import Failure, Job, Outcome, run_job
from cohortex.pipeline.step import Step
from cohortex.pipeline.store import ResultStore
from cohortex.pipeline.threads import ENVIRONMENT
from cohortex.progress import Progress

Report = Callable[[str, Progress], None]
"""Takes the key of a running job and where it stands."""

_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from cohortex.pipeline import worker; "
_START += "worker.main(sys.argv[2])"


class Executor(Protocol):
    """Runs jobs whose inputs and results lie in a store that it can reach.

    Attributes
    ----------
    slots : int
        Jobs it takes at the same time.
    """

    slots: int

    def start(self, job: Job, step: Step[Any, Any]) -> None:
        """Take a job; never more than `slots` are under way."""
        ...

    def wait(self, report: Report, timeout_s: float) -> Outcome | None:
        """Give the next outcome, or None after `timeout_s`; pass on progress that comes meanwhile."""
        ...

    def close(self) -> None:
        """Stop whatever is running; may be used again afterwards."""
        ...


class InProcess:
    """Runs one job at a time in the calling process."""

    slots = 1

    def __init__(self, store: ResultStore) -> None:
        self._store = store
        self._waiting: list[tuple[Job, Step[Any, Any]]] = []

    def start(self, job: Job, step: Step[Any, Any]) -> None:
        """Take a job; it runs when it is waited for."""
        self._waiting.append((job, step))

    def wait(self, report: Report, timeout_s: float) -> Outcome | None:  # noqa: ARG002
        """Run the job to its end."""
        if not self._waiting:
            return None
        job, step = self._waiting.pop()
        stopped: list[BaseException] = []

        def relay(progress: Progress) -> None:
            try:
                report(job.key, progress)
            except BaseException as error:
                stopped.append(error)
                raise

        outcome = run_job(job, self._store, progress=relay, step=step)
        if stopped:
            raise stopped[0]  # the caller's wish to stop is no failure of the step
        return outcome

    def close(self) -> None:
        """Forget what was not started."""
        self._waiting.clear()


class WorkerProcesses:
    """Runs jobs in fresh Python processes, each on one thread; data passes through the store, not through pipes.

    Parameters
    ----------
    store : ResultStore
        Where inputs and results lie.
    slots : int
        Number of processes, started as they are needed.
    """

    def __init__(self, store: ResultStore, *, slots: int) -> None:
        self.slots = slots
        self._store = store
        self._idle: list[_Worker] = []
        self._busy: dict[str, _Worker] = {}
        self._messages: queue.Queue[tuple[_Worker, str | None]] = queue.Queue()

    def start(self, job: Job, step: Step[Any, Any]) -> None:
        """Send a job to a free process.

        Raises
        ------
        ValueError
            If another process could not find the step.
        """
        if step.module == "__main__" or "<locals>" in step.qualname:
            raise ValueError(
                f"step {step.qualname} is defined in a script, a notebook or a function, where worker processes "
                "cannot find it; put it into a module, or use workers=0."
            )
        worker = self._idle.pop() if self._idle else _Worker(self._store, self._messages)
        self._busy[job.key] = worker
        worker.send(job)

    def wait(self, report: Report, timeout_s: float) -> Outcome | None:
        """Give the next outcome; a process that ended without answering gives one that says so."""
        while True:
            try:
                worker, line = self._messages.get(timeout=timeout_s)
            except queue.Empty:
                return None
            key = next((key for key, busy in self._busy.items() if busy is worker), None)
            if key is None:
                continue  # an idle worker died, or one of a run that was stopped
            if line is None:
                del self._busy[key]
                return Outcome(key=key, died=worker.ending())
            message = json.loads(line)
            if "progress" in message:
                report(key, Progress(**message["progress"]))
                continue
            self._idle.append(self._busy.pop(key))
            entries = message["outcome"]
            failure = Failure(**entries.pop("failure")) if entries["failure"] else entries.pop("failure")
            return Outcome(**{**entries, "failure": failure, "damaged": tuple(entries["damaged"])})

    def close(self) -> None:
        """Stop all processes."""
        for worker in (*self._idle, *self._busy.values()):
            worker.stop()
        self._idle.clear()
        self._busy.clear()


class _Worker:
    """One process and the thread that listens to it."""

    def __init__(self, store: ResultStore, messages: queue.Queue[tuple[_Worker, str | None]]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps(sys.path), str(store.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ENVIRONMENT},
            encoding="utf-8",
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("a worker process was started without pipes.")
        self._requests, answers = self._process.stdin, self._process.stdout
        threading.Thread(target=self._listen, args=(messages, answers), daemon=True).start()

    def _listen(self, messages: queue.Queue[tuple[_Worker, str | None]], answers: IO[str]) -> None:
        with answers:
            for line in answers:
                messages.put((self, line))
        messages.put((self, None))

    def send(self, job: Job) -> None:
        with contextlib.suppress(BrokenPipeError):  # it died while idle; the listener says so
            self._requests.write(job.to_json() + "\n")
            self._requests.flush()

    def ending(self) -> str:
        code = self._process.wait()
        if code < 0:
            return f"killed by {signal.Signals(-code).name}" + (", often for lack of memory" if code == -9 else "")
        return f"ended with status {code}"

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):
            self._requests.close()
