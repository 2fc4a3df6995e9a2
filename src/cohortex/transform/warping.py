"""Bringing an image through a transform onto a grid, with one sampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cohortex.geometry import Grid
from cohortex.image import Image, Interpolation
from cohortex.image.resampling import sample_on_grid
from cohortex.transform.linear import Affine, Rigid
from cohortex.transform.transform import Transform


def warp(
    image: Image,
    transform: Transform,
    *,
    onto: Grid,
    interpolation: Interpolation = "linear",
    outside: float = 0.0,
) -> Image:
    """Bring a moving image onto a fixed grid; a whole chain of transforms samples it once.

    Parameters
    ----------
    image : Image
        Moving image, three spatial axes.
    transform : Transform
        moving_from_fixed: takes a fixed point to the moving point that shows the same anatomy.
    onto : Grid
        The fixed grid.
    interpolation : {"nearest", "linear", "cubic"}
        How to read between voxels; `Labels` always take the nearest.
    outside : float
        Value where the fixed point falls outside the moving image.

    Returns
    -------
    Image
        On the fixed grid, unit of the moving image.
    """
    if image.grid.ndim != 3 or onto.ndim != 3:
        raise ValueError("transforms act in three dimensions; give an image and a grid of three axes.")

    if isinstance(transform, Affine | Rigid):
        matrix = image.grid.index_from_world @ transform.matrix @ onto.world_from_index
        return sample_on_grid(image, onto, matrix, interpolation=interpolation, outside=outside)

    def source_index_of(index: NDArray[np.float64]) -> NDArray[np.float64]:
        return image.grid.index_of(transform(onto.world_of(index)))

    return sample_on_grid(image, onto, source_index_of, interpolation=interpolation, outside=outside)
