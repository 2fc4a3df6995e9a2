"""Maps of changed tissue: which voxels of the events that count as change are new or gone.

A voxel is new where the share of lesion rose by half or more, gone where it fell by that much, so that what stays of a
lesion is left out and a lesion on the edge of two voxels does not flicker.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.lesions.lesion import EventKind
from cohortex.lesions.matching import LabelArray, MatchedGroup
from cohortex.transform import Rigid, Transform, warp

Array = NDArray[np.float32]

NEW_OR_GROWN, GONE_OR_SHRUNK = 1, 2
_CHANGED: dict[EventKind, tuple[int, ...]] = {
    "new": (NEW_OR_GROWN,),
    "grown": (NEW_OR_GROWN,),
    "gone": (GONE_OR_SHRUNK,),
    "shrunk": (GONE_OR_SHRUNK,),
    "split": (GONE_OR_SHRUNK,),
    "merged": (NEW_OR_GROWN,),
}


def change_maps(
    *,
    groups: Sequence[MatchedGroup],
    kinds: Sequence[EventKind],
    labels: tuple[LabelArray, LabelArray],
    fractions: tuple[Array, Array],
    grids: tuple[Grid, Grid],
    from_midway: tuple[Rigid, Rigid],
    midway: Grid,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Mark new and gone tissue halfway and on the grid of each visit.

    Parameters
    ----------
    groups : sequence of MatchedGroup
        Outlines that belong together.
    kinds : sequence of str
        What became of each group.
    labels : pair of ndarray of int32
        Outlines of baseline and follow-up.
    fractions : pair of ndarray of float32
        Share of each voxel that is lesion.
    grids : pair of Grid
        Where these lie.
    from_midway : pair of Rigid
        Take midway points to each visit.
    midway : Grid
        Grid of the common map.

    Returns
    -------
    tuple of ndarray of uint8
        On `midway` and on each of `grids`: 1 = new or grown, 2 = gone or shrunk, 0 elsewhere.
    """
    growing = _territory(groups, kinds, labels, NEW_OR_GROWN)
    waning = _territory(groups, kinds, labels, GONE_OR_SHRUNK)
    targets: list[tuple[Grid, tuple[Transform, Transform]]] = [
        (midway, from_midway),
        (grids[0], (Rigid.identity(), from_midway[1] @ from_midway[0].inverse())),
        (grids[1], (from_midway[0] @ from_midway[1].inverse(), Rigid.identity())),
    ]
    maps = []
    for onto, (baseline_from, follow_up_from) in targets:
        rise = _sampled(fractions[1], grids[1], follow_up_from, onto) - _sampled(
            fractions[0], grids[0], baseline_from, onto
        )
        here = [_near_either(parts, grids, (baseline_from, follow_up_from), onto) for parts in (growing, waning)]
        change = np.zeros(onto.shape, dtype=np.uint8)
        change[here[0] & (rise > 0.5)] = NEW_OR_GROWN
        change[here[1] & (rise < -0.5)] = GONE_OR_SHRUNK
        maps.append(change)
    return maps[0], maps[1], maps[2]


def _territory(
    groups: Sequence[MatchedGroup], kinds: Sequence[EventKind], labels: tuple[LabelArray, LabelArray], which: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Outlines of both visits that take part in one kind of change."""
    chosen: tuple[list[int], list[int]] = ([], [])
    for group, kind in zip(groups, kinds, strict=True):
        if which in _CHANGED.get(kind, ()):
            chosen[0].extend(group.baseline)
            chosen[1].extend(group.follow_up)
    return np.isin(labels[0], chosen[0]).astype(np.uint8), np.isin(labels[1], chosen[1]).astype(np.uint8)


def _sampled(values: Array, grid: Grid, visit_from_target: Transform, onto: Grid) -> Array:
    if not values.any():
        return np.zeros(onto.shape, dtype=np.float32)
    return np.asarray(warp(Image(values, grid), visit_from_target, onto=onto).values, dtype=np.float32)


def _near_either(
    parts: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    grids: tuple[Grid, Grid],
    transforms: tuple[Transform, Transform],
    onto: Grid,
) -> NDArray[np.bool_]:
    """Where either outline lies, on the target grid."""
    result = np.zeros(onto.shape, dtype=bool)
    for part, grid, transform in zip(parts, grids, transforms, strict=True):
        if part.any():
            result |= warp(Labels(part, grid), transform, onto=onto, interpolation="nearest").values > 0
    return result
