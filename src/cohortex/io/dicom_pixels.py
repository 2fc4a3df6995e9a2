"""Decoding the pixels of a DICOM file, compressed or not, as stored values."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array

from cohortex.errors import UnreadableFile
from cohortex.io.dicom_file import PIXEL_KEYWORDS, DicomFile, number_of, whole_dataset

_GDCM_SYNTAXES = {  # what pydicom's permissively licensed plug-ins do not decode; GDCM inside SimpleITK does
    "1.2.840.10008.1.2.4.51": "JPEG Extended",
    "1.2.840.10008.1.2.4.57": "JPEG Lossless",
    "1.2.840.10008.1.2.4.70": "JPEG Lossless, first-order prediction",
    "1.2.840.10008.1.2.4.80": "JPEG-LS Lossless",
    "1.2.840.10008.1.2.4.81": "JPEG-LS Near-lossless",
}


def decode_pixels(file: DicomFile) -> NDArray[Any]:
    """Decode all frames of a file.

    Parameters
    ----------
    file : DicomFile
        Any object with pixel data.

    Returns
    -------
    ndarray
        Stored values (before rescale slope and intercept), shape (frames, rows, columns) for grey and
        (frames, rows, columns, 3) for colours; YBR and palettes become RGB.

    Raises
    ------
    UnreadableFile
        If the pixels are missing, truncated, or in an encoding no decoder here knows.
    """
    return decode_dataset(whole_dataset(file), name=file.name)


def decode_dataset(dataset: Dataset, *, name: str) -> NDArray[Any]:
    """Decode all frames of a data set in memory.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Whole, with a transfer syntax in its file meta information.
    name : str
        What messages call it.

    Returns
    -------
    ndarray
        As `decode_pixels`.

    Raises
    ------
    UnreadableFile
        As `decode_pixels`.
    """
    if not any(keyword in dataset for keyword in PIXEL_KEYWORDS):
        raise UnreadableFile(f"{name}: no pixel data. Send the original file.")
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        if syntax in _GDCM_SYNTAXES:
            values = _decoded_by_gdcm(dataset)
        else:
            values = pixel_array(dataset)
            if dataset.get("PhotometricInterpretation") == "PALETTE COLOR":
                values = apply_color_lut(values, dataset)
    except Exception as error:  # every decoder raises its own kinds
        raise UnreadableFile(
            f"{name}: its pixels do not decode ({syntax.name}: {_in_one_line(error)}). "
            "Send it again, uncompressed if the source can."
        ) from error
    frames = max(1, int(number_of(dataset.get("NumberOfFrames"), 1)))
    per_frame = 3 if _is_colour(dataset, values, frames) else 2
    return values if values.ndim == per_frame + 1 else values[None]


def _is_colour(dataset: Dataset, values: NDArray[Any], frames: int) -> bool:
    palette = dataset.get("PhotometricInterpretation") == "PALETTE COLOR"
    return (int(dataset.get("SamplesPerPixel", 1)) > 1 or palette) and values.ndim == 3 + (frames > 1)


def _decoded_by_gdcm(dataset: Dataset) -> NDArray[Any]:
    """Decode with GDCM a copy that holds nothing but the pixel module, so that no rescaling is applied."""
    copy = Dataset()
    for element in dataset.group_dataset(0x0028):
        if element.keyword in _PIXEL_MODULE:
            copy.add(element)
    copy.add(dataset["PixelData"])
    copy.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"  # Secondary Capture
    copy.SOPInstanceUID = pydicom.uid.generate_uid()
    if "NumberOfFrames" in dataset:
        copy.NumberOfFrames = dataset.NumberOfFrames
    copy.file_meta = pydicom.dataset.FileMetaDataset()
    copy.file_meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pixels.dcm"
        copy.save_as(path, enforce_file_format=True)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(path))
        image = reader.Execute()
    values = sitk.GetArrayFromImage(image)
    return values if int(dataset.get("NumberOfFrames") or 1) > 1 else values[0]


_PIXEL_MODULE = {
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
}


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


class PixelReader:
    """Decoded frames, one file in memory at a time."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._values: NDArray[Any] = np.empty(0)

    def frame(self, file: DicomFile, index: int) -> NDArray[Any]:
        """Stored values of one frame, shape (rows, columns) or (rows, columns, 3)."""
        if self._path != file.path:
            self._values = decode_pixels(file)
            self._path = file.path
        if index >= len(self._values):
            raise UnreadableFile(
                f"{file.name}: {len(self._values)} frames of pixels; the header has more. Send it again."
            )
        return np.asarray(self._values[index])
