"""What the tests of visits share: DICOM files that say of whom and when they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage


@pytest.fixture
def make_dicom() -> Callable[..., Path]:
    """Write a file and the folders above it: `make_dicom(path, PatientID="M-042")`; each of its own examination."""

    def make(path: Path, *, syntax: pydicom.uid.UID = ExplicitVRLittleEndian, **entries: object) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = MRImageStorage
        meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        meta.TransferSyntaxUID = syntax
        header = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        header.SpecificCharacterSet = "ISO_IR 192"
        for keyword, value in {"StudyInstanceUID": pydicom.uid.generate_uid(), **entries}.items():
            setattr(header, keyword, value)
        header.PixelData = bytes(200_000)  # the head of the file is enough
        header["PixelData"].VR = "OW"
        header.save_as(path)
        return path

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose own name is a plain code."""
    path = tmp_path / "patient-9"
    path.mkdir()
    return path
