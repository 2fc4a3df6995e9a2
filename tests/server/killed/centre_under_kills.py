"""Kills at random moments while a centre works, and what must be true afterwards."""

from __future__ import annotations

import hashlib
import threading
import time
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from served import Served
from sqlalchemy import select

from cohortex import phantoms
from cohortex.errors import Refused
from cohortex.server.client import StudyClient
from cohortex.study import Study
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import (
    Instance,
    Job,
    RecordEntry,
    Result,
    Series,
    StoredObject,
    Upload,
    now,
)
from cohortex.study.people import add_centre, add_uploader

LOGIN, PASSWORD = "anna", "correct horse"
SEED = 5  # of the phantom that is scanned
SEX, SCANNED = phantoms.invented_identity(seed=SEED).sex, ("2024-01-15", "2024-04-15")  # as its headers say
IDLE_WITHIN_S = 900.0
_DOUBTFUL = (httpx.TransportError, httpx.RemoteProtocolError)


@dataclass
class Acknowledged:
    """What the server said it has."""

    patients: list[str] = field(default_factory=list)
    visits: list[str] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)  # visit -> CRP
    uploads: list[str] = field(default_factory=list)


def make_study(home: Path) -> Study:
    study = Study.create(home, name="Killed")
    add_centre(study, code="AA", name="Centre")
    add_uploader(study, centre="AA", login=LOGIN, name="Anna", password=PASSWORD)
    return study


def make_scans(folder: Path) -> tuple[list[Path], Path]:
    """Two visits of a phantom at 4 mm, and an archive without any image."""
    folder.mkdir()
    patient = phantoms.patient(seed=SEED, visits=2, spacing_mm=4, volume_mm3=(500, 4000))
    scans = [folder / f"visit-{n}.zip" for n in (1, 2)]
    for visit, path in zip(patient.visits, scans, strict=True):
        phantoms.write_dicom_zip(visit.images, path, seed=SEED)
    empty = folder / "empty.zip"
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("readme.txt", "no image")
    return scans, empty


class Centre(threading.Thread):
    """A centre that goes on entering, whatever happens to the server, until told to stop and all scans are sent."""

    def __init__(self, served: Served, scans: list[Path], empty: Path) -> None:
        super().__init__(daemon=True)
        self.served, self.scans, self.empty = served, scans, empty
        self.acknowledged = Acknowledged()
        self.enough = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self.failure = error

    def _work(self) -> None:
        said = self.acknowledged
        code = self._surely(lambda client: client.post("/api/patients", {"sex": SEX})["code"])
        said.patients.append(code)
        for number, scan in enumerate(self.scans):
            visit = self._visit(code, SCANNED[number])
            self._send(scan, visit)
        number = 0
        while not self.enough.is_set():
            number += 1
            other = self._surely(lambda client: client.post("/api/patients", {"sex": "M"})["code"])
            said.patients.append(other)
            visit = self._visit(other, "2024-03-01")
            self._surely(
                lambda client, visit=visit, number=number: client.put(
                    f"/api/visits/{visit}/record", {"values": {"crp": {"value": float(number), "unit": "mg/L"}}}
                )
            )
            said.values[visit] = float(number)
            self._send(self.empty, visit)
            time.sleep(0.2)

    def _visit(self, code: str, day: str) -> str:
        def ask(client: StudyClient) -> str:
            try:
                return str(client.post(f"/api/patients/{code}/visits", {"date": day})["id"])
            except Refused:  # an answer that a kill swallowed: the visit is there
                [visit] = client.get(f"/api/patients/{code}")["visits"][-1:]
                return str(visit["id"])

        visit = self._surely(ask)
        self.acknowledged.visits.append(visit)
        return visit

    def _send(self, path: Path, visit: str) -> None:
        self.acknowledged.uploads.append(self._surely(lambda client: client.upload(path, visit=visit)))

    def _surely(self, ask):
        """Ask until there is an answer; what was asked twice because of that may be there twice, unacknowledged."""
        while True:
            try:
                with StudyClient(self.served.address, login=LOGIN, password=PASSWORD) as client:
                    return ask(client)
            except _DOUBTFUL:
                time.sleep(0.2)


def kill_at_random_moments(served: Served, centre: Centre, *, moments: int, seed: int) -> None:
    """Kill the server or one of its workers again and again, and start it again by the same command."""
    rng = np.random.default_rng(seed)
    for _ in range(moments):
        time.sleep(float(rng.uniform(0.1, 6.0)))
        if centre.failure is not None:
            raise centre.failure
        if rng.random() < 0.5:
            served.kill()
            served.start()
        else:
            served.kill_a_worker(int(rng.integers(8)))


def wait_until_idle(study: Study) -> None:
    deadline = time.monotonic() + IDLE_WITHIN_S
    while time.monotonic() < deadline:
        with study.session(THE_STUDY) as session:
            left = list(session.scalars(select(Job).where(Job.state.in_(("queued", "running")))))
        if not left:
            return
        time.sleep(0.5)
    raise AssertionError(f"still to do: {[(job.kind, job.state, job.lease_until) for job in left]}")


def check_everything(study: Study, said: Acknowledged, *, visits: int) -> None:
    """Nothing acknowledged is lost, nothing is there twice, nothing waits."""
    with study.session(THE_STUDY) as session:
        uploads = {upload.id: upload for upload in session.scalars(select(Upload))}
        assert set(said.uploads) <= uploads.keys()
        assert all(uploads[u].receipt for u in said.uploads)
        assert {uploads[u].state for u in said.uploads} <= {"committed", "refused"}
        in_force = session.scalars(select(RecordEntry).where(RecordEntry.replaced_at.is_(None)))
        entries = {entry.visit_id: entry for entry in in_force}
        assert {visit: float(entries[visit].value) for visit in said.values} == said.values

        series = list(session.scalars(select(Series)))
        instances = list(session.scalars(select(Instance)))
        stored = {row.sha256 for row in session.scalars(select(StoredObject))}
        per_series = Counter(instance.series_id for instance in instances)
        assert len(series) == 2 * visits, [(s.contrast, s.visit_id) for s in series]  # T1 and FLAIR, once each
        assert all(count == s.shape[2] for s in series for count in [per_series[s.id]])
        for instance in instances:
            assert instance.sha256 in stored
            assert hashlib.sha256(study.objects.read(instance.sha256)).hexdigest() == instance.sha256

        results = Counter(
            (result.kind, result.visit_id)
            for result in session.scalars(select(Result).where(Result.stale_at.is_(None)))
        )
        once = {("visit", s.visit_id): 1 for s in series}
        assert {key: count for key, count in results.items() if key[0] == "visit"} == once
        assert [count for (kind, _), count in results.items() if kind == "comparison"] == [1] * (visits - 1)
        assert not list(session.scalars(select(Job).where(Job.state == "failed")))
        assert not list(session.scalars(select(Job).where(Job.lease_until < now())))
    waiting = {u.id for u in uploads.values() if u.state in ("receiving", "held")}
    assert set(study.intake.uploads()) <= waiting  # only what was never finished by its sender
