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
_RATIO_SLACK = 0.1  # of the logarithm: a lesion's contrast between visits, over that of the others
_CHANGE_SD = 1.0  # of the logarithm of the volume, between visits
_SHIFT_MM = 0.3  # of the centre between visits, for misalignment and uneven growth
_STEPS = 40
_STARTS = (0.0, -0.5, 0.5)  # logarithm of the contrast over what is known beforehand
_ENOUGH_VOXELS = 2000
_SETTLED = 1e-5  # relative gain of the sum of squares below which the fit has settled
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


@dataclass(frozen=True, kw_only=True)
class View:
    """What one scan shows of a lesion, and what is known beforehand.

    Attributes
    ----------
    points_mm : ndarray, shape (n, samples, 3)
        Points over which each counted voxel is averaged.
    excess : ndarray, shape (n,)
        Difference to the local background, positive for a lesion.
    relief : ndarray, shape (n,)
        How much brighter (towards the lesion) healthy tissue is in each voxel than in the core: a lesion of even
        intensity stands out by that much less.
    noise : ndarray, shape (n,)
        Standard deviation of each voxel.
    middle_mm : ndarray, shape (3,)
        Where the outline has its weight.
    radius_mm : float
        Of a ball as large as the outline.
    edge_mm : float
        Width of the linear ramp at an edge.
    reach_mm : float
        How far the centre may be from the middle, one standard deviation.
    background_sd : float
        Standard deviation of the background level.
    contrast, contrast_sd : float
        What is known of the contrast beforehand.
    """

    points_mm: NDArray[np.float64]
    excess: NDArray[np.float64]
    relief: NDArray[np.float64]
    noise: NDArray[np.float64]
    middle_mm: NDArray[np.float64]
    radius_mm: float
    edge_mm: float
    reach_mm: float
    background_sd: float
    contrast: float
    contrast_sd: float


def view_of(
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
    points_of: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
) -> View:
    """Collect what one scan shows of a lesion.

    Parameters
    ----------
    excess, relief, noise : ndarray, shape (I, J, K)
        As in `View`, in a box around the lesion.
    counted, outline : ndarray of bool
        Voxels that count, and the outline to start from.
    spacing_mm : sequence of float
        Voxel spacing, mm.
    background_sd, contrast, contrast_sd : float
        As in `View`.
    blur_mm : float
        Width of a linear ramp that blurs an edge as the scanner does, mm: √12 standard deviations of its point
        spread; 0.5 mm adds little to that of the voxel.
    points_of : callable, optional
        From indices in the box, shape (n, 3), to mm; index times spacing when omitted.

    Returns
    -------
    View
        For `fit_ellipsoid`.
    """
    spacing = np.asarray(spacing_mm, dtype=float)
    placed = points_of or (lambda index: index * spacing)
    counts = np.maximum(1, np.ceil(spacing / _SUBSAMPLE_MM - 1e-6)).astype(int)
    offsets = np.stack(np.meshgrid(*[(np.arange(n) + 0.5) / n - 0.5 for n in counts], indexing="ij"), axis=-1).reshape(
        -1, 3
    )
    counted = _thinned(counted)
    index = np.argwhere(counted)[:, None, :] + offsets  # (n, samples, 3)
    weight = np.maximum(excess[outline], 1e-6).astype(float)
    middle = np.average(placed(np.argwhere(outline).astype(float)), axis=0, weights=weight)
    radius = float(np.cbrt(0.75 / np.pi * max(int(np.count_nonzero(outline)), 2) * np.prod(spacing)))
    return View(
        points_mm=placed(index.reshape(-1, 3)).reshape(index.shape),
        excess=excess[counted].astype(np.float64),
        relief=relief[counted].astype(np.float64),
        noise=noise[counted].astype(np.float64),
        middle_mm=middle,
        radius_mm=radius,
        edge_mm=float(np.hypot(np.max(spacing / counts), blur_mm)),
        reach_mm=2 * max(radius, float(spacing.max()) / 2),
        background_sd=background_sd,
        contrast=contrast,
        contrast_sd=contrast_sd,
    )


