"""A second look at a visit, with the other visit for what is healthy.

A small lesion in a fold, or one that looks like grey matter in every contrast, a single visit cannot tell from the
anatomy that its template does not foretell. Where the other visit shows that place without the lesion, it can.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cohortex.lesions.backdrop import Backdrop
from cohortex.lesions.detection import lesion_extent
from cohortex.lesions.outline import LesionOutline, brain_window, with_lesions
from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.smoothing import near
from cohortex.lesions.visit_change import VisitChange

Array = NDArray[np.float32]
Half = NDArray[np.float16]
Mask = NDArray[np.bool_]


def second_look(outline: LesionOutline, change: VisitChange) -> LesionOutline:
    """Outline the lesions that a visit shows too faintly by itself, where it is much brighter than the other.

    Parameters
    ----------
    outline : LesionOutline
        What the visit shows by itself.
    change : VisitChange
        How it differs from the other visit, on its arrays.

    Returns
    -------
    LesionOutline
        With the lesions added that are large and strong enough, measured against the other visit as their healthy
        background; the same object where there are none.
    """
    backdrop = outline.backdrop
    if backdrop is None:
        return outline
    parameters, spacing = outline.parameters, outline.brain.grid.spacing_mm
    window = brain_window(outline.brain.mask, spacing)
    labels = outline.labels.values[window].astype(np.int32)
    signs = [lesion.sign for lesion in outline.measured]
    known = np.isfinite(change.difference)
    excess = np.where(known, change.difference * backdrop.white, 0).astype(np.float32)
    edges = near(labels > 0, spacing, distance_mm=parameters.support_mm + max(spacing))  # of lesions in thick slices
    added = np.zeros(labels.shape, dtype=bool)
    for sign, own_score in zip(backdrop.signs, backdrop.scores, strict=True):
        seeds = (sign * np.nan_to_num(change.score) > parameters.change_seed_score) & backdrop.searched & ~edges
        found = lesion_extent(
            sign * excess,
            np.full(labels.shape, 2 * outline.noise.voxel, dtype=np.float32),
            seeds,
            brain=backdrop.searched & known & ~edges,
            spacing_mm=spacing,
            least_contrast=outline.least_contrast,
            parameters=parameters,
        )
        for number in range(1, int(found.max()) + 1):
            where = found == number
            own = sign * outline.difference.values
            if _is_lesion(where, own_score, own, sign * excess, backdrop, parameters):
                signs.append(sign)
                labels[where] = len(signs)
                added |= where
    if not added.any():
        return outline
    looked_at = with_lesions(_against_other(outline, excess, added, change, backdrop.searched), labels, signs)
    return looked_at if looked_at.labels.mask[window][added].any() else outline


def _against_other(
    outline: LesionOutline, excess: Array, added: Mask, change: VisitChange, searched: Mask
) -> LesionOutline:
    """Take the other visit for the healthy background around what was added, away from all other lesions."""
    parameters, spacing = outline.parameters, outline.brain.grid.spacing_mm
    window = brain_window(outline.brain.mask, spacing)
    others = (outline.labels.values[window] > 0) | (change.other_lesions & ~added)
    around = near(added, spacing, distance_mm=parameters.support_mm + parameters.shell_mm)
    around &= ~near(others, spacing, distance_mm=parameters.support_mm) & searched
    around &= np.isfinite(change.difference)
    image = outline.expected.values + outline.difference.values
    expected = np.where(around, image - excess, outline.expected.values).astype(np.float32)
    return replace(
        outline,
        expected=outline.expected.with_values(expected),
        difference=outline.difference.with_values(np.where(around, excess, outline.difference.values)),
    )


def _is_lesion(
    where: Mask,
    own_score: Half,
    over_healthy: Array,
    over_other: Array,
    backdrop: Backdrop,
    parameters: LesionParameters,
) -> bool:
    """Whether a visit shows an outline by itself too, if faintly, and neither in csf nor beside csf that widened."""
    csf = float(backdrop.template_csf[where].mean(dtype=np.float32))
    return (
        csf < parameters.some_csf
        and float(own_score[where].max()) >= parameters.second_look_score
        and float(over_healthy[where].mean()) >= parameters.second_look_share * float(over_other[where].mean())
    )
