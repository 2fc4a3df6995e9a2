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
from cohortex.io.nifti import DISPLACEMENT, VECTOR
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
        Names of the axes after the third; when omitted the fourth is time and the fifth channels (a vector where
        the NIfTI intent says so), and colours are channels.

    Returns
    -------
    Image
        Values as `numpy.asanyarray(source.dataobj)` gives them, on an LPS grid.

    Raises
    ------
    GeometryError
        If the affine is missing or has no inverse.
    """
    header = source.header
    coded = "sform_code" not in header or int(header["sform_code"]) > 0 or int(header["qform_code"]) > 0
    if coded and (source.affine is None or is_singular(source.affine)):
        raise GeometryError("the nibabel image has no usable affine; set one before converting it.")
    values = np.asanyarray(source.dataobj)
    colours: tuple[Axis, ...] = ()
    if values.dtype.names:
        values = np.stack([values[field] for field in values.dtype.names], axis=-1)
        colours = ("channel",)
    spatial = 2 if values.ndim - len(colours) == 2 and not coded else 3
    if values.ndim - len(colours) < spatial:
        values = values.reshape(*values.shape[: values.ndim - len(colours)], 1, *values.shape[-1:] * len(colours))
    further = values.shape[spatial : values.ndim - len(colours)]
    if len(further) == 2 and further[0] == 1:
        values = values.reshape(*values.shape[:3], *values.shape[4:])
        further = further[1:]
        names: tuple[Axis, ...] = (_fifth_axis(header, further[0]),)
    else:
        named: list[Axis] = ["time"] if further else []
        names = (*named, *(_fifth_axis(header, size) for size in further[1:]))
    shape = values.shape[:spatial]
    if coded:
        grid = Grid(shape, lps_from_ras(source.affine))
    else:
        grid = Grid.from_parts(shape, spacing_mm=header.get_zooms()[:spatial], orientation_known=False)
    return Image(values, grid, unit, {}, extra_axes or (*names, *colours))


def _fifth_axis(header: Any, size: int) -> Axis:
    is_vector = "intent_code" in header and int(header["intent_code"]) in (VECTOR, DISPLACEMENT) and size == 3
    return "vector" if is_vector else "channel"
