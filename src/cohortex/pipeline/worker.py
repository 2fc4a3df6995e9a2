"""A worker process: takes jobs from its standard input, one JSON line each, and answers in kind."""

from __future__ import annotations

import dataclasses
import json
import os
import queue
import signal
import threading
import time
from pathlib import Path
from typing import TextIO

from cohortex.pipeline.job import Job, Outcome, run_job
from cohortex.pipeline.store import ResultStore
from cohortex.progress import Progress

_REPORT_EVERY_S = 0.1  # more often than a person can see is only work


def main(store: str) -> None:
    """Answer jobs until the other end closes or dies; whatever a step prints goes to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, and the parent decides
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read_until_closed, args=(requests, lines), daemon=True).start()
    results = ResultStore(Path(store))
    last_report = 0.0

    def report(progress: Progress) -> None:
        nonlocal last_report
        if time.monotonic() - last_report >= _REPORT_EVERY_S:
            last_report = time.monotonic()
            _send(answers, "progress", progress)

    while True:
        _send(answers, "outcome", run_job(Job.from_json(lines.get()), results, progress=report))


def _read_until_closed(requests: TextIO, lines: queue.Queue[str]) -> None:
    for line in requests:
        lines.put(line)
    os._exit(1)  # the parent is gone or wants no more of this process, even in the middle of a step


def _send(answers: TextIO, kind: str, message: Progress | Outcome) -> None:
    answers.write(json.dumps({kind: dataclasses.asdict(message)}) + "\n")
    answers.flush()
