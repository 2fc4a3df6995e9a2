"""Blurring inside a mask, so that what lies outside counts for nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_FWHM_OVER_SIGMA = 2.3548
_TRUNCATE = 3.0  # standard deviations; the weight left out is 0.3 %


def blurred_inside(
    values: NDArray[np.float32], inside: NDArray[np.bool_], spacing_mm: Sequence[float], *, fwhm_mm: float
) -> NDArray[np.float32]:
    """Average over the voxels of a mask with a Gaussian (normalised convolution [1]_).

    Parameters
    ----------
    values : ndarray, shape (I, J, K) or (I, J, K, C)
        What is averaged; each channel alike.
    inside : ndarray of bool, shape (I, J, K)
        Voxels that count.
    spacing_mm : sequence of float
        Voxel spacing, mm.
    fwhm_mm : float
        Full width at half maximum, mm.

    Returns
    -------
    ndarray of float32
        Shape of `values`; 0 where nothing counts within three standard deviations.

    References
    ----------
    .. [1] Knutsson and Westin, *Normalized and differential convolution*, CVPR 1993, 10.1109/CVPR.1993.341081.
    """
    sigma = [fwhm_mm / _FWHM_OVER_SIGMA / spacing for spacing in spacing_mm]
    total = _gaussian(inside.astype(np.float32), sigma)
    channels = values.reshape(*inside.shape, -1)
    result = np.zeros(channels.shape, dtype=np.float32)
    for n in range(channels.shape[-1]):
        sums = _gaussian(np.where(inside, channels[..., n], np.float32(0)), sigma)
        np.divide(sums, total, out=result[..., n], where=total > 1e-6)
    return result.reshape(values.shape)


def _gaussian(values: NDArray[np.float32], sigma: Sequence[float]) -> NDArray[np.float32]:
    return np.asarray(ndimage.gaussian_filter(values, sigma, mode="constant", truncate=_TRUNCATE), dtype=np.float32)
