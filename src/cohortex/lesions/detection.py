"""Where healthy tissue cannot explain the picture: a matched filter finds lesions, a hysteresis gives their extent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.lesions.expectation import local_spread
from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.smoothing import blurred

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

LOCAL_MM = 8.0
"""A matched filter is compared with what it gives this far around, mm: cortex strays more than white matter."""
_LEAST_STRAY = 0.8  # of the spread foretold
_LEAST_STRAY_DEEP = 0.5  # ... deep in white matter, where folds cannot come as a surprise
_DEEP_MM, _DEEP = 2.0, (0.8, 0.95)  # blur of the white fraction, mm, and where that begins and holds in full
_MOST_DARK, _MOST_BRIGHT = 3, 8  # standard deviations that count: a perivascular space must not hide its neighbour

TOUCHING = ndimage.generate_binary_structure(3, 1)
"""Voxels of one lesion share a face."""


def lesion_scores(
    excess: Array,
    *,
    noise: float,
    doubt: Array,
    white: Array,
    brain: Mask,
    spacing_mm: Sequence[float],
    parameters: LesionParameters,
) -> Array:
    """Score how far a matched filter at its best scale stands out of healthy tissue.

    Averaging over a neighbourhood quiets the noise but not the doubt about the tissue, which neighbours share.

    Parameters
    ----------
    excess : ndarray, shape (I, J, K)
        Difference to the healthy expectation, positive for a lesion.
    noise : float
        Its standard deviation from voxel to voxel.
    doubt : ndarray
        Its standard deviation that neighbours share.
    white : ndarray
        The template's fraction of white matter.
    brain : ndarray of bool
        Brain mask.
    spacing_mm : sequence of float
        Voxel spacing, mm.
    parameters : LesionParameters
        Scales.

    Returns
    -------
    ndarray of float32
        Standard deviations of what the filter gives around; 0 outside the brain.
    """
    usual = np.hypot(np.float32(noise), doubt)
    bounded = np.where(brain, np.clip(excess, -_MOST_DARK * usual, _MOST_BRIGHT * usual), 0).astype(np.float32)
    deep = np.clip((blurred(white, spacing_mm, sigma_mm=_DEEP_MM) - _DEEP[0]) / (_DEEP[1] - _DEEP[0]), 0, 1)
    least_stray = (_LEAST_STRAY + (_LEAST_STRAY_DEEP - _LEAST_STRAY) * deep).astype(np.float32)
    point = np.zeros((31, 31, 31), dtype=np.float32)
    point[15, 15, 15] = 1
    scores = np.full(brain.shape, -np.inf, dtype=np.float32)
    for sigma_mm in parameters.scales_mm:
        left = float(np.sqrt(np.sum(blurred(point, spacing_mm, sigma_mm=sigma_mm).astype(np.float64) ** 2)))
        spread = np.hypot(np.float32(noise * left), blurred(doubt, spacing_mm, sigma_mm=sigma_mm))
        filtered = np.asarray(blurred(bounded, spacing_mm, sigma_mm=sigma_mm) / spread, dtype=np.float32)
        local = local_spread(filtered, 1.0, brain, spacing_mm, sigma_mm=LOCAL_MM)
        scores = np.maximum(scores, filtered / np.maximum(local, least_stray))
    return np.where(brain, scores, 0).astype(np.float32)


def lesion_extent(
    excess: Array,
    least: Array,
    seeds: Mask,
    *,
    brain: Mask,
    spacing_mm: Sequence[float],
    least_contrast: float,
    parameters: LesionParameters,
) -> NDArray[np.int32]:
    """Outline the lesions that contain a seed at half their own contrast.

    Parameters
    ----------
    excess : ndarray, shape (I, J, K)
        Difference to the healthy expectation, positive for a lesion, in the unit of the image.
    least : ndarray
        What healthy tissue may reach, same shape.
    seeds : ndarray of bool
        Voxels that only a lesion explains.
    brain : ndarray of bool
        Where lesions may lie.
    spacing_mm : sequence of float
        Voxel spacing, mm.
    least_contrast : float
        Contrast below which nothing is a lesion, in the unit of the image.
    parameters : LesionParameters
        Level and blur of the outline.

    Returns
    -------
    ndarray of int32
        Numbered outlines; 0 elsewhere. The order is that of the voxels.
    """
    quiet = blurred(np.where(brain, excess, 0).astype(np.float32), spacing_mm, sigma_mm=parameters.outline_sigma_mm)
    floor = np.maximum(0.5 * least_contrast, least)
    candidates, count = ndimage.label((quiet > floor) & brain, structure=TOUCHING)
    outline = np.zeros(brain.shape, dtype=bool)
    with_seed = np.unique(candidates[seeds])
    boxes = ndimage.find_objects(candidates, max_label=count)
    for label in with_seed[with_seed > 0]:
        box = boxes[label - 1]
        outline[box] |= _at_half_contrast(quiet[box], candidates[box] == label, seeds[box], spacing_mm, parameters)
    labelled, count = ndimage.label(outline, structure=TOUCHING)
    keep = np.zeros(count + 1, dtype=bool)
    keep[np.unique(labelled[seeds & outline])] = True
    keep[0] = False
    renumbered = np.cumsum(keep) * keep
    return np.asarray(renumbered[labelled], dtype=np.int32)


def _at_half_contrast(
    quiet: Array,
    candidate: Mask,
    seeds: Mask,
    spacing_mm: Sequence[float],
    parameters: LesionParameters,
) -> Mask:
    """Voxels of one candidate above half the contrast reached nearby."""
    values = np.where(candidate, quiet, 0)
    reach = [2 * int(np.ceil(5.0 / s)) + 1 for s in spacing_mm]
    nearby = ndimage.maximum_filter(values, size=reach, mode="nearest")
    strong = candidate & (values > 0.7 * nearby)
    weight = strong.astype(np.float32)
    total = blurred(weight, spacing_mm, sigma_mm=3.0)
    plateau = blurred(values.astype(np.float32) * weight, spacing_mm, sigma_mm=3.0) / np.maximum(total, 1e-6)
    plateau = np.where(total > 1e-6, plateau, nearby)
    outline = candidate & (values > parameters.outline_level * plateau)
    return np.asarray(outline if outline.any() else candidate & seeds)
