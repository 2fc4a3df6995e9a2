"""`cohortex compare`: which two visits are meant, and what is refused."""

import json
import zipfile

import pytest

from cohortex import phantoms
from cohortex.pipeline.visits import finding
from cohortex.pipeline.visits.headers import read_visit_headers


def test_a_folder_that_does_not_hold_two_visits_is_refused_with_their_names(cohortex, uploads, tmp_path):
    three = tmp_path / "three"
    three.mkdir()
    for number in (1, 2, 3):
        (three / f"p01_visit-{number}.zip").write_bytes((uploads / "p01_visit-1.zip").read_bytes())
    said = cohortex("compare", three, "-o", tmp_path / "out", "--workers", 0)
    assert said.code == 1
    assert "three holds 3 visits (p01 visit-1, p01 visit-2, p01 visit-3); give two, or a folder of two." in said.err
    said = cohortex("compare", three, uploads / "p01_visit-1.zip", "-o", tmp_path / "out", "--workers", 0)
    assert said.code == 1
    assert "give one of them" in said.err
    assert not (tmp_path / "out").exists()


def test_one_visit_alone_is_refused(cohortex, uploads, tmp_path):
    said = cohortex("compare", uploads / "p01_visit-1.zip", "-o", tmp_path / "out", "--workers", 0)
    assert said.code == 1
    assert "p01_visit-1.zip holds one visit (p01 visit-1); give two, or a folder of two." in said.err


@pytest.fixture
def of_ct(tmp_path):
    patient = phantoms.patient(seed=5, visits=1, spacing_mm=5, contrasts=("CT",), events={})
    return phantoms.write_dicom_zip(patient.visits[0].images, tmp_path / "p01_visit-2.zip", seed=5)


def test_visits_without_a_shared_contrast_are_refused_with_what_each_has(cohortex, uploads, of_ct, tmp_path):
    said = cohortex("compare", uploads / "p01_visit-1.zip", of_ct, "-o", tmp_path / "out", "--workers", 0)
    assert said.code == 1
    assert "the baseline has FLAIR, T1, the follow-up CT" in said.err
    assert "cannot be compared" in said.err
    assert not list((tmp_path / "out").glob("*.*"))[1:]


def test_a_broken_follow_up_is_refused_by_its_name(cohortex, uploads, tmp_path):
    broken = tmp_path / "p01_visit-2.zip"
    broken.write_bytes((uploads / "p01_visit-2.zip").read_bytes()[:60_000])
    said = cohortex("compare", uploads / "p01_visit-1.zip", broken, "-o", tmp_path / "out", "--workers", 0)
    assert said.code == 1
    assert "p01_visit-2.zip: the archive is truncated or broken" in said.err


def test_a_follow_up_without_a_usable_series_says_why(cohortex, uploads, tmp_path):
    cut = tmp_path / "p01_visit-2.zip"
    with zipfile.ZipFile(uploads / "p01_visit-2.zip") as whole, zipfile.ZipFile(cut, "w") as archive:
        for number, name in enumerate(sorted(whole.namelist())):
            archive.writestr(name, b"" if number in (0, len(whole.namelist()) - 1) else whole.read(name))
    said = cohortex("compare", uploads / "p01_visit-1.zip", cut, "-o", tmp_path / "out", "--workers", 0)
    assert said.code == 1
    assert "the follow-up none (" in said.err
    assert "could not be read" in said.err


def test_a_folder_with_the_report_of_another_visit_is_refused_and_stays_as_it_was(cohortex, uploads, tmp_path):
    record = {"schema": "cohortex.visit-report/2", "study_code": "p01", "visit": "visit-1", "files": {}}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.json").write_text(json.dumps(record))
    both = uploads / "p01_visit-1.zip", uploads / "p01_visit-2.zip"
    said = cohortex("compare", *both, "-o", tmp_path / "out", "--workers", 0)
    assert said.code == 1
    assert "out: it holds the report of p01 visit-1; that of p01 visit-1 → visit-2" in said.err
    assert "Give another folder" in said.err
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["report.json"]


def test_the_code_and_every_doubt_are_said_before_anything_is_computed(cohortex, uploads, of_ct, tmp_path):
    later = tmp_path / "s9.zip"
    later.write_bytes((uploads / "p01_visit-2.zip").read_bytes())
    said = cohortex("compare", later, of_ct, "-o", tmp_path / "out", "--workers", 0)
    assert said.code == 1  # no shared contrast
    begin = said.err.index("Study code s9 (from names of files and folders; --study-code gives another)")
    doubt = said.err.index("warning: By the study dates in their headers the follow-up (visit-2) was scanned before")
    assert begin < doubt < said.err.index("done: read the files")


def test_two_persons_by_their_headers_are_refused_before_anything_is_written(cohortex, uploads, tmp_path):
    patient = phantoms.patient(seed=6, visits=1, spacing_mm=5, contrasts=("CT",), events={})
    person = phantoms.PlantedIdentity(patient_name="PHANTOM^NERI", patient_id="MRN-7", birth_date="19480101")
    other = phantoms.write_dicom_zip(patient.visits[0].images, tmp_path / "p01_visit-2.zip", seed=6, identity=person)
    words = "compare", uploads / "p01_visit-1.zip", other, "-o", tmp_path / "out", "--workers", 0
    said = cohortex(*words)
    assert said.code == 1
    assert "are of two persons by their DICOM headers (patient ID, name and birth date differ)" in said.err
    assert "NERI" not in said.err
    assert not (tmp_path / "out").exists()
    vouched = cohortex(*words, "--same-person")
    assert "warning: By their DICOM headers the visits may be of two persons" in vouched.err
    assert "share no usable contrast" in vouched.err


def test_the_headers_of_each_visit_are_read_once(cohortex, uploads, of_ct, tmp_path, monkeypatch):
    asked = []

    def counted(paths):
        asked.append(paths)
        return read_visit_headers(paths)

    monkeypatch.setattr(finding, "read_visit_headers", counted)
    first = uploads / "p01_visit-1.zip"
    said = cohortex("compare", first, of_ct, "-o", tmp_path / "out", "--workers", 0)
    assert "share no usable contrast" in said.err
    assert asked == [(first,), (of_ct,)]
