"""Reading NIfTI-1 and NIfTI-2: header checked before anything is allocated, values scaled, geometry turned to LPS."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import IO, Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from cohortex.errors import GeometryError, UnknownFormat, UnreadableFile
from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.image.image import Axis
from cohortex.io.convention import is_singular, lps_from_ras
from cohortex.io.file_size import refuse_impossible_size
from cohortex.io.rescaling import rescaled
from cohortex.io.sidecar import metadata_beside
from cohortex.progress import Progress, ProgressCallback, silent

EXTENSION_CODE = 6  # "comment": free text; ours is one JSON object
VECTOR, DISPLACEMENT, LABEL = 1007, 1006, 1002  # NIfTI intent codes
_LENGTH_UNITS_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # unknown is taken as mm
_TIME_UNITS_S = {8: 1.0, 16: 1e-3, 24: 1e-6}
_BLOCK_BYTES = 1 << 24


def read_nifti(path: Path, *, name: str | None = None, progress: ProgressCallback = silent) -> Image:
    """Read one NIfTI file (.nii, .nii.gz, or a .hdr/.img pair).

    The sform gives the place where its code is above 0, else the qform; with both codes 0 the orientation is
    marked as not known and only the spacing is kept. Values are slope * stored + intercept; they stay integers
    where the slope is 1 and the intercept whole, else float32 (float64 from 32-bit integers up).

    Parameters
    ----------
    path : Path
        The file.
    name : str, optional
        What messages call it; its file name when omitted.
    progress : callable, optional
        Told how many bytes are read.

    Returns
    -------
    Image
        Three spatial axes (two for a two-axis file without orientation), then time, channel or vector.
        `Labels` where the file says that its integers are labels.

    Raises
    ------
    UnreadableFile
        If the file is empty, truncated, not NIfTI, complex, or claims more voxels than it can hold.
    GeometryError
        If its affine has no inverse or a spacing is 0.
    """
    name = name or path.name
    warnings: list[str] = []
    header_path, values_path = _pair(path)
    with _Opened(header_path, name, warnings) as stream:
        header, extension = _header(stream, name)
        shape = _checked_shape(header, name)
        dtype = _checked_type(header, name)
        single = header_path == values_path
        offset = int(header["vox_offset"]) if single else 0
        needed = offset + int(np.prod(shape, dtype=object)) * dtype.itemsize
        refuse_impossible_size(
            name=name,
            shape=shape,
            needed=needed,
            present=values_path.stat().st_size,
            packed=_is_packed(values_path),
        )
        if single:
            raw = _voxels(stream, offset, needed, name, progress)
    if not single:
        with _Opened(values_path, name, warnings) as stream:
            raw = _voxels(stream, 0, needed, name, progress)
    stored = np.ndarray(shape, dtype, buffer=raw, order="F")
    grid = _grid(header, shape, extension, name, warnings)
    values, axes = _arranged(_colours_apart(_scaled(stored, header)), header, grid.ndim, dtype, warnings)
    metadata: dict[str, object] = {**metadata_beside(path), **_described(header, axes, warnings)}
    metadata |= dict(extension.get("metadata", {}))
    if warnings:
        metadata["warnings"] = warnings
    metadata["source"] = name
    unit = str(extension.get("unit", "arbitrary"))
    labelled = extension.get("kind") == "labels" or int(header["intent_code"]) == LABEL
    if labelled and np.issubdtype(values.dtype, np.integer):
        return Labels(values, grid, extension.get("unit", "label"), metadata, axes)
    return Image(values, grid, unit, metadata, axes)


def _pair(path: Path) -> tuple[Path, Path]:
    """Header file and voxel file; the same for a single file."""
    lowered = path.name.lower()
    for ending, other in ((".hdr", ".img"), (".img", ".hdr"), (".hdr.gz", ".img.gz"), (".img.gz", ".hdr.gz")):
        if lowered.endswith(ending):
            partner = path.with_name(path.name[: -len(ending)] + other)
            if not partner.exists():
                raise UnreadableFile(
                    f"{path.name}: its partner {partner.name} is missing; give both files of the pair."
                )
            return (path, partner) if ending.startswith(".hdr") else (partner, path)
    return path, path


class _Opened:
    """The uncompressed bytes of a file, whatever its name says about compression."""

    def __init__(self, path: Path, name: str, warnings: list[str]) -> None:
        self.name = name
        self.file = path.open("rb")
        start = self.file.read(2)
        self.file.seek(0)
        if not start:
            self.file.close()
            raise UnreadableFile(f"{name}: the file is empty (0 bytes). Send it again.")
        packed = start == b"\x1f\x8b"
        if packed != path.name.lower().endswith(".gz"):
            warnings.append(
                f"{name} is {'' if packed else 'not '}gzip-compressed although its name says otherwise; read as it is"
            )
        self.stream: IO[bytes] = gzip.GzipFile(fileobj=self.file) if packed else self.file  # type: ignore[assignment]

    def __enter__(self) -> IO[bytes]:
        return self.stream

    def __exit__(self, *_: object) -> None:
        self.file.close()


def _header(stream: IO[bytes], name: str) -> tuple[Any, dict[str, Any]]:
    """Read the header and our own extension, if there is one."""
    try:
        start = stream.read(540)
    except (EOFError, OSError, zlib.error) as error:
        raise UnreadableFile(f"{name}: the compressed stream is broken ({error}). Send it again.") from error
    for kind, size, marks in (
        (nib.Nifti1Header, 348, (b"n+1\0", b"ni1\0")),
        (nib.Nifti2Header, 540, (b"n+2\0", b"ni2\0")),
    ):
        mark = start[344:348] if size == 348 else start[4:8]
        if len(start) >= size and mark in marks:
            header = kind(start[:size], check=False)
            break
    else:
        if len(start) >= 348 and 348 in (int.from_bytes(start[:4], o) for o in ("little", "big")):
            raise UnknownFormat(f"{name}: an Analyze 7.5 header without a NIfTI mark. Convert it to NIfTI first.")
        raise UnreadableFile(
            f"{name}: not a NIfTI file (no 'n+1' or 'n+2' mark in its {len(start)} first bytes). "
            "Check that the right file was sent."
        )
    stream.seek(size)
    return header, _own_extension(stream, header, size)


def _own_extension(stream: IO[bytes], header: Any, size: int) -> dict[str, Any]:
    """Read the JSON comment that our writer leaves, from the bytes between header and voxels."""
    room = int(header["vox_offset"]) - size if header["magic"].item()[:2] != b"ni" else 0
    if not 12 < room < 1 << 20:
        return {}
    block = stream.read(room)
    position = 4
    order = "little" if header.endianness == "<" else "big"
    while block[:1] != b"\0" and position + 8 <= len(block):
        length = int.from_bytes(block[position : position + 4], order)  # type: ignore[arg-type]
        code = int.from_bytes(block[position + 4 : position + 8], order)  # type: ignore[arg-type]
        if length < 8:
            break
        content = block[position + 8 : position + length].rstrip(b"\0")
        if code == EXTENSION_CODE and content.startswith(b'{"cohortex"'):
            return dict(json.loads(content)["cohortex"])
        position += length
    return {}


def _checked_shape(header: Any, name: str) -> tuple[int, ...]:
    dim = [int(n) for n in header["dim"]]
    while dim[0] > 3 and dim[0] < 8 and dim[dim[0]] == 1:
        dim[0] -= 1
    if not 1 <= dim[0] <= 7 or any(n < 1 for n in dim[1 : dim[0] + 1]):
        raise UnreadableFile(f"{name}: the header gives dimensions {dim}; they must be positive. Export it again.")
    if any(n > 1 for n in dim[6 : dim[0] + 1]):
        raise UnreadableFile(f"{name}: six or more axes {dim[1 : dim[0] + 1]} are not supported. Split it first.")
    return tuple(dim[1 : dim[0] + 1])


def _checked_type(header: Any, name: str) -> np.dtype[Any]:
    code = int(header["datatype"])
    if code in (32, 1792, 2048):
        raise UnreadableFile(f"{name}: complex values are not supported. Save magnitude and phase as two images.")
    try:
        dtype = np.dtype(header.get_data_dtype())
    except (HeaderDataError, KeyError) as error:
        raise UnreadableFile(f"{name}: data type code {code} is not known. Export it again as float32.") from error
    if code == 1536 or dtype.itemsize == 0 or code == 1:
        raise UnreadableFile(f"{name}: data type code {code} is not supported. Export it again as float32.")
    return dtype


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _voxels(stream: IO[bytes], offset: int, needed: int, name: str, progress: ProgressCallback) -> bytearray:
    size = needed - offset
    result = bytearray(size)
    view = memoryview(result)
    done = 0
    try:
        stream.seek(offset)
        while done < size:
            progress(Progress(task=f"reading {name}", done=done, total=size))
            block = stream.read(min(_BLOCK_BYTES, size - done))
            if not block:
                break
            view[done : done + len(block)] = block
            done += len(block)
        stream.read(_BLOCK_BYTES)  # gzip compares its checksum only where the stream ends
    except gzip.BadGzipFile as error:
        raise UnreadableFile(
            f"{name}: the compressed voxels are corrupt (their checksum does not match). Send it again."
        ) from error
    except (EOFError, OSError, zlib.error) as error:
        raise UnreadableFile(
            f"{name}: the compressed stream breaks off before all {size:,} bytes of voxels. Send it again."
        ) from error
    if done < size:
        raise UnreadableFile(f"{name}: {done:,} of {size:,} bytes of voxels; the file is truncated. Send it again.")
    progress(Progress(task=f"reading {name}", done=size, total=size))
    return result


def _scaled(stored: NDArray[Any], header: Any) -> NDArray[Any]:
    """Apply scl_slope and scl_inter: a slope of 0 or NaN means no scaling (NIfTI-1 standard)."""
    native = stored.astype(stored.dtype.newbyteorder("="), copy=False, order="K")
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if stored.dtype.names or slope == 0 or not np.isfinite(slope):
        return native
    intercept = intercept if np.isfinite(intercept) else 0.0
    return rescaled(native, slope, intercept)


def _colours_apart(values: NDArray[Any]) -> NDArray[Any]:
    """Turn RGB24 and RGBA32 records into a last axis of bytes."""
    if values.dtype.names is None:
        return values
    return np.stack([values[field] for field in values.dtype.names], axis=-1)


def _grid(header: Any, shape: tuple[int, ...], extension: dict[str, Any], name: str, warnings: list[str]) -> Grid:
    scale = np.diag([_LENGTH_UNITS_MM.get(int(header["xyzt_units"]) & 7, 1.0)] * 3 + [1.0])
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    pixdim = np.abs(np.asarray(header["pixdim"][1:4], dtype=float))
    frame = extension.get("frame_of_reference")
    spatial = (*shape[:3], 1, 1)[:3]
    qform = None
    if qform_code > 0:
        if not np.all(pixdim > 0) or not np.all(np.isfinite(pixdim)):
            if sform_code <= 0:
                raise GeometryError(f"{name}: voxel sizes {pixdim} in pixdim; they must be above 0. Export it again.")
        else:
            try:
                qform = scale @ header.get_qform()
            except (ValueError, HeaderDataError) as error:
                raise GeometryError(f"{name}: its qform is no rotation ({error}). Export it again.") from error
    if sform_code > 0:
        matrix = scale @ header.get_sform()
        if is_singular(matrix):
            raise GeometryError(f"{name}: its sform affine has no inverse. Export it again with a valid affine.")
        if not np.all(pixdim > 0):
            warnings.append(f"voxel sizes {pixdim} in pixdim are not valid; the sform was used")
        if qform is not None:
            far = np.asarray(spatial, dtype=float) - 1
            apart = max(np.linalg.norm((matrix - qform)[:3] @ [*corner, 1]) for corner in (far * 0, far))
            if apart > 0.1 * min(np.linalg.norm(matrix[:3, :3], axis=0)):
                warnings.append(f"sform and qform differ by {apart:.3g} mm; the sform was used")
        return Grid(spatial, lps_from_ras(matrix), frame)
    if qform is not None:
        return Grid(spatial, lps_from_ras(qform), frame)
    sizes = pixdim[: 2 if len(shape) == 2 else 3] * scale[0, 0]
    if not np.all(sizes > 0) or not np.all(np.isfinite(sizes)):
        raise GeometryError(
            f"{name}: no orientation codes and voxel sizes {sizes} in pixdim; nothing says how large a voxel is. "
            "Export it again with its geometry."
        )
    warnings.append("qform and sform code are 0: left and right are not known")
    return Grid.from_parts(shape[: len(sizes)], spacing_mm=sizes, frame_of_reference=frame, orientation_known=False)


def _arranged(
    values: NDArray[Any], header: Any, n: int, dtype: np.dtype[Any], warnings: list[str]
) -> tuple[NDArray[Any], tuple[Axis, ...]]:
    """Name the axes after the spatial ones; axes of one element are dropped."""
    coloured = dtype.names is not None
    last: tuple[int, ...] = values.shape[-1:] if coloured else ()
    spatial_and_more = values.shape[: values.ndim - len(last)]
    spatial = (*spatial_and_more[:3], 1, 1)[:3] if n == 3 else spatial_and_more[:2]
    time, vector = (*spatial_and_more[3:5], 1, 1)[:2]
    intent = int(header["intent_code"])
    axes: list[Axis] = []
    if time > 1:
        axes.append("time" if int(header["xyzt_units"]) & 56 in (0, 8, 16, 24) else "channel")
    if vector > 1:
        axes.append("vector" if intent in (VECTOR, DISPLACEMENT) and vector == 3 else "channel")
    if coloured:
        axes.append("channel")
    if len(set(axes)) < len(axes):
        warnings.append("two further axes of the same kind; both are called channel")
    sizes = tuple(size for size in (time, vector) if size > 1)
    values = (
        values.reshape(*spatial, *sizes, *last, order="F") if not coloured else values.reshape(*spatial, *sizes, *last)
    )
    if intent == DISPLACEMENT and "vector" in axes:
        values = values * np.array([-1, -1, 1], dtype=values.dtype)  # components of this intent are RAS
    return values, tuple(axes)


def _described(header: Any, axes: tuple[Axis, ...], warnings: list[str]) -> dict[str, object]:
    """Plain entries from the header itself."""
    result: dict[str, object] = {
        "nifti_sform_code": int(header["sform_code"]),
        "nifti_qform_code": int(header["qform_code"]),
    }
    description = header["descrip"].item().split(b"\0")[0].decode("latin-1").strip()
    if description:
        result["description"] = description
    if "time" in axes:
        step = float(header["pixdim"][4])
        unit = _TIME_UNITS_S.get(int(header["xyzt_units"]) & 56)
        if step > 0 and unit is not None:
            result["repetition_time_s"] = round(step * unit, 9)
        elif step > 0 and step != 1:  # 1 is what a header says that knows nothing
            warnings.append(f"time step {step:g} without a unit; repetition time left out")
    return result
