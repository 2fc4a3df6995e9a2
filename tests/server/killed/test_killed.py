"""`kill -9` of server or worker at random moments loses nothing that was acknowledged, and needs no hand."""

from __future__ import annotations

import time

import pytest
from centre_under_kills import Centre, check_everything, kill_at_random_moments, make_scans, make_study, wait_until_idle
from served import Served, alive

pytestmark = pytest.mark.acceptance


def run(tmp_path, *, moments: int, seed: int, visits: int) -> None:
    study = make_study(tmp_path / "study")
    scans, empty = make_scans(tmp_path / "scans")
    with Served(study.settings.home) as served:
        centre = Centre(served, scans[:visits], empty)
        centre.start()
        kill_at_random_moments(served, centre, moments=moments, seed=seed)
        centre.enough.set()
        centre.join(300)
        assert centre.failure is None, centre.failure
        assert not centre.is_alive()
        wait_until_idle(study)
    check_everything(study, centre.acknowledged, visits=visits)


@pytest.mark.timeout(1200)
def test_ten_kills_lose_nothing_and_do_nothing_twice(tmp_path):
    run(tmp_path, moments=10, seed=1, visits=1)


def test_workers_end_with_a_server_that_was_killed(tmp_path):
    study = make_study(tmp_path / "study")
    served = Served(study.settings.home)
    served.start()
    workers = [process.pid for process in served.worker_processes()]
    assert workers
    served.kill()
    deadline = time.monotonic() + 15
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(alive(pid) for pid in workers)
