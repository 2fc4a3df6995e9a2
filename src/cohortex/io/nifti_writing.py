"""Writing NIfTI: bit-identical files, geometry turned to RAS, unit and labels kept in a comment."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from isal import igzip
from numpy.typing import NDArray

from cohortex import __version__
from cohortex.errors import GeometryError
from cohortex.image import Image, Labels
from cohortex.image.packing import Packing
from cohortex.io.convention import lps_from_ras
from cohortex.io.nifti import EXTENSION_CODE, LABEL, VECTOR

_COMPRESSION = 1  # of ISA-L: a fifteenth of zlib's time at level 1, files as large (float32 head of 51 MB, measured)
_KEPT_ENTRIES = ("label_names", "description")
_INTEGERS = "u1 i1 u2 i2 u4 i4 u8 i8"


def write_nifti(image: Image, path: Path) -> None:
    """Write an image as NIfTI-1 (NIfTI-2 where an axis is longer than 32767).

    Values are stored as they are, with slope 1; only booleans become uint8 and float16 float32, which loses nothing.
    The sform (code 1) holds the whole geometry; the qform too, unless the grid is sheared (its code is 0 then).

    Parameters
    ----------
    image : Image
        Two or three spatial axes, then time, channel or vector. A two-axis image of known orientation cannot be
        placed in space by its two coordinates, so its codes are 0 as well.
    path : Path
        Ending in .nii or .nii.gz.

    Raises
    ------
    ValueError
        If the values have a type that NIfTI does not know.
    GeometryError
        If the image has axes that NIfTI cannot name.
    """
    _write(*stored_values_and_header(image), path)


def write_packed_nifti(image: Image, path: Path, *, packing: Packing) -> None:
    """Write an image as NIfTI in small integers, with the slope and intercept that give the values back.

    Parameters
    ----------
    image : Image
        As for `write_nifti`.
    path : Path
        Ending in .nii or .nii.gz.
    packing : Packing
        How values become integers; what is lost is at most half its slope.

    Raises
    ------
    OverflowError
        If a value does not fit.
    """
    values, header = stored_values_and_header(image.with_values(packing.pack(image.values)))
    header["scl_slope"], header["scl_inter"] = packing.slope, packing.intercept
    _write(values, header, path)


def _write(values: NDArray[Any], header: Any, path: Path) -> None:
    buffer = io.BytesIO()
    header.write_to(buffer)
    buffer.write(b"\0" * (int(header["vox_offset"]) - buffer.tell()))
    buffer.write(values.tobytes(order="F"))
    with path.open("xb") as file:
        if path.name.lower().endswith(".gz"):
            file.write(igzip.compress(buffer.getbuffer(), _COMPRESSION, mtime=0))
        else:
            file.write(buffer.getbuffer())


def stored_values_and_header(image: Image) -> tuple[NDArray[Any], Any]:
    """Arrange an image for NIfTI.

    Parameters
    ----------
    image : Image
        As for `write_nifti`.

    Returns
    -------
    values : ndarray
        In NIfTI's order of axes: i, j, k, time, vector or channel; colours as records of bytes.
    header : nibabel.Nifti1Header or Nifti2Header
        Complete, with geometry codes and our comment.
    """
    values, intent = _arranged(image)
    large = max(values.shape) > np.iinfo(np.int16).max
    header = (nib.Nifti2Header if large else nib.Nifti1Header)()
    header.set_data_dtype(values.dtype)
    header.set_data_shape(values.shape)
    grid = image.grid
    timed = "time" in image.extra_axes
    step = image.metadata.get("repetition_time_s")
    header["pixdim"][1 : grid.ndim + 1] = grid.spacing_mm
    if timed and isinstance(step, int | float):
        header["pixdim"][4] = step
        header.set_xyzt_units("mm", "sec")
    else:
        header.set_xyzt_units("mm")
    header["intent_code"] = intent
    header["descrip"] = f"cohortex {__version__}; unit {image.unit}".encode("ascii", "replace")[:79]
    header["scl_slope"], header["scl_inter"] = 1, 0
    if grid.ndim == 3 and grid.orientation_known:
        matrix = lps_from_ras(grid.world_from_index)
        header.set_sform(matrix, code=1)
        if grid.is_orthogonal:
            header.set_qform(matrix, code=1)
    comment = _comment(image)
    if comment:
        header.extensions.append(nib.nifti1.Nifti1Extension(EXTENSION_CODE, comment))
    return values, header


def _arranged(image: Image) -> tuple[NDArray[Any], int]:
    """Values in NIfTI's order of axes and type, and the intent code."""
    values = image.values
    if values.dtype == bool:
        values = values.astype(np.uint8)
    elif values.dtype == np.float16:
        values = values.astype(np.float32)
    if values.dtype.newbyteorder("=").str[1:] not in (*_INTEGERS.split(), "f4", "f8"):
        raise ValueError(f"values of type {values.dtype} cannot be written as NIfTI; turn them into float32 first.")
    extra, n = image.extra_axes, image.grid.ndim
    if extra[-1:] == ("channel",) and values.dtype == np.uint8 and values.shape[-1] in (3, 4):
        fields = [(letter, "u1") for letter in "RGBA"[: values.shape[-1]]]
        return np.ascontiguousarray(values).view(np.dtype(fields)).reshape(values.shape[:-1]), 0
    if extra not in ((), ("time",), ("channel",), ("vector",), ("time", "channel"), ("time", "vector")):
        raise GeometryError(f"axes {extra} cannot be written as NIfTI; write one image per {extra[0]}.")
    if extra and n == 2:
        values = values[:, :, None]  # a fourth axis needs a third
    if extra in (("vector",), ("channel",)):
        values = values[..., None, :]
    if extra and extra[-1] == "vector":
        return values, VECTOR
    return values, LABEL if isinstance(image, Labels) else 0


def _comment(image: Image) -> bytes:
    """What NIfTI has no field for, as one JSON object; empty where there is nothing to say."""
    entries: dict[str, object] = {}
    if image.unit not in ("arbitrary", "label"):
        entries["unit"] = image.unit
    if isinstance(image, Labels):
        entries["kind"] = "labels"
    if image.grid.frame_of_reference:
        entries["frame_of_reference"] = image.grid.frame_of_reference
    kept = {key: image.metadata[key] for key in _KEPT_ENTRIES if key in image.metadata}
    if kept:
        entries["metadata"] = kept
    if not entries:
        return b""
    return json.dumps({"cohortex": entries}, sort_keys=True, ensure_ascii=False, default=str).encode()
