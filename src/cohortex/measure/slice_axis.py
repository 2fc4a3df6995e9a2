"""Which voxel axis runs from slice to slice."""

from __future__ import annotations

import numpy as np

from cohortex.geometry import Grid

_COARSER = 1.5


def slice_axis(grid: Grid) -> int:
    """Find the voxel axis that runs from slice to slice.

    Parameters
    ----------
    grid : Grid
        Any grid.

    Returns
    -------
    int
        The axis that is at least 1.5 times coarser than every other; the last where none is.
    """
    spacing = np.asarray(grid.spacing_mm)
    coarsest = int(np.argmax(spacing))
    others = np.delete(spacing, coarsest)
    return coarsest if spacing[coarsest] >= _COARSER * others.max() else grid.ndim - 1
