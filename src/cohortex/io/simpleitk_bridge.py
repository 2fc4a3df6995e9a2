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
    timed, component_axis = "time" in extra, next((axis for axis in extra if axis != "time"), None)
    components = component_axis is not None
    n = grid.ndim + int(timed)
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
        result.SetMetaData("cohortex_repetition_time_s", repr(float(step)))
    if image.unit not in ("arbitrary", "label"):
        result.SetMetaData("cohortex_unit", image.unit)
    if isinstance(image, Labels):
        result.SetMetaData("cohortex_kind", "labels")
    elif component_axis is not None:
        result.SetMetaData("cohortex_kind", component_axis)
    if not grid.orientation_known and n > 2:
        result.SetMetaData("cohortex_orientation", "unknown")
    if grid.frame_of_reference:
        result.SetMetaData("cohortex_frame_of_reference", grid.frame_of_reference)
    result.SetSpacing(spacing.tolist())
    result.SetOrigin(origin.tolist())
    result.SetDirection(direction.ravel().tolist())
    return result


def from_simpleitk(
    source: Any, *, unit: str | None = None, orientation_known: bool | None = None, vector: bool | None = None
) -> Image:
    """Turn a `SimpleITK.Image` into an `Image`.

    What `to_simpleitk` noted in the metadata dictionary (unit, labels, vectors) comes back.

    Parameters
    ----------
    source : SimpleITK.Image
        Two, three or four axes; the fourth is time.
    unit : str, optional
        Unit of the values; as noted, else "arbitrary", when omitted.
    orientation_known : bool, optional
        Whether its axes are patient coordinates; when omitted, true for three axes and more unless noted otherwise.
    vector : bool, optional
        Whether several components per voxel are a vector in world mm rather than channels; as noted when omitted.

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
    noted = {key: source.GetMetaData(key) for key in source.GetMetaDataKeys() if key.startswith("cohortex_")}
    kind = noted.get("cohortex_kind")
    array = sitk.GetArrayFromImage(source)
    has_components = array.ndim > n
    values: NDArray[Any] = np.transpose(array, (*range(n - 1, -1, -1), *((n,) if has_components else ())))
    axes: list[Axis] = []
    metadata: dict[str, object] = {}
    if n == 4 and values.shape[3] == 1:
        values = values[:, :, :, 0]
    elif n == 4:
        axes.append("time")
        step = float(noted.get("cohortex_repetition_time_s", source.GetSpacing()[3]))
        if step != 1.0 or "cohortex_repetition_time_s" in noted:  # 1 is also what a file says that knows nothing
            metadata["repetition_time_s"] = step
    if has_components and values.shape[-1] > 1:
        axes.append("vector" if (kind == "vector" if vector is None else vector) else "channel")
    elif has_components:
        values = values[..., 0]
    if orientation_known is None:
        orientation_known = spatial == 3 and noted.get("cohortex_orientation") != "unknown"
    grid = Grid.from_parts(
        values.shape[:spatial],
        spacing_mm=source.GetSpacing()[:spatial],
        origin_mm=source.GetOrigin()[:spatial],
        direction=np.asarray(source.GetDirection()).reshape(n, n)[:spatial, :spatial],
        frame_of_reference=noted.get("cohortex_frame_of_reference"),
        orientation_known=orientation_known,
    )
    if kind == "labels" and np.issubdtype(values.dtype, np.integer):
        return Labels(values, grid, unit or "label", metadata, tuple(axes))
    return Image(values, grid, unit or noted.get("cohortex_unit", "arbitrary"), metadata, tuple(axes))
