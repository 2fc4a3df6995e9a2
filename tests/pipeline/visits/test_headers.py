"""Persons in headers have one spelling, words that stand for nobody count as none, and nothing shows itself."""

from __future__ import annotations

import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cohortex.pipeline.visits.headers import read_visit_headers

EXAMINATION = {"StudyDate": "20240315", "StudyInstanceUID": "1.2.3"}


@pytest.mark.parametrize(
    "name", ["PHANTOM^MÜLLER^ANNA", "Phantom^Müller^Anna", "Anna Müller Phantom", "muller^phantom, anna"]
)
def test_a_name_has_one_spelling(tmp_path, name, make_dicom):
    headers = read_visit_headers([make_dicom(tmp_path / "1.dcm", PatientName=name)])
    assert headers.patient_names == {"anna muller phantom"}


def test_an_id_has_one_spelling(tmp_path, make_dicom):
    ids = {read_visit_headers([make_dicom(tmp_path / "1.dcm", PatientID=i)]).patient_ids for i in ("M-042", "m 042")}
    assert ids == {frozenset({"m042"})}


@pytest.mark.parametrize("word", ["", "ANONYMOUS", "Anonymized^Patient", "000000", "xxx", "DE-IDENTIFIED", "n/a"])
def test_words_for_nobody_are_no_person(tmp_path, word, make_dicom):
    entries = {"PatientID": word, "PatientName": word, "PatientBirthDate": "19000101"}
    headers = read_visit_headers([make_dicom(tmp_path / "1.dcm", **EXAMINATION, **entries)])
    assert not headers.patient_ids | headers.patient_names | headers.birth_dates
    assert (headers.dates, headers.examinations) == ({"20240315"}, {"1.2.3"})


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_what_lies_before_a_break_is_read(tmp_path, syntax, make_dicom):
    entries = {"PatientID": "M-042", "PatientBirthDate": "19610413"}
    whole = make_dicom(tmp_path / "1.dcm", syntax=syntax, **EXAMINATION, **entries).read_bytes()
    (tmp_path / "cut.dcm").write_bytes(whole[: whole.index(b"19610413") + 3])
    headers = read_visit_headers([tmp_path / "cut.dcm"])
    assert headers.dates == {"20240315"}
    assert headers.patient_ids == {"m042"}
    assert headers.birth_dates == frozenset()


def test_no_person_is_in_what_is_printed_of_headers(tmp_path, make_dicom):
    headers = read_visit_headers([make_dicom(tmp_path / "1.dcm", PatientID="M-042", PatientName="PHANTOM^ANNA")])
    assert "042" not in repr(headers)
    assert "anna" not in f"{headers} {headers!r}".lower()
