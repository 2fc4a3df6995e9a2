"""No planted identity is found in anything a study keeps, though the search finds every one in what was sent."""

from __future__ import annotations

import base64
import gzip
import io
import logging
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
import pydicom
import pytest
from identity_search import BORN, PLANTED, contents, found_in
from sqlalchemy import select

from cohortex import phantoms
from cohortex.report import write_comparison_report, write_visit_report
from cohortex.study import Study
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Instance, Job, Result, Upload
from cohortex.study.jobs import work
from cohortex.study.people import add_centre, add_uploader
from cohortex.study.processing import files
from cohortex.study.processing.handlers import handlers

DAY = date(2021, 5, 18)
_TRUE_DAYS = tuple(day.strftime(form) for day in (DAY, BORN) for form in ("%Y%m%d", "%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"))


@dataclass(frozen=True)
class Lived:
    """A study to which archives with planted identities were sent: processed, held, let in and moved, refused."""

    study: Study
    archives: tuple[Path, ...]
    log: Path
    uids: frozenset[str]

    @cached_property
    def kept(self) -> dict[str, bytes]:
        """Everything that is kept, by where: every file of the study, the rows of the database as text, the log."""
        home = self.study.settings.home
        found = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
        found["names of files"] = "\n".join(str(path.relative_to(home)) for path in home.rglob("*")).encode()
        with sqlite3.connect(home / "study.db") as rows:  # a row may lie on several pages of the file
            found["rows"] = "\n".join(rows.iterdump()).encode()
        found["log"] = self.log.read_bytes()
        return found


