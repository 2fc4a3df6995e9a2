"""Reading a coarse image on a finer grid of the same axes: linear, one axis after the other, quickly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cohortex.geometry import Grid
from cohortex.image.image import Image

_PARALLEL = 1e-4  # of a voxel per voxel


def upsample(image: Image, *, onto: Grid) -> Image:
    """Read a smooth image on a finer grid whose axes run along its own; some ten times faster than `resample`.

    Parameters
    ----------
    image : Image
        Scalar image of three axes.
    onto : Grid
        Grid whose axis n runs along axis n of the image, at any spacing and offset.

    Returns
    -------
    Image
        float32 on `onto`; beyond the outermost voxel centres the nearest value repeats.

    Raises
    ------
    ValueError
        If the image is not scalar, or the axes are not parallel.
    """
    if not image.is_scalar or image.grid.ndim != 3 or onto.ndim != 3:
        raise ValueError(f"the image is {image!r}; upsampling needs a scalar image of three axes.")
    coarse_from_fine = image.grid.index_from_world @ onto.world_from_index
    linear = coarse_from_fine[:3, :3]
    if np.abs(linear - np.diag(np.diag(linear))).max() > _PARALLEL:
        raise ValueError("the axes of the grids are not parallel; use resample.")
    values: NDArray[np.float32] = np.asarray(image.values, dtype=np.float32)
    for axis, n in enumerate(onto.shape):
        size = values.shape[axis]
        at = np.clip(coarse_from_fine[axis, axis] * np.arange(n) + coarse_from_fine[axis, 3], 0, size - 1)
        low = np.minimum(at.astype(int), max(0, size - 2))
        high = np.minimum(low + 1, size - 1)
        share = (at - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        values = np.take(values, low, axis=axis) * (1 - share) + np.take(values, high, axis=axis) * share
    return Image(values, onto, image.unit)
