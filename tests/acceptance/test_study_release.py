"""Five phantom patients of three centres, two seen twice, by the real handlers: the fifth releases a template."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from cohortex import phantoms
from cohortex.report import write_comparison_report, write_visit_report
from cohortex.study import Study
from cohortex.study.database import THE_STUDY, Asker
from cohortex.study.database.tables import (
    Job,
    MapPoint,
    OpenFigure,
    Result,
    StoredObject,
    TemplateMember,
    TemplateVersion,
    Upload,
)
from cohortex.study.jobs import work
from cohortex.study.patients import add_patient, add_visit
from cohortex.study.people import add_centre, add_uploader
from cohortex.study.processing.handlers import handlers
from cohortex.study.results import record_of
from cohortex.study.uploads import begin, complete

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(7200)]

DAYS = (date(2024, 1, 15), date(2024, 4, 15))
PATIENTS = (("BB", 2), ("AA", 1), ("CC", 2), ("BB", 1), ("AA", 1))  # centre, visits
SPACING_MM = 3.0
HANDLERS = handlers(write_visit_report=write_visit_report, write_comparison_report=write_comparison_report)


class Centres:
    def __init__(self, home: Path) -> None:
        self.study = Study.create(home / "study", name="Lesions")
        self.archives = home
        self.askers = {}
        for code in ("AA", "BB", "CC"):
            centre = add_centre(self.study, code=code, name=f"Centre {code}")
            uploader = add_uploader(self.study, centre=code, login=code.lower(), name=code)
            self.askers[code] = Asker(uploader_id=uploader.id, centre_id=centre, role="uploader")

    def patient_comes(self, number: int) -> None:
        """Enter a patient with all visits and scans, T1 and FLAIR, and wait until everything is done."""
        centre, visits = PATIENTS[number]
        phantom = phantoms.patient(seed=number, visits=visits, spacing_mm=SPACING_MM, volume_mm3=(300, 4000))
        study, asker = self.study, self.askers[centre]
        with study.session(asker, writes=True) as session, session.begin():
            identity = phantoms.invented_identity(seed=number)
            born = date.fromisoformat(identity.birth_date)
            patient = add_patient(study, session, sex=identity.sex, birth_date=born)
            for day, seen in zip(DAYS, phantom.visits, strict=False):
                path = phantoms.write_dicom_zip(seen.images, self.archives / f"{number}-{day}.zip", seed=number)
                data = path.read_bytes()
                visit = add_visit(study, session, patient, on=day)
                upload = begin(study, session, visit, size=len(data), file_name=path.name)
                appending = study.intake.append(upload.id, offset=0, most=len(data))
                appending.write(data)
                appending.close()
                complete(study, session, upload)
        work(study, HANDLERS, until_idle=True)

    def seen_by(self, centre: str) -> bytes:
        with self.study.session(self.askers[centre]) as session:
            seen = {
                table.__tablename__: [
                    {column.name: getattr(row, column.name) for column in table.__table__.columns}
                    for row in session.scalars(select(table))
                ]
                for table in (OpenFigure, TemplateVersion, TemplateMember, MapPoint)
            }
        return json.dumps(seen, default=str, sort_keys=True).encode()

    def rows(self, table: type) -> list:
        with self.study.session(THE_STUDY) as session:
            return list(session.scalars(select(table)))


@pytest.fixture(scope="module")
def centres(tmp_path_factory):
    made = Centres(tmp_path_factory.mktemp("release"))
    yield made
    made.study.close()


@pytest.fixture(scope="module")
def course(centres):
    """What AA and CC saw before and after the fourth patient (of BB), and the jobs that the fifth (of AA) started."""
    for number in range(3):
        centres.patient_comes(number)
    before = {code: centres.seen_by(code) for code in ("AA", "CC")}
    centres.patient_comes(3)
    after = {code: centres.seen_by(code) for code in ("AA", "CC")}
    known = {job.id for job in centres.rows(Job)}
    centres.patient_comes(4)
    return before, after, [job for job in centres.rows(Job) if job.id not in known]


def test_the_fourth_patient_changes_nothing_others_see_and_the_fifth_releases(centres, course):
    before, after, fifth = course
    assert before == after
    assert Counter(job.kind for job in fifth) == {
        "check": 1,
        "visit": 1,
        "template": 1,
        "deviation": 5,
        "distances": 1,
        "statistics": 1,
    }
    [version] = centres.rows(TemplateVersion)
    assert (version.number, version.n_patients, version.n_centres, version.reason) == (1, 5, 3, "rule")
    for code in ("BB", "CC"):
        assert centres.seen_by(code) != after.get(code)
    latest = {figure.kind: figure.content for figure in centres.rows(OpenFigure)}
    assert (latest["statistics"]["en"]["shown"], latest["statistics"]["en"]["n_patients"]) == (True, 5)
    assert (latest["map"]["version"], latest["map"]["n"]) == (1, 5)


def test_every_upload_was_kept_and_every_job_done(centres, course):
    assert course
    assert {upload.state for upload in centres.rows(Upload)} == {"committed"}
    assert [(job.kind, job.reason) for job in centres.rows(Job) if job.state != "done"] == []


def test_every_visit_every_follow_up_and_every_patient_has_a_result(centres, course):
    assert course
    results = [result for result in centres.rows(Result) if result.stale_at is None]
    assert Counter(result.kind for result in results) == {"visit": 7, "comparison": 2, "deviation": 5}
    for result in results:
        record = record_of(centres.study, result)
        if result.kind == "comparison":
            assert sum(result.summary["event_counts"].values()) > 0
        if result.kind == "deviation":
            assert (record["n"], record["template_version"], record["member"]) == (4, 1, True)
        if result.kind == "visit":
            assert result.summary["aligned_brain"]
            assert result.summary["lesion_count"] > 0


def test_every_object_holds_the_bytes_it_is_named_by(centres, course):
    assert course
    rows = {row.sha256: row.size for row in centres.rows(StoredObject)}
    for sha256, size in rows.items():
        data = centres.study.objects.read(sha256)
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (sha256, size)
    named = {file["sha256"] for result in centres.rows(Result) for file in result.files.values()}
    assert named <= rows.keys()
