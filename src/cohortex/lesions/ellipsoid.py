"""Contrast and volume of a lesion too small to have an interior: an ellipsoid seen through the voxels of the scan.

In a slice thicker than the lesion no voxel is all lesion, so that the brightest voxel says too little about the
contrast and too much about the volume. An ellipsoid averaged over each voxel, fitted with weak priors on its roundness
and its contrast, splits what is seen between the two and says how well it could (maximum a posteriori; the covariance
is that of the linearised model; Tarantola, *Inverse Problem Theory*, SIAM 2005, section 3.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SUBSAMPLE_MM = 1.0  # a voxel side longer than this is averaged over points no further apart
_ROUNDNESS_SD = 0.3  # of the logarithm of the axes about their mean
_TILT_SD = 0.3  # of the shear between axes
_STEPS = 40
_STARTS = (0.0, -0.5, 0.5)  # logarithm of the contrast over what is known beforehand
_SETTLED = 1e-7  # relative gain of the sum of squares below which the fit has settled
_MOST_DAMPING = 1e6
_NUDGE = 1e-7


@dataclass(frozen=True, kw_only=True)
class EllipsoidFit:
    """What the fit says, with one standard deviation.

    Attributes
    ----------
    contrast, contrast_sd : float
        In the unit of the image.
    volume_mm3, volume_sd_mm3 : float
        Volume of the ellipsoid, mm³.
    slope : float
        How the logarithm of the volume follows that of the contrast along what the fit cannot tell apart, -3 to 0.
    volume_share_sd : float
        One standard deviation of the logarithm of the volume when the contrast is known.
    background : float
        Level found around it, in the unit of the image.
    misfit : float
        Root mean square of the residual over the noise; 1 where the model holds.
    """

    contrast: float
    contrast_sd: float
    volume_mm3: float
    volume_sd_mm3: float
    slope: float
    volume_share_sd: float
    background: float
    misfit: float


def fit_ellipsoid(
    excess: NDArray[np.float32],
    counted: NDArray[np.bool_],
    outline: NDArray[np.bool_],
    *,
    relief: NDArray[np.float32],
    spacing_mm: Sequence[float],
    noise: NDArray[np.float32],
    background_sd: float,
    contrast: float,
    contrast_sd: float,
    blur_mm: float = 0.5,
) -> EllipsoidFit:
    """Fit one ellipsoid of even contrast to the excess over healthy tissue.

    Parameters
    ----------
    excess : ndarray, shape (I, J, K)
        Difference to the local background, positive for a lesion.
    counted, outline : ndarray of bool
        Voxels that count, and the outline to start from.
    relief : ndarray
        How much brighter (towards the lesion) healthy tissue is in each voxel than in the core: a lesion of even
        intensity stands out by that much less.
    spacing_mm : sequence of float
        Voxel spacing, mm.
    noise : ndarray
        Standard deviation of each voxel, in the unit of the image.
    background_sd : float
        Standard deviation of the background level.
    contrast, contrast_sd : float
        What is known of the contrast beforehand.
    blur_mm : float
        Width of a linear ramp that blurs an edge as the scanner does, mm: √12 standard deviations of its point
        spread; 0.5 mm adds little to that of the voxel.

    Returns
    -------
    EllipsoidFit
        The most probable ellipsoid.
    """
    spacing = np.asarray(spacing_mm, dtype=float)
    centers = np.argwhere(counted) * spacing  # (n, 3) mm
    observed, lifted = excess[counted].astype(np.float64), relief[counted].astype(np.float64)
    counts = np.maximum(1, np.ceil(spacing / _SUBSAMPLE_MM - 1e-6)).astype(int)
    offsets = np.stack(
        np.meshgrid(
            *[((np.arange(n) + 0.5) / n - 0.5) * s for n, s in zip(counts, spacing, strict=True)], indexing="ij"
        ),
        axis=-1,
    ).reshape(-1, 3)
    edge_mm = float(np.hypot(np.max(spacing / counts), blur_mm))
    voxel_noise = noise[counted].astype(np.float64)
    points = centers[:, None, :] + offsets  # (n, samples, 3)

    inside = np.argwhere(outline) * spacing
    weight = np.maximum(excess[outline], 1e-6).astype(float)
    middle = np.average(inside, axis=0, weights=weight)
    radius = float(np.cbrt(0.75 / np.pi * max(len(inside), 2) * np.prod(spacing)))
    start = np.concatenate([middle, np.full(3, np.log(radius)), np.zeros(3), [np.log(contrast), 0.0]])

    def residual(p: NDArray[np.float64]) -> NDArray[np.float64]:
        level = np.exp(p[9])
        modelled = np.maximum(level - lifted, 0.2 * level) * _share(points, p, edge_mm) + p[10]
        size = p[3:6].mean()
        priors = np.concatenate(
            [
                (p[3:6] - size) / _ROUNDNESS_SD,
                p[6:9] / _TILT_SD,
                [(p[9] - np.log(contrast)) / (contrast_sd / contrast), p[10] / background_sd],
                (p[:3] - middle) / (2 * np.maximum(radius, spacing / 2)),
            ]
        )
        return np.concatenate([(observed - modelled) / voxel_noise, priors])

    bound = np.full(11, np.inf)
    bound[3:6] = np.log(4)
    # A thin bright slab in the middle of a thick slice and a thick faint one look much alike: both are tried.
    _, best, information = min(
        (
            _least_squares(residual, start + shift, low=start - bound, high=start + bound)
            for shift in (_contrast_shift(log_factor) for log_factor in _STARTS)
        ),
        key=lambda found: found[0],
    )
    covariance = np.linalg.pinv(information)
    misfit = float(np.sqrt(np.mean(residual(best)[: len(observed)] ** 2)))
    inflation = max(1.0, misfit)
    log_volume_sd = float(np.sqrt(max(covariance[3:6, 3:6].sum(), 0.0))) * inflation
    together = float(covariance[3:6, 9].sum())
    slope = float(np.clip(together / max(covariance[9, 9], 1e-12), -3.0, 0.0))
    share_variance = float(covariance[3:6, 3:6].sum()) - 2 * slope * together + slope**2 * float(covariance[9, 9])
    volume = 4 / 3 * np.pi * float(np.exp(best[3:6].sum()))
    level = float(np.exp(best[9]))
    return EllipsoidFit(
        contrast=level,
        contrast_sd=level * float(np.sqrt(max(covariance[9, 9], 0.0))) * inflation,
        volume_mm3=volume,
        volume_sd_mm3=volume * log_volume_sd,
        slope=slope,
        volume_share_sd=float(np.sqrt(max(share_variance, 0.0))) * inflation,
        background=float(best[10]),
        misfit=misfit,
    )


def _contrast_shift(log_factor: float) -> NDArray[np.float64]:
    """Another start with the same sum of excess: contrast up by a factor, volume down by it."""
    shift = np.zeros(11)
    shift[9], shift[3:6] = log_factor, -log_factor / 3
    return shift


def _least_squares(
    residual: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    start: NDArray[np.float64],
    *,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Minimise the sum of squares within a box; give it, the minimum and the information matrix there.

    Levenberg's and Marquardt's steps on the normal equations: eleven unknowns and priors on all of them, so that these
    are well conditioned and a hundred times cheaper than a decomposition of the whole Jacobian.
    """
    point, damping = start, 1e-3
    values = residual(point)
    jacobian = _jacobian(residual, point, values)
    information = jacobian.T @ jacobian
    for _ in range(_STEPS):
        gradient, scale = jacobian.T @ values, np.diag(information)
        step = np.linalg.solve(information + damping * np.diag(scale), -gradient)
        trial = np.clip(point + step, low, high)
        tried = residual(trial)
        gained = float(values @ values - tried @ tried)
        if gained <= 0:
            damping *= 8
            if damping > _MOST_DAMPING:
                break
            continue
        settled = gained < _SETTLED * float(values @ values)
        point, values, damping = trial, tried, damping / 5
        jacobian = _jacobian(residual, point, values)
        information = jacobian.T @ jacobian
        if settled:
            break
    return float(values @ values), point, information