def _thinned(counted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Every second or third (…) voxel of a lesion that has more than enough, spread evenly."""
    stride = int(np.ceil(np.count_nonzero(counted) / _ENOUGH_VOXELS))
    if stride < 2:
        return counted
    return np.asarray(counted & (np.indices(counted.shape).sum(axis=0) % stride == 0))


def fit_ellipsoid(view: View) -> EllipsoidFit:
    """Fit one ellipsoid of even contrast to the excess over healthy tissue.

    Parameters
    ----------
    view : View
        What the scan shows.

    Returns
    -------
    EllipsoidFit
        The most probable ellipsoid.
    """
    fits, _ = _fit((view,), contrast_ratio=1.0)
    return fits[0]


def fit_ellipsoid_twice(
    first: View, second: View, *, contrast_ratio: float
) -> tuple[EllipsoidFit, EllipsoidFit, float]:
    """Fit one ellipsoid to two visits, of one shape, whose size may have changed.

    A lesion that one visit shows in thick slices takes its shape from the other, so that the change is known better
    than either volume.

    Parameters
    ----------
    first, second : View
        What each visit shows, in one space.
    contrast_ratio : float
        Contrast of lesions at the second visit over that at the first.

    Returns
    -------
    first, second : EllipsoidFit
        The lesion at each visit.
    change_sd : float
        One standard deviation of the logarithm of the ratio of the volumes.
    """
    fits, change_sd = _fit((first, second), contrast_ratio=contrast_ratio)
    return fits[0], fits[1], change_sd


# The unknowns: centre (3), logarithms of the axes (3), shear between axes (3); for each view the logarithm of the
# contrast and the background (2); for the second view the logarithm of its volume over the first (1) and a shift (3).
_CONTRAST, _BACKGROUND, _RATIO, _SHIFT = 9, 10, 13, slice(14, 17)


def _fit(views: Sequence[View], *, contrast_ratio: float) -> tuple[list[EllipsoidFit], float]:
    """Fit a lesion to one or two views; the standard deviation of the logarithm of the ratio of volumes (0 for one)."""
    middle = np.mean([view.middle_mm for view in views], axis=0)
    sizes = np.log([view.radius_mm for view in views])
    known = [(np.log(view.contrast), view.contrast_sd / view.contrast) for view in views]
    start = np.concatenate([middle, np.full(3, sizes[0]), np.zeros(3), *[[level, 0.0] for level, _ in known]])
    if len(views) == 2:
        start = np.concatenate([start, [3 * (sizes[1] - sizes[0])], np.zeros(3)])

    def residual(p: NDArray[np.float64]) -> NDArray[np.float64]:
        size = p[3:6].mean()
        parts = [(p[3:6] - size) / _ROUNDNESS_SD, p[6:9] / _TILT_SD, (p[:3] - middle) / views[0].reach_mm]
        for n, view in enumerate(views):
            log_level, background = p[_CONTRAST + 2 * n], p[_BACKGROUND + 2 * n]
            body = p[:9]
            if n == 1:
                body = np.concatenate([p[:3] + p[_SHIFT], p[3:6] + p[_RATIO] / 3, p[6:9]])
            level = np.exp(log_level)
            share = _share(view.points_mm, body, view.edge_mm)
            modelled = np.maximum(level - view.relief, 0.2 * level) * share + background
            parts.append((view.excess - modelled) / view.noise)
            parts.append(np.array([(log_level - known[n][0]) / known[n][1], background / view.background_sd]))
        if len(views) == 2:
            kept = p[_CONTRAST + 2] - p[_CONTRAST] - np.log(contrast_ratio)
            parts.append(np.array([kept / _RATIO_SLACK, p[_RATIO] / _CHANGE_SD]))
            parts.append(p[_SHIFT] / _SHIFT_MM)
        return np.concatenate(parts)

    bound = np.full(len(start), np.inf)
    bound[3:6] = np.log(4)
    # A thin bright slab in the middle of a thick slice and a thick faint one look much alike: both are tried.
    _, best, information = min(
        (
            _least_squares(residual, start + _contrast_shift(factor, len(views)), low=start - bound, high=start + bound)
            for factor in _STARTS
        ),
        key=lambda found: found[0],
    )
    covariance = np.asarray(np.linalg.pinv(information), dtype=np.float64)
    left = residual(best)
    fits, first = [], 9
    for n, view in enumerate(views):
        misfit = float(np.sqrt(np.mean(left[first : first + len(view.excess)] ** 2)))
        first += len(view.excess) + 2
        of_volume = np.zeros(len(start))
        of_volume[3:6] = 1
        if n == 1:
            of_volume[_RATIO] = 1
        fits.append(_told(best, covariance, of_volume, _CONTRAST + 2 * n, misfit))
    if len(views) == 1:
        return fits, 0.0
    inflation = max(1.0, *(fit.misfit for fit in fits))
    return fits, float(np.sqrt(max(covariance[_RATIO, _RATIO], 0.0))) * inflation


def _told(
    best: NDArray[np.float64],
    covariance: NDArray[np.float64],
    of_volume: NDArray[np.float64],
    contrast: int,
    misfit: float,
) -> EllipsoidFit:
    """Contrast and volume of one view; `of_volume` are the derivatives of the logarithm of the volume."""
    inflation = max(1.0, misfit)
    variance = float(of_volume @ covariance @ of_volume)
    together = float(of_volume @ covariance[:, contrast])
    of_contrast = float(covariance[contrast, contrast])
    slope = float(np.clip(together / max(of_contrast, 1e-12), -3.0, 0.0))
    volume = 4 / 3 * np.pi * float(np.exp(of_volume @ best))
    level = float(np.exp(best[contrast]))
    return EllipsoidFit(
        contrast=level,
        contrast_sd=level * float(np.sqrt(max(of_contrast, 0.0))) * inflation,
        volume_mm3=volume,
        volume_sd_mm3=volume * float(np.sqrt(max(variance, 0.0))) * inflation,
        slope=slope,
        volume_share_sd=float(np.sqrt(max(variance - 2 * slope * together + slope**2 * of_contrast, 0.0))) * inflation,
        background=float(best[contrast + 1]),
        misfit=misfit,
    )


def _contrast_shift(log_factor: float, views: int) -> NDArray[np.float64]:
    """Another start with the same sum of excess: contrast up by a factor, volume down by it."""
    shift = np.zeros(11 if views == 1 else 17)
    shift[3:6] = -log_factor / 3
    shift[_CONTRAST : _CONTRAST + 2 * views : 2] = log_factor
    return shift


def _least_squares(
    residual: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    start: NDArray[np.float64],
    *,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Minimise the sum of squares within a box; give it, the minimum and the information matrix there.

    Levenberg's and Marquardt's steps on the normal equations: few unknowns and priors on all of them, so that these
    are well conditioned and far cheaper than a decomposition of the whole Jacobian.
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
