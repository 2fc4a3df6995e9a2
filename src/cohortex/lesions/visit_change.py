"""Where one visit is brighter than the other: the subtraction of two visits, in units of what healthy tissue strays.

What puzzles a single visit, a fold that the template does not foretell, both visits show; their difference does not.
Each visit is divided by its own white matter and freed from its slow drift, and the contrast between its tissues, which
another scanner changes, is brought halfway to that of the other visit by the mean of both visits' tissue maps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.lesions.detection import LOCAL_MM
from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.side import Side
from cohortex.lesions.smoothing import blurred, slow_mean, spread_of
from cohortex.measure.slice_axis import slice_axis
from cohortex.transform import Rigid, warp

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

_LEAST_STRAY = 0.8  # of the spread of the whole brain: a quiet place is quiet by chance too
_MOST = 6.0  # standard deviations of a voxel that count: a vessel must not make a lesion of its surroundings
_MOST_FILTERED = 3.0  # ... of a filtered voxel, so that a lesion does not raise the spread it is held against
_SD_OVER_MEAN = float(np.sqrt(np.pi / 2))  # of the magnitude of normal noise


@dataclass(frozen=True, kw_only=True)
class VisitChange:
    """How one visit differs from the other, on its own arrays.

    Attributes
    ----------
    difference : ndarray of float32, shape (I, J, K)
        This visit minus the other, both over their white matter; NaN where either has no brain, and everywhere if
        either visit was not looked at.
    score : ndarray of float32
        By how many standard deviations this visit is brighter (or darker, below 0): the matched filter at the scale at
        which it stands out most; NaN as above.
    other_lesions : ndarray of bool
        Where the other visit shows lesions by itself.
    """

    difference: Array
    score: Array
    other_lesions: Mask


def visit_changes(sides: tuple[Side, Side]) -> tuple[VisitChange, VisitChange]:
    """Subtract each visit from the other, on the arrays of each.

    Parameters
    ----------
    sides : pair of Side
        Baseline and follow-up.

    Returns
    -------
    pair of VisitChange
        Baseline against follow-up, and the other way round.
    """
    return _change(sides[0], sides[1]), _change(sides[1], sides[0])


def _change(side: Side, other: Side) -> VisitChange:
    difference = _levelled(side, other) - _seen_by(side, other, _levelled(other, side))
    known = np.isfinite(difference)
    score = np.full(difference.shape, np.nan, dtype=np.float32)
    if known.any():
        filtered = _filtered(
            np.where(known, difference, 0), known, side.measuring.spacing_mm, side.measuring.parameters
        )
        score[known] = filtered[known]
    lesions = warp(Labels(other.labels, other.grid), _other_from(side, other), onto=side.grid, interpolation="nearest")
    return VisitChange(difference=difference, score=score, other_lesions=lesions.values != 0)


def _other_from(side: Side, other: Side) -> Rigid:
    motion = other.from_midway @ side.from_midway.inverse()
    assert isinstance(motion, Rigid)  # the product of two
    return motion


def _levelled(side: Side, other: Side) -> Array:
    """Intensity over that of white matter, with half the difference of tissue contrast to the other visit taken off."""
    mine, theirs = side.outline.backdrop, other.outline.backdrop
    if mine is None or theirs is None:
        return np.full(side.labels.shape, np.nan, dtype=np.float32)
    image = side.measuring.expected + side.measuring.difference
    levelled = image / mine.white - np.float32(0.5) * mine.contrast_to(theirs)
    return np.where(side.measuring.brain, levelled, np.nan).astype(np.float32)


def _seen_by(side: Side, other: Side, values: Array) -> Array:
    """What the other visit shows, averaged over the slices of this one where its own are thinner."""
    motion, grid = _other_from(side, other), side.grid
    axis = slice_axis(grid)
    across = grid.world_from_index[:3, axis]  # from slice to slice, mm
    steps = np.abs(other.grid.index_from_world[:3, :3] @ motion.rotation @ across)  # voxels of the other visit
    count = max(1, round(float(steps.max())))
    image = Image(values, other.grid)
    total = np.zeros(grid.shape, dtype=np.float32)
    for n in range(count):
        shifted = grid.world_from_index.copy()
        shifted[:3, 3] += across * ((n + 0.5) / count - 0.5)
        total += warp(image, motion, onto=Grid(grid.shape, shifted), outside=np.nan).values
    return total / np.float32(count)


def _filtered(difference: Array, known: Mask, spacing_mm: tuple[float, ...], parameters: LesionParameters) -> Array:
    """The difference through the matched filter, over what the filter gives around."""
    spread = max(spread_of(difference[known]), 1e-9)
    bounded = np.clip(difference, -_MOST * spread, _MOST * spread).astype(np.float32)
    scores = np.zeros(difference.shape, dtype=np.float32)
    for sigma_mm in parameters.scales_mm:
        filtered = blurred(bounded, spacing_mm, sigma_mm=sigma_mm)
        usual = max(spread_of(filtered[known]), 1e-9)
        around = _SD_OVER_MEAN * slow_mean(
            np.minimum(np.abs(filtered), _MOST_FILTERED * usual),
            known.astype(np.float32),
            spacing_mm,
            sigma_mm=LOCAL_MM,
        )
        score = filtered / np.maximum(around, _LEAST_STRAY * usual)
        scores = np.where(np.abs(score) > np.abs(scores), score, scores)
    return scores
