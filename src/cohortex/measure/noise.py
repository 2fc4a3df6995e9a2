"""Noise and signal-to-noise of one image, without a second scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import ive

from cohortex.image import Image, Labels
from cohortex.measure.foreground import foreground_mask

_MAD_TO_SD = 1 / 0.6744897501960817  # for normal noise
_MAD_EFFICIENCY = 0.37  # of the median absolute deviation, against the sd of as many normal values
_RAYLEIGH_MEDIAN = np.sqrt(2 * np.log(2))  # median of |noise| over the sd of each of its two channels
_AIR_OF_HU = -1000.0
_FEWEST_VALUES = 50
_SLICES_FOR_3D = 8
_EVEN_SHARE = 0.33  # of the blocks, those farthest from edges
_AIR_MARGIN_VOXELS = 4  # from the object: no partial volume, little ringing


@dataclass(frozen=True, kw_only=True)
class SignalToNoise:
    """Signal, noise and their ratio.

    Attributes
    ----------
    ratio : float
        Signal over noise; infinite where no noise was found.
    ratio_interval : pair of float
        95 % interval of the ratio from the number of values (not from what the method cannot see).
    signal : float
        Median of the tissue, in the unit of the image (above air for HU); bias by Rician noise removed.
    noise_sd : float
        Standard deviation of the noise before the magnitude was taken, unit of the image.
    background_noise_sd : float or None
        The same from the air around the object; None where the air was cleared, cut off or is no magnitude.
    values : int
        Number of independent values the noise rests on.
    """

    ratio: float
    ratio_interval: tuple[float, float]
    signal: float
    noise_sd: float
    background_noise_sd: float | None
    values: int


def signal_to_noise(image: Image, mask: Labels | None = None) -> SignalToNoise:
    """Estimate the signal-to-noise ratio of an image.

    The noise is the median absolute deviation of the finest diagonal Haar wavelet coefficients inside the tissue
    [1]_: differences over blocks of 2 × 2 × 2 voxels (2 × 2 in each slice where there are fewer than 8 slices),
    blind to gradients and to edges along an axis. In magnitude images it is corrected for the Rician
    distribution [2]_. Noise that was smoothed or interpolated away is not seen: the ratio is then too large.

    Parameters
    ----------
    image : Image
        Scalar image of three axes, linear in signal (magnitude) or HU.
    mask : Labels, optional
        Tissue to measure in, such as the brain; the largest object above the air when omitted.

    Returns
    -------
    SignalToNoise
        With the noise of the air as a second opinion where the air allows it.

    Raises
    ------
    ValueError
        If the image has other than three axes or several values per voxel, the mask lies on another grid, or
        there are
        fewer than 50 even blocks of finite voxels inside it.

    References
    ----------
    .. [1] Coupé et al., *Robust Rician noise estimation for MR images*, Medical Image Analysis 14, 2010,
       10.1016/j.media.2010.03.001.
    .. [2] Koay, Basser, *Analytically exact correction scheme for signal extraction from noisy magnitude MR
       signals*, Journal of Magnetic Resonance 179, 2006, 10.1016/j.jmr.2006.01.016.
    """
    if image.grid.ndim != 3 or not image.is_scalar:
        raise ValueError("signal-to-noise needs one value per voxel on a grid of three axes.")
    if mask is not None and not mask.grid.same_as(image.grid):
        raise ValueError("the mask lies on another grid; resample it onto the image first.")
    values = np.asarray(image.values, dtype=np.float64)
    tissue = (foreground_mask(image) if mask is None else mask.mask) & np.isfinite(values)
    magnitude = image.unit != "HU" and bool(np.nanmin(np.where(np.isfinite(values), values, np.nan)) >= 0)
    coefficients = _diagonal_coefficients(values, tissue)
    if coefficients.size < _FEWEST_VALUES:
        raise ValueError(
            f"only {coefficients.size} even blocks of voxels inside the mask; give a larger mask or image."
        )
    spread = float(np.median(np.abs(coefficients)) * _MAD_TO_SD)
    median = float(np.median(values[tissue]))
    if image.unit == "HU":
        signal, noise = median - _AIR_OF_HU, spread
    elif magnitude:
        signal, noise = _without_rician_bias(median, spread)
    else:
        signal, noise = median, spread
    ratio = signal / noise if noise > 0 else float("inf")
    relative = 1.96 / np.sqrt(2 * _MAD_EFFICIENCY * coefficients.size)
    return SignalToNoise(
        ratio=float(ratio),
        ratio_interval=(float(ratio / (1 + relative)), float(ratio / max(1e-9, 1 - relative))),
        signal=float(signal),
        noise_sd=float(noise),
        background_noise_sd=_air_noise(image) if magnitude else None,
        values=int(coefficients.size),
    )


def _diagonal_coefficients(values: NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Haar coefficients, of the same sd as the noise, of the even half of the blocks inside; shape (n,).

    As in Coupé et al., blocks at edges are left out: those where the block means change most. The means are
    independent of the coefficients, so the choice does not favour small ones.
    """
    axes = (0, 1, 2) if values.shape[2] >= _SLICES_FOR_3D else (0, 1)
    difference = np.where(inside, values, 0.0)
    mean, whole = difference, inside
    for axis in axes:
        even = values.shape[axis] // 2 * 2
        first, second = _take(even, axis, 0), _take(even, axis, 1)
        difference = (difference[first] - difference[second]) / np.sqrt(2)
        mean = (mean[first] + mean[second]) / 2
        whole = whole[first] & whole[second]
    steepness = np.zeros_like(mean)
    for axis in axes:
        if mean.shape[axis] > 1:
            steepness += np.gradient(mean, axis=axis) ** 2
    if not whole.any():
        return np.zeros(0)
    return difference[whole & (steepness <= np.quantile(steepness[whole], _EVEN_SHARE))]


