"""Displacement fields without folds whose inverse returns: measured, and smoothed where they are not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.errors import AlignmentFailure
from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.registration.demons import inverted
from cohortex.transform import Displacement

_TAPER_MM = 10.0
_LEAST_DETERMINANT = 0.1  # of the derivative, over all pairs of neighbouring voxels: well clear of a fold
_MOST_SMOOTHING = 16
_LOCAL_SMOOTHING = 9  # attempts; then everywhere
_SMOOTHING_STEP_MM = 1.5
_SMOOTHING_GROWTH = 1.3
_FADE_MM = 2.5  # smoothing a near fold must not blur the rest of the brain
_CURVED_PERCENT = 8
_COARSE_FIELD_MM, _FIELD_MM = 2.5, 2.0
_PROBES = 20_000
INVERSE_ERROR_MM = 0.05
"""Most that there and back may err in 95 of 100 points of the mask, mm."""


def invertible(field: Image, where: Labels) -> tuple[Displacement, float]:
    """Smooth a field where it nearly folds or is hard to invert, until its inverse returns.

    Parameters
    ----------
    field : Image
        World displacement, mm, shape (I, J, K, 3); it is led to 0 over the outermost 10 mm.
    where : Labels
        Where there-and-back is measured, on any grid.

    Returns
    -------
    displacement : Displacement
        Both directions, on a grid of about 2 mm; the determinant of the derivative is above 0.1 between all neighbours.
    error_mm : float
        95th percentile of there-and-back over the mask, either way round, mm; 0.05 at most.

    Raises
    ------
    AlignmentFailure
        If no amount of smoothing helps.
    """
    field = _finer_field(field)
    points = _probes(where)
    taper = _taper(field.grid)[..., None]
    values = np.asarray(field.values) * taper
    sigma_mm = _SMOOTHING_STEP_MM
    for attempt in range(_MOST_SMOOTHING):
        current = Image(values.astype(np.float32), field.grid, "mm", {}, ("vector",))
        rough = least_determinant(current) <= _LEAST_DETERMINANT
        if not rough.any():
            back = Image(inverted(np.asarray(current.values), field.grid), field.grid, "mm", {}, ("vector",))
            displacement = Displacement(current, back)
            error = _there_and_back_mm(displacement, points)
            if error <= INVERSE_ERROR_MM and least_determinant(back).min() > 0:
                return displacement, error
            rough = _curved(values, field.grid)
        sigma = [sigma_mm / s for s in field.grid.spacing_mm]
        share = _around(rough, field.grid)[..., None] if attempt < _LOCAL_SMOOTHING else 1.0
        smooth = np.stack([ndimage.gaussian_filter(values[..., n], sigma) for n in range(3)], axis=-1)
        values = (values + share * (smooth - values)) * taper
        sigma_mm *= _SMOOTHING_GROWTH
    raise AlignmentFailure("the deformation folds however much it is smoothed; check the affine start and the masks.")


def least_determinant(field: Image) -> NDArray[np.float64]:
    """Smallest Jacobian determinant around each voxel.

    Parameters
    ----------
    field : Image
        World displacement, mm, shape (I, J, K, 3).

    Returns
    -------
    ndarray, shape (I, J, K)
        Minimum over the eight choices of forward or backward differences: what linear reading between voxels can
        reach at a corner of a cell. 0 or less is a fold.
    """
    grid = field.grid
    edges = grid.world_from_index[:3, :3]
    first, second, third = (_neighbour_edges(np.asarray(field.values), edges[:, axis], axis) for axis in range(3))
    volume = float(np.linalg.det(edges))  # negative on a left-handed grid
    least = np.full(grid.shape, np.inf)
    for b in second:
        for c in third:
            normal = (b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0])
            for a in first:
                ratio = (a[0] * normal[0] + a[1] * normal[1] + a[2] * normal[2]) / volume
                np.minimum(least, ratio, out=least)
    return least


def _neighbour_edges(
    values: NDArray[np.float32], edge_mm: NDArray[np.float64], axis: int
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Edges of the moved grid from each voxel to the next and from the last one, three components each."""
    ahead, behind = [], []
    for n in range(3):
        steps = np.diff(values[..., n].astype(np.float64), axis=axis) + edge_mm[n]
        ahead.append(np.concatenate([steps, np.take(steps, [-1], axis=axis)], axis=axis))
        behind.append(np.concatenate([np.take(steps, [0], axis=axis), steps], axis=axis))
    return ahead, behind


def _curved(values: NDArray[np.float64], grid: Grid) -> NDArray[np.bool_]:
    """Find where the field bends most between voxels: there its linear reading and that of its inverse part."""
    bend = np.zeros(grid.shape)
    for axis in range(3):
        second = np.diff(values, n=2, axis=axis, prepend=0, append=0)
        bend += np.sum(second**2, axis=-1)
    return np.asarray(bend >= np.percentile(bend, 100 - _CURVED_PERCENT))


def _around(where: NDArray[np.bool_], grid: Grid) -> NDArray[np.float64]:
    """Weight of 1 at the marked voxels that fades out over some mm."""
    sigma = [_FADE_MM / s for s in grid.spacing_mm]
    near = ndimage.distance_transform_edt(~where, sampling=grid.spacing_mm) <= 2 * _FADE_MM
    return np.asarray(np.clip(ndimage.gaussian_filter(near.astype(np.float64), sigma), 0, 1))


def _finer_field(field: Image) -> Image:
    """Write a field on a grid of 2.5 mm at most with cubic splines: a linear inverse of a coarse field is rough."""
    spacing = [min(s, _FIELD_MM) if s > _COARSE_FIELD_MM else s for s in field.grid.spacing_mm]
    if tuple(spacing) == field.grid.spacing_mm:
        return field
    grid = field.grid.with_spacing(spacing)
    index = field.grid.index_of(grid.world_points()).reshape(-1, 3).T
    values = np.asarray(field.values)
    parts = [ndimage.map_coordinates(values[..., n], index, order=3, mode="nearest") for n in range(3)]
    fine = np.stack(parts, axis=-1).reshape(*grid.shape, 3).astype(np.float32)
    return Image(fine, grid, "mm", {}, ("vector",))


def _taper(grid: Grid) -> NDArray[np.float64]:
    """Weight that falls from 1 to 0 over the outermost 10 mm, so that the field ends smoothly at its border."""
    weight = np.ones(grid.shape)
    for axis, (n, spacing) in enumerate(zip(grid.shape, grid.spacing_mm, strict=True)):
        to_edge = np.minimum(np.arange(n), np.arange(n)[::-1]) * spacing
        rise = np.clip(to_edge / _TAPER_MM, 0, 1)
        profile = rise * rise * (3 - 2 * rise)
        weight = weight * profile.reshape([-1 if a == axis else 1 for a in range(3)])
    return weight


def _probes(where: Labels) -> NDArray[np.float64]:
    """Give points all over a mask, as often between voxel centres as anywhere, (n, 3) mm."""
    index = np.argwhere(where.mask)
    index = index[:: max(1, len(index) // _PROBES)]
    between = np.random.default_rng(0).uniform(-0.5, 0.5, size=index.shape)
    return where.grid.world_of(index + between)


def _there_and_back_mm(displacement: Displacement, points_mm: NDArray[np.float64]) -> float:
    """95th percentile of the way between points and their images there and back, either way round, mm."""
    back = displacement.inverse()
    first = np.linalg.norm(back(displacement(points_mm)) - points_mm, axis=1)
    second = np.linalg.norm(displacement(back(points_mm)) - points_mm, axis=1)
    return float(max(np.percentile(first, 95), np.percentile(second, 95)))
