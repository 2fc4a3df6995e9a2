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
from cohortex.image import Image
from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.side import Side
from cohortex.lesions.smoothing import blurred, slow_mean, spread_of
from cohortex.transform import warp

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

_LOCAL_MM = 8.0  # the filter is compared with what it gives around, mm
_LEAST_STRAY = 0.8  # of the spread of the whole brain
_MOST = 6.0  # standard deviations of a voxel that count
_MOST_FILTERED = 3.0  # ... of a filtered voxel, when the spread around is taken


@dataclass(frozen=True, kw_only=True)
class VisitChange:
    """How one visit differs from the other, on its own arrays; NaN where either has no brain or was not looked at.

    Attributes
    ----------
    difference : ndarray of float32, shape (I, J, K)
        This visit minus the other, both over their white matter.
    score : ndarray of float32
        By how many standard deviations it is brighter: the matched filter at its best scale.
    """

    difference: Array
    score: Array


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
    if not known.any():
        return VisitChange(difference=difference, score=difference)
    scores = _filtered(np.where(known, difference, 0), known, side.measuring.spacing_mm, side.measuring.parameters)
    return VisitChange(difference=difference, score=np.where(known, scores, np.nan).astype(np.float32))


def _levelled(side: Side, other: Side) -> Array:
    """Intensity over that of white matter, with half the difference of tissue contrast to the other visit taken off."""
    mine, theirs = side.outline.backdrop, other.outline.backdrop
    if mine is None or theirs is None:
        return np.full(side.labels.shape, np.nan, dtype=np.float32)
    image = side.measuring.expected + side.measuring.difference
    levelled = image / mine.white - np.float32(0.5) * mine.contrast_to(theirs)
    return np.where(side.measuring.brain, levelled, np.nan).astype(np.float32)


def _seen_by(side: Side, other: Side, values: Array) -> Array:
    """What the other visit shows, averaged over the slices of this one where these are thicker."""
    other_from_side = other.from_midway @ side.from_midway.inverse()
    image, grid = Image(values, other.grid), side.grid
    axis = int(np.argmax(grid.spacing_mm))
    count = max(1, round(grid.spacing_mm[axis] / min(other.grid.spacing_mm)))
    total = np.zeros(grid.shape, dtype=np.float32)
    for n in range(count):
        shifted = grid.world_from_index.copy()
        shifted[:3, 3] += shifted[:3, axis] * ((n + 0.5) / count - 0.5)
        total += warp(image, other_from_side, onto=Grid(grid.shape, shifted), outside=np.nan).values
    return total / np.float32(count)


def _filtered(difference: Array, known: Mask, spacing_mm: tuple[float, ...], parameters: LesionParameters) -> Array:
    """The difference through the matched filter, over what the filter gives around."""
    spread = max(spread_of(difference[known]), 1e-9)
    bounded = np.clip(difference, -_MOST * spread, _MOST * spread).astype(np.float32)
    scores = np.full(difference.shape, -np.inf, dtype=np.float32)
    for sigma_mm in parameters.scales_mm:
        filtered = blurred(bounded, spacing_mm, sigma_mm=sigma_mm)
        usual = max(spread_of(filtered[known]), 1e-9)
        around = 1.2533 * slow_mean(
            np.minimum(np.abs(filtered), _MOST_FILTERED * usual),
            known.astype(np.float32),
            spacing_mm,
            sigma_mm=_LOCAL_MM,
        )
        scores = np.maximum(scores, filtered / np.maximum(around, _LEAST_STRAY * usual))
    return scores
