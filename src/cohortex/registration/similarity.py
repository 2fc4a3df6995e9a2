"""How alike paired samples of two images are: the functions an aligner can be given."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

_BINS = 32


class Similarity(Protocol):
    """Scores paired samples; higher is more alike."""

    def __call__(self, fixed_samples: ArrayLike, moving_samples: ArrayLike) -> float:
        """Score samples of shape (n,) taken at the same places."""
        ...


def correlation(fixed_samples: ArrayLike, moving_samples: ArrayLike) -> float:
    """Squared linear correlation, for two images of one contrast.

    Parameters
    ----------
    fixed_samples, moving_samples : array_like, shape (n,)
        Values at the same places.

    Returns
    -------
    float
        0 to 1; 1 where one is a linear function of the other. 0 where either is constant.
    """
    a = np.asarray(fixed_samples, dtype=float)
    b = np.asarray(moving_samples, dtype=float)
    if a.size < 2:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    power = float(np.dot(a, a) * np.dot(b, b))
    return float(np.dot(a, b) ** 2 / power) if power > 0 else 0.0


def mutual_information(fixed_samples: ArrayLike, moving_samples: ArrayLike) -> float:
    """Mutual information of two images of any contrast, less what chance alone would give.

    Parameters
    ----------
    fixed_samples, moving_samples : array_like, shape (n,)
        Values at the same places.

    Returns
    -------
    float
        Nats, from a joint histogram of 32 × 32 bins between the extremes, with the bias of Miller and Madow [1]_
        taken off: about 0 for unrelated images.

    References
    ----------
    .. [1] Roulston, *Estimating the errors on measured entropy and mutual information*, Physica D 125, 1999,
       10.1016/S0167-2789(98)00269-3, equation 20.
    """
    a, b = _binned(fixed_samples), _binned(moving_samples)
    if a.size < 2:
        return 0.0
    joint = np.bincount(a * _BINS + b, minlength=_BINS * _BINS).reshape(_BINS, _BINS) / a.size
    p, q = joint.sum(axis=1), joint.sum(axis=0)
    filled = joint > 0
    nats = float(np.sum(joint[filled] * np.log(joint[filled] / np.outer(p, q)[filled])))
    chance = (np.count_nonzero(p) - 1) * (np.count_nonzero(q) - 1) / (2 * a.size)
    return nats - chance


def _binned(samples: ArrayLike) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    values = np.asarray(samples, dtype=float)
    if values.size == 0:
        return np.zeros(0, dtype=np.int64)
    low, high = float(values.min()), float(values.max())
    scale = _BINS / (high - low) if high > low else 0.0
    return np.minimum(((values - low) * scale).astype(np.int64), _BINS - 1)