def _jacobian(
    residual: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    point: NDArray[np.float64],
    values: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Forward differences, shape (residuals, unknowns)."""
    moved = point + np.diag(_NUDGE * np.maximum(1.0, np.abs(point)))
    return np.stack([(residual(p) - values) / (p[n] - point[n]) for n, p in enumerate(moved)], axis=1)


def _share(points: NDArray[np.float64], p: NDArray[np.float64], edge_mm: float) -> NDArray[np.float64]:
    """Share of each voxel inside the ellipsoid: soft step at the surface, averaged over the points of the voxel."""
    off = points - p[:3]
    a, b, c = np.exp(-p[3:6])
    x, y, z = off[..., 0], off[..., 1], off[..., 2]
    # Upper triangular map to the unit sphere: its determinant is that of the diagonal, so tilt keeps the volume.
    u, v, w = a * (x + p[6] * y + p[7] * z), b * (y + p[8] * z), c * z
    level = np.sqrt(u * u + v * v + w * w)
    gu, gv, gw = u / np.maximum(level, 1e-9), v / np.maximum(level, 1e-9), w / np.maximum(level, 1e-9)
    gx, gy, gz = a * gu, a * p[6] * gu + b * gv, a * p[7] * gu + b * p[8] * gv + c * gw
    slope = np.maximum(np.sqrt(gx * gx + gy * gy + gz * gz), 1e-9)
    # Blur moves the half level of a ball of radius R inwards by variance / R; without that the share gains volume.
    distance = (level - 1) / slope + edge_mm**2 / 12 * np.cbrt(a * b * c)
    return np.asarray(np.clip(0.5 - distance / edge_mm, 0, 1).mean(axis=-1))
