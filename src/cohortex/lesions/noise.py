"""How the difference to the healthy expectation strays: from voxel to voxel, in sums, and from place to place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cohortex.lesions.smoothing import blurred, blurred_within, spread_of

_SLAB_MM = 45.0  # a slab this thick holds voxels enough
_FINE_MM, _LESION_MM, _WIDE_MM = 1.0, 2.0, 4.0  # sigmas: neighbours, a lesion, its surroundings


@dataclass(frozen=True, kw_only=True)
class NoiseModel:
    """Noise of the outlined contrast, in the unit of the image.

    Attributes
    ----------
    voxel : float
        Standard deviation of one voxel about its surroundings.
    growth : float
        Factor, 1 or more, by which the noise of a sum over neighbours exceeds that of independent voxels.
    background : float
        Standard deviation of the level of a lesion-sized region about the shell around it, beyond that noise.
    """

    voxel: float
    growth: float
    background: float


def measure_noise(difference: NDArray[np.float32], quiet: NDArray[np.bool_], spacing_mm: Sequence[float]) -> NoiseModel:
    """Measure the noise of healthy tissue.

    Parameters
    ----------
    difference : ndarray, shape (I, J, K)
        Observed minus expected healthy intensity.
    quiet : ndarray of bool
        Healthy voxels far from edges, such as white matter.
    spacing_mm : sequence of float
        Voxel spacing, mm.

    Returns
    -------
    NoiseModel
        Zeros and growth 1 where fewer than 200 voxels are quiet.
    """
    if np.count_nonzero(quiet) < 200:
        return NoiseModel(voxel=0.0, growth=1.0, background=0.0)
    difference, quiet = _thinned(difference, quiet, spacing_mm)
    weight = quiet.astype(np.float32)
    point = np.zeros((41, 41, 41), dtype=np.float32)
    point[20, 20, 20] = 1

    def band(values: NDArray[np.float32], inner_mm: float, outer_mm: float, *, within: bool) -> NDArray[np.float32]:
        def smooth(sigma_mm: float) -> NDArray[np.float32]:
            if sigma_mm == 0:
                return values
            if within:
                return blurred_within(values, weight, spacing_mm, sigma_mm=sigma_mm)
            return blurred(values, spacing_mm, sigma_mm=sigma_mm)

        return smooth(inner_mm) - smooth(outer_mm)

    def left(inner_mm: float, outer_mm: float) -> float:
        return float(np.sqrt(np.sum(band(point, inner_mm, outer_mm, within=False).astype(np.float64) ** 2)))

    deep = quiet & (blurred(weight, spacing_mm, sigma_mm=_LESION_MM) > 0.8)
    if np.count_nonzero(deep) < 200:
        deep = quiet
    voxel = spread_of(band(difference, 0.0, _WIDE_MM, within=True)[deep]) / left(0.0, _WIDE_MM)
    fine = spread_of(band(difference, _FINE_MM, _WIDE_MM, within=True)[deep])
    growth = max(1.0, fine / max(voxel * left(_FINE_MM, _WIDE_MM), 1e-9))
    lesion = spread_of(band(difference, _LESION_MM, 2 * _WIDE_MM, within=True)[deep])
    background = np.sqrt(max(lesion**2 - (voxel * growth * left(_LESION_MM, 2 * _WIDE_MM)) ** 2, 0.0))
    return NoiseModel(voxel=voxel, growth=growth, background=float(background))


def _thinned(
    difference: NDArray[np.float32], quiet: NDArray[np.bool_], spacing_mm: Sequence[float]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The slab along the last axis that holds most quiet voxels."""
    thickness = max(1, min(quiet.shape[2], round(_SLAB_MM / spacing_mm[2])))
    held = np.convolve(quiet.sum(axis=(0, 1)), np.ones(thickness), mode="valid")
    start = int(np.argmax(held))
    slab = np.s_[:, :, start : start + thickness]
    return difference[slab], quiet[slab]
