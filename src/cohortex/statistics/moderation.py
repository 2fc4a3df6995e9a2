"""Spreads of few values, steadied by those of their surroundings: empirical Bayes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from cohortex.statistics.predictive import LEAST_OTHERS, GroupSummary

_MOST_DEGREES = 100.0  # of the prior: where nothing shows that spreads differ, they may still do
_LEAST_DEGREES = 1e-3


Average = Callable[[NDArray[np.float32], NDArray[np.bool_]], NDArray[np.float32]]
"""Gives the mean of values around each place over the places marked."""


def steadied(group: GroupSummary, *, there: NDArray[np.bool_], average: Average) -> GroupSummary:
    """Draw the standard deviations of a group to those around, as far as they are alike.

    Parameters
    ----------
    group : GroupSummary
        Mean, standard deviation and size at many places.
    there : ndarray of bool
        Places that count; others, and those of fewer than 2 values or no spread, stay as they are.
    average : callable
        Given values and the places that count, gives the mean around each place. It should reach so far that a place
        has little weight in its own mean, and no farther than spreads are alike.

    Returns
    -------
    GroupSummary
        s'^2 = (d0 s0^2 + d s^2) / (d0 + d) with d0 + d degrees of freedom [1]_: s0 is the typical spread around (from
        the mean logarithm), d = n - 1, and d0 is found from how much the logarithms of the spreads scatter about s0
        beyond what d degrees of freedom make them. With few values far more certain, and with many hardly changed.

    References
    ----------
    .. [1] Smyth, *Linear models and empirical Bayes methods for assessing differential expression in microarray
       experiments*, Statistical Applications in Genetics and Molecular Biology 3, 2004, 10.2202/1544-6115.1027, section
       6.2; there with one s0 for all.
    """
    spread = np.asarray(group.sd, dtype=float)
    used = there & (np.asarray(group.n) >= LEAST_OTHERS) & (spread > 0)
    if not used.any():
        return group
    half = np.maximum(np.asarray(group.n, dtype=float) - 1, 1) / 2
    logarithm = 2 * np.log(np.where(used, spread, 1)) - special.digamma(half) + np.log(half)
    typical = np.asarray(average(np.where(used, logarithm, 0).astype(np.float32), used), dtype=float)
    excess = float(np.var((logarithm - typical)[used]) - np.mean(special.polygamma(1, half[used])))
    degrees = _degrees_of(excess)
    expected = np.exp(typical + special.digamma(degrees / 2) - np.log(degrees / 2))
    own = 2 * half
    joined = np.sqrt((degrees * expected + own * spread**2) / (degrees + own))
    return replace(group, sd=np.where(used, joined, spread), prior_degrees=np.where(used, degrees, 0.0))


def _degrees_of(excess: float) -> float:
    """Solve trigamma(d0 / 2) = excess."""
    least = float(special.polygamma(1, _MOST_DEGREES / 2))
    if excess <= least:
        return _MOST_DEGREES
    most = float(special.polygamma(1, _LEAST_DEGREES / 2))
    if excess >= most:
        return _LEAST_DEGREES
    found = optimize.brentq(
        lambda degrees: float(special.polygamma(1, degrees / 2)) - excess, _LEAST_DEGREES, _MOST_DEGREES
    )
    return float(found)
