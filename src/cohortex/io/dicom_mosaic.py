"""Slices tiled into one picture: Siemens mosaics and United Imaging's VFRAMEs, taken apart again."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from cohortex.errors import UnreadableFile
from cohortex.io.dicom_file import DicomFile, number_of
from cohortex.io.dicom_frames import Frame, Plane, frame_from

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nibabel calls its DICOM readers experimental; only its CSA parser is used here
    from nibabel.nicom.csareader import CSAReadError, get_csa_header, get_n_mosaic, get_slice_normal

_SIEMENS = ("SIEMENS MR HEADER", 0x0019, 0x0A)  # NumberOfImagesInMosaic
_UIH = ("Image Private Header", 0x0065, 0x50, 0x51)  # number of slices, one item per slice


def is_tiled(header: Dataset) -> bool:
    """Whether a picture is a mosaic, by its image type."""
    kinds = header.get("ImageType") or []
    return "MOSAIC" in kinds or "VFRAME" in kinds


def tiles_of(file: DicomFile) -> list[Frame]:
    """List the slices of a tiled picture as frames of their own.

    Parameters
    ----------
    file : DicomFile
        Siemens mosaic or United Imaging VFRAME.

    Returns
    -------
    list of Frame
        One per slice, each with its place.

    Raises
    ------
    UnreadableFile
        If the private elements that tell number and place of the slices are missing.
    """
    whole = frame_from((file.header,), file, 0)
    if "VFRAME" in file.header.get("ImageType", []):
        return _united_imaging(file, whole)
    return _siemens(file, whole)


def _tiles(
    whole: Frame,
    shape: tuple[int, int],
    per_row: int,
    positions: Sequence[NDArray[np.float64]],
    directions: NDArray[np.float64],
) -> list[Frame]:
    spacing = whole.pixel_spacing_mm
    if spacing is None:
        raise _lacking(whole.file, "the pixel spacing")
    return [
        replace(
            whole,
            shape=shape,
            tile=(number // per_row * shape[0], number % per_row * shape[1]),
            plane=Plane(position_mm=position, directions=directions, pixel_spacing_mm=spacing),
            order=number,
        )
        for number, position in enumerate(positions)
    ]


def _united_imaging(file: DicomFile, whole: Frame) -> list[Frame]:
    creator, group, _, items = _UIH
    try:
        sequence = list(file.header.private_block(group, creator)[items].value)
        positions = [np.asarray([float(x) for x in item.ImagePositionPatient]) for item in sequence]
        size = str(file.header.private_block(group, creator)[0x04].value)
        columns, rows = (int(part) for part in size.split("*"))
        directions = _directions(file)
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise _lacking(file, "the private elements with the place of each slice") from error
    per_row = whole.shape[1] // columns
    if per_row * (whole.shape[0] // rows) < len(positions):
        raise _lacking(file, f"room for {len(positions)} tiles of {size}")
    return _tiles(whole, (rows, columns), per_row, positions, directions)


def _siemens(file: DicomFile, whole: Frame) -> list[Frame]:
    """Take a mosaic apart; its stated position is that of the corner of a picture as large as the whole mosaic.

    References
    ----------
    .. [1] NiBabel manual, "Siemens mosaic format", section "Mosaic positions".
    """
    header = file.header
    csa = _csa(header)
    count = get_n_mosaic(csa) if csa else None
    normal = get_slice_normal(csa) if csa else None
    if count is None:
        creator, group, element = _SIEMENS
        try:
            count = int(number_of(header.private_block(group, creator)[element].value))
        except KeyError:
            count = None
    if not count or normal is None:
        raise _lacking(file, "the CSA header with number of slices and slice normal")
    position = header.get("ImagePositionPatient")
    if position is None or whole.pixel_spacing_mm is None:
        raise _lacking(file, "position or pixel spacing")
    directions = _directions(file)
    distance = number_of(header.get("SpacingBetweenSlices")) or number_of(header.get("SliceThickness"))
    if distance <= 0:
        raise _lacking(file, "the distance between slices")
    count = int(count)
    per_row = int(np.ceil(np.sqrt(count)))
    shape = (whole.shape[0] // per_row, whole.shape[1] // per_row)
    spare = np.array([whole.shape[1] - shape[1], whole.shape[0] - shape[0]]) / 2 * np.asarray(whole.pixel_spacing_mm)
    first = np.asarray([float(x) for x in position]) + directions @ spare
    positions = [first + number * distance * np.asarray(normal, dtype=float) for number in range(count)]
    return _tiles(whole, shape, per_row, positions, directions)


def _csa(header: Dataset) -> dict[str, Any] | None:
    try:
        return get_csa_header(header, "image")
    except (CSAReadError, KeyError, ValueError):
        return None


def _directions(file: DicomFile) -> NDArray[np.float64]:
    values = np.asarray([float(x) for x in file.header.ImageOrientationPatient]).reshape(2, 3)
    return np.asarray((values / np.linalg.norm(values, axis=1, keepdims=True)).T)


def _lacking(file: DicomFile, what: str) -> UnreadableFile:
    return UnreadableFile(
        f"{file.name}: slices tiled into one picture, and {what} is missing (removed by de-identification?). "
        "Ask for the series as single slices or enhanced multi-frame DICOM."
    )
