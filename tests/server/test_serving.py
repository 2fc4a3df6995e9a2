"""The real server as a process: it starts, works, mends and ends in order, and leaves nobody behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psutil
import pytest

from cohortex.errors import StudyProblem
from cohortex.server.serving import refuse_other_machines, serve
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Job, now
from cohortex.study.jobs.queue import LEASE, STUDY, enqueue

_CODE = """
import sys
from pathlib import Path
from cohortex.server.serving import serve
from cohortex.study import Study
serve(Study.open(Path(sys.argv[1])), port=0, workers=int(sys.argv[2]), pages=False,
      ready=lambda address: print(address, flush=True))
"""
_PATIENCE_S = 30


@contextmanager
def served(study, *, workers: int = 0) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    command = [sys.executable, "-c", _CODE, str(study.settings.home), str(workers)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), "the server did not start"
        with httpx.Client(base_url=address, headers={"X-Cohortex": "1"}, trust_env=False) as client:
            yield process, client
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def wait_for(happened: Callable[[], bool], *, what: str) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not happened():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.1)


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    alive = (child for child in psutil.Process(process.pid).children() if child.status() != psutil.STATUS_ZOMBIE)
    return [child for child in alive if "worker" in child.cmdline()]


def test_a_server_answers_and_ends_when_told(study, password):
    with served(study) as (process, client):
        assert client.post("/api/session", json={"login": "anna.aa", "password": password}).status_code == 200
        assert client.get("/api/patients").json() == {"patients": []}
        with client.stream("GET", "/api/events") as live:  # an open page does not keep it from ending
            assert next(live.iter_lines()) == "retry: 2000"
            process.send_signal(signal.SIGTERM)
            wait_for(lambda: process.poll() is not None, what="the end of the server")


def test_many_people_who_enter_at_once_all_get_their_turn(study, password):
    with served(study) as (_, client):
        client.post("/api/session", json={"login": "anna.aa", "password": password})

        def enter(_: int) -> str:
            with httpx.Client(base_url=client.base_url, headers=client.headers, cookies=client.cookies) as other:
                return str(other.post("/api/patients", json={"sex": "F"}, timeout=_PATIENCE_S).json()["code"])

        with ThreadPoolExecutor(60) as people:  # more than the server has threads
            codes = list(people.map(enter, range(120)))
    assert sorted(codes) == [f"AA-{n:04d}" for n in range(1, 121)]


def test_two_servers_never_serve_one_study(study):
    with served(study), pytest.raises(StudyProblem, match="another process"):
        serve(study, port=0, workers=0, pages=False)


def test_a_port_that_is_taken_is_named(study):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StudyProblem, match=f"port {port}"):
            serve(study, port=port, workers=0, pages=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org"])
def test_a_server_refuses_to_be_reached_by_other_machines(study, host):
    with pytest.raises(StudyProblem, match="reverse proxy"):
        serve(study, host=host, port=0, workers=0, pages=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_addresses_of_this_machine_alone_are_fine(host):
    refuse_other_machines(host)


def test_what_a_dead_server_left_is_tidied_at_the_next_start(study, password):
    left = study.work_folder("left-behind")
    study.intake.begin("nobodyknows")
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        job = enqueue(session, "template", about=STUDY, cause="rule")
        job.state, job.worker, job.lease_until, job.attempts = "running", "dead", now() - LEASE, 1
        number = job.id
    with served(study) as (_, client):
        client.post("/api/session", json={"login": "anna.aa", "password": password})
        assert client.get("/api/jobs").json()["jobs"][0]["state"] == "queued"
    assert not left.exists()
    assert study.intake.uploads() == []
    with study.session(THE_STUDY) as session:
        assert session.get_one(Job, number).worker is None


@pytest.mark.skipif(os.name == "nt", reason="kills processes by signal")
def test_a_killed_worker_is_replaced_and_a_killed_server_leaves_none_behind(study):
    with served(study, workers=1) as (process, client):
        wait_for(lambda: client.get("/api/health").json()["workers"] == 1, what="the start of a worker")
        first = workers_of(process)[0]
        first.kill()
        wait_for(lambda: any(w.pid != first.pid for w in workers_of(process)), what="the replacement of the worker")
        second = workers_of(process)[0]
        wait_for(lambda: second.cpu_times().user > 0.2, what="the beginning of its work")
        process.kill()
        wait_for(lambda: not second.is_running(), what="the end of the worker without a server")


@pytest.mark.skipif(os.name == "nt", reason="kills processes by signal")
def test_the_child_that_looks_into_images_ends_with_the_server(tmp_path):
    code = """
import sys, time
from pathlib import Path
from cohortex.server.lookup import Lookups
from cohortex.study.settings import StudySettings
lookups = Lookups(StudySettings.of(Path(sys.argv[1])))
print(lookups._started().pid, flush=True)
time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(process.stdout.readline()))
    process.kill()
    process.wait()
    process.stdout.close()
    wait_for(lambda: not child.is_running(), what="the end of the child")
