"""The volumes of all lesions of a visit: each read off the picture, each contrast helped by those of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.lesions.ellipsoid import View, fit_ellipsoid, view_of
from cohortex.lesions.extent import (
    GOOD_MISFIT,
    Contrasts,
    Extent,
    measure_extent,
    settle_contrasts,
    territories,
)
from cohortex.lesions.noise import NoiseModel
from cohortex.lesions.parameters import LesionParameters

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

_FITTED_MM3 = 5000.0  # larger lesions show their contrast, and are less like an ellipsoid
_SHAPE_SD = 0.03  # of the contrast: what a wrong shape does to it
_SHOWN_MM3 = 80.0  # an interior of this volume shows the contrast


@dataclass(frozen=True, kw_only=True)
class MeasuredLesion:
    """The volume of one outline.

    Attributes
    ----------
    label, sign : int
        Its number, and 1 for brighter or -1 for darker than healthy tissue.
    volume_mm3, volume_sd_mm3 : float
        Volume and one standard deviation, mm³.
    contrast, contrast_sd : float
        Difference of pure lesion to healthy tissue, without sign, in the unit of the image.
    """

    label: int
    sign: int
    volume_mm3: float
    volume_sd_mm3: float
    contrast: float
    contrast_sd: float


@dataclass(frozen=True, kw_only=True)
class VolumeTable:
    """All lesions of one visit, and how much of each voxel is lesion."""

    lesions: tuple[MeasuredLesion, ...]
    fraction: Array
    typical_contrast: float
    contrast_scatter: float


@dataclass(frozen=True, kw_only=True)
class Measuring:
    """What volumes are read from; arrays of shape (I, J, K) as in `measure_extent`."""

    difference: Array
    expected: Array
    doubt: Array
    noise: NoiseModel
    brain: Mask
    spacing_mm: tuple[float, ...]
    parameters: LesionParameters

    def extents_of(self, labels: NDArray[np.int32], signs: Sequence[int]) -> list[Extent]:
        """Read every outline off the difference; `signs` by label, from 1."""
        extents = [
            self.extent_of(label, box, labels, signs[label - 1])
            for label, box in enumerate(ndimage.find_objects(labels), start=1)
            if box is not None
        ]
        return self._with_fitted_contrasts(extents)

    def extent_of(self, label: int, box: tuple[slice, ...], labels: NDArray[np.int32], sign: int) -> Extent:
        """Read one outline, which lies in `box`, off the difference; its contrast is not fitted."""
        reach = self.parameters.support_mm + self.parameters.shell_mm + 1
        window = tuple(
            slice(max(0, s.start - m), min(n, s.stop + m))
            for s, m, n in zip(box, self._margin(reach), labels.shape, strict=True)
        )
        local = labels[window]
        return measure_extent(
            label,
            labels=local,
            territory=territories(local, self.spacing_mm, distance_mm=self.parameters.support_mm),
            box=window,
            sign=sign,
            difference=self.difference[window],
            expected=self.expected[window],
            doubt=self.doubt[window],
            noise=self.noise,
            brain=self.brain[window],
            spacing_mm=self.spacing_mm,
            parameters=self.parameters,
        )

    def view_of(
        self,
        extent: Extent,
        *,
        contrast: float,
        contrast_sd: float,
        points_of: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
    ) -> View:
        """What the scan shows of a lesion, for fitting; `points_of` takes indices of the whole arrays to mm."""
        corner = np.array([s.start for s in extent.box], dtype=float)
        return view_of(
            extent.excess,
            extent.territory,
            extent.outline,
            relief=extent.relief,
            spacing_mm=self.spacing_mm,
            noise=np.hypot(np.float32(self.noise.voxel * self.noise.growth), self.doubt[extent.box]),
            background_sd=max(extent.background_sd, 1e-3 * contrast),
            contrast=contrast,
            contrast_sd=contrast_sd,
            points_of=None if points_of is None else lambda index: points_of(index + corner),
        )

    def _margin(self, reach_mm: float) -> list[int]:
        return [int(n) + 1 for n in np.ceil(reach_mm / np.asarray(self.spacing_mm))]

    def _with_fitted_contrasts(self, extents: list[Extent]) -> list[Extent]:
        """Replace the contrast of small lesions by that of an ellipsoid seen through the voxels."""
        known = [e for e in extents if np.count_nonzero(e.interior) * e.voxel_mm3 >= _SHOWN_MM3]
        typical = float(np.median([e.contrast for e in known])) if known else None
        result = []
        for e in extents:
            if e.outline_mm3 > _FITTED_MM3 or self.noise.voxel <= 0:
                result.append(e)
                continue
            start = typical if typical is not None else e.contrast
            prior_sd = 2 * self.parameters.plateau_prior_spread * start
            fit = fit_ellipsoid(self.view_of(e, contrast=start, contrast_sd=prior_sd))
            precision = max(1 / fit.contrast_sd**2 - 1 / prior_sd**2, 0.05 / prior_sd**2)
            own = (fit.contrast / fit.contrast_sd**2 - start / prior_sd**2) / precision
            own = float(np.clip(own, 0.5 * fit.contrast, 2 * fit.contrast))
            if e.resolved:  # the interior shows the contrast too, whatever the shape
                by_fit = 1 / (1 / precision + (_SHAPE_SD * own) ** 2) if fit.misfit < GOOD_MISFIT else 0.0
                by_core = 1 / (e.contrast_sd**2 + (_SHAPE_SD * own) ** 2)
                own = (own * by_fit + e.contrast * by_core) / (by_fit + by_core)
                precision = by_fit + by_core
            result.append(replace(e, contrast=own, contrast_sd=float(1 / np.sqrt(precision)), resolved=True, fit=fit))
        return result

    def all_of(self, labels: NDArray[np.int32], signs: Sequence[int]) -> VolumeTable:
        """Measure every outline; `signs` by label, from 1."""
        extents = self.extents_of(labels, signs)
        return volume_table(extents, settle_contrasts(extents, self.parameters), labels.shape)


def volume_table(extents: Sequence[Extent], contrasts: Contrasts, shape: tuple[int, ...]) -> VolumeTable:
    """Turn extents into volumes and shares of voxels with the contrasts that were settled on.

    Parameters
    ----------
    extents : sequence of Extent
        The lesions of one visit.
    contrasts : Contrasts
        One for each.
    shape : tuple of int
        Shape of the arrays the extents were cut from.

    Returns
    -------
    VolumeTable
        In the order of the extents.
    """
    fraction = np.zeros(shape, dtype=np.float32)
    lesions = []
    for e in extents:
        contrast, contrast_sd = contrasts.each[e.label], contrasts.each_sd[e.label]
        volume, volume_sd = e.volume_and_sd_mm3(contrast, contrast_sd)
        part = fraction[e.box]
        counted = e.edge | e.whole
        part[counted] = np.clip(e.share(contrast)[counted], 0, 1)
        lesions.append(
            MeasuredLesion(
                label=e.label,
                sign=e.sign,
                volume_mm3=volume,
                volume_sd_mm3=volume_sd,
                contrast=contrast,
                contrast_sd=contrast_sd,
            )
        )
    return VolumeTable(
        lesions=tuple(lesions),
        fraction=fraction,
        typical_contrast=contrasts.typical,
        contrast_scatter=contrasts.scatter,
    )


def ordered_by_volume(
    labels: NDArray[np.int32],
    signs: Sequence[int],
    table: VolumeTable,
    *,
    least_mm3: float,
    least_sd: float,
    least_contrast: float,
) -> tuple[NDArray[np.int32], tuple[int, ...]]:
    """Number outlines by falling volume, from 1, and drop what is too small, too unsure or too faint.

    Parameters
    ----------
    labels : ndarray of int32
        Outlines, from 1.
    signs : sequence of int
        By label.
    table : VolumeTable
        What they measure.
    least_mm3, least_sd : float
        Volume that counts, mm³ and in its own standard deviations.
    least_contrast : float
        Contrast that counts, in the unit of the image.

    Returns
    -------
    labels : ndarray of int32
        Of those kept.
    signs : tuple of int
        By new label.
    """
    kept = sorted(
        (
            m
            for m in table.lesions
            if m.volume_mm3 >= max(least_mm3, least_sd * m.volume_sd_mm3) and m.contrast >= least_contrast
        ),
        key=lambda m: (-m.volume_mm3, m.label),
    )
    new = np.zeros(len(signs) + 1, dtype=np.int32)
    for number, lesion in enumerate(kept, start=1):
        new[lesion.label] = number
    return new[labels], tuple(lesion.sign for lesion in kept)