def _take(even: int, axis: int, start: int) -> tuple[slice, ...]:
    return tuple(slice(start, even, 2) if a == axis else slice(None) for a in range(3))


def _without_rician_bias(signal: float, spread: float) -> tuple[float, float]:
    """Turn the mean and sd of magnitudes into signal and channel noise (Koay & Basser 2006, equations 7 to 18)."""
    if spread == 0:
        return signal, 0.0
    measured = signal / spread
    if measured <= np.sqrt(np.pi / (4 - np.pi)):  # the ratio of pure noise: no signal is left
        return 0.0, spread / np.sqrt(2 - np.pi / 2)
    theta = measured
    for _ in range(200):
        updated = np.sqrt(max(0.0, _rician_factor(theta) * (1 + measured**2) - 2))
        if abs(updated - theta) < 1e-9:
            break
        theta = float(updated)
    noise = spread / np.sqrt(_rician_factor(theta))
    return theta * noise, noise


def _rician_factor(theta: float) -> float:
    """Variance of a magnitude over that of one channel, at signal-to-noise `theta`."""
    quarter = theta**2 / 4
    bessel = (2 + theta**2) * ive(0, quarter) + theta**2 * ive(1, quarter)
    return float(2 + theta**2 - np.pi / 8 * bessel**2)


def _air_noise(image: Image) -> float | None:
    """Channel noise from the Rayleigh distribution of magnitudes in the air, where the air was left as measured."""
    values: NDArray[Any] = np.asarray(image.values, dtype=np.float64)
    reach = ndimage.generate_binary_structure(3, 1)
    near = ndimage.binary_dilation(
        ndimage.binary_fill_holes(foreground_mask(image)), reach, iterations=_AIR_MARGIN_VOXELS
    )
    air = values[~near & np.isfinite(values)]
    if air.size < _FEWEST_VALUES or np.mean(air == 0) > 0.25:  # cleared, or rounded away
        return None
    return float(np.median(air) / _RAYLEIGH_MEDIAN)
