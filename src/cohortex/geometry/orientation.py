"""Which way the voxel axes of a grid point in the patient, in letters and in axis numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cohortex.geometry.grid import Grid

_POSITIVE = "LPS"  # towards Left, Posterior, Superior
_NEGATIVE = "RAI"


def closest_axes(grid: Grid) -> NDArray[np.int64]:
    """Find the world axis that each voxel axis follows most closely.

    Parameters
    ----------
    grid : Grid
        Grid of three axes.

    Returns
    -------
    ndarray of int, shape (3, 2)
        Row n: the world axis (0 left, 1 posterior, 2 superior) of voxel axis n and the sign (1 or -1).
        Each world axis appears once.
    """
    if grid.ndim != 3:
        raise ValueError(f"the grid has {grid.ndim} axes; anatomical directions need 3.")
    weight = np.abs(grid.direction)
    result = np.zeros((3, 2), dtype=np.int64)
    free_voxel, free_world = {0, 1, 2}, {0, 1, 2}
    while free_voxel:
        world, voxel = max(
            ((w, v) for w in sorted(free_world) for v in sorted(free_voxel)), key=lambda pair: weight[pair]
        )
        result[voxel] = world, 1 if grid.direction[world, voxel] >= 0 else -1
        free_world.discard(world)
        free_voxel.discard(voxel)
    return result


def axis_codes(grid: Grid) -> str:
    """Name the direction in which each voxel index grows.

    Parameters
    ----------
    grid : Grid
        Grid of three axes.

    Returns
    -------
    str
        Three letters out of L/R, P/A, S/I: "LPS" where the first index grows towards the patient's
        left. "???" where the orientation is not known.
    """
    if not grid.orientation_known:
        return "???"
    return "".join((_POSITIVE if sign > 0 else _NEGATIVE)[world] for world, sign in closest_axes(grid))


def reorient_grid(grid: Grid, codes: str) -> tuple[Grid, tuple[int, ...], tuple[int, ...]]:
    """Reorder and flip voxel axes so that they point as `codes` says; no voxel centre moves.

    Parameters
    ----------
    grid : Grid
        Grid of three axes and known orientation.
    codes : str
        Wanted directions, such as "LPS".

    Returns
    -------
    grid : Grid
        The same voxel centres in the new order.
    order : tuple of int
        For `numpy.transpose`: which old axis becomes each new one.
    flipped : tuple of int
        New axes that are reversed after the transposition.
    """
    letters = {letter: (i, 1) for i, letter in enumerate(_POSITIVE)} | {
        letter: (i, -1) for i, letter in enumerate(_NEGATIVE)
    }
    if len(codes) != 3 or len({letters.get(c, (c, 0))[0] for c in codes}) != 3 or not set(codes) <= set(letters):
        raise ValueError(f"codes is {codes!r}; give one letter each of L/R, P/A and S/I, such as 'LPS'.")
    if not grid.orientation_known:
        raise ValueError("the orientation of the grid is not known; set it before asking for an order.")
    current = closest_axes(grid)
    order, flipped = [], []
    for new_axis, code in enumerate(codes):
        world, sign = letters[code]
        old_axis = int(np.flatnonzero(current[:, 0] == world)[0])
        order.append(old_axis)
        if current[old_axis, 1] != sign:
            flipped.append(new_axis)
    new_index_to_old = np.zeros((4, 4))
    new_index_to_old[3, 3] = 1
    for new_axis, old_axis in enumerate(order):
        new_index_to_old[old_axis, new_axis] = -1 if new_axis in flipped else 1
        if new_axis in flipped:
            new_index_to_old[old_axis, 3] = grid.shape[old_axis] - 1
    new = replace(
        grid,
        shape=tuple(grid.shape[a] for a in order),
        world_from_index=grid.world_from_index @ new_index_to_old,
    )
    return new, tuple(order), tuple(flipped)
