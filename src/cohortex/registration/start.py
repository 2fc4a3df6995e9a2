"""Where to start: many poses tried on a coarse pair, the most alike kept."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu

from cohortex.geometry import rotation_about_axis
from cohortex.registration.similarity import Similarity
from cohortex.registration.working import WorkingImage
from cohortex.transform import Affine, Rigid

_ANGLES_DEG = (-30.0, -15.0, 15.0, 30.0)
_LEAST_OVERLAP = 0.4  # of the fixed samples; a corner of the head is like any other corner


def foreground(image: WorkingImage) -> NDArray[np.bool_]:
    """Find what is not background inside the mask (Otsu's threshold), or the mask where nothing stands out."""
    inside = image.values[image.mask]
    bright = image.mask & (image.values > threshold_otsu(inside)) if inside.min() < inside.max() else image.mask
    return bright if bright.any() else image.mask


def poses(fixed: WorkingImage, moving: WorkingImage) -> list[Rigid]:
    """List starting motions moving_from_fixed: identity, middles and centres of mass, each turned about each axis.

    Parameters
    ----------
    fixed, moving : WorkingImage
        A coarse pair.

    Returns
    -------
    list of Rigid
        Starts, in a fixed order.
    """
    fixed_mass, moving_mass = _center_of_mass(fixed), _center_of_mass(moving)
    anchors = [
        (fixed_mass, fixed_mass),
        (fixed_mass, moving_mass),
        (fixed.grid.center_mm, moving.grid.center_mm),
        (_top_center(fixed), _top_center(moving)),
    ]
    turns = [np.eye(3)] + [rotation_about_axis(axis, angle) for axis, angle in product(range(3), _ANGLES_DEG)]
    result = []
    for (source, target), turn in product(anchors, turns):
        matrix = np.eye(4)
        matrix[:3, :3] = turn
        matrix[:3, 3] = target - turn @ source
        result.append(Rigid(matrix))
    return result


def score(
    moving: WorkingImage,
    points_mm: NDArray[np.float64],
    samples: NDArray[np.float64],
    motion: Rigid | Affine,
    similarity: Similarity,
) -> tuple[float, float]:
    """Score a linear transform moving_from_fixed on fixed points, (n, 3) mm, with their values, (n,).

    Returns
    -------
    similarity, overlap : float
        Similarity of the samples that fall inside the moving mask, and their fraction. The similarity is -inf where
        the overlap is below 40 %.
    """
    index_from_fixed = moving.grid.index_from_world @ motion.matrix
    index = index_from_fixed[:3, :3] @ points_mm.T + index_from_fixed[:3, 3:]  # (3, n): whole rows are fast
    nearest = np.rint(index).astype(np.intp)
    inside = np.ones(index.shape[1], dtype=bool)
    for row, size in zip(nearest, moving.grid.shape, strict=True):
        inside &= (row >= 0) & (row < size)
    inside[inside] = moving.mask[tuple(nearest[:, inside])]
    overlap = float(np.count_nonzero(inside)) / len(inside)
    if overlap < _LEAST_OVERLAP:
        return -np.inf, overlap
    values = ndimage.map_coordinates(moving.values, index[:, inside], order=1, mode="nearest")
    return similarity(samples[inside], values), overlap


def best_poses(
    fixed: WorkingImage,
    moving: WorkingImage,
    candidates: Sequence[Rigid],
    similarity: Similarity,
    *,
    count: int,
) -> list[Rigid]:
    """Keep the `count` candidates that score best; ties keep their order."""
    points, samples = sample_points(fixed)
    scored = [score(moving, points, samples, pose, similarity)[0] for pose in candidates]
    order = sorted(range(len(candidates)), key=lambda n: (-scored[n], n))
    return [candidates[n] for n in order[:count] if np.isfinite(scored[n])]


def sample_points(image: WorkingImage, limit: int = 20_000) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give positions, (n, 3) mm, and values, (n,), of evenly chosen voxels inside the mask."""
    index = np.argwhere(image.mask)
    index = index[:: max(1, len(index) // limit)]
    return image.grid.world_of(index), image.values[tuple(index.T)].astype(float)


def _center_of_mass(image: WorkingImage) -> NDArray[np.float64]:
    return image.grid.world_of(np.argwhere(foreground(image)).mean(axis=0))


def _top_center(image: WorkingImage) -> NDArray[np.float64]:
    """Give the centre of mass of the uppermost 120 mm: necks differ in length, heads do not."""
    points = image.grid.world_of(np.argwhere(foreground(image)))
    top = np.percentile(points[:, 2], 99.8)
    return np.asarray(points[points[:, 2] > top - 120].mean(axis=0))
