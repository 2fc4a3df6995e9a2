"""To and from nibabel: RAS on its side, LPS on ours."""

from __future__ import annotations

from typing import Any

import nibabel as nib
import numpy as np

from cohortex.errors import GeometryError
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.image.image import Axis
from cohortex.io.convention import is_singular, lps_from_ras
from cohortex.io.nifti_writing import stored_values_and_header


def to_nibabel(image: Image) -> Any:
    """Turn an image into a nibabel image.

    Parameters
    ----------
    image : Image
        Two or three spatial axes, then time, channel or vector; a sheared grid keeps its shear in the sform.

    Returns
    -------
    nibabel.Nifti1Image
        Same values, affine in RAS mm. Nifti2Image where an axis is longer than 32767.
    """
    values, header = stored_values_and_header(image)
    kind = nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image
    result = kind(values, None, header)
    if image.grid.ndim == 3 and image.grid.orientation_known:
        matrix = lps_from_ras(image.grid.world_from_index)
        result.set_sform(matrix, code=1)
        if image.grid.is_orthogonal:
            result.set_qform(matrix, code=1)
    return result


def from_nibabel(source: Any, *, unit: str = "arbitrary", extra_axes: tuple[Axis, ...] | None = None) -> Image:
    """Turn any spatial nibabel image into an `Image`.

    Parameters
    ----------
    source : nibabel spatial image
        With an affine in RAS mm (all nibabel formats) and at least three axes.
    unit : str
        Unit of the values.
    extra_axes : tuple of {"time", "channel", "vector"}, optional
        Names of the axes after the third; one axis is "time" when omitted, a fifth "vector" or "channel".

    Returns
    -------
    Image
        Values as `numpy.asanyarray(source.dataobj)` gives them, on an LPS grid.

    Raises
    ------
    GeometryError
        If the affine is missing or has no inverse.
    """
    if source.affine is None or is_singular(source.affine):
        raise GeometryError("the nibabel image has no usable affine; set one before converting it.")
    values = np.asanyarray(source.dataobj)
    if values.dtype.names:
        values = np.stack([values[field] for field in values.dtype.names], axis=-1)
        extra_axes = extra_axes or ((*(("time",) if values.ndim == 5 else ()), "channel"))  # type: ignore[assignment]
    while values.ndim < 3:
        values = values[..., None]
    if extra_axes is None:
        if values.ndim == 5 and values.shape[3] == 1:
            values = values[:, :, :, 0]
            extra_axes = ("vector",) if values.shape[3] == 3 else ("channel",)
        else:
            named: dict[int, tuple[Axis, ...]] = {3: (), 4: ("time",), 5: ("time", "channel")}
            extra_axes = named[values.ndim]
    return Image(values, Grid(values.shape[:3], lps_from_ras(source.affine)), unit, {}, extra_axes)
