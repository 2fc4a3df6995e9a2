"""Joining the parts of a lesion that noise has cut, where the other visit shows them as one.

Between two parts the picture dips to a saddle. A real gap dips much deeper at one visit than at the other; noise does
not. Saddles are compared at both visits, so that exchanging the visits exchanges the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.lesions.detection import TOUCHING
from cohortex.lesions.matching import LabelArray, MatchedGroup
from cohortex.lesions.side import Mask, Side, voxels_hit, with_labels
from cohortex.lesions.smoothing import blurred

_LEVELS = np.arange(1.0, 0.15, -0.05)  # of the contrast
_LEAST_SADDLE = 0.3  # of the contrast: below, two parts are apart whatever the other visit shows
_REAL_DIP = 0.25  # of the contrast by which the saddle of a real gap is deeper than at the other visit


def joined(
    side: Side,
    other: Side,
    on_lattice: LabelArray,
    lattice: Grid,
    groups: Sequence[MatchedGroup],
    typical: tuple[float, float],
    which: int,
) -> tuple[Side, tuple[MatchedGroup, ...]]:
    """Give one label to parts that noise has cut, and number the labels without gaps again.

    Parameters
    ----------
    side, other : Side
        The visit whose parts are joined, and the other.
    on_lattice : ndarray of int32
        Outlines of `side` on the lattice.
    lattice : Grid
        Where both visits meet.
    groups : sequence of MatchedGroup
        Outlines that belong together.
    typical : tuple of float
        Typical contrasts of `side` and of `other`.
    which : int
        0 where `side` is the baseline, else 1.

    Returns
    -------
    tuple
        The side and the groups with the new labels.
    """
    boxes = ndimage.find_objects(on_lattice)
    renamed = list(range(len(side.signs) + 1))
    for group in groups:
        here, there = (group.baseline, group.follow_up) if which == 0 else (group.follow_up, group.baseline)
        if len(here) < 2 or len(there) != 1:
            continue
        for n, first in enumerate(here):
            for second in here[n + 1 :]:
                parts = side.labels == first, side.labels == second
                found = [boxes[k - 1] if k <= len(boxes) else None for k in (first, second)]
                sign = side.signs[first - 1]
                own = _saddle(side, parts, sign, typical[0])
                if own < _LEAST_SADDLE or found[0] is None or found[1] is None:
                    continue
                carried = (
                    voxels_hit(on_lattice, found[0], first, lattice, other),
                    voxels_hit(on_lattice, found[1], second, lattice, other),
                )
                if own > _saddle(other, carried, sign, typical[1]) - _REAL_DIP:
                    old, new = max(renamed[first], renamed[second]), min(renamed[first], renamed[second])
                    renamed = [new if name == old else name for name in renamed]
    labels = np.array(renamed, dtype=np.int32)[side.labels]
    updated = []
    for group in groups:
        now = tuple(sorted({renamed[label] for label in (group.follow_up if which else group.baseline)}))
        updated.append(replace(group, follow_up=now) if which else replace(group, baseline=now))
    return with_labels(replace(side, labels=labels), updated, which)


def _saddle(side: Side, parts: tuple[Mask, Mask], sign: int, contrast: float) -> float:
    """Highest level, as a share of the parts' own contrast, at which two parts are connected; 0 for none."""
    if not (parts[0].any() and parts[1].any()):
        return 0.0
    window = side.window_around(parts[0] | parts[1], margin_mm=3.0)
    measuring = side.measuring
    difference: NDArray[np.float32] = (sign * measuring.difference[window]).astype(np.float32)
    quiet = blurred(difference, measuring.spacing_mm, sigma_mm=measuring.parameters.outline_sigma_mm)
    heights = [float(np.percentile(quiet[part[window]], 90)) for part in parts]
    height = max(min(heights), 0.5 * contrast)
    for level in _LEVELS:
        connected, _ = ndimage.label(quiet > level * height, structure=TOUCHING)
        first, second = (set(np.unique(connected[part[window]])) - {0} for part in parts)
        if first & second:
            return float(level)
    return 0.0
