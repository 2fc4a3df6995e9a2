"""What each voxel of this brain would look like without a lesion, and how far healthy tissue strays from that.

Tissue statistics over all contrasts of the visit come from an expectation-maximisation with the template's tissue
fractions as prior and lesions as outliers (Van Leemput et al., IEEE TMI 20, 2001, 10.1109/42.938237); the expected
intensity is the sum of tissue probability times tissue mean, corrected for what drifts slowly through the head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.smoothing import blurred, blurred_within, spread_of

Array = NDArray[np.float32]

_ITERATIONS = 12
_SAMPLES = 60_000  # voxels of the tissue statistics: enough for 0.5 % of a standard deviation
_LEAST_PRIOR = 1e-3
WHITE, GREY, CSF = 0, 1, 2
_MIXTURES = ((WHITE, GREY), (GREY, CSF), (WHITE, CSF))  # voxels that hold two tissues


@dataclass(frozen=True, kw_only=True)
class HealthyExpectation:
    """The expected healthy picture of one contrast; arrays of shape (I, J, K).

    Attributes
    ----------
    expected, spread : ndarray of float32
        Healthy intensity and one standard deviation of healthy tissue about it, in the unit of the image.
    tissue : ndarray of float32, shape (3, I, J, K)
        Probabilities of white, grey and csf.
    levels : tuple of float
        Intensity of white, grey and csf.
    drift : ndarray of float32
        Slow factor about 1 by which healthy intensity departs from the levels.
    noise : float
        Standard deviation of a white-matter voxel about its expectation.
    """

    expected: Array
    spread: Array
    tissue: Array
    levels: tuple[float, float, float]
    drift: Array
    noise: float


def expect_healthy(
    contrasts: Sequence[Array],
    *,
    brain: NDArray[np.bool_],
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
    prior = _prior(fractions, brain, spacing_mm, parameters)
    data = np.stack([contrast[brain] for contrast in contrasts])  # (contrasts, n)
    means, covariances = _tissue_statistics(data, prior, parameters)
    tissue_inside = _probabilities(data, prior, means, covariances)
    tissue = np.zeros((3, *brain.shape), dtype=np.float32)
    tissue[:, brain] = tissue_inside
    levels = (float(means[WHITE, 0]), float(means[GREY, 0]), float(means[CSF, 0]))
    flat = np.tensordot(np.asarray(levels, dtype=np.float32), tissue, axes=1)
    typical = _typical(contrasts[0] - flat, tissue, brain)
    drift = _drift(contrasts[0], flat, typical, spacing_mm, parameters)
    expected = np.asarray(flat * drift, dtype=np.float32)
    residual = contrasts[0] - expected
    spread, noise = _spread(residual, tissue, brain, spacing_mm)
    return HealthyExpectation(expected=expected, spread=spread, tissue=tissue, levels=levels, drift=drift, noise=noise)


def without_lesions(
    healthy: HealthyExpectation,
    support: NDArray[np.bool_],
    *,
    fractions: Array,
    brain: NDArray[np.bool_],
    spacing_mm: Sequence[float],
    parameters: LesionParameters,
) -> Array:
    """Expected healthy intensity with the tissue under `support` guessed from its surroundings and the template.

    A lesion looks like another tissue in some contrast, so that the tissue found there says nothing.

    Returns
    -------
    ndarray of float32, shape (I, J, K)
        Expected intensity; unchanged outside the support.
    """
    if not support.any():
        return healthy.expected
    weight = (brain & ~support).astype(np.float32)
    prior = _prior(fractions, brain, spacing_mm, parameters)  # (3, n)
    inside = support[brain]
    guess = np.empty((3, int(np.count_nonzero(inside))), dtype=np.float32)
    for t in range(3):
        around = blurred_within(healthy.tissue[t], weight, spacing_mm, sigma_mm=2.0)
        guess[t] = prior[t][inside] * (0.02 + around[brain][inside])
    guess /= guess.sum(axis=0)
    filled = healthy.expected.copy()
    where = support & brain
    filled[where] = np.tensordot(np.asarray(healthy.levels, dtype=np.float32), guess, axes=1) * healthy.drift[where]
    return filled


def _prior(
    fractions: Array, brain: NDArray[np.bool_], spacing_mm: Sequence[float], parameters: LesionParameters
) -> Array:
    """Blurred template fractions in the brain, shape (3, n); nothing is impossible."""
    wide = np.stack([blurred(f, spacing_mm, sigma_mm=parameters.prior_sigma_mm)[brain] for f in fractions])
    chance = np.maximum(wide, 0) + _LEAST_PRIOR
    return np.asarray(chance / chance.sum(axis=0), dtype=np.float32)


def _tissue_statistics(
    data: Array, prior: Array, parameters: LesionParameters
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means (3, contrasts) and covariances (3, contrasts, contrasts) of the tissues, lesions weighted down."""
    step = max(1, data.shape[1] // _SAMPLES)
    sample: NDArray[np.float64] = data[:, ::step].astype(np.float64)
    sample_prior: NDArray[np.float64] = prior[:, ::step].astype(np.float64)
    count = len(sample)
    means, covariances = np.zeros((3, count)), np.zeros((3, count, count))
    overall = np.diag(np.maximum(sample.var(axis=1), 1e-12))
    for t in range(3):
        sure = sample_prior[t] >= min(0.8, np.quantile(sample_prior[t], 0.98))
        chosen = sample[:, sure]
        means[t] = np.median(chosen, axis=1)
        covariances[t] = np.diag(np.maximum((1.4826 * np.median(np.abs(chosen.T - means[t]), axis=0)) ** 2, 1e-12))
    for _ in range(_ITERATIONS):
        posterior, distance2 = _class_probabilities(sample, sample_prior, means, covariances)
        typical = np.minimum(1.0, parameters.outlier_distance**2 / np.maximum(distance2, 1e-12))
        for t in range(3):
            weight = posterior[t] * typical[t]
            total = weight.sum()
            if total < 20:
                continue
            means[t] = (sample * weight).sum(axis=1) / total
            off = sample - means[t][:, None]
            covariances[t] = (weight * off) @ off.T / total + 1e-4 * overall
    return means, covariances


def _class_probabilities(
    data: NDArray[np.float64],
    prior: NDArray[np.float64],
    means: NDArray[np.float64],
    covariances: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probability of each class (pure tissues, then half-and-half mixtures) and squared distance to it, (6, n)."""
    count = 3 + len(_MIXTURES)
    log_density, distance2 = np.empty((count, data.shape[1])), np.empty((count, data.shape[1]))
    for k in range(count):
        if k < 3:
            mean, covariance, chance = means[k], covariances[k], prior[k]
        else:
            a, b = _MIXTURES[k - 3]
            step = means[a] - means[b]
            mean = (means[a] + means[b]) / 2
            covariance = (covariances[a] + covariances[b]) / 2 + np.outer(step, step) / 16
            chance = 0.5 * np.sqrt(prior[a] * prior[b])
        lower = np.linalg.cholesky(covariance)
        whitened = np.linalg.inv(lower) @ (data - mean[:, None])
        distance2[k] = np.einsum("cn,cn->n", whitened, whitened)
        log_density[k] = np.log(chance) - 0.5 * distance2[k] - np.log(np.diag(lower)).sum()
    log_density -= log_density.max(axis=0)
    density = np.exp(log_density)
    return density / density.sum(axis=0), distance2


def _probabilities(data: Array, prior: Array, means: NDArray[np.float64], covariances: NDArray[np.float64]) -> Array:
    """Tissue fractions expected in all brain voxels, shape (3, n); slab by slab to bound memory."""
    result = np.empty_like(prior)
    for start in range(0, data.shape[1], 250_000):
        part = np.s_[:, start : start + 250_000]
        classes, _ = _class_probabilities(
            data[part].astype(np.float64), prior[part].astype(np.float64), means, covariances
        )
        fractions = classes[:3].copy()
        for k, (a, b) in enumerate(_MIXTURES):
            fractions[a] += 0.5 * classes[3 + k]
            fractions[b] += 0.5 * classes[3 + k]
        result[part] = fractions
    return result


def _typical(residual: Array, tissue: Array, brain: NDArray[np.bool_]) -> Array:
    """1 where a voxel is clearly of one tissue and near its level, 0 elsewhere."""
    sure = brain & (tissue.max(axis=0) > 0.8)
    spread = spread_of(residual[sure])
    return np.asarray(sure & (np.abs(residual) < 2.5 * spread), dtype=np.float32)


def _drift(
    image: Array, flat: Array, typical: Array, spacing_mm: Sequence[float], parameters: LesionParameters
) -> Array:
    """Slow factor between image and tissue levels; 1 where nothing is known.

    Blurred on blocks of voxels: what is that slow needs no more, and takes a hundredth of the time.
    """
    block = [max(1, int(0.25 * parameters.drift_sigma_mm / s)) for s in spacing_mm]
    weight = typical * np.abs(flat)
    ratio = np.divide(image, flat, out=np.ones_like(flat), where=np.abs(flat) > 1e-6)
    coarse_weight = _block_mean(weight, block)
    coarse = np.divide(
        _block_mean((ratio - 1) * weight, block),
        coarse_weight,
        out=np.zeros_like(coarse_weight),
        where=coarse_weight > 0,
    )
    coarse_spacing = [b * s for b, s in zip(block, spacing_mm, strict=True)]
    excess = blurred_within(coarse, coarse_weight, coarse_spacing, sigma_mm=parameters.drift_sigma_mm)
    scale = [1 / b for b in block]
    offset = [(1 / b - 1) / 2 for b in block]
    fine = ndimage.affine_transform(excess, scale, offset, output_shape=image.shape, order=1, mode="nearest")
    return np.asarray(1 + np.clip(fine, -0.3, 0.3), dtype=np.float32)


def _block_mean(values: Array, block: Sequence[int]) -> Array:
    """Mean over blocks of voxels; the last block of an axis is filled up with zeros."""
    padded = np.pad(values, [(0, -n % b) for n, b in zip(values.shape, block, strict=True)])
    split = [n for size, b in zip(padded.shape, block, strict=True) for n in (size // b, b)]
    return np.asarray(padded.reshape(split).mean(axis=(1, 3, 5)), dtype=np.float32)


def _spread(
    residual: Array, tissue: Array, brain: NDArray[np.bool_], spacing_mm: Sequence[float]
) -> tuple[Array, float]:
    """Local standard deviation of healthy tissue, and the noise of white matter."""
    by_tissue = []
    for t in range(3):
        sure = brain & (tissue[t] > 0.8)
        by_tissue.append(spread_of(residual[sure]) if np.count_nonzero(sure) > 50 else spread_of(residual[brain]))
    least = max(1e-6, 0.2 * max(by_tissue))
    variance = np.tensordot(np.asarray([max(s, least) ** 2 for s in by_tissue], dtype=np.float32), tissue, axes=1)
    spread = np.sqrt(np.maximum(variance, least**2))
    clipped = np.minimum(np.abs(residual), 3 * spread)
    local = 1.2533 * blurred_within(clipped, brain.astype(np.float32), spacing_mm, sigma_mm=4.0)
    return np.maximum(spread, local).astype(np.float32), max(by_tissue[WHITE], least)
