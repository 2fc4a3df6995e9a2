"""Looking in one visit for what only the other shows, with the lower threshold that knowing the place allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.lesions.detection import TOUCHING
from cohortex.lesions.matching import LabelArray, MatchedGroup
from cohortex.lesions.side import Side, voxels_hit
from cohortex.lesions.smoothing import blurred, near

_APART_MM = 2.0  # a part closer to an outline is its edge


def looked_for(
    side: Side,
    other: Side,
    other_on_lattice: LabelArray,
    lattice: Grid,
    groups: Sequence[MatchedGroup],
    typical: tuple[float, float],
    which: int,
) -> tuple[Side, tuple[MatchedGroup, ...]]:
    """Look in one visit for what only the other shows, and add what is there to its outlines.

    A lesion without a partner is looked for as a whole; of one with a partner, the parts its partner leaves out.
    """
    labels, signs = side.labels.copy(), list(side.signs)
    boxes = ndimage.find_objects(other_on_lattice)
    updated = []
    for group in groups:
        here, there = (group.baseline, group.follow_up) if which == 0 else (group.follow_up, group.baseline)
        found = list(here)
        if there:
            region = np.zeros(labels.shape, dtype=bool)
            for label in there:
                if label <= len(boxes) and boxes[label - 1] is not None:
                    region |= voxels_hit(other_on_lattice, boxes[label - 1], label, lattice, side)
            sign = other.signs[there[0] - 1]
            contrast = typical[0] * other.outline.measured[there[0] - 1].contrast / typical[1]
            seen = sum(other.outline.measured[label - 1].volume_mm3 for label in there)
            if here:
                pieces = _pieces(side, labels, region, sign, contrast, seen)
            else:
                whole = _shown(side, labels, region, sign, contrast, seen)
                pieces = [] if whole is None else [whole]
            for piece in pieces:
                signs.append(sign)
                labels[piece] = len(signs)
                found.append(len(signs))
        mine = tuple(found)
        updated.append(replace(group, baseline=mine) if which == 0 else replace(group, follow_up=mine))
    return replace(side, labels=labels, signs=tuple(signs)), tuple(updated)


def _pieces(
    side: Side,
    labels: LabelArray,
    region: NDArray[np.bool_],
    sign: int,
    contrast: float,
    seen_mm3: float,
) -> list[NDArray[np.bool_]]:
    """Parts of a lesion that the other visit shows in one piece and this one leaves out of its outline."""
    parameters, measuring = side.measuring.parameters, side.measuring
    if not region.any():
        return []
    window = side.window_around(region, margin_mm=3.0)
    local = labels[window]
    taken = near(local > 0, measuring.spacing_mm, distance_mm=_APART_MM)
    free = near(region[window], measuring.spacing_mm, distance_mm=parameters.match_tolerance_mm) & ~taken
    free &= measuring.brain[window]
    quiet = blurred(
        (sign * measuring.difference[window]).astype(np.float32),
        measuring.spacing_mm,
        sigma_mm=parameters.outline_sigma_mm,
    )
    parts, count = ndimage.label(free & (quiet > parameters.outline_level * contrast), structure=TOUCHING)
    found = []
    for number in range(1, count + 1):
        piece = np.zeros(labels.shape, dtype=bool)
        piece[window] = parts == number
        if np.count_nonzero(piece) * np.prod(measuring.spacing_mm) < 0.5 * parameters.smallest_volume_mm3:
            continue
        shown = _shown(side, labels, piece, sign, contrast, seen_mm3)
        if shown is not None:
            shown[window] &= ~taken
            found.append(shown)
    return found


def _shown(
    side: Side, labels: LabelArray, region: NDArray[np.bool_], sign: int, contrast: float, seen_mm3: float
) -> NDArray[np.bool_] | None:
    """Outline of what a visit shows in a region, or None where it shows nothing to speak of."""
    parameters, measuring = side.measuring.parameters, side.measuring
    region = region & (labels == 0) & measuring.brain
    if not region.any():
        return None
    probe = labels.copy()
    number = int(labels.max()) + 1
    probe[region] = number
    box = ndimage.find_objects(region.astype(np.uint8))[0]
    extent = measuring.extent_of(number, box, probe, sign)
    summed = float(extent.share(contrast).sum(dtype=np.float64)) * extent.voxel_mm3
    whole_noise = np.sqrt(np.count_nonzero(extent.whole)) * measuring.noise.voxel * measuring.noise.growth
    sd = float(np.hypot(extent.edge_noise, whole_noise)) * extent.voxel_mm3 / contrast
    # The region is the other visit's: here nothing says that even its middle is lesion, so every voxel counts by share.
    middle = extent.excess[extent.whole] / np.maximum(contrast - extent.relief[extent.whole], 0.2 * contrast) - 1
    volume = summed + float(middle.sum(dtype=np.float64)) * extent.voxel_mm3
    least = max(
        parameters.presence_share * parameters.smallest_volume_mm3,
        parameters.presence_sd * sd,
        parameters.presence_of_other * seen_mm3,
    )
    if volume < least:
        return None
    window = extent.box
    around = near(region[window], measuring.spacing_mm, distance_mm=parameters.match_tolerance_mm)
    free = around & (labels[window] == 0) & measuring.brain[window]
    quiet = blurred(extent.excess, measuring.spacing_mm, sigma_mm=parameters.outline_sigma_mm)
    shown = np.zeros(labels.shape, dtype=bool)
    for level in (parameters.outline_level, 0.5 * parameters.outline_level):
        shown[window] = free & (quiet > level * contrast)
        if shown.any():
            return shown
    return region
