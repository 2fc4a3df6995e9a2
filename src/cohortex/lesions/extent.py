"""How much of each voxel is lesion, what that adds up to, and how well it is known.

Deep inside the outline a voxel is all lesion. Across the edge its share is (intensity − background) / contrast, where
the background is the healthy expectation, set right by the shell around the lesion, and the contrast is that of the
interior, whose intensity is taken for even. The contrast of a lesion too small to have an interior is drawn towards
that of the visit's other lesions, by the precision of each (empirical Bayes; Efron and Morris, J Am Stat Assoc 70,
1975, 10.1080/01621459.1975.10479864).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.lesions.ellipsoid import EllipsoidFit
from cohortex.lesions.noise import NoiseModel
from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.smoothing import spread_of

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

_UNRESOLVED_SD = 0.3  # relative doubt about the contrast of a lesion without an interior
_SURE = 0.2  # doubt about the healthy intensity, as a share of the contrast, with which partial volume can be told
_HARD_EDGE_SD = 0.15  # of a voxel, for each voxel of an edge without partial volume
GOOD_MISFIT = 1.3  # an ellipsoid that misses by more than this much over the noise is the wrong shape
_GRAIN_VOXELS = 2.0  # and this many voxels, which matter for the smallest lesions
_SLICE_SD = 0.12  # of the volume, for a slice as thick as the lesion: what neither way of reading it knows


@dataclass(frozen=True, kw_only=True)
class Extent:
    """What one lesion shows before its contrast is settled; volumes in mm³, contrast in the unit of the image.

    Attributes
    ----------
    label, sign : int
        Its number in the outlines, and 1 for brighter or -1 for darker than healthy tissue.
    box : tuple of slice
        Where in the arrays it and its surroundings lie; the arrays below have that shape.
    excess : ndarray of float32
        Difference to the local background.
    outline, interior : ndarray of bool
        Voxels at least half lesion, and those deep inside.
    whole, edge : ndarray of bool
        Voxels counted as all lesion (the interior, and the outline where the healthy tissue is too doubtful to tell
        partial volume), and those counted by their share.
    territory : ndarray of bool
        Voxels near this outline and no other.
    relief : ndarray of float32
        How much brighter (towards the lesion) healthy tissue is in each voxel than in the core.
    voxel_mm3 : float
        Volume of a voxel.
    slice_mm : float
        Its longest side.
    edge_noise : float
        Standard deviation of the excess summed over the edge, the background included.
    whole_sd_mm3 : float
        Standard deviation of the volume counted as all lesion, for its hard edge.
    contrast, contrast_sd : float
        Contrast of the core read from the lesion alone.
    background_sd : float
        Standard deviation of the local background.
    resolved : bool
        Whether the lesion itself tells its contrast.
    fit : EllipsoidFit or None
        Of a small lesion.
    """

    label: int
    sign: int
    box: tuple[slice, ...]
    excess: Array
    outline: Mask
    interior: Mask
    whole: Mask
    edge: Mask
    territory: Mask
    relief: Array
    voxel_mm3: float
    slice_mm: float
    edge_noise: float
    whole_sd_mm3: float
    contrast: float
    contrast_sd: float
    background_sd: float
    resolved: bool
    fit: EllipsoidFit | None = None

    @property
    def outline_mm3(self) -> float:
        """Volume of the voxels of the outline, mm³."""
        return float(np.count_nonzero(self.outline)) * self.voxel_mm3

    @property
    def is_ellipsoid(self) -> bool:
        """Whether the volume is best taken from the fit."""
        return self.fit is not None and self.fit.misfit < GOOD_MISFIT

    def share(self, contrast: float) -> Array:
        """Share of each voxel of the box that is lesion, not cut, if the contrast of its core is `contrast`."""
        level = self.fit.background if self.is_ellipsoid and self.fit is not None else 0.0
        share = np.where(
            self.edge, (self.excess - np.float32(level)) / np.maximum(contrast - self.relief, 0.2 * contrast), 0
        )
        return np.where(self.whole, 1, share).astype(np.float32)

    def volume_mm3(self, contrast: float) -> float:
        """Volume, mm³, if the contrast of the core is `contrast`."""
        return self.volume_and_sd_mm3(contrast, 0.0)[0]

    def volume_and_sd_mm3(self, contrast: float, contrast_sd: float) -> tuple[float, float]:
        """Volume and one standard deviation, mm³: noise, background, doubt about the contrast and about the shape.

        Where an ellipsoid fits, the two ways of reading the volume are averaged by their precision.
        """
        full = float(np.count_nonzero(self.whole)) * self.voxel_mm3
        volume = max(float(self.share(contrast).sum(dtype=np.float64)) * self.voxel_mm3, 0.1 * self.voxel_mm3)
        noise = np.hypot(self.edge_noise * self.voxel_mm3 / contrast, self.whole_sd_mm3) / volume
        slope = -max(volume - full, 0.0) / volume
        if self.is_ellipsoid and self.fit is not None:
            fitted = self.fit.volume_mm3 * float(np.exp(self.fit.slope * np.log(contrast / self.fit.contrast)))
            by_share, by_fit = 1 / max(noise, 1e-3) ** 2, 1 / max(self.fit.volume_share_sd, 1e-3) ** 2
            part = by_fit / (by_share + by_fit)
            volume = float(np.exp((1 - part) * np.log(volume) + part * np.log(fitted)))
            noise, slope = 1 / np.sqrt(max(by_share, by_fit)), (1 - part) * slope + part * self.fit.slope
        grain = _GRAIN_VOXELS * self.voxel_mm3 / volume
        shape = _SLICE_SD * self.slice_mm / np.cbrt(6 / np.pi * volume)
        relative = np.sqrt(noise**2 + (slope * contrast_sd / contrast) ** 2 + shape**2 + grain**2)
        return volume, volume * float(relative)


@dataclass(frozen=True, kw_only=True)
class Contrasts:
    """Contrasts of the lesions of a visit after each has learned from the others.

    Attributes
    ----------
    typical, typical_sd, scatter : float
        Contrast of the visit's lesions, how well it is known, and its true spread between lesions, in the unit of
        the image.
    each, each_sd : dict of int to float
        By label: contrast and one standard deviation.
    """

    typical: float
    typical_sd: float
    scatter: float
    each: dict[int, float]
    each_sd: dict[int, float]


def territories(labels: NDArray[np.int32], spacing_mm: Sequence[float], *, distance_mm: float) -> NDArray[np.int32]:
    """Give every voxel within `distance_mm` of an outline to the nearest one; 0 elsewhere.

    One voxel along each axis is always reached, however thick the slices.
    """
    if not labels.any():
        return labels.copy()
    distance, nearest = ndimage.distance_transform_edt(labels == 0, sampling=spacing_mm, return_indices=True)
    within = (distance <= distance_mm) | ndimage.binary_dilation(labels > 0)
    return np.where(within, labels[tuple(nearest)], 0).astype(np.int32)


def measure_extent(
    label: int,
    *,
    labels: NDArray[np.int32],
    territory: NDArray[np.int32],
    box: tuple[slice, ...],
    sign: int,
    difference: Array,
    expected: Array,
    doubt: Array,
    noise: NoiseModel,
    brain: Mask,
    spacing_mm: Sequence[float],
    parameters: LesionParameters,
) -> Extent:
    """Read one lesion off the difference to the healthy expectation.

    Parameters
    ----------
    label : int
        Which one.
    labels, territory : ndarray of int32
        Outlines, and the voxels whose signal belongs to each, in a box around the lesion with room for the shell.
    box : tuple of slice
        Where that box lies in the whole.
    sign : int
        1 for a lesion brighter than healthy tissue, -1 for a darker one.
    difference, expected, doubt : ndarray
        Observed minus expected healthy intensity, the latter itself and its standard deviation, in the box.
    noise : NoiseModel
        Its noise in healthy tissue.
    brain : ndarray of bool
        Brain mask, in the box.
    spacing_mm : sequence of float
        Voxel spacing, mm.
    parameters : LesionParameters
        The numbers.

    Returns
    -------
    Extent
        Everything but the final contrast.
    """
    voxel_mm3 = float(np.prod(spacing_mm))
    inside, mine = labels == label, territory == label
    free = brain & (territory == 0)
    distance = ndimage.distance_transform_edt(~mine, sampling=spacing_mm)
    shell = free & (distance <= max(parameters.shell_mm, 1.01 * min(spacing_mm)))
    local = sign * difference
    sure = doubt <= _SURE * max(float(np.median(local[inside])), 0.0)
    trusted = shell & sure
    offset, offset_sd = _background_offset(local[trusted if np.count_nonzero(trusted) >= 30 else shell], noise)
    above = np.asarray(local - offset, dtype=np.float32)
    interior = _interior(inside, spacing_mm)
    whole = interior | (inside & ~sure)
    edge = mine & sure & ~interior
    core = _core(above, inside, interior)
    contrast = float(np.median(above[core]))
    relief = np.asarray(sign * (expected - np.median(expected[core])), dtype=np.float32)
    contrast_sd = 1.2533 * noise.voxel * noise.growth / np.sqrt(np.count_nonzero(core))
    if not interior.any():
        contrast_sd = float(np.hypot(contrast_sd, _UNRESOLVED_SD * contrast))
    edge_count = np.count_nonzero(edge)
    rim = np.count_nonzero(inside & ~sure & ~ndimage.binary_erosion(inside))
    return Extent(
        label=label,
        sign=sign,
        box=box,
        excess=above,
        outline=inside,
        interior=interior,
        whole=whole,
        edge=edge,
        territory=mine & brain,
        relief=relief,
        voxel_mm3=voxel_mm3,
        slice_mm=max(spacing_mm),
        edge_noise=float(np.hypot(np.sqrt(edge_count) * noise.voxel * noise.growth, offset_sd * edge_count)),
        whole_sd_mm3=_HARD_EDGE_SD * rim * voxel_mm3,
        contrast=contrast,
        contrast_sd=float(np.hypot(contrast_sd, offset_sd)),
        background_sd=offset_sd,
        resolved=bool(interior.any()),
    )


def settle_contrasts(extents: Sequence[Extent], parameters: LesionParameters) -> Contrasts:
    """Let lesions without an interior borrow the contrast of those that have one.

    Parameters
    ----------
    extents : sequence of Extent
        The lesions of one visit, of one sign.
    parameters : LesionParameters
        Spread of contrast assumed where few lesions tell it.

    Returns
    -------
    Contrasts
        Precision-weighted; the scatter between lesions is estimated where three or more have an interior.
    """
    known = [e for e in extents if e.resolved] or list(extents)
    if not known:
        return Contrasts(typical=0.0, typical_sd=0.0, scatter=0.0, each={}, each_sd={})
    values = np.array([e.contrast for e in known])
    sds = np.array([max(e.contrast_sd, 1e-3 * e.contrast) for e in known])
    typical = float(np.average(values, weights=1 / (sds**2 + (0.1 * values) ** 2)))
    prior = parameters.plateau_prior_spread * typical
    excess_variance = float(np.mean((values - typical) ** 2 - sds**2))
    n = len(values)
    scatter = float(np.sqrt(max((3 * prior**2 * 0.25 + n * max(excess_variance, 0)) / (n + 3), (0.02 * typical) ** 2)))
    each, each_sd = {}, {}
    for e in extents:
        own, pooled = 1 / max(e.contrast_sd, 1e-3 * typical) ** 2, 1 / scatter**2
        each[e.label] = (e.contrast * own + typical * pooled) / (own + pooled)
        each_sd[e.label] = float(1 / np.sqrt(own + pooled))
    typical_sd = float(1 / np.sqrt(np.sum(1 / (sds**2 + scatter**2))))
    return Contrasts(typical=typical, typical_sd=typical_sd, scatter=scatter, each=each, each_sd=each_sd)


def _background_offset(values: Array, noise: NoiseModel) -> tuple[float, float]:
    """Median of the shell and its standard deviation; nothing where the shell is too small to say."""
    if values.size < 10:
        return 0.0, 2 * noise.background
    sd = 1.2533 * max(noise.voxel, spread_of(values)) / np.sqrt(values.size) * noise.growth
    return float(np.median(values)), float(np.hypot(sd, noise.background))


def _interior(inside: Mask, spacing_mm: Sequence[float]) -> Mask:
    """Voxels at least 1.5 mm, and one voxel along each axis, within the outline."""
    padded = np.pad(inside, 1)
    depth = ndimage.distance_transform_edt(padded, sampling=spacing_mm)
    eroded = ndimage.binary_erosion(padded, structure=ndimage.generate_binary_structure(3, 1))
    return np.asarray((eroded & (depth >= 1.9))[1:-1, 1:-1, 1:-1])


def _core(above: Array, inside: Mask, interior: Mask) -> Mask:
    """Voxels the contrast is read from: the interior, or the brightest third of a lesion that has none."""
    if interior.any():
        return interior
    values = above[inside]
    count = max(1, values.size // 3)
    return np.asarray(inside & (above >= np.partition(values, -count)[-count]))
