"""Maps of changed tissue: which voxels of the events that count as change are new or gone.

A new or gone lesion is marked as outlined. Of one that grew or shrank the voxels whose share of lesion rose (or fell)
most are marked, as many as the measured change fills, so that the maps say what the table says. Of a split or merger,
whose volume may stay, those are marked that changed by half or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.lesions.lesion import EventKind
from cohortex.lesions.matching import LabelArray, MatchedGroup
from cohortex.transform import Rigid, Transform, warp

Array = NDArray[np.float32]

NEW_OR_GROWN, GONE_OR_SHRUNK = 1, 2
_CHANGED: dict[EventKind, int] = {
    "new": NEW_OR_GROWN,
    "grown": NEW_OR_GROWN,
    "merged": NEW_OR_GROWN,
    "gone": GONE_OR_SHRUNK,
    "shrunk": GONE_OR_SHRUNK,
    "split": GONE_OR_SHRUNK,
}
_SHAPE_EVENTS = ("split", "merged")
_WHOLE_EVENTS = ("new", "gone")
_HALF = 0.5
_LEAST_RISE = 0.15  # of a voxel: less is noise
_MARGIN = 2  # voxels


def change_maps(
    *,
    groups: Sequence[MatchedGroup],
    kinds: Sequence[EventKind],
    changes_mm3: Sequence[float],
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
    changes_mm3 : sequence of float
        Follow-up minus baseline volume of each group, mm³.
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
    targets: list[tuple[Grid, tuple[Transform, Transform]]] = [
        (midway, from_midway),
        (grids[0], (Rigid.identity(), from_midway[1] @ from_midway[0].inverse())),
        (grids[1], (from_midway[0] @ from_midway[1].inverse(), Rigid.identity())),
    ]
    maps = [np.zeros(onto.shape, dtype=np.uint8) for onto, _ in targets]
    boxes = ndimage.find_objects(labels[0]), ndimage.find_objects(labels[1])
    for group, kind, volume in zip(groups, kinds, changes_mm3, strict=True):
        if kind not in _CHANGED:
            continue
        members = group.baseline, group.follow_up
        parts = [_cut(labels[n], fractions[n], grids[n], boxes[n], members[n]) for n in (0, 1)]
        for (onto, visit_from), change in zip(targets, maps, strict=True):
            _mark(change, onto, visit_from, parts, kind, abs(volume))
    return maps[0], maps[1], maps[2]


@dataclass(frozen=True)
class _Part:
    """One visit's outlines of one group, cut out with a margin."""

    grid: Grid
    outline: NDArray[np.uint8]
    fraction: Array


def _cut(
    labels: LabelArray, fraction: Array, grid: Grid, boxes: Sequence[tuple[slice, ...] | None], members: Sequence[int]
) -> _Part | None:
    """Cut out a group at one visit; None where it shows nothing."""
    own = [box for box in (boxes[m - 1] for m in members if m <= len(boxes)) if box is not None]
    if not own:
        return None
    low = [max(0, min(b[n].start for b in own) - _MARGIN) for n in range(3)]
    high = [min(grid.shape[n], max(b[n].stop for b in own) + _MARGIN) for n in range(3)]
    window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    return _Part(grid.cropped(low, high), np.isin(labels[window], members).astype(np.uint8), fraction[window])


def _mark(
    change: NDArray[np.uint8],
    onto: Grid,
    visit_from: tuple[Transform, Transform],
    parts: Sequence[_Part | None],
    kind: EventKind,
    volume_mm3: float,
) -> None:
    """Mark one group's change on one grid, in place."""
    code = _CHANGED[kind]
    corners = np.concatenate(
        [
            onto.index_of(transform.inverse()(part.grid.corners_mm()))
            for part, transform in zip(parts, visit_from, strict=True)
            if part is not None
        ]
    )
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - 1, 0, onto.shape)
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 2, low, onto.shape)
    if np.any(high <= low):
        return
    window = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    grid = onto.cropped([s.start for s in window], [s.stop for s in window])
    near = np.zeros(grid.shape, dtype=bool)
    share = [np.zeros(grid.shape, dtype=np.float32) for _ in parts]
    for n, (part, transform) in enumerate(zip(parts, visit_from, strict=True)):
        if part is not None:
            near |= warp(Labels(part.outline, part.grid), transform, onto=grid, interpolation="nearest").values > 0
            share[n] = np.asarray(warp(Image(part.fraction, part.grid), transform, onto=grid).values)
    rise = share[1] - share[0] if code == NEW_OR_GROWN else share[0] - share[1]
    if kind in _WHOLE_EVENTS:
        marked = near
    elif kind in _SHAPE_EVENTS:
        marked = near & (rise > _HALF)
    else:
        candidates = np.flatnonzero(near & (rise > _LEAST_RISE))
        most_first = candidates[np.argsort(-rise.ravel()[candidates], kind="stable")]
        marked = np.zeros(grid.shape, dtype=bool)
        marked.ravel()[most_first[: round(volume_mm3 / grid.voxel_volume_mm3)]] = True
    change[window][marked] = code
