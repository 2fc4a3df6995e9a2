"""One visit as a comparison sees it, and the fine lattice on which both visits meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.image import Labels
from cohortex.lesions.matching import LabelArray, MatchedGroup
from cohortex.lesions.outline import LesionOutline, brain_window
from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.volume import Measuring
from cohortex.transform import Rigid, warp

Mask = NDArray[np.bool_]
Window = tuple[slice, ...]

_LATTICE_MM = 1.0
_MARGIN_MM = 6.0


@dataclass(frozen=True)
class Side:
    """One visit on its cropped arrays."""

    outline: LesionOutline
    from_midway: Rigid
    window: tuple[slice, ...]
    labels: LabelArray
    signs: tuple[int, ...]
    measuring: Measuring

    @classmethod
    def of(cls, outline: LesionOutline, from_midway: Rigid, parameters: LesionParameters) -> Side:
        """Take what a comparison needs from the outline of a visit."""
        window = brain_window(outline.brain.mask, outline.brain.grid.spacing_mm)
        measuring = Measuring(
            difference=outline.difference.values,
            expected=outline.expected.values,
            doubt=outline.doubt.values,
            noise=outline.noise,
            brain=outline.brain.mask[window],
            spacing_mm=outline.brain.grid.spacing_mm,
            parameters=parameters,
        )
        labels = outline.labels.values[window].astype(np.int32)
        return cls(outline, from_midway, window, labels, tuple(m.sign for m in outline.measured), measuring)

    @property
    def grid(self) -> Grid:
        """Where the arrays lie."""
        return self.outline.brain.grid.cropped([s.start for s in self.window], [s.stop for s in self.window])

    def halfway(self, index: NDArray[np.float64]) -> NDArray[np.float64]:
        """World mm halfway between the visits of indices of the arrays, shape (n, 3)."""
        return np.asarray(self.from_midway.inverse()(self.grid.world_of(index)))

    def window_around(self, mask: Mask, *, margin_mm: float) -> Window:
        """Box around a mask that is not empty, with a margin, within the arrays."""
        box = ndimage.find_objects(mask.astype(np.uint8))[0]
        margin = [int(np.ceil(margin_mm / s)) for s in self.measuring.spacing_mm]
        return tuple(
            slice(max(0, s.start - m), min(n, s.stop + m)) for s, m, n in zip(box, margin, mask.shape, strict=True)
        )


def lattice_over(midway: Grid, sides: Sequence[Side]) -> Grid:
    """A fine lattice of midway space over all lesions of both visits."""
    fine = [min(_LATTICE_MM, s) for s in midway.spacing_mm]
    grid = midway if max(midway.spacing_mm) <= 1.5 * _LATTICE_MM else midway.with_spacing(fine, keep="extent")
    corners = []
    for side in sides:
        midway_from_visit = side.from_midway.inverse()
        for box in ndimage.find_objects((side.labels > 0).astype(np.uint8)):
            ends = np.array([[s.start - 0.5, s.stop - 0.5] for s in box])
            index = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
            corners.append(grid.index_of(midway_from_visit(side.grid.world_of(index))))
    if not corners:
        return grid.cropped((0, 0, 0), (1, 1, 1))
    margin = np.ceil(_MARGIN_MM / np.asarray(grid.spacing_mm))
    low = np.floor(np.min([c.min(axis=0) for c in corners], axis=0) - margin).astype(int)
    high = np.ceil(np.max([c.max(axis=0) for c in corners], axis=0) + margin).astype(int) + 1
    return grid.cropped([int(n) for n in low], [int(n) for n in high])


def outlines_on(side: Side, lattice: Grid) -> LabelArray:
    """Outlines of a visit at the points of the lattice, nearest voxel."""
    labels = warp(Labels(side.labels, side.grid), side.from_midway, onto=lattice, interpolation="nearest")
    return np.asarray(labels.values, dtype=np.int32)


def voxels_hit(
    on_lattice: LabelArray, box: tuple[slice, ...], label: int, lattice: Grid, side: Side
) -> NDArray[np.bool_]:
    """Voxels of a visit into which the lattice points of an outline of the other visit fall."""
    start = np.array([s.start for s in box])
    points = side.from_midway(lattice.world_of(np.argwhere(on_lattice[box] == label) + start))
    index = np.rint(side.grid.index_of(points)).astype(int)
    inside = np.all((index >= 0) & (index < side.labels.shape), axis=1)
    region = np.zeros(side.labels.shape, dtype=bool)
    region[tuple(index[inside].T)] = True
    return region


def with_labels(side: Side, groups: Sequence[MatchedGroup], which: int) -> tuple[Side, tuple[MatchedGroup, ...]]:
    """Keep the outlines the groups name and number them without gaps; `which` is 0 where the side is the baseline."""
    kept = sorted(label for group in groups for label in (group.follow_up if which else group.baseline))
    table = np.zeros(len(side.signs) + 1, dtype=np.int32)
    table[kept] = np.arange(1, len(kept) + 1)
    renamed = []
    for group in groups:
        now = tuple(int(table[label]) for label in (group.follow_up if which else group.baseline))
        renamed.append(replace(group, follow_up=now) if which else replace(group, baseline=now))
    signs = tuple(side.signs[label - 1] for label in kept)
    return replace(side, labels=table[side.labels], signs=signs), tuple(renamed)
