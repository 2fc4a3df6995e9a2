"""The study's own template: mean and spread of the aligned brains, the same to the bit in whatever order they come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.templates.aligned import AlignedBrain
from cohortex.templates.blur import blurred_inside

_UNIT = 2.0**-20  # values are summed as integers of this unit, exactly; rounding to it is a millionth of white matter
_LARGEST = 64.0  # beyond this a value is cut: nothing in a brain is 64 times as bright as white matter
_MOST_BRAINS = 2047  # so many squares of 64 / _UNIT fit into 63 bits


@dataclass(frozen=True, kw_only=True)
class StudyTemplate:
    """The average of the brains of a study, in the template space of MNI152.

    Attributes
    ----------
    contrast : str
        Contrast of all its images.
    brains : int
        How many it averages.
    image : Image
        Mean grey value as seen, not blurred, unit "white matter".
    mean, sd : Image
        Mean and standard deviation (n - 1) of the grey values blurred by `fwhm_mm`, same unit.
    log_jacobian, log_jacobian_sd : Image
        Mean and standard deviation of local volume blurred alike, unit "ln".
    displacement : Image
        Mean shape, mm, as in `AlignedBrain`.
    count : Image
        How many brains were healthy at each voxel; the maps are 0 where none was, the standard deviations where fewer
        than two were.
    fwhm_mm : float
        Blur before mean and spread were taken, mm.
    """

    contrast: str
    brains: int
    image: Image
    mean: Image
    sd: Image
    log_jacobian: Image
    log_jacobian_sd: Image
    displacement: Image
    count: Image
    fwhm_mm: float

    @property
    def grid(self) -> Grid:
        """The grid of all maps but the displacement."""
        return self.image.grid


def average_brains(brains: Iterable[AlignedBrain], *, fwhm_mm: float = 4.0) -> StudyTemplate:
    """Average aligned brains; lesions and their rims enter nothing.

    Parameters
    ----------
    brains : iterable of AlignedBrain
        One of each patient, of one contrast and on one grid, read one after the other.
    fwhm_mm : float
        Blur before mean and spread are taken, mm: differences of single folds are no deviation.

    Returns
    -------
    StudyTemplate
        Plain means, because leaving one brain out and predicting the next have a closed form only for them; lesions are
        excluded beforehand instead. Sums are of integers, so that neither order nor machine changes a bit.

    Raises
    ------
    ValueError
        If there are fewer than 2 or more than 2047 brains, contrasts or grids differ, or `fwhm_mm` is not positive.
    """
    if not fwhm_mm > 0:
        raise ValueError(f"fwhm_mm is {fwhm_mm:g}; give more than 0.")
    first: AlignedBrain | None = None
    sums: dict[str, _Sum] = {}
    shape_sum = _Sum()
    number = 0
    for brain in brains:
        first = first or brain
        _refuse_other(brain, first)
        number += 1
        if number > _MOST_BRAINS:
            raise ValueError(f"more than {_MOST_BRAINS} brains; their sums would no longer be exact. Choose fewer.")
        there = brain.healthy.mask
        blurred = blurred_maps(brain, fwhm_mm=fwhm_mm, lesions_too=False)
        for name, values in (("image", brain.image.values), ("grey", blurred.grey), ("volume", blurred.volume)):
            sums.setdefault(name, _Sum()).add(values, there)
        shape_sum.add(brain.displacement.values, None)
    if first is None or number < 2:
        raise ValueError(f"{number} brain{'s' if number != 1 else ''} to average; a template needs at least 2.")
    grid = first.grid
    count = sums["image"].count

    def map_of(values: NDArray[np.float32], unit: str) -> Image:
        return Image(values, grid, unit)

    shape = shape_sum.mean()
    return StudyTemplate(
        contrast=first.contrast,
        brains=number,
        image=map_of(sums["image"].mean(), first.image.unit),
        mean=map_of(sums["grey"].mean(), first.image.unit),
        sd=map_of(sums["grey"].sd(), first.image.unit),
        log_jacobian=map_of(sums["volume"].mean(), "ln"),
        log_jacobian_sd=map_of(sums["volume"].sd(), "ln"),
        displacement=Image(shape, first.displacement.grid, "mm", extra_axes=("vector",)),
        count=Image(count.astype(np.int16), grid, "1"),
        fwhm_mm=fwhm_mm,
    )


@dataclass(frozen=True, kw_only=True)
class BlurredMaps:
    """Grey values and local volume of a brain, blurred inside it, shape (I, J, K) each."""

    grey: NDArray[np.float32]
    volume: NDArray[np.float32]


def blurred_maps(brain: AlignedBrain, *, fwhm_mm: float, lesions_too: bool) -> BlurredMaps:
    """Blur grey values and local volume of a brain inside its mask, as everything statistical sees them.

    Parameters
    ----------
    brain : AlignedBrain
        The brain.
    fwhm_mm : float
        Full width at half maximum, mm.
    lesions_too : bool
        Whether lesions count: they do when a brain is tested, and do not when it enters a template.

    Returns
    -------
    BlurredMaps
        0 far outside the mask.
    """
    inside = brain.brain.mask if lesions_too else brain.healthy.mask
    both = np.stack([brain.image.values, brain.log_jacobian.values], axis=-1)
    blurred = blurred_inside(both, inside, brain.grid.spacing_mm, fwhm_mm=fwhm_mm)
    return BlurredMaps(grey=blurred[..., 0], volume=blurred[..., 1])


class _Sum:
    """Exact sums of values and of their squares, voxel by voxel."""

    def __init__(self) -> None:
        self.count: NDArray[np.int64] = np.zeros((), dtype=np.int64)
        self._sum: NDArray[np.int64] = np.zeros((), dtype=np.int64)
        self._squares: NDArray[np.int64] = np.zeros((), dtype=np.int64)

    def add(self, values: NDArray[np.float32], there: NDArray[np.bool_] | None) -> None:
        cut = np.clip(values.astype(np.float64), -_LARGEST, _LARGEST)
        whole = np.rint(cut / _UNIT).astype(np.int64)
        counted = np.ones(values.shape, dtype=bool) if there is None else there
        whole[~counted] = 0
        self.count = self.count + counted
        self._sum = self._sum + whole
        self._squares = self._squares + whole * whole

    def mean(self) -> NDArray[np.float32]:
        return (self._sum * _UNIT / np.maximum(self.count, 1)).astype(np.float32)

    def sd(self) -> NDArray[np.float32]:
        total = self._sum.astype(np.float64)
        scatter = self._squares.astype(np.float64) - total * total / np.maximum(self.count, 1)
        variance = np.maximum(scatter, 0) / np.maximum(self.count - 1, 1)
        return np.where(self.count > 1, np.sqrt(variance) * _UNIT, 0).astype(np.float32)


def _refuse_other(brain: AlignedBrain, first: AlignedBrain) -> None:
    if brain.contrast != first.contrast:
        raise ValueError(
            f"brains of {first.contrast} and of {brain.contrast} cannot be averaged; make one template of each."
        )
    if not brain.grid.same_as(first.grid):
        raise ValueError("the brains lie on different grids; bring all to the template with the same spacing_mm.")
