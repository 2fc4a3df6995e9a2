"""A study of three centres behind its API: empty, or filled by rows and files as processing would leave them."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.io import write_image, write_transform
from cohortex.server.app import create_app
from cohortex.study import Study
from cohortex.study.database import THE_STUDY, Asker, StudySession
from cohortex.study.database.tables import (
    Instance,
    MapPoint,
    OpenFigure,
    Patient,
    Result,
    Series,
    StoredObject,
    TemplateMember,
    TemplateVersion,
    Upload,
    Visit,
    now,
)
from cohortex.study.jobs.queue import STUDY, enqueue
from cohortex.study.patients import add_patient, add_visit
from cohortex.study.people import add_centre, add_uploader, sign_in, who_asks
from cohortex.study.processing.files import described, matrix_of
from cohortex.study.record_entries import enter
from cohortex.study.uploads import begin
from cohortex.transform import Rigid, displacement_of

PASSWORD = "correct horse"
CENTRES = ("AA", "BB", "CC")
MOTION_MM = (4.0, -2.0, 6.0)


@dataclass
class CentreRows:
    """What one centre has in the filled study, and the values planted in it that no other centre may ever read."""

    patient: str  # code
    patient_id: str
    visits: list[str]
    series: int
    uploads: dict[str, str] = field(default_factory=dict)  # state -> id
    results: dict[str, str] = field(default_factory=dict)  # kind -> id
    jobs: dict[str, str] = field(default_factory=dict)  # state -> id
    planted: list[str] = field(default_factory=list)


@dataclass
class Filled:
    """The filled study as a whole."""

    study: Study
    centres: dict[str, CentreRows]
    study_job: str


@pytest.fixture(scope="session")
def password() -> str:
    return PASSWORD


@pytest.fixture(scope="session")
def staffed_home(tmp_path_factory) -> Path:
    """A study with its people, made once: hashing passwords is slow on purpose."""
    home = tmp_path_factory.mktemp("staffed") / "study"
    study = Study.create(home, name="Lesions")
    for code in CENTRES:
        add_centre(study, code=code, name=f"Centre {code}", country="IT")
        add_uploader(
            study, centre=code, login=f"anna.{code.lower()}", name=f"Anna of {code}", password=PASSWORD,
            role="coordinator" if code == "AA" else "uploader", language="it" if code == "CC" else "en",
        )  # fmt: skip
    study.close()
    return home


@pytest.fixture
def study(staffed_home, tmp_path) -> Iterator[Study]:
    study = Study.open(shutil.copytree(staffed_home, tmp_path / "study"))
    yield study
    study.close()


@pytest.fixture(scope="session")
def filled_home(staffed_home, tmp_path_factory) -> tuple[Path, dict[str, CentreRows], str]:
    home = shutil.copytree(staffed_home, tmp_path_factory.mktemp("filled") / "study")
    study = Study.open(home)
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        files = _kept(study, session, ("template_mean.nii.gz", "template_sd.nii.gz"), visits={})
        session.add(TemplateVersion(number=1, n_patients=6, n_centres=3, reason="rule", key="t" * 64, files=files))
        study_job = enqueue(session, "statistics", about=STUDY, cause="record").id
    centres = {code: _fill(study, code, number) for number, code in enumerate(CENTRES)}
    density = {"x": [0.0, 1.0], "y": [0.0, 1.0], "values": [[0.1, 0.2], [0.3, 0.4]]}
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        content = {"version": 1, "n": 6, "stress": 0.08, "template": {"x": 0.1, "y": 0.2}, "density": density}
        session.add(OpenFigure(kind="map", template_version=1, content=content))
        shown = {"shown": True, "reason": "", "n_patients": 6, "n_centres": 3, "tables": [], "courses": []}
        session.add(OpenFigure(kind="statistics", template_version=1, content={"en": shown, "it": shown}))
    study.close()
    return home, centres, study_job


@pytest.fixture
def filled(filled_home, tmp_path) -> Iterator[Filled]:
    home, centres, study_job = filled_home
    study = Study.open(shutil.copytree(home, tmp_path / "study"))
    yield Filled(study, centres, study_job)
    study.close()


@pytest.fixture
def stranger(request) -> Iterator[TestClient]:
    """Somebody who has not signed in, before the study the test has: the filled one, or the empty one."""
    full = "filled" in request.fixturenames
    study = request.getfixturevalue("filled").study if full else request.getfixturevalue("study")
    app = create_app(study, pages=False)
    with TestClient(app, headers={"X-Cohortex": "1"}, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def person_of(stranger) -> Callable[[str], TestClient]:
    """Sign a person of a centre in, on a browser of their own."""

    def signed_in(centre: str) -> TestClient:
        client = TestClient(stranger.app, headers={"X-Cohortex": "1"}, raise_server_exceptions=False)
        reply = client.post("/api/session", json={"login": f"anna.{centre.lower()}", "password": PASSWORD})
        assert reply.status_code == 200, reply.text
        return client

    return signed_in


@pytest.fixture
def anna(person_of) -> TestClient:
    """A person of centre AA, who is also the coordinator."""
    return person_of("AA")


@pytest.fixture(scope="session")
def asker_of() -> Callable[[Study, str], Asker]:
    return _asker


def _asker(study: Study, centre: str) -> Asker:
    token = sign_in(study, login=f"anna.{centre.lower()}", password=PASSWORD)
    assert token is not None
    asker = who_asks(study, token)
    assert asker is not None
    return asker


def _fill(study: Study, code: str, number: int) -> CentreRows:
    """Enter a patient with two visits, and what processing would make of them."""
    asker = _asker(study, code)
    with study.session(asker, writes=True) as session, session.begin():
        patient = add_patient(study, session, sex="F", birth_date=date(1970 + number, 1 + number, 5))
        first_day = date(2024, 2, 3) + timedelta(days=number)
        visits = [add_visit(study, session, patient, on=first_day + timedelta(days=42 * n)) for n in range(2)]
        crp = 10.125 + number
        enter(study, session, visits[0], {"leukaemia_type": "AML", "crp": {"value": crp, "unit": "mg/L"}})
        rows = CentreRows(patient=patient.code, patient_id=patient.id, visits=[visit.id for visit in visits], series=0)
        rows.planted = [repr(crp), f"planted-{code.lower()}"]
        for state in ("receiving", "held", "committed"):
            rows.uploads[state] = begin(study, session, visits[0], size=10, file_name=f"planted-{code}.zip").id
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        _process(study, session, rows, code, number)
    return rows


def _process(study: Study, session: StudySession, rows: CentreRows, code: str, number: int) -> None:
    patient = session.get_one(Patient, rows.patient_id)
    first, second = (session.get_one(Visit, key) for key in rows.visits)
    whose = {"centre_id": patient.centre_id, "uploader_id": patient.uploader_id}
    held, committed = (session.get_one(Upload, rows.uploads[state]) for state in ("held", "committed"))
    for upload in (held, committed):
        upload.received_at, upload.receipt = now(), f"receipt-planted-{code.lower()}-{upload.id}"
    held.state, held.question, held.reason = "held", "burned-in", f"planted-{code.lower()}"
    held.suspected_patient_id = patient.id
    committed.state = "committed"
    series = Series(
        upload_id=committed.id, visit_id=first.id, series_uid=f"2.25.{1000 + number}", modality="MR", contrast="FLAIR",
        description=f"planted-{code.lower()}", shape=[4, 5, 6], spacing_mm=[1.0, 1.0, 2.0], **whose,
    )  # fmt: skip
    receipt = study.objects.put(io.BytesIO(f"DICM planted-{code.lower()}".encode()))
    session.add(StoredObject(sha256=receipt.sha256, size=receipt.size))
    session.flush()
    series.instances = [
        Instance(sop_uid=f"2.25.{2000 + number}", sha256=receipt.sha256, size=receipt.size, **whose),
    ]
    session.add(series)
    session.flush()
    rows.series = series.id
    committed.verdicts = [
        {"series_uid": series.series_uid, "modality": "MR", "contrast": "FLAIR", "description": series.description,
         "instances": 1, "shape": [4, 5, 6], "spacing_mm": [1.0, 1.0, 2.0], "verdict": "accepted", "reason": "",
         "remedy": ""}
    ]  # fmt: skip
    for kind in ("visit", "comparison", "deviation"):
        rows.results[kind] = _result(study, session, kind, rows, code, first, second)
    session.add(TemplateMember(version=1, patient_id=patient.id, visit_id=first.id, **whose))
    session.add(MapPoint(version=1, patient_id=patient.id, x=0.5 + number, y=0.25, distance_to_template=1.5, **whose))
    for state in ("queued", "failed"):
        job = enqueue(
            session, "visit" if state == "failed" else "check", about=f"{state}-{code}", cause="upload",
            patient_id=patient.id, visit_id=first.id, **whose,
        )  # fmt: skip
        job.state, job.reason, job.remedy = state, f"planted-{code.lower()}", "Try again."
        rows.jobs[state] = job.id
    session.flush()


def _result(
    study: Study, session: StudySession, kind: str, rows: CentreRows, code: str, first: Visit, second: Visit
) -> str:
    lesion = {"label": 1, "volume_ml": 0.5, "place": f"planted-{code.lower()}", "centroid_mm": [1.0, 2.0, 3.0],
              "template_mm": [5.0, 0.0, 9.0]}  # fmt: skip
    larger = {**lesion, "label": 2, "volume_ml": 1.5, "centroid_mm": [2.0, 2.0, 2.0]}
    headline = f"planted-{code.lower()} {kind}"
    record: dict[str, Any] = {"headline": headline, "lesions": [lesion]}
    names: tuple[str, ...] = ("FLAIR_corrected.nii.gz", "transforms/template_from_visit.nii.gz",
                              "transforms/visit_from_template.nii.gz", "images/FLAIR.json")  # fmt: skip
    visits = {"": first.id}
    summary: dict[str, Any] = {"lesion_count": 1, "lesion_volume_ml": 0.5, "aligned_brain": "k" * 64}
    visit = first
    if kind == "comparison":
        visit, visits = second, {"baseline": first.id, "follow_up": second.id}
        event = {"event": "grown", "place": f"planted-{code.lower()}", "baseline_labels": [1], "change_percent": 200.0,
                 "baseline_volume_ml": 0.5, "follow_up_volume_ml": 2.0, "follow_up_labels": [1, 2]}  # fmt: skip
        gone = {**event, "event": "gone", "follow_up_labels": [], "change_percent": -100.0}
        record = {"headline": headline, "baseline": {"lesions": [lesion]}, "follow_up": {"lesions": [lesion, larger]},
                  "events": [{"number": 1, **event}, {"number": 2, **gone}]}  # fmt: skip
        names = ("baseline_common.nii.gz", "transforms/baseline_from_midway.tfm",
                 "transforms/follow_up_from_midway.tfm", "transforms/follow_up_template_from_visit.nii.gz",
                 "transforms/follow_up_visit_from_template.nii.gz")  # fmt: skip
        counts = {"new": 0, "gone": 1, "grown": 1, "shrunk": 0, "same": 0, "split": 0, "merged": 0}
        summary = {"event_counts": counts, "lesion_count": 2, "lesion_volume_ml": 2.0, "change_ml": 1.5}
    elif kind == "deviation":
        names, summary = ("deviation_intensity.nii.gz",), {"groups_intensity": 0, "groups_volume": 0, "n": 5}
    files = _kept(study, session, names, visits=visits)
    text = json.dumps(record)
    page = f"<!DOCTYPE html><title>{headline}</title><a href='report.json'>figures</a>"
    files |= {name: _stored(study, session, name, words.encode(), visits) for name, words in
              (("report.json", text), ("report.html", page))}  # fmt: skip
    result = Result(
        kind=kind, key=f"{kind}-{code}".ljust(64, "x"), patient_id=rows.patient_id, visit_id=visit.id,
        earlier_visit_id=first.id if kind == "comparison" else None, headline=headline, summary=summary,
        template_version=1 if kind == "deviation" else None, record=files["report.json"]["sha256"], files=files,
        centre_id=visit.centre_id, uploader_id=visit.uploader_id,
    )  # fmt: skip
    session.add(result)
    session.flush()
    return result.id


def _kept(study: Study, session: StudySession, names: tuple[str, ...], *, visits: dict[str, str]) -> dict[str, Any]:
    return {name: _stored(study, session, name, _content(study, name), visits) for name in names}


def _stored(study: Study, session: StudySession, name: str, content: bytes, visits: dict[str, str]) -> dict[str, Any]:
    receipt = study.objects.put(io.BytesIO(content))
    if session.get(StoredObject, receipt.sha256) is None:
        session.add(StoredObject(sha256=receipt.sha256, size=receipt.size))
        session.flush()
    file = {"sha256": receipt.sha256, "size": receipt.size, **described(name, visits=visits), "unit": "", "range": None}
    if name.endswith(".tfm"):
        path = study.settings.home / Path(name).name
        path.write_bytes(content)
        file["matrix"] = matrix_of(path)
        path.unlink()
    preview = {"sha256": receipt.sha256, "size": receipt.size} if name.startswith("template_mean") else None
    return {**file, "preview": preview}


def _content(study: Study, name: str) -> bytes:
    """A file whose content can be told: images hold their world x, transforms move by MOTION_MM or back."""
    path = study.settings.home / Path(name).name
    grid = Grid.from_parts((8, 9, 10), spacing_mm=(2.0, 2.0, 3.0))
    motion = np.eye(4)
    motion[:3, 3] = MOTION_MM
    if name.endswith(".json"):
        return b"{}"
    if name.endswith(".tfm"):
        write_transform(Rigid(motion), path)
    elif name.startswith("transforms/"):
        way = Rigid(motion) if "template_from_visit" in name else Rigid(motion).inverse()
        write_transform(displacement_of(way, grid), path)
    else:
        write_image(Image(grid.world_points()[..., 0].astype(np.float32), grid), path)
    content = path.read_bytes()
    path.unlink()
    return content
