"""DICOM slices made to order: each test says only what matters to it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
SliceMaker = Callable[..., Dataset]


def make_slice(
    *,
    position: Sequence[float] = (0, 0, 0),
    orientation: Sequence[float] = (1, 0, 0, 0, 1, 0),
    spacing: Sequence[float] = (2.0, 1.5),
    values: np.ndarray | None = None,
    number: int = 1,
    series: str = "1.2.3.4",
    **elements: Any,
) -> Dataset:
    """One MR slice of 4 rows and 5 columns unless `values` (rows, columns) says otherwise."""
    pixels = np.arange(20, dtype=np.uint16).reshape(4, 5) if values is None else np.asarray(values)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = MR_IMAGE
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[series, str(number), str(list(position)), str(elements)])
    dataset.SeriesInstanceUID = series
    dataset.StudyInstanceUID = "1.2.3"
    dataset.FrameOfReferenceUID = "1.2.3.9"
    dataset.Modality = "MR"
    dataset.PatientID = "T-1"
    dataset.PatientName = "Test^Person"
    dataset.SeriesNumber = 7
    dataset.InstanceNumber = number
    dataset.ImagePositionPatient = [float(x) for x in position]
    dataset.ImageOrientationPatient = [float(x) for x in orientation]
    dataset.PixelSpacing = [float(x) for x in spacing]
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = pixels.shape[2] if pixels.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


@pytest.fixture
def dicom_slice() -> SliceMaker:
    return make_slice


@pytest.fixture
def save_series(tmp_path: Path) -> Callable[[Sequence[Dataset]], Path]:
    """Write slices into a folder of their own, in the order given."""

    def save(slices: Sequence[Dataset], folder: str = "scan") -> Path:
        target = tmp_path / folder
        target.mkdir(exist_ok=True)
        for number, dataset in enumerate(slices):
            dataset.save_as(target / f"{number:03d}.dcm", enforce_file_format=True)
        return target

    return save


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[[Path], Path]:
    """Zip the files of a folder."""

    def pack(folder: Path, name: str = "scan.zip") -> Path:
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.rglob("*")):
                archive.write(file, file.relative_to(folder))
        return tmp_path / name

    return pack
