"""Displacement fields: how far each point of a grid moves, in world mm, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cohortex.geometry import Grid
from cohortex.image import Image, sample_at_points
from cohortex.transform.chain import Chain
from cohortex.transform.transform import Transform

_INVERSION_STEPS = 60
_INVERSION_TOLERANCE_MM = 1e-3


@dataclass(frozen=True, eq=False)
class Displacement:
    """A smooth deformation: target point = source point + field(source point).

    Parameters
    ----------
    field : Image
        World displacement in mm on a grid of source space, shape (I, J, K, 3), axis "vector". Between
        voxels it is read linearly; beyond the grid it is that of the nearest edge voxel.
    inverse_field : Image, optional
        The field back, on a grid of target space, where the aligner knows it; computed by fixed-point
        iteration when it does not.

    Raises
    ------
    ValueError
        If a field is not a vector image of three components.
    """

    field: Image
    inverse_field: Image | None = None

    def __post_init__(self) -> None:
        for field in (self.field, self.inverse_field):
            if field is None:
                continue
            if field.grid.ndim != 3 or field.extra_axes != ("vector",) or field.values.shape[-1] != 3:
                raise ValueError("a displacement field has shape (I, J, K, 3) with extra_axes=('vector',).")

    def __call__(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Move points of shape (..., 3), mm."""
        points = np.asarray(points_mm, dtype=float)
        grid = self.field.grid
        index = np.clip(grid.index_of(points), 0, np.asarray(grid.shape) - 1)
        return points + sample_at_points(self.field, grid.world_of(index))

    def inverse(self) -> Displacement:
        """The deformation back: the aligner's own where known, else by fixed-point iteration.

        Returns
        -------
        Displacement
            On the same grid as the field (or that of `inverse_field`).

        References
        ----------
        .. [1] Chen et al., *A simple fixed-point approach to invert a deformation field*,
           Medical Physics 35, 2008, 10.1118/1.2816107.
        """
        if self.inverse_field is not None:
            return Displacement(self.inverse_field, self.field)
        points = self.field.grid.world_points()
        back = np.zeros_like(points)
        for _ in range(_INVERSION_STEPS):
            moved = points + back
            updated = -(self(moved) - moved)
            change = float(np.max(np.abs(updated - back)))
            back = updated
            if change < _INVERSION_TOLERANCE_MM:
                break
        field = Image(back.astype(self.field.dtype), self.field.grid, "mm", {}, ("vector",))
        return Displacement(field, self.field)

    def __matmul__(self, other: Transform) -> Transform:
        return Chain.of(self, other)


def displacement_of(transform: Transform, grid: Grid) -> Displacement:
    """Write any transform as a displacement field on a grid of its source space.

    Parameters
    ----------
    transform : Transform
        target_from_source.
    grid : Grid
        Grid of source space.

    Returns
    -------
    Displacement
        Field in float32, mm.
    """
    points = grid.world_points()
    return Displacement(Image((transform(points) - points).astype(np.float32), grid, "mm", {}, ("vector",)))


def jacobian_determinant(transform: Transform, grid: Grid) -> Image:
    """Local volume change of a transform: the determinant of its derivative.

    Parameters
    ----------
    transform : Transform
        target_from_source.
    grid : Grid
        Grid of source space to evaluate on, at least two voxels along each axis.

    Returns
    -------
    Image
        Ratio target volume / source volume at each voxel, float32, unit "1": 1 keeps volume, 1.1 grows by
        10 %, 0 or less folds. Central differences inside, one-sided at the border.
    """
    if grid.ndim != 3 or min(grid.shape) < 2:
        raise ValueError("a Jacobian needs three axes of at least two voxels.")
    moved = transform(grid.world_points())
    by_index = np.stack([np.gradient(moved, axis=n) for n in range(3)], axis=-1)  # (..., world, index)
    determinant = np.linalg.det(by_index) / np.linalg.det(grid.world_from_index[:3, :3])
    return Image(determinant.astype(np.float32), grid, "1")
