"""DICOM handed on: each instance once, nothing changed."""

import shutil
import zipfile

import numpy as np
import pydicom
import pytest
from numpy.testing import assert_array_equal

from cohortex.errors import NotAnImage, TargetExists, UnreadableFile
from cohortex.io import copy_dicom, read_image


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_two_hundred_slices_are_handed_on_once_each_bit_by_bit(dicom_slice, save_series, tmp_path, kind):
    """Checklist row S0-07."""
    rng = np.random.default_rng(0)
    slices = [
        dicom_slice(position=(0, 0, k), number=k, values=rng.integers(0, 4000, (8, 9)).astype(np.uint16))
        for k in range(200)
    ]
    folder = save_series([*slices, slices[17]])
    (folder / "note.txt").write_text("not DICOM")
    archive = shutil.make_archive(str(tmp_path / "scan"), kind, folder)
    outcome = copy_dicom(archive, tmp_path / "again.zip")
    assert sorted(outcome.instances) == sorted(dataset.SOPInstanceUID for dataset in slices)
    assert len(outcome.repeated) == 1
    with zipfile.ZipFile(tmp_path / "again.zip") as again:
        written = [pydicom.dcmread(again.open(name)) for name in again.namelist()]
    pixels = {dataset.SOPInstanceUID: dataset.PixelData for dataset in written}
    assert pixels == {dataset.SOPInstanceUID: dataset.PixelData for dataset in slices}
    assert_array_equal(read_image(tmp_path / "again.zip").values, read_image(archive).values)


def test_copies_are_bit_identical(dicom_slice, save_series, tmp_path):
    folder = save_series([dicom_slice(position=(0, 0, k), number=k) for k in range(3)])
    for name in ("a.zip", "b.zip"):
        copy_dicom(folder, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_an_existing_zip_is_never_overwritten(dicom_slice, save_series, tmp_path):
    (tmp_path / "a.zip").touch()
    with pytest.raises(TargetExists):
        copy_dicom(save_series([dicom_slice()]), tmp_path / "a.zip")


def test_a_truncated_object_is_not_handed_on(dicom_slice, save_series, tmp_path):
    folder = save_series([dicom_slice()])
    (folder / "000.dcm").write_bytes((folder / "000.dcm").read_bytes()[:-3])
    with pytest.raises(UnreadableFile, match=r"000\.dcm: truncated"):
        copy_dicom(folder, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_an_upload_without_dicom_is_refused(tmp_path):
    (tmp_path / "scan").mkdir()
    (tmp_path / "scan" / "note.txt").write_text("text")
    with pytest.raises(NotAnImage, match="no DICOM object"):
        copy_dicom(tmp_path / "scan", tmp_path / "a.zip")
