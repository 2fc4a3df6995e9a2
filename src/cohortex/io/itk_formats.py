"""NRRD and MetaImage: values through SimpleITK, geometry from the text header, which says more than SimpleITK keeps."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from cohortex.errors import GeometryError, UnreadableFile
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.io.convention import is_singular
from cohortex.io.file_size import refuse_impossible_size
from cohortex.io.sidecar import metadata_beside
from cohortex.io.simpleitk_bridge import from_simpleitk, simpleitk_of, to_simpleitk
from cohortex.progress import Progress, ProgressCallback, silent

_HEADER_BYTES = 1 << 16
_SIGNS = {"left": 1, "right": -1, "posterior": 1, "anterior": -1, "superior": 1, "inferior": -1}
_LETTERS = {"L": "left", "R": "right", "P": "posterior", "A": "anterior", "S": "superior", "I": "inferior"}
_NRRD_BYTES = {
    1: ("int8", "uint8", "char", "uchar", "signed char", "unsigned char", "int8_t", "uint8_t"),
    2: (
        "int16",
        "uint16",
        "short",
        "ushort",
        "unsigned short",
        "short int",
        "unsigned short int",
        "int16_t",
        "uint16_t",
    ),
    4: ("int", "uint", "float", "signed int", "unsigned int", "int32", "uint32", "int32_t", "uint32_t"),
    8: ("double", "longlong", "ulonglong", "long long", "unsigned long long", "int64", "uint64", "int64_t", "uint64_t"),
}
_META_BYTES = {"CHAR": 1, "UCHAR": 1, "SHORT": 2, "USHORT": 2, "INT": 4, "UINT": 4, "FLOAT": 4, "LONG": 4, "ULONG": 4}
_LENGTHS_MM = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 1e-3, "µm": 1e-3, "micron": 1e-3}


def read_nrrd(path: Path, *, name: str | None = None, progress: ProgressCallback = silent) -> Image:
    """Read NRRD (.nrrd, or .nhdr with its data file beside it).

    Parameters
    ----------
    path : Path
        The file.
    name : str, optional
        What messages call it; its file name when omitted.
    progress : callable, optional
        Told at the start and the end.

    Returns
    -------
    Image
        In LPS mm whatever space the file names; a shear in the space directions is kept. Without a named
        anatomical space the orientation is not known.

    Raises
    ------
    UnreadableFile
        If the file is empty, truncated or no NRRD.
    GeometryError
        If its space directions have no inverse.

    References
    ----------
    .. [1] Teem: *Definition of NRRD File Format*, teem.sourceforge.net/nrrd/format.html.
    """
    name = name or path.name
    fields = _nrrd_fields(path, name)
    _check_nrrd_size(path, fields, name)
    space = _space_axes(fields.get("space", ""))
    read = _read_by_itk(path, "NrrdImageIO", name, progress)
    image = from_simpleitk(read, orientation_known=space is not None, vector=_is_vector(fields, read))
    grid = _nrrd_grid(fields, image.grid, space, name)
    metadata = {**metadata_beside(path), **image.metadata, "source": name}
    return type(image)(image.values, grid, image.unit, metadata, image.extra_axes)


def read_metaimage(path: Path, *, name: str | None = None, progress: ProgressCallback = silent) -> Image:
    """Read MetaImage (.mha, or .mhd with its data file beside it).

    Parameters
    ----------
    path, name, progress
        As for `read_nrrd`.

    Returns
    -------
    Image
        MetaImage world is LPS mm. With two axes, or three whose AnatomicalOrientation is "???", the orientation is
        not known.

    Raises
    ------
    UnreadableFile
        If the file is empty, truncated or no MetaImage.
    """
    name = name or path.name
    fields = _metaimage_fields(path, name)
    _check_metaimage_size(path, fields, name)
    read = _read_by_itk(path, "MetaImageIO", name, progress)
    unknown = fields.get("NDims") == "3" and "?" in fields.get("AnatomicalOrientation", "")
    image = from_simpleitk(read, orientation_known=False if unknown else None)
    return image.with_metadata(**{**metadata_beside(path), **image.metadata, "source": name})


def write_nrrd(image: Image, path: Path) -> None:
    """Write NRRD, gzip-compressed; a sheared grid keeps its shear in the space directions.

    Parameters
    ----------
    image : Image
        Two or three spatial axes, then time, channel or vector.
    path : Path
        Ending in .nrrd.
    """
    sitk.WriteImage(simpleitk_of(image), str(path), useCompression=True)
    n = image.grid.ndim
    if not image.grid.orientation_known:
        axes = n + int("time" in image.extra_axes)
        _replace_line(path, rb"space: left-posterior-superior[^\n]*", b"space dimension: %d" % axes)
    elif "time" in image.extra_axes:  # ITK names no space for four axes
        _replace_line(path, rb"space dimension: 4", b"space: left-posterior-superior-time")


def write_metaimage(image: Image, path: Path) -> None:
    """Write MetaImage in one file, compressed.

    Parameters
    ----------
    image : Image
        Two or three spatial axes at right angles, then time, channel or vector.
    path : Path
        Ending in .mha.

    Raises
    ------
    GeometryError
        If the grid is sheared, which the readers of MetaImage do not expect.
    """
    sitk.WriteImage(to_simpleitk(image), str(path), useCompression=True)


def _replace_line(path: Path, pattern: bytes, line: bytes) -> None:
    content = path.read_bytes()
    head, tail = content[:_HEADER_BYTES], content[_HEADER_BYTES:]
    path.write_bytes(re.sub(pattern, line, head, count=1) + tail)


def _read_by_itk(path: Path, kind: str, name: str, progress: ProgressCallback) -> Any:
    progress(Progress(task=f"reading {name}", done=0, total=1))
    reader = sitk.ImageFileReader()
    reader.SetImageIO(kind)
    reader.SetFileName(str(path))
    try:
        image = reader.Execute()
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise UnreadableFile(f"{name}: truncated or corrupt ({lines[-1][:200]}). Send it again.") from error
    progress(Progress(task=f"reading {name}", done=1, total=1))
    return image


def _head(path: Path, name: str) -> bytes:
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES)
    if not start:
        raise UnreadableFile(f"{name}: the file is empty (0 bytes). Send it again.")
    return start


def _nrrd_fields(path: Path, name: str) -> dict[str, str]:
    start = _head(path, name)
    if not start.startswith(b"NRRD0"):
        raise UnreadableFile(f"{name}: not an NRRD file. Check that the right file was sent.")
    text = re.split(rb"\r?\n\r?\n", start, maxsplit=1)[0].decode("utf-8", "replace")
    fields = {}
    for line in text.splitlines()[1:]:
        key, colon, value = line.partition(": ")
        if colon and not line.startswith("#"):
            fields[key.strip().lower()] = value.strip()
    return fields


def _metaimage_fields(path: Path, name: str) -> dict[str, str]:
    fields = {}
    for line in _head(path, name).split(b"\n"):
        key, equals, value = line.partition(b"=")
        if not equals:
            break
        fields[key.strip().decode("ascii", "replace")] = value.strip().decode("latin-1")
        if key.strip() == b"ElementDataFile":
            break
    if "DimSize" not in fields:
        raise UnreadableFile(f"{name}: not a MetaImage file. Check that the right file was sent.")
    return fields


def _check_nrrd_size(path: Path, fields: dict[str, str], name: str) -> None:
    sizes = _integers(fields.get("sizes", ""), name)
    kind = fields.get("type", "").lower()
    width = next((width for width, names in _NRRD_BYTES.items() if kind in names), None)
    if width is None:
        raise UnreadableFile(f"{name}: values of type {kind!r} are not supported. Export it again as float.")
    data = fields.get("data file", fields.get("datafile"))
    target = path if data is None else path.parent / data
    if data is not None and not target.is_file():
        if "%" in data or data.upper().startswith("LIST"):
            return
        raise UnreadableFile(f"{name}: its data file {data} is missing. Give both files.")
    packed = fields.get("encoding", "raw").lower() not in ("raw", "txt", "text", "ascii", "hex")
    needed = math.prod(sizes) * (width if packed or fields.get("encoding", "raw").lower() == "raw" else 1)
    refuse_impossible_size(name=name, shape=sizes, needed=needed, present=target.stat().st_size, packed=packed)


def _check_metaimage_size(path: Path, fields: dict[str, str], name: str) -> None:
    sizes = _integers(fields["DimSize"], name)
    kind = fields.get("ElementType", "").removeprefix("MET_").removesuffix("_ARRAY")
    width = _META_BYTES.get(kind, 8) * int(fields.get("ElementNumberOfChannels", "1") or 1)
    data = fields.get("ElementDataFile", "LOCAL")
    target = path if data.upper() == "LOCAL" else path.parent / data
    if not target.is_file():
        if "%" in data or data.upper().startswith("LIST"):
            return
        raise UnreadableFile(f"{name}: its data file {data} is missing. Give both files.")
    packed = fields.get("CompressedData", "False").lower() == "true"
    present = target.stat().st_size
    refuse_impossible_size(name=name, shape=sizes, needed=math.prod(sizes) * width, present=present, packed=packed)


def _integers(text: str, name: str) -> list[int]:
    try:
        result = [int(part) for part in text.split()]
    except ValueError:
        result = []
    if not result or min(result) < 1:
        raise UnreadableFile(f"{name}: sizes {text!r} in its header; they must be positive. Export it again.")
    return result


def _space_axes(space: str) -> NDArray[np.float64] | None:
    """Matrix from the named space to LPS, shape (3, 3); None where the space is not an anatomical one."""
    words = space.strip().removesuffix("-time")
    parts = [_LETTERS.get(letter, "") for letter in words[:3]] if len(words) in (3, 4) else words.split("-")
    if len(parts) != 3 or not all(part in _SIGNS for part in parts):
        return None
    axes = [("left", "right"), ("posterior", "anterior"), ("superior", "inferior")]
    matrix = np.zeros((3, 3))
    for column, part in enumerate(parts):
        row = next(row for row, pair in enumerate(axes) if part in pair)
        matrix[row, column] = _SIGNS[part]
    return matrix


def _is_vector(fields: dict[str, str], image: Any) -> bool | None:
    """Vectors by the kind of the axis; what our own writer noted goes first."""
    if "cohortex_kind" in image.GetMetaDataKeys():
        return None
    return any(kind in ("vector", "3-vector", "covariant-vector") for kind in fields.get("kinds", "").lower().split())


def _nrrd_grid(fields: dict[str, str], read: Grid, space: NDArray[np.float64] | None, name: str) -> Grid:
    """Geometry from the space directions, which may be sheared; as SimpleITK read it where there are none."""
    found = re.findall(r"none|\([^)]*\)", fields.get("space directions", ""))
    vectors = [[float(x) for x in part.strip("()").split(",")] for part in found if part != "none"]
    n = read.ndim
    if len(vectors) < n or any(len(vector) < n for vector in vectors):
        return read
    lengths = re.findall(r'"([^"]*)"', fields.get("space units", ""))[:n]
    scale = _LENGTHS_MM.get(lengths[0].lower(), 1.0) if lengths else 1.0
    origin = [float(x) for x in fields.get("space origin", "(0,0,0)").strip("()").split(",")][:n]
    matrix = np.eye(n + 1)
    matrix[:n, :n] = np.asarray([vector[:n] for vector in vectors[:n]]).T * scale
    matrix[:n, n] = np.asarray(origin) * scale
    if space is not None and n == 3:
        matrix[:3] = space @ matrix[:3]
    if is_singular(matrix):
        raise GeometryError(f"{name}: its space directions have no inverse. Export it again with a valid geometry.")
    return Grid(read.shape, matrix, read.frame_of_reference, read.orientation_known)
