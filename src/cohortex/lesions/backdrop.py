"""What is kept of a visit's healthy tissue, so that another visit can be held against it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cohortex.lesions.expectation import CSF, WHITE
from cohortex.lesions.scene import Scene

Array = NDArray[np.float32]
Half = NDArray[np.float16]
Mask = NDArray[np.bool_]

_MOST_SCORE = 1000.0  # half precision ends at 65,504


@dataclass(frozen=True, kw_only=True)
class Backdrop:
    """Healthy tissue of one visit; arrays of shape (I, J, K), on the box of the grid around the brain.

    Shares and factors are kept at half precision, which is 0.05 %.

    Attributes
    ----------
    tissue : ndarray of float16, shape (3, I, J, K)
        Fractions of white, grey and csf, by the template and all images.
    template_csf : ndarray of float16
        Fraction of csf by the template alone.
    drift : ndarray of float16
        Slow factor about 1 by which intensity departs from the levels of the tissues.
    levels : tuple of float
        Intensity of white, grey and csf.
    searched : ndarray of bool
        Where lesions are looked for.
    signs : tuple of int
        1 where lesions are brighter than healthy tissue, -1 where darker.
    scores : ndarray of float16, shape (S, I, J, K)
        How far each voxel stands out of healthy tissue, by sign.
    least_volume_mm3 : float
        Smaller findings are dropped.
    """

    tissue: Half
    template_csf: Half
    drift: Half
    levels: tuple[float, float, float]
    searched: Mask
    signs: tuple[int, ...]
    scores: Half
    least_volume_mm3: float

    @classmethod
    def of(cls, scene: Scene, scores: Array) -> Backdrop:
        """Keep what a comparison needs of a scene and of the scores of its voxels."""
        healthy = scene.healthy
        return cls(
            tissue=healthy.tissue.astype(np.float16),
            template_csf=healthy.prior[CSF].astype(np.float16),
            drift=healthy.drift.astype(np.float16),
            levels=healthy.levels,
            searched=scene.searched,
            signs=scene.signs,
            scores=np.clip(scores, -_MOST_SCORE, _MOST_SCORE).astype(np.float16),
            least_volume_mm3=scene.least_volume_mm3,
        )

    @property
    def white(self) -> Array:
        """Intensity of white matter at each voxel."""
        return self.drift.astype(np.float32) * np.float32(self.levels[WHITE])

    def contrast_to(self, other: Backdrop) -> Array:
        """Intensity of healthy tissue over white matter, less what it would be with the other visit's levels."""
        total = np.zeros(self.drift.shape, dtype=np.float32)
        for fraction, own, others in zip(self.tissue, self.levels, other.levels, strict=True):
            total += np.float32(own / self.levels[WHITE] - others / other.levels[WHITE]) * fraction
        return total
