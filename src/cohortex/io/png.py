"""PNG: pictures without a place in the patient."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import UnidentifiedImageError

from cohortex.errors import GeometryError, UnreadableFile
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.image.image import Axis
from cohortex.io.sidecar import metadata_beside
from cohortex.progress import Progress, ProgressCallback, silent

_LARGEST_PIXELS = 1 << 28


def read_png(path: Path, *, name: str | None = None, progress: ProgressCallback = silent) -> Image:
    """Read a PNG of 8 or 16 bit grey, or colours.

    Parameters
    ----------
    path : Path
        The file.
    name : str, optional
        What messages call it.
    progress : callable, optional
        Told at the end.

    Returns
    -------
    Image
        Two axes: i along a row from the left, j down a column; spacing from the file's pixels per metre where it
        has any, else 1 mm. Orientation unknown. Colours are a channel axis of 3 (4 with transparency).

    Raises
    ------
    UnreadableFile
        If the file is empty, truncated, too large, or no PNG.
    """
    name = name or path.name
    warnings = []
    try:
        with Picture.open(path, formats=["PNG"]) as opened:
            picture: Picture.Image = opened
            if picture.width * picture.height > _LARGEST_PIXELS:
                raise UnreadableFile(f"{name}: {picture.width}×{picture.height} pixels is too large. Send it smaller.")
            resolution = picture.info.get("dpi")
            if picture.mode == "P":
                picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
            elif picture.mode == "1":
                picture = picture.convert("L")
            elif picture.mode == "LA":
                picture = picture.convert("RGBA")
            array = np.asarray(picture)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Picture.DecompressionBombError) as error:
        raise UnreadableFile(f"{name}: not a whole PNG picture ({error}). Send it again.") from error
    if array.dtype == np.int32:
        array = array.astype(np.uint16)
    values = np.swapaxes(array, 0, 1)
    axes: tuple[Axis, ...] = ("channel",) if values.ndim == 3 else ()
    if resolution and min(resolution) > 0:
        spacing = tuple(25.4 / float(dots) for dots in resolution)
    else:
        spacing = (1.0, 1.0)
        warnings.append("no pixel size in the file; 1 mm was taken")
    warnings.append("a PNG says nothing about left and right")
    progress(Progress(task=f"reading {name}", done=1, total=1))
    metadata = {**metadata_beside(path), "warnings": warnings, "source": name}
    grid = Grid.from_parts(values.shape[:2], spacing_mm=spacing, orientation_known=False)
    return Image(values, grid, "arbitrary", metadata, axes)


def write_png(image: Image, path: Path) -> None:
    """Write a picture as PNG; its values are stored as they are.

    Parameters
    ----------
    image : Image
        Two axes, or three of which one has one slice; uint8 or uint16 grey, or uint8 channels of 3 or 4. Rows of
        the picture are the second axis.

    Raises
    ------
    GeometryError
        If the image has several slices.
    ValueError
        If its values are not 8 or 16 bit integers: scale them to a window first.
    """
    values = image.values
    n = image.grid.ndim
    if n == 3:
        single = [axis for axis in range(3) if image.grid.shape[axis] == 1]
        if not single:
            size = "×".join(map(str, image.grid.shape))
            raise GeometryError(f"a PNG holds one slice, this image is {size}. Take one slice first.")
        values = values.squeeze(axis=single[-1])
    if image.extra_axes not in ((), ("channel",)):
        raise GeometryError(f"a PNG holds no {image.extra_axes[0]} axis. Take one volume first.")
    if values.dtype == bool:
        values = values.astype(np.uint8)
    grey = values.ndim == 2
    fits = values.dtype == np.uint8 and (grey or values.shape[-1] in (3, 4))
    if not fits and not (values.dtype == np.uint16 and grey):
        raise ValueError(
            f"values of type {values.dtype} do not go into a PNG, and scaling them silently would change "
            "them. Window them to uint8 or uint16 first."
        )
    kept = [axis for axis in range(n) if n == 2 or axis != single[-1]]
    dots = tuple(25.4 / image.grid.spacing_mm[axis] for axis in kept)
    picture = Picture.fromarray(np.ascontiguousarray(np.swapaxes(values, 0, 1)))
    picture.save(path, format="PNG", dpi=dots)
