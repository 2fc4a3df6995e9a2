"""Moving maps between axis-aligned lattices: box averages to coarser ones, splines to finer ones.

Separable and without BLAS, so that the bits do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.interpolate import CubicSpline

Axis = NDArray[np.float64]
"""Positions of the sample centres along one axis, evenly spaced, mm, shape (n,)."""


def averaged(values: NDArray[Any], axes: Sequence[Axis], new_axes: Sequence[Axis]) -> NDArray[np.float32]:
    """Average a map over the voxels of a coarser lattice, exactly; interpolate linearly onto a finer one.

    Parameters
    ----------
    values : ndarray, shape (I, J, K)
        Map whose value is constant over each voxel (zero outside).
    axes, new_axes : sequence of ndarray
        Centres along each axis before and after, mm.

    Returns
    -------
    ndarray of float32
        On the new lattice.
    """
    result = np.asarray(values, dtype=np.float32)
    for n, (old, new) in enumerate(zip(axes, new_axes, strict=True)):
        coarser = new[1] - new[0] >= old[1] - old[0] if len(new) > 1 else True
        weights = _box_weights(old, new) if coarser else _linear_weights(old, new)
        result = _along(result, n, weights)
    return result


def interpolated(values: NDArray[Any], axes: Sequence[Axis], new_axes: Sequence[Axis]) -> NDArray[np.float32]:
    """Interpolate a smooth map linearly onto another lattice; beyond its edge the nearest value repeats."""
    result = np.asarray(values, dtype=np.float32)
    for n, (old, new) in enumerate(zip(axes, new_axes, strict=True)):
        result = _along(result, n, _linear_weights(old, np.clip(new, old[0], old[-1])))
    return result


def splined(values: NDArray[Any], axes: Sequence[Axis], new_axes: Sequence[Axis]) -> NDArray[np.float64]:
    """Interpolate a very smooth map by cubic splines onto another lattice within its extent."""
    result = np.asarray(values, dtype=np.float64)
    for n, (old, new) in enumerate(zip(axes, new_axes, strict=True)):
        result = np.moveaxis(CubicSpline(old, result, axis=n)(np.clip(new, old[0], old[-1])), n, n)
    return np.asarray(result)


def _along(values: NDArray[np.float32], axis: int, weights: sparse.csr_array) -> NDArray[np.float32]:
    front = np.moveaxis(values, axis, 0)
    flat = weights @ np.ascontiguousarray(front).reshape(front.shape[0], -1)
    return np.ascontiguousarray(np.moveaxis(flat.reshape(-1, *front.shape[1:]), 0, axis), dtype=np.float32)


def _box_weights(old: Axis, new: Axis) -> sparse.csr_array:
    """Share of each new voxel that each old voxel fills, shape (new, old)."""
    step_old = old[1] - old[0]
    step_new = new[1] - new[0] if len(new) > 1 else step_old
    low = np.maximum(new[:, None] - step_new / 2, old[None] - step_old / 2)
    high = np.minimum(new[:, None] + step_new / 2, old[None] + step_old / 2)
    return sparse.csr_array((np.maximum(high - low, 0) / step_new).astype(np.float32))


def _linear_weights(old: Axis, new: Axis) -> sparse.csr_array:
    """Linear interpolation weights, shape (new, old); none outside the old axis."""
    position = (new - old[0]) / (old[1] - old[0])
    return sparse.csr_array(np.maximum(0, 1 - np.abs(position[:, None] - np.arange(len(old))[None])).astype(np.float32))
