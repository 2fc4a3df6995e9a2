"""Where NIfTI's RAS world meets ours: the one place that knows the sign of left and front."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""x and y change sign between patient coordinates (LPS) and those of NIfTI (RAS); it is its own inverse."""


def lps_from_ras(world_from_index: ArrayLike) -> NDArray[np.float64]:
    """Turn a matrix to or from RAS world, shape (4, 4), into the other convention."""
    return np.asarray(LPS_FROM_RAS @ np.asarray(world_from_index, dtype=float))


def is_singular(matrix: ArrayLike) -> bool:
    """Whether a homogeneous matrix holds NaN or maps a voxel to no volume (below 1e-9 mm³)."""
    block = np.asarray(matrix, dtype=float)
    if not np.all(np.isfinite(block)):
        return True
    n = block.shape[0] - 1
    return bool(abs(np.linalg.det(block[:n, :n])) < 1e-9)
