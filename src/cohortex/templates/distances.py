"""How far two brains lie apart, and a brain from the template: in shape and in grey value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cohortex.geometry import Grid
from cohortex.statistics.distances import joined, rms_difference
from cohortex.templates.aligned import SHAPE_STEP, AlignedBrain
from cohortex.templates.blur import blurred_inside
from cohortex.templates.mni152 import Template, mni152
from cohortex.templates.study_template import StudyTemplate
from cohortex.templates.tissue_scale import TISSUE_LEVELS

_GREY_FWHM_MM = 8.0  # folds of two people never match; what is compared is larger
_SHAPE_FWHM_MM = 24.0  # the shape of lobes: of what is finer, a third is the alignment's own noise at 3 mm
GREY_WEIGHT_MM = 10.0
"""Millimetres of shape that a difference of all grey values by the level of white matter counts as."""


@dataclass(frozen=True, kw_only=True)
class BrainFeatures:
    """What distances are measured on: one vector of numbers at the same places for every brain.

    Attributes
    ----------
    contrast : str
        Contrast of the grey values.
    shape_mm : ndarray, shape (n, 3)
        Displacement at every place, blurred by 24 mm, mm.
    grey : ndarray, shape (n,)
        Grey values blurred by 8 mm less those of MNI152 in the same contrast, units of white matter. Where the brain
        has a lesion, what is around it stands in; where there is nothing around, MNI152.
    grid : Grid
        Grid of the places: those of it in the brain of MNI152.
    """

    contrast: str
    shape_mm: NDArray[np.float32]
    grey: NDArray[np.float32]
    grid: Grid


@dataclass(frozen=True, kw_only=True)
class BrainDistance:
    """How far two brains lie apart.

    Attributes
    ----------
    shape_mm : float
        Root mean square over the brain of the difference of the displacements, mm.
    grey : float
        Root mean square of the difference of the blurred grey values, units of white matter.
    joint_mm : float
        sqrt(shape_mm^2 + (w grey)^2), mm: a metric, and Euclidean.
    """

    shape_mm: float
    grey: float
    joint_mm: float


def brain_features(brain: AlignedBrain | StudyTemplate) -> BrainFeatures:
    """Reduce a brain, or the average of a study, to what distances are measured on.

    Parameters
    ----------
    brain : AlignedBrain or StudyTemplate
        In template space.

    Returns
    -------
    BrainFeatures
        Depends on this brain alone, so that distances between features are those of a metric. Position, orientation,
        overall size and shear have been taken out of the shape, gain and contrast of the scanner out of the grey
        values.
    """
    template = mni152(spacing_mm=brain.grid.spacing_mm[0])
    if not template.grid.same_as(brain.grid):
        raise ValueError("the brain lies on another grid than MNI152 at its spacing; make it with aligned_to_template.")
    counted = brain.healthy.mask if isinstance(brain, AlignedBrain) else brain.count.values > 0
    expected = _expected(template, brain.contrast)
    inside = template.brain.mask
    excess = np.where(counted, brain.image.values - expected, np.float32(0))
    grey = blurred_inside(excess, counted & inside, brain.grid.spacing_mm, fwhm_mm=_GREY_FWHM_MM)
    coarse = brain.displacement.grid
    part = tuple(slice(0, SHAPE_STEP * n, SHAPE_STEP) for n in coarse.shape)
    where = inside[part]
    shape = blurred_inside(brain.displacement.values, where, coarse.spacing_mm, fwhm_mm=_SHAPE_FWHM_MM)
    return BrainFeatures(contrast=brain.contrast, shape_mm=shape[where], grey=grey[part][where], grid=coarse)


def brain_distance(a: BrainFeatures, b: BrainFeatures, *, grey_weight_mm: float = GREY_WEIGHT_MM) -> BrainDistance:
    """Measure how far two brains lie apart.

    Parameters
    ----------
    a, b : BrainFeatures
        Two brains, or a brain and a template, of one contrast.
    grey_weight_mm : float
        What grey values count beside shape, mm per level of white matter; 0 for shape alone.

    Returns
    -------
    BrainDistance
        Exactly symmetric, 0 for one brain, and never longer than a way over a third.

    Raises
    ------
    ValueError
        If contrasts or grids differ, or the weight is negative.
    """
    if a.contrast != b.contrast:
        raise ValueError(
            f"grey values of {a.contrast} and {b.contrast} have no distance; compare visits of one contrast."
        )
    if not a.grid.same_as(b.grid):
        raise ValueError("the brains were brought to grids of different spacing; make both with the same spacing_mm.")
    shape, grey = rms_difference(a.shape_mm, b.shape_mm), rms_difference(a.grey, b.grey)
    return BrainDistance(shape_mm=shape, grey=grey, joint_mm=joined((shape, grey), (1.0, grey_weight_mm)))


def _expected(template: Template, contrast: str) -> NDArray[np.float32]:
    levels = TISSUE_LEVELS[contrast]
    return np.asarray(sum(levels[name] * map_.values for name, map_ in template.tissues.items()), dtype=np.float32)
