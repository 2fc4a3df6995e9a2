"""Killing a real run at a random moment and starting it again: the proof that nothing finished is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from killable_run import graph

from cohortex.pipeline import ResultStore

PAUSE_S = 0.06


def start(folder: Path, *, workers: int) -> subprocess.Popen[bytes]:
    program = Path(__file__).with_name("killable_run.py")
    return subprocess.Popen(
        [sys.executable, str(program), str(folder), str(workers), str(PAUSE_S)], start_new_session=True
    )


def kill_until_done(folder: Path, *, rng: np.random.Generator, workers: int, kills: int, whole_group: bool) -> int:
    """Kill a run at random moments, then let it finish; check that no finished step ever ran again.

    Returns the number of steps that were finished when the last kill came.
    """
    folder.mkdir(parents=True)
    log = folder / "log.txt"
    log.touch()
    names = {node.key: str(node.source.parameters.get("number", "total")) for node in graph(log, seconds=PAUSE_S)[0]}
    finished: set[str] = set()
    for attempt in range(kills + 1):
        already_run = len(log.read_text().split())
        process = start(folder, workers=workers)
        try:
            if attempt < kills:
                last = attempt == kills - 1  # then something must have been finished, for the proof to prove anything
                wait_for_steps(process, log, already_run + (max(workers, 1) + 1 if last else 1))
                time.sleep(float(rng.uniform(0, 0.25)))
                if process.poll() is None:
                    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGKILL)
                process.wait()
            else:
                assert process.wait(timeout=120) == 0
        finally:
            if process.poll() is None:
                process.kill()
        run_again = log.read_text().split()[already_run:]
        assert not finished & set(run_again), f"finished steps ran again after kill {attempt}"
        if attempt < kills:
            wait_until_still(log)
            finished = {names[key] for key in ResultStore(folder / "store").keys() if key in names}  # noqa: SIM118
    store = ResultStore(folder / "store")
    for key in store.keys():  # noqa: SIM118
        store.check(key)
    return len(finished)


def wait_for_steps(process: subprocess.Popen[bytes], log: Path, started: int) -> None:
    while process.poll() is None and len(log.read_text().split()) < started:
        time.sleep(0.01)


def wait_until_still(log: Path) -> None:
    """Orphaned workers end by themselves; what they finish meanwhile counts as finished."""
    time.sleep(3 * PAUSE_S)
    while True:
        before = log.read_text()
        time.sleep(3 * PAUSE_S)
        if log.read_text() == before:
            return