@pytest.fixture(scope="module")
def lived(tmp_path_factory, person_of, small_head) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("identity")
    archives = {vendor: folder / f"{PLANTED.patient_name}-{vendor}.zip" for vendor in phantoms.SCANNERS}
    for number, (vendor, path) in enumerate(archives.items()):
        scan = phantoms.scan(
            small_head, "FLAIR", slice_thickness_mm=10.0, scanner=phantoms.SCANNERS[vendor],
            rng=np.random.default_rng(number),
        )  # fmt: skip
        scan = scan.with_metadata(study_date=f"{DAY:%Y%m%d}")
        phantoms.write_dicom_zip([scan], path, scanner=vendor, identity=PLANTED, seed=number)
    broken = folder / f"{PLANTED.patient_name}-broken.zip"
    with zipfile.ZipFile(broken, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{PLANTED.patient_name}/{PLANTED.patient_id}.txt", PLANTED.comment)
        damaged = b"\0" * 128 + b"DICM" + b"\xff" * 99 + PLANTED.patient_name.encode()
        archive.writestr(f"{PLANTED.patient_name}/{PLANTED.patient_name}.dcm", damaged)
    study = Study.create(folder / "study", name="Lesions")
    add_centre(study, code="AA", name="Centre AA")
    add_uploader(study, centre="AA", login="anna", name="Anna", password="correct horse")
    with logged(folder / "worker.log"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_FEWER", 1.0)  # a scan as coarse as this one gets a preview, too
        _live(study, person_of(study, "anna"), list(archives.values()), broken)
    uids = frozenset(uid for path in archives.values() for uid in uids_in(path))
    yield Lived(study, tuple(archives.values()), folder / "worker.log", uids)
    study.close()


def _live(study, anna, archives: list[Path], broken: Path) -> None:
    real = handlers(write_visit_report=write_visit_report, write_comparison_report=write_comparison_report)
    no_images = {**real, "visit": lambda *_: lambda _: None}
    visit = anna.visit(anna.patient(born=BORN), DAY)
    anna.send(visit, archives[0], file_name=f"{PLANTED.patient_name}.zip")
    work(study, real, until_idle=True)
    second = anna.patient(born=BORN)
    theirs = anna.visit(second, DAY)
    moved = anna.send(theirs, archives[1], file_name=PLANTED.patient_id)
    held = anna.send(theirs, archives[2], file_name="scan.PHANTOMA")
    refused = anna.send(visit, broken, file_name=f"{PLANTED.other_id}.tar.gz")
    work(study, no_images, until_idle=True)
    with study.session(THE_STUDY) as session:
        states = {upload.id: upload.state for upload in session.scalars(select(Upload))}
    assert (states[moved], states[held], states[refused]) == ("held", "held", "refused")
    anna.decide(moved, accept=True, reason="the same person")
    work(study, no_images, until_idle=True)
    anna.move(moved, visit, reason="belongs to the first code")
    work(study, no_images, until_idle=True)


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Write down whatever a worker logs, as its process does, and more."""
    root, handler = logging.getLogger(), logging.FileHandler(path)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        root.debug("begun")
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()


def uids_in(archive: Path) -> Iterator[str]:
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            dataset = pydicom.dcmread(io.BytesIO(opened.read(name)))
            yield from (dataset.SOPInstanceUID, dataset.SeriesInstanceUID, dataset.StudyInstanceUID)


def test_the_search_finds_everything_planted_in_what_was_sent(lived):
    for archive in lived.archives:
        planted = PLANTED.planted_strings()
        assert found_in(archive.read_bytes(), words=planted) == set(planted)
        assert f"{DAY:%Y%m%d}" in found_in(archive.read_bytes(), words=_TRUE_DAYS)


def in_a_page(data: bytes) -> bytes:
    return b"<img src='data:;base64," + base64.b64encode(gzip.compress(data)) + b"'>"


@pytest.mark.parametrize("pack", [gzip.compress, in_a_page])
def test_the_search_finds_what_is_packed_in_any_case_and_encoding(pack):
    text = PLANTED.comment.upper().encode("utf-16-le")
    assert PLANTED.comment in found_in(pack(text), words=[PLANTED.comment])


def test_the_study_kept_results_objects_and_a_held_upload(lived):
    """What is searched below is what a study consists of."""
    with lived.study.session(THE_STUDY) as session:
        [result] = session.scalars(select(Result).where(Result.kind == "visit"))
        assert {"report.html", "report.json", "brain_template.nii.gz"} <= set(result.files)
        assert any(file["preview"] for file in result.files.values())
        assert session.scalars(select(Instance.id)).all()
        assert {job.state for job in session.scalars(select(Job))} == {"done"}
        states = [upload.state for upload in session.scalars(select(Upload).order_by(Upload.created_at))]
    assert states == ["committed", "committed", "held", "refused"]
    places = {name.partition("/")[0] for name in lived.kept}
    assert {"study.db", "study.db-wal", "objects", "results", "intake", "rows", "log"} <= places
    assert lived.kept["log"]


def test_no_planted_word_is_found_in_anything_that_is_kept(lived):
    found = {name: found_in(data, words=PLANTED.planted_strings()) for name, data in lived.kept.items()}
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_no_true_day_is_found_in_anything_that_is_kept(lived):
    found = {name: found_in(data, words=_TRUE_DAYS) for name, data in lived.kept.items()}
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_no_uid_of_the_hospital_is_found_in_objects_rows_and_log(lived):
    known = re.compile(rb"2\.25\.[0-9]{10,}")
    hospital = {uid.encode() for uid in lived.uids}
    assert hospital <= {
        uid for path in lived.archives for part in contents(path.read_bytes()) for uid in known.findall(part)
    }
    for name, data in lived.kept.items():
        for part in contents(data):
            assert hospital.isdisjoint(known.findall(part)), name


def test_the_objects_bear_shifted_days_and_the_code_alone(lived):
    with lived.study.session(THE_STUDY) as session:
        hashes = session.scalars(select(Instance.sha256)).all()
    for sha256 in hashes:
        dataset = pydicom.dcmread(io.BytesIO(lived.study.objects.read(sha256)))
        assert str(dataset.PatientID) in ("AA-0001", "AA-0002")
        days = [str(element.value) for element in dataset.iterall() if element.VR in ("DA", "DT") and element.value]
        assert days
        assert all(day[:8] not in _TRUE_DAYS for day in days)


@pytest.mark.parametrize(
    ("file_name", "ending"),
    [("ROSSI.MARIA", ""), ("rossi.zip", ".zip"), ("Rossi.TAR.GZ", ".tar.gz"), ("a.nii.gz", ".nii.gz"), ("zip", "")],
)
def test_of_the_name_of_an_upload_only_a_known_ending_is_kept(staffed, person_of, archive_of, file_name, ending):
    anna = person_of(staffed, "anna.aa")
    anna.send(anna.visit(anna.patient(), DAY), archive_of(1), file_name=file_name)
    with staffed.session(THE_STUDY) as session:
        assert session.scalars(select(Upload.ending)).one() == ending
