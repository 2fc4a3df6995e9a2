"""Persons in headers have one spelling, words that stand for nobody count as none, and nothing shows itself."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, MRImageStorage

from cohortex.pipeline.visits.headers import read_visit_headers


def make_dicom(path: Path, *, syntax: pydicom.uid.UID = ExplicitVRLittleEndian, **entries: str) -> Path:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    meta.TransferSyntaxUID = syntax
    header = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    header.SpecificCharacterSet = "ISO_IR 192"
    header.StudyDate, header.StudyInstanceUID = "20240315", "1.2.3"
    for keyword, value in entries.items():
        setattr(header, keyword, value)
    header.PixelData = bytes(200_000)  # the head of the file is enough
    header["PixelData"].VR = "OW"
    header.save_as(path)
    return path


@pytest.mark.parametrize(
    "name", ["PHANTOM^MÜLLER^ANNA", "Phantom^Müller^Anna", "Anna Müller Phantom", "muller^phantom, anna"]
)
def test_a_name_has_one_spelling(tmp_path, name):
    headers = read_visit_headers([make_dicom(tmp_path / "1.dcm", PatientName=name)])
    assert headers.patient_names == {"anna muller phantom"}


def test_an_id_has_one_spelling(tmp_path):
    ids = {read_visit_headers([make_dicom(tmp_path / "1.dcm", PatientID=i)]).patient_ids for i in ("M-042", "m 042")}
    assert ids == {frozenset({"m042"})}


@pytest.mark.parametrize("word", ["", "ANONYMOUS", "Anonymized^Patient", "000000", "xxx", "DE-IDENTIFIED", "n/a"])
def test_words_for_nobody_are_no_person(tmp_path, word):
    entries = {"PatientID": word, "PatientName": word, "PatientBirthDate": "19000101"}
    headers = read_visit_headers([make_dicom(tmp_path / "1.dcm", **entries)])
    assert not headers.patient_ids | headers.patient_names | headers.birth_dates
    assert (headers.dates, headers.examinations) == ({"20240315"}, {"1.2.3"})


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_what_lies_before_a_break_is_read(tmp_path, syntax):
    entries = {"PatientID": "M-042", "PatientBirthDate": "19610413"}
    whole = make_dicom(tmp_path / "1.dcm", syntax=syntax, **entries).read_bytes()
    (tmp_path / "cut.dcm").write_bytes(whole[: whole.index(b"19610413") + 3])
    headers = read_visit_headers([tmp_path / "cut.dcm"])
    assert headers.dates == {"20240315"}
    assert headers.patient_ids == {"m042"}
    assert headers.birth_dates == frozenset()


def test_no_person_is_in_what_is_printed_of_headers(tmp_path):
    headers = read_visit_headers([make_dicom(tmp_path / "1.dcm", PatientID="M-042", PatientName="PHANTOM^ANNA")])
    assert "042" not in repr(headers)
    assert "anna" not in f"{headers} {headers!r}".lower()
