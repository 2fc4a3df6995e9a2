"""What each voxel of this brain would look like without a lesion, and how far healthy tissue strays from that.

A voxel is a mixture of white matter, grey matter and csf, and its intensity in every contrast the same mixture of the
tissues' levels (the partial-volume model of Choi et al., IEEE TMI 10, 1991, 10.1109/42.108597). The template says what
mixture to expect, with a covariance as large as its folds may miss this brain's; the contrasts of the visit correct it
where that covariance lets them (the linear Gaussian update of Kalman, 1960), so that a lesion deep in white matter
cannot pass for grey matter. Levels come from expectation-maximisation over the same model, with what strays far
weighted down (Van Leemput et al., IEEE TMI 20, 2001, 10.1109/42.938237).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.smoothing import blurred, blurred_within, slow_mean, spread_of

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

_ITERATIONS = 10
_SAMPLES = 60_000  # voxels of the tissue statistics: enough for 0.5 % of a standard deviation
_LEAST_DOUBT = 0.03  # standard deviation of a fraction where the template is even
_FILL_SIGMA_MM = 2.5
_REGION_MM = 3.0  # sigma of what counts as a region
WHITE, GREY, CSF = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class HealthyExpectation:
    """The expected healthy picture of one contrast; arrays of shape (I, J, K).

    Attributes
    ----------
    expected : ndarray of float32
        Healthy intensity as the template and the other contrasts foretell it, in the unit of the image.
    noise : float
        Standard deviation of healthy tissue about it that changes from voxel to voxel.
    doubt : ndarray of float32
        The part of it that neighbours share: doubt about the mixture.
    regional : ndarray of float32
        How far one region of a tissue strays from another (insula from other cortex, tracts from other white matter).
    tissue, prior : ndarray of float32, shape (3, I, J, K)
        Fractions of white, grey and csf: with what all images say, and from the template alone.
    levels : tuple of float
        Intensity of white, grey and csf.
    drift : ndarray of float32
        Slow factor about 1 by which healthy intensity departs from the levels.
    offset : ndarray of float32 or float
        What healthy heads show beyond the mixture of tissues.
    """

    expected: Array
    noise: float
    doubt: Array
    regional: Array
    tissue: Array
    prior: Array
    levels: tuple[float, float, float]
    drift: Array
    offset: Array | float = 0.0

    @property
    def whole(self) -> Array:
        """Expected intensity with what healthy heads show beyond the mixture."""
        return np.asarray(self.expected + self.offset, dtype=np.float32)


def expect_healthy(
    contrasts: Sequence[Array],
    *,
    brain: Mask,
    fractions: Array,
    spacing_mm: Sequence[float],
    parameters: LesionParameters,
) -> HealthyExpectation:
    """Model the healthy intensity of the first contrast.

    Parameters
    ----------
    contrasts : sequence of ndarray, shape (I, J, K)
        The outlined contrast first, then others on the same grid.
    brain : ndarray of bool
        Brain mask.
    fractions : ndarray, shape (3, I, J, K)
        Template fractions of white, grey and csf on this grid.
    spacing_mm : sequence of float
        Voxel spacing, mm.
    parameters : LesionParameters
        The numbers.

    Returns
    -------
    HealthyExpectation
        For the first contrast.
    """
    mean, covariance = _template_mixture(fractions, brain, spacing_mm, parameters)
    data = np.stack([contrast[brain] for contrast in contrasts])  # (contrasts, n)
    levels, noise = _tissue_levels(data, mean, covariance, parameters)
    others, doubt = _corrected(data, mean, covariance, levels, noise, parameters, using=range(1, len(data)))
    every, _ = _corrected(data, mean, covariance, levels, noise, parameters, using=range(len(data)))
    own = (float(levels[WHITE, 0]), float(levels[GREY, 0]), float(levels[CSF, 0]))
    a, b = own[GREY] - own[WHITE], own[CSF] - own[WHITE]
    tissue, prior = _whole(every, brain), _whole(mean, brain)
    table = np.asarray(own, dtype=np.float32)
    flat = np.tensordot(table, _whole(others, brain), axes=1)
    known = np.tensordot(table, tissue, axes=1)
    drift = _drift(contrasts[0], known, _typical(contrasts[0] - known, tissue, brain), spacing_mm, parameters)
    expected = np.asarray(flat * drift, dtype=np.float32)
    away = np.asarray(contrasts[0] - expected, dtype=np.float32)
    doubt_of = np.zeros(brain.shape, dtype=np.float32)
    doubt_of[brain] = np.sqrt(np.maximum(a * a * doubt[0] + 2 * a * b * doubt[1] + b * b * doubt[2], 0))
    regional = _regional(away, tissue, brain, spacing_mm)
    return HealthyExpectation(
        expected=expected,
        noise=float(noise[0]),
        doubt=doubt_of,
        regional=regional,
        tissue=tissue,
        prior=prior,
        levels=own,
        drift=drift,
    )


def without_lesions(healthy: HealthyExpectation, support: Mask, *, brain: Mask, spacing_mm: Sequence[float]) -> Array:
    """Expected healthy intensity with the tissue under `support` guessed from the template and the surroundings.

    A lesion looks like another tissue in some contrast, so that the images say nothing about the tissue beneath it;
    how they correct the template around it is carried inwards.

    Returns
    -------
    ndarray of float32, shape (I, J, K)
        Expected intensity, offset included; unchanged outside the support.
    """
    where = support & brain
    if not where.any():
        return healthy.whole
    weight = (brain & ~support).astype(np.float32)
    guess = np.empty((3, int(np.count_nonzero(where))), dtype=np.float32)
    for t in (GREY, CSF):
        correction = blurred_within(healthy.tissue[t] - healthy.prior[t], weight, spacing_mm, sigma_mm=_FILL_SIGMA_MM)
        guess[t] = np.clip(healthy.prior[t][where] + correction[where], 0, 1)
    guess[GREY] = np.minimum(guess[GREY], 1 - guess[CSF])
    guess[WHITE] = 1 - guess[GREY] - guess[CSF]
    filled = healthy.expected.copy()
    filled[where] = np.tensordot(np.asarray(healthy.levels, dtype=np.float32), guess, axes=1) * healthy.drift[where]
    return np.asarray(filled + healthy.offset, dtype=np.float32)


def _template_mixture(
    fractions: Array, brain: Mask, spacing_mm: Sequence[float], parameters: LesionParameters
) -> tuple[Array, Array]:
    """Mean of grey and csf fraction, (2, n), and their covariance (grey grey, grey csf, csf csf), (3, n).

    Moments over a Gaussian as wide as the template's folds may miss.
    """
    total = np.maximum(fractions.sum(axis=0), 1e-3)
    grey, csf = fractions[GREY] / total, fractions[CSF] / total
    outside = fractions.sum(axis=0) < 0.05
    csf = np.where(outside, 1.0, csf).astype(np.float32)  # the template ends where csf begins

    def mean_of(values: Array) -> Array:
        return blurred(values, spacing_mm, sigma_mm=parameters.prior_sigma_mm)[brain]

    mean = np.stack([mean_of(grey), mean_of(csf)])
    floor = _LEAST_DOUBT**2
    covariance = np.stack(
        [
            np.maximum(mean_of(grey * grey) - mean[0] ** 2, 0) + floor,
            mean_of(grey * csf) - mean[0] * mean[1],
            np.maximum(mean_of(csf * csf) - mean[1] ** 2, 0) + floor,
        ]
    )
    return mean, covariance


def _tissue_levels(
    data: Array, mean: Array, covariance: Array, parameters: LesionParameters
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Levels of the tissues, (3, contrasts), and noise of each contrast, (contrasts,), by expectation-maximisation."""
    step = max(1, data.shape[1] // _SAMPLES)
    sample, sample_mean, sample_covariance = data[:, ::step], mean[:, ::step], covariance[:, ::step]
    levels = np.empty((3, len(sample)))
    fractions = np.stack([1 - sample_mean.sum(axis=0), *sample_mean])
    for t in range(3):
        sure = fractions[t] >= min(0.85, float(np.quantile(fractions[t], 0.98)))
        levels[t] = np.median(sample[:, sure], axis=1)
    noise = np.array([max(spread_of(row), 1e-6) for row in sample]) * 0.3
    for _ in range(_ITERATIONS):
        corrected, left = _corrected(
            sample, sample_mean, sample_covariance, levels, noise, parameters, using=range(len(sample))
        )
        fractions = np.stack([1 - corrected.sum(axis=0), *corrected]).astype(np.float64)
        expected = levels.T @ fractions  # (contrasts, n)
        doubt = np.zeros((3, 3))
        strays = np.max(np.abs(sample - expected) / noise[:, None], axis=0)
        weight = np.minimum(1.0, (parameters.outlier_distance / np.maximum(strays, 1e-9)) ** 2)
        gg, gc, cc = (left * weight).sum(axis=1)
        doubt[1:, 1:] = [[gg, gc], [gc, cc]]
        doubt[0, 1:] = doubt[1:, 0] = [-gg - gc, -gc - cc]
        doubt[0, 0] = gg + 2 * gc + cc
        moments = (fractions * weight) @ fractions.T + doubt
        levels = np.linalg.solve(moments + 1e-6 * np.trace(moments) * np.eye(3), (fractions * weight) @ sample.T)
        residual = sample - levels.T @ fractions
        slope = np.stack([levels[GREY] - levels[WHITE], levels[CSF] - levels[WHITE]])
        typical_doubt = np.median(left, axis=1)
        for k in range(len(sample)):
            a, b = slope[:, k]
            extra = a * a * typical_doubt[0] + 2 * a * b * typical_doubt[1] + b * b * typical_doubt[2]
            noise[k] = np.sqrt(max(spread_of(residual[k]) ** 2 + max(extra, 0.0), 1e-12))
    return levels, noise


def _corrected(
    data: Array,
    mean: Array,
    covariance: Array,
    levels: NDArray[np.float64],
    noise: NDArray[np.float64],
    parameters: LesionParameters,
    *,
    using: Sequence[int],
) -> tuple[Array, Array]:
    """Grey and csf fractions after some of the contrasts, (2, n), within the simplex, and the doubt left, (3, n)."""
    grey, csf = mean.copy()
    gg, gc, cc = covariance.copy()
    for k in using:
        white, a, b = (
            np.float32(x)
            for x in (levels[WHITE, k], levels[GREY, k] - levels[WHITE, k], levels[CSF, k] - levels[WHITE, k])
        )
        pg, pc = a * gg + b * gc, a * gc + b * cc
        variance = a * pg + b * pc + np.float32(noise[k] ** 2)
        innovation = data[k] - (white + a * grey + b * csf)
        limit = np.float32(parameters.outlier_distance) * np.sqrt(variance)
        innovation = np.clip(innovation, -limit, limit)
        grey += pg / variance * innovation
        csf += pc / variance * innovation
        gg, gc, cc = gg - pg * pg / variance, gc - pg * pc / variance, cc - pc * pc / variance
    grey, csf = np.clip(grey, 0, 1), np.clip(csf, 0, 1)
    excess = np.maximum(grey + csf - 1, 0) / 2
    return np.stack([grey - excess, csf - excess]), np.stack([gg, gc, cc])


def _whole(mixture: Array, brain: Mask) -> Array:
    """Fractions of white, grey and csf of all voxels, (3, I, J, K), from grey and csf in the brain, (2, n)."""
    whole = np.zeros((3, *brain.shape), dtype=np.float32)
    whole[GREY, brain], whole[CSF, brain] = mixture
    whole[WHITE, brain] = 1 - mixture.sum(axis=0)
    return whole


def _typical(residual: Array, tissue: Array, brain: Mask) -> Array:
    """1 where a voxel is clearly of one tissue and near its level, 0 elsewhere."""
    sure = brain & (tissue.max(axis=0) > 0.8)
    spread = spread_of(residual[sure])
    return np.asarray(sure & (np.abs(residual) < 2.5 * spread), dtype=np.float32)


def _drift(
    image: Array, flat: Array, typical: Array, spacing_mm: Sequence[float], parameters: LesionParameters
) -> Array:
    """Slow factor between image and tissue levels; 1 where nothing is known."""
    ratio = np.divide(image, flat, out=np.ones_like(flat), where=np.abs(flat) > 1e-6)
    excess = slow_mean(ratio - 1, typical * np.abs(flat), spacing_mm, sigma_mm=parameters.drift_sigma_mm)
    return np.asarray(1 + np.clip(excess, -0.3, 0.3), dtype=np.float32)


def _regional(residual: Array, tissue: Array, brain: Mask, spacing_mm: Sequence[float]) -> Array:
    """Spread of the residual over regions of a few millimetres, by the tissue of each voxel."""
    smooth = blurred_within(residual, brain.astype(np.float32), spacing_mm, sigma_mm=_REGION_MM)
    spreads = []
    for t in range(3):
        sure = brain & (tissue[t] > 0.7)
        spreads.append(spread_of(smooth[sure]) if np.count_nonzero(sure) > 50 else spread_of(smooth[brain]))
    variance = np.tensordot(np.asarray([s * s for s in spreads], dtype=np.float32), tissue, axes=1)
    return np.sqrt(variance).astype(np.float32)


def local_spread(
    values: Array,
    typical: Array | float,
    brain: Mask,
    spacing_mm: Sequence[float],
    *,
    sigma_mm: float,
) -> Array:
    """Standard deviation of what is seen around each voxel, lesions left out.

    The negative side, which no lesion reaches, is trusted; both sides together count for 0.6 at most.

    Parameters
    ----------
    values : ndarray, shape (I, J, K)
        Differences, positive for a lesion.
    typical : ndarray or float
        Their usual standard deviation.
    brain : ndarray of bool
        Voxels that count.
    spacing_mm : sequence of float
        Voxel spacing, mm.
    sigma_mm : float
        Gaussian sigma of the neighbourhood, mm.

    Returns
    -------
    ndarray of float32
        From mean absolute differences, clipped at three (negative side) or two typical standard deviations.
    """
    weight = brain.astype(np.float32)
    both = 1.2533 * slow_mean(np.minimum(np.abs(values), 2 * typical), weight, spacing_mm, sigma_mm=sigma_mm)
    below = np.minimum(np.maximum(-values, 0), 3 * typical)
    negative = 2.5066 * slow_mean(below.astype(np.float32), weight, spacing_mm, sigma_mm=sigma_mm)
    return np.maximum(negative, 0.6 * both)
