"""What outlining looks at in one visit, and the outlines around seeds in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.lesions.detection import lesion_extent, lesion_scores
from cohortex.lesions.expectation import CSF, GREY, WHITE, HealthyExpectation, without_lesions
from cohortex.lesions.lining import ventricular_lining
from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.smoothing import near

Array = NDArray[np.float32]
LabelArray = NDArray[np.int32]
Mask = NDArray[np.bool_]

_REFINED_MM = 1.5  # how far an outline moves once the tissue beneath is filled in


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What one visit's outlining looks at: arrays of shape (I, J, K), on the box of the grid around the brain.

    Attributes
    ----------
    image : ndarray of float32
        The outlined contrast.
    healthy : HealthyExpectation
        What it would be without lesions.
    searched : ndarray of bool
        Where lesions are looked for.
    spacing_mm : tuple of float
        Voxel spacing, mm.
    signs : tuple of int
        1 where lesions are brighter than healthy tissue, -1 where darker.
    least_contrast : float
        Contrast below which nothing is a lesion, in the unit of the image.
    least_volume_mm3 : float
        Smaller findings are dropped.
    parameters : LesionParameters
        The numbers.
    """

    image: Array
    healthy: HealthyExpectation
    searched: Mask
    spacing_mm: tuple[float, ...]
    signs: tuple[int, ...]
    least_contrast: float
    least_volume_mm3: float
    parameters: LesionParameters


@dataclass(frozen=True, kw_only=True)
class FoundLesions:
    """What one visit shows by itself.

    Attributes
    ----------
    labels : ndarray of int32, shape (I, J, K)
        Outlines numbered from 1; 0 elsewhere.
    signs : tuple of int
        By label.
    expected : ndarray of float32
        Healthy intensity with the tissue beneath lesions filled in.
    scores : ndarray of float32, shape (S, I, J, K)
        How far each voxel stands out, by sign of the scene.
    """

    labels: LabelArray
    signs: tuple[int, ...]
    expected: Array
    scores: Array


def found_lesions(scene: Scene) -> FoundLesions:
    """Outline the lesions that one visit shows by itself."""
    healthy = scene.healthy
    labels, expected = np.zeros(scene.image.shape, dtype=np.int32), healthy.whole
    signs: tuple[int, ...] = ()
    scores = []
    for sign in scene.signs:
        score = lesion_scores(
            sign * (scene.image - healthy.whole),
            noise=healthy.noise,
            doubt=np.hypot(healthy.doubt, healthy.regional),
            white=healthy.prior[WHITE],
            brain=scene.searched,
            spacing_mm=scene.spacing_mm,
            parameters=scene.parameters,
        )
        labels, signs, expected = _outlined_at(
            scene, score > scene.parameters.seed_score, sign, labels, signs, expected
        )
        scores.append(score)
    return FoundLesions(labels=labels, signs=signs, expected=expected, scores=np.stack(scores))


def _outlined_at(
    scene: Scene, seeds: Mask, sign: int, labels: LabelArray, signs: tuple[int, ...], expected: Array
) -> tuple[LabelArray, tuple[int, ...], Array]:
    """Outline the lesions around seeds and add them to labels, signs and expectation, as `FoundLesions` has them."""
    found = _extent(scene, sign, expected, seeds)
    if not found.any():
        return labels, signs, expected
    reach = scene.parameters.support_mm + scene.parameters.shell_mm  # the shell corrects what the filling gets wrong
    support = near(found > 0, scene.spacing_mm, distance_mm=reach) | ndimage.binary_dilation(found > 0)
    expected = without_lesions(scene.healthy, support | (labels > 0), brain=scene.searched, spacing_mm=scene.spacing_mm)
    close = near(found > 0, scene.spacing_mm, distance_mm=_REFINED_MM)  # further out the filling knows less
    found = _extent(replace(scene, searched=scene.searched & close), sign, expected, seeds & close)
    found[labels > 0] = 0
    labels, numbered = labels.copy(), list(signs)
    for label in range(1, int(found.max()) + 1):
        where = found == label
        if where.any() and not _is_fluid(scene, where, sign):
            numbered.append(sign)
            labels[where] = len(numbered)
    return labels, tuple(numbered), expected


def healthy_extras(
    image: Array, healthy: HealthyExpectation, *, brain: Mask, spacing_mm: Sequence[float], contrast: str, least: float
) -> Array:
    """What healthy heads show beyond their tissue mixture: lining of the ventricles, on FLAIR bright flow in csf.

    Parameters
    ----------
    image : ndarray, shape (I, J, K)
        The outlined contrast.
    healthy : HealthyExpectation
        Of that contrast, without extras.
    brain : ndarray of bool
        Brain mask.
    spacing_mm : sequence of float
        Voxel spacing, mm.
    contrast : str
        Its name; others than FLAIR and T2 have no extras.
    least : float
        Contrast below which nothing is a lesion, in the unit of the image: the lining is not taken for brighter.

    Returns
    -------
    ndarray of float32
        What is to be added to the expectation.
    """
    if contrast not in ("FLAIR", "T2"):
        return np.zeros(brain.shape, dtype=np.float32)
    extra = ventricular_lining(
        image - healthy.expected,
        white=healthy.tissue[WHITE],
        csf=healthy.tissue[CSF],
        brain=brain,
        spacing_mm=spacing_mm,
        most=least,
    )
    if contrast == "FLAIR":
        fluid = np.clip((healthy.prior[CSF] - 0.5) / 0.3, 0, 1)
        bright = np.float32(healthy.levels[GREY]) * healthy.drift
        extra += fluid * np.clip(image - healthy.expected, 0, np.maximum(bright - healthy.expected, 0))
    return extra


def _is_fluid(scene: Scene, where: Mask, sign: int) -> bool:
    """Whether an outline is csf that flows, choroid plexus or a sulcus rather than tissue.

    Mostly csf by the template; or partly, and no brighter than white matter, which on FLAIR every lesion is.
    """
    csf = float(scene.healthy.prior[CSF][where].mean())
    if csf > scene.parameters.most_csf:
        return True
    white = scene.healthy.levels[WHITE]
    dark_csf = scene.healthy.levels[CSF] < white
    if sign < 0 or not dark_csf or csf < scene.parameters.some_csf:
        return False
    bright = float(np.percentile((scene.image / scene.healthy.drift)[where], 75))
    return bright < white + 0.8 * scene.least_contrast


def _extent(scene: Scene, sign: int, expected: Array, seeds: Mask) -> LabelArray:
    return lesion_extent(
        sign * (scene.image - expected),
        np.maximum(scene.healthy.noise, 2 * scene.healthy.doubt),
        seeds,
        brain=scene.searched,
        spacing_mm=scene.spacing_mm,
        least_contrast=scene.least_contrast,
        parameters=scene.parameters,
    )
