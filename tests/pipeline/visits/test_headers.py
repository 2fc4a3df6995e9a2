"""Persons in headers have one spelling, words that stand for nobody count as none, and nothing shows itself."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, MRImageStorage

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


def zip_with_a_broken_note(path: Path, scan: Path) -> Path:
    """The note comes first and its checksum is wrong, as a bad disk leaves it."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("scan/0.txt", "no scan")
        archive.write(scan, "scan/1.dcm")
    path.write_bytes(path.read_bytes().replace(b"no scan", b"no_scan", 1))
    return path


def test_one_broken_file_of_an_archive_does_not_silence_the_others(tmp_path, make_dicom):
    path = zip_with_a_broken_note(tmp_path / "1.zip", make_dicom(tmp_path / "1.dcm", PatientID="M-042"))
    assert read_visit_headers([path]).patient_ids == {"m042"}


def test_one_unreadable_file_of_a_folder_does_not_silence_the_others(tmp_path, make_dicom, monkeypatch):
    opened = Path.open
    make_dicom(tmp_path / "0.dcm", PatientID="M-077")
    make_dicom(tmp_path / "1.dcm", PatientID="M-042")

    def open_but_the_first(file: Path, mode: str):
        if file.name == "0.dcm":
            raise PermissionError
        return opened(file, mode)

    monkeypatch.setattr(Path, "open", open_but_the_first)
    assert read_visit_headers([tmp_path]).patient_ids == {"m042"}


def test_what_comes_before_the_break_of_an_archive_is_read(tmp_path, make_dicom):
    with tarfile.open(tmp_path / "1.tar", "w") as tape:
        for number in (1, 2):
            tape.add(make_dicom(tmp_path / f"{number}.dcm", PatientID=f"M-{number}"), f"{number}/scan.dcm")
    (tmp_path / "1.tar").write_bytes((tmp_path / "1.tar").read_bytes()[:300_000])
    assert read_visit_headers([tmp_path / "1.tar"]).patient_ids == {"m1"}


@pytest.mark.parametrize("name", ["visit-2.bin", "visit-2.dcm", "visit-2.tar"])
def test_an_archive_is_asked_of_whom_it_is_whatever_its_name(tmp_path, make_dicom, name):
    with tarfile.open(tmp_path / name, "w") as tape:
        tape.add(make_dicom(tmp_path / "1.dcm", PatientID="M-042"), "scan/1.dcm")
    assert read_visit_headers([tmp_path / name]).patient_ids == {"m042"}


def test_a_long_list_of_images_before_the_person_hides_nobody(tmp_path, make_dicom):
    image = pydicom.Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = MRImageStorage, pydicom.uid.generate_uid()
    path = make_dicom(tmp_path / "1.dcm", PatientID="M-042", SourceImageSequence=[image] * 1000)
    assert path.read_bytes().index(b"M-042") > 100_000
    assert read_visit_headers([path]).patient_ids == {"m042"}


def test_an_entry_of_a_kind_it_cannot_be_says_nothing(tmp_path, make_dicom):
    path = make_dicom(tmp_path / "1.dcm", PatientID="M-042", PatientBirthDate="19610413")
    path.write_bytes(path.read_bytes().replace(b"\x10\x00\x20\x00LO", b"\x10\x00\x20\x00FD"))
    headers = read_visit_headers([path])
    assert (headers.patient_ids, headers.birth_dates) == (frozenset(), {"19610413"})
