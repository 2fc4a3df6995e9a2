"""To and from SimpleITK: the same LPS world, the array axes reversed."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from cohortex.errors import GeometryError
from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.image.image import Axis


def to_simpleitk(image: Image) -> Any:
    """Turn an image into a `SimpleITK.Image`.

    Parameters
    ----------
    image : Image
        Two or three spatial axes. Channels and vectors become components of a vector image, time becomes a last
        axis whose spacing is the repetition time in s.

    Returns
    -------
    SimpleITK.Image
        Same values and the same voxel centres, mm. Booleans become uint8, float16 float32.

    Raises
    ------
    GeometryError
        If the grid is sheared: SimpleITK's filters take axes at right angles for granted. Resample first.
    """
    if not image.grid.is_orthogonal:
        raise GeometryError(
            "the grid is sheared (a tilted gantry); SimpleITK cannot hold it. Resample onto a grid with axes at right "
            "angles first, or write NIfTI or NRRD."
        )
    return simpleitk_of(image)


def simpleitk_of(image: Image) -> Any:
    """As `to_simpleitk`, but a shear stays in the direction matrix (for writing NRRD only)."""
    values = image.values
    if values.dtype == bool:
        values = values.astype(np.uint8)
    elif values.dtype == np.float16:
        values = values.astype(np.float32)
    extra, grid = image.extra_axes, image.grid
    if extra not in ((), ("time",), ("channel",), ("vector",), ("time", "channel"), ("time", "vector")):
        raise GeometryError(f"axes {extra} cannot go to SimpleITK; convert one image per {extra[0]}.")
    timed, components = "time" in extra, bool(extra) and extra[-1] != "time"
    n = grid.ndim + timed
    order = (*range(n - 1, -1, -1), *((n,) if components else ()))
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    result = sitk.GetImageFromArray(np.transpose(native, order), isVector=components)
    direction, spacing, origin = np.eye(n), np.ones(n), np.zeros(n)
    direction[: grid.ndim, : grid.ndim] = grid.direction
    spacing[: grid.ndim] = grid.spacing_mm
    origin[: grid.ndim] = grid.origin_mm
    step = image.metadata.get("repetition_time_s")
    if timed and isinstance(step, int | float) and step > 0:
        spacing[-1] = step
    result.SetSpacing(spacing.tolist())
    result.SetOrigin(origin.tolist())
    result.SetDirection(direction.ravel().tolist())
    return result


def from_simpleitk(
    source: Any, *, unit: str = "arbitrary", orientation_known: bool | None = None, vector: bool = False
) -> Image:
    """Turn a `SimpleITK.Image` into an `Image`.

    Parameters
    ----------
    source : SimpleITK.Image
        Two, three or four axes; the fourth is time.
    unit : str
        Unit of the values.
    orientation_known : bool, optional
        Whether its axes are patient coordinates; when omitted, true for three axes and more.
    vector : bool
        Whether several components per voxel are a vector in world mm rather than channels.

    Returns
    -------
    Image
        Same values and the same voxel centres; an image of one component per voxel has no channel axis.

    Raises
    ------
    GeometryError
        If the image has more than four axes or complex values.
    """
    n = source.GetDimension()
    if n > 4 or "complex" in source.GetPixelIDTypeAsString():
        raise GeometryError(f"a SimpleITK image of {n} axes, {source.GetPixelIDTypeAsString()}, is not supported.")
    spatial = min(n, 3)
    components = source.GetNumberOfComponentsPerPixel()
    array = sitk.GetArrayFromImage(source)
    is_vector = array.ndim > n
    values: NDArray[Any] = np.transpose(array, (*range(n - 1, -1, -1), *((n,) if is_vector else ())))
    axes: list[Axis] = []
    metadata: dict[str, object] = {}
    if n == 4:
        axes.append("time")
        metadata["repetition_time_s"] = float(source.GetSpacing()[3])
    if is_vector and components > 1:
        axes.append("vector" if vector else "channel")
    elif is_vector:
        values = values[..., 0]
    if n == 4 and values.shape[3] == 1:
        values, axes = values[:, :, :, 0], axes[1:]
        metadata = {}
    direction = np.asarray(source.GetDirection()).reshape(n, n)[:spatial, :spatial]
    grid = Grid.from_parts(
        values.shape[:spatial],
        spacing_mm=source.GetSpacing()[:spatial],
        origin_mm=source.GetOrigin()[:spatial],
        direction=direction,
        orientation_known=spatial == 3 if orientation_known is None else orientation_known,
    )
    return Image(values, grid, unit, metadata, tuple(axes))


def labels_from_simpleitk(source: Any) -> Labels:
    """Turn an integer `SimpleITK.Image` into `Labels`."""
    image = from_simpleitk(source)
    return Labels(image.values, image.grid, "label", image.metadata, image.extra_axes)
