"""A stored object given to another patient: code and days change, and back again every bit is as it was."""

from __future__ import annotations

import io
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cohortex.study.identity import deidentify
from cohortex.study.identity.reassign import rewrite_instance


@pytest.fixture(scope="module")
def stored(dicom_object, pseudonyms) -> bytes:
    """An object as the study keeps it, with days at the top, in items, repeated, and empty."""
    dataset = dicom_object(
        StudyDate="20240115", SeriesDate="20240116", AcquisitionDateTime="20240115083000.5", PatientBirthDate="19610413"
    )
    clean = deidentify(dataset, pseudonyms=pseudonyms, patient_code="AA-0001", day_shift=-100).dataset
    clean.DateOfLastCalibration = ["20200101", "20230301"]
    item = Dataset()
    item.FrameAcquisitionDateTime = "20231007083001"
    clean.PerFrameFunctionalGroupsSequence = Sequence([item])
    buffer = io.BytesIO()
    clean.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def rewritten(data: bytes, folder: Path, *, code: str, days: int) -> bytes:
    target = folder / f"{code}-{days}.dcm"
    target.unlink(missing_ok=True)
    rewrite_instance(io.BytesIO(data), target, patient_code=code, further_days=days)
    return target.read_bytes()


def test_it_bears_the_other_code_and_every_day_moves(stored, tmp_path):
    moved = pydicom.dcmread(io.BytesIO(rewritten(stored, tmp_path, code="BB-0002", days=-30)))
    assert (str(moved.PatientID), str(moved.PatientName)) == ("BB-0002", "BB-0002")
    assert (moved.StudyDate, moved.SeriesDate) == ("20230907", "20230908")
    assert moved.AcquisitionDateTime == "20230907083000.5"
    assert list(moved.DateOfLastCalibration) == ["20191202", "20230130"]
    assert moved.PerFrameFunctionalGroupsSequence[0].FrameAcquisitionDateTime == "20230907083001"
    assert moved.PatientBirthDate == ""


def test_everything_else_stays(stored, tmp_path):
    before = pydicom.dcmread(io.BytesIO(stored))
    after = pydicom.dcmread(io.BytesIO(rewritten(stored, tmp_path, code="BB-0002", days=400)))
    changed = {"PatientID", "PatientName", "StudyDate", "SeriesDate", "AcquisitionDateTime", "DateOfLastCalibration",
               "PerFrameFunctionalGroupsSequence"}  # fmt: skip
    assert {e.keyword for e in before if e.keyword not in changed} == {
        e.keyword for e in after if e.keyword not in changed
    }
    assert all(after[element.tag] == element for element in before if element.keyword not in changed)
    assert after.file_meta == before.file_meta


@given(days=st.integers(-7300, 7300))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_moved_and_moved_back_it_is_the_same_to_the_bit(stored, tmp_path, days):
    moved = rewritten(stored, tmp_path, code="BB-0002", days=days)
    assert rewritten(moved, tmp_path, code="AA-0001", days=-days) == stored


def test_it_is_never_written_over_a_file(stored, tmp_path):
    target = tmp_path / "there.dcm"
    target.write_bytes(b"kept")
    with pytest.raises(FileExistsError):
        rewrite_instance(io.BytesIO(stored), target, patient_code="BB-0002", further_days=1)
    assert target.read_bytes() == b"kept"
