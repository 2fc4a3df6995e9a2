"""Averages over a neighbourhood given in millimetres that skip what must not count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_TRUNCATE = 3.0  # standard deviations; the weight left out is 0.3 %
_BLOCK_SIGMA = 0.34  # side of a block over sigma


def blurred(values: NDArray[np.float32], spacing_mm: Sequence[float], *, sigma_mm: float) -> NDArray[np.float32]:
    """Blur an array with a Gaussian of `sigma_mm`; beyond the border the nearest voxel repeats.

    Parameters
    ----------
    values : ndarray, shape (I, J, K)
        What is blurred.
    spacing_mm : sequence of float
        Voxel spacing, mm.
    sigma_mm : float
        Standard deviation, mm; an axis whose spacing exceeds four sigma is left alone.

    Returns
    -------
    ndarray of float32
        Same shape.
    """
    sigma = [sigma_mm / s if s < 4 * sigma_mm else 0.0 for s in spacing_mm]
    return np.asarray(
        ndimage.gaussian_filter(values.astype(np.float32, copy=False), sigma, mode="nearest", truncate=_TRUNCATE)
    )


def blurred_within(
    values: NDArray[np.float32],
    weight: NDArray[np.float32],
    spacing_mm: Sequence[float],
    *,
    sigma_mm: float,
) -> NDArray[np.float32]:
    """Average with a Gaussian over the voxels that count (normalised convolution).

    Parameters
    ----------
    values, weight : ndarray, shape (I, J, K)
        What is averaged and how much each voxel counts, 0 or more.
    spacing_mm : sequence of float
        Voxel spacing, mm.
    sigma_mm : float
        Standard deviation, mm.

    Returns
    -------
    ndarray of float32
        Weighted mean around each voxel; 0 where nothing counts within three sigma.

    References
    ----------
    .. [1] Knutsson and Westin, *Normalized and differential convolution*, CVPR 1993, 10.1109/CVPR.1993.341081.
    """
    total = blurred(weight, spacing_mm, sigma_mm=sigma_mm)
    mean = blurred(values * weight, spacing_mm, sigma_mm=sigma_mm)
    return np.asarray(np.divide(mean, total, out=np.zeros_like(mean), where=total > 1e-6))


def slow_mean(
    values: NDArray[np.float32],
    weight: NDArray[np.float32],
    spacing_mm: Sequence[float],
    *,
    sigma_mm: float,
) -> NDArray[np.float32]:
    """Average as `blurred_within` does, on blocks of a third of sigma, and bring the result back linearly.

    What is that slow needs no finer grid; the width is corrected for what blocks and lines add to it.
    """
    block = [max(1, int(_BLOCK_SIGMA * sigma_mm / s)) for s in spacing_mm]
    if max(block) == 1:
        return blurred_within(values, weight, spacing_mm, sigma_mm=sigma_mm)
    total = _block_mean(weight, block)
    sums = _block_mean(values * weight, block)
    coarse = np.divide(sums, total, out=np.zeros_like(total), where=total > 0)
    spacing = [b * s for b, s in zip(block, spacing_mm, strict=True)]
    added = max((b * b - 1) * s * s for b, s in zip(block, spacing_mm, strict=True)) * (1 / 12 + 1 / 6)
    mean = blurred_within(coarse, total, spacing, sigma_mm=float(np.sqrt(sigma_mm**2 - added)))
    scale = [1 / b for b in block]
    offset = [(1 / b - 1) / 2 for b in block]
    return np.asarray(ndimage.affine_transform(mean, scale, offset, output_shape=values.shape, order=1, mode="nearest"))


def _block_mean(values: NDArray[np.float32], block: Sequence[int]) -> NDArray[np.float32]:
    """Mean over blocks of voxels; the last block of an axis is filled up with zeros."""
    padded = np.pad(values, [(0, -n % b) for n, b in zip(values.shape, block, strict=True)])
    split = [n for size, b in zip(padded.shape, block, strict=True) for n in (size // b, b)]
    return np.asarray(padded.reshape(split).mean(axis=(1, 3, 5)), dtype=np.float32)


def spread_of(values: NDArray[np.float32]) -> float:
    """Standard deviation of the bulk of `values`: 1.4826 times the median absolute deviation; 0 for none."""
    if values.size == 0:
        return 0.0
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def near(mask: NDArray[np.bool_], spacing_mm: Sequence[float], *, distance_mm: float) -> NDArray[np.bool_]:
    """Mark every voxel whose centre lies within `distance_mm` of the mask, the mask included."""
    if not mask.any():
        return mask.copy()
    reach = np.ceil(distance_mm / np.asarray(spacing_mm)).astype(int)
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    window = tuple(
        slice(max(0, s.start - r), min(n, s.stop + r)) for s, r, n in zip(box, reach, mask.shape, strict=True)
    )
    result = np.zeros(mask.shape, dtype=bool)
    result[window] = ndimage.distance_transform_edt(~mask[window], sampling=spacing_mm) <= distance_mm
    return result
