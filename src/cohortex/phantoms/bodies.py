"""Small bodies whose answer is a formula: a ball, and a ramp that reads its own place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cohortex.geometry import Grid
from cohortex.image import Image, Labels


def ball(radius_mm: float, spacing_mm: float | Sequence[float] = 1.0, *, margin_voxels: int = 2) -> Labels:
    """Voxels whose centre lies in a ball about the world's origin.

    Parameters
    ----------
    radius_mm : float
        Radius, mm.
    spacing_mm : float or sequence of float
        Spacing along each axis, mm.
    margin_voxels : int
        Empty voxels around it.

    Returns
    -------
    Labels
        1 inside; 4/3 pi r³ up to stair-steps at the rim. The origin is a voxel centre.

    Raises
    ------
    ValueError
        If the radius is not positive.
    """
    if not radius_mm > 0:
        raise ValueError(f"radius_mm is {radius_mm:g}; give a positive number.")
    spacing = np.broadcast_to(np.asarray(spacing_mm, dtype=float), (3,))
    half = np.ceil(radius_mm / spacing).astype(int) + margin_voxels
    grid = Grid.from_parts(
        tuple(int(n) for n in 2 * half + 1), spacing_mm=tuple(spacing), origin_mm=tuple(-half * spacing)
    )
    inside = np.linalg.norm(grid.world_points(), axis=-1) <= radius_mm
    return Labels(inside.astype(np.uint8), grid, metadata={"label_names": {1: "ball"}})


def world_ramp(axis: int, *, grid: Grid | None = None) -> Image:
    """Image whose value is its own world coordinate: resampling it rightly changes no value at a place.

    Parameters
    ----------
    axis : int
        0 left, 1 posterior, 2 superior.
    grid : Grid, optional
        Where; 24 × 20 × 16 voxels of 2 × 1.5 × 3 mm off the origin when omitted.

    Returns
    -------
    Image
        float64, unit "mm".
    """
    if axis not in (0, 1, 2):
        raise ValueError(f"axis is {axis}; give 0 (left), 1 (posterior) or 2 (superior).")
    if grid is None:
        grid = Grid.from_parts((24, 20, 16), spacing_mm=(2, 1.5, 3), origin_mm=(-20, 12, -30))
    return Image(grid.world_points()[..., axis], grid, "mm")
