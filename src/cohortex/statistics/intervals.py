"""How far an estimate from few patients may be off: intervals of a share and of a median."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from scipy.special import bdtr


@dataclass(frozen=True, kw_only=True)
class ShareInterval:
    """A share with its interval.

    Attributes
    ----------
    successes, n : int
        Of how many of how many.
    share : float
        `successes` / `n`.
    low, high : float
        Bounds, within 0 to 1.
    level : float
        Confidence, such as 0.95.
    """

    successes: int
    n: int
    share: float
    low: float
    high: float
    level: float


@dataclass(frozen=True, kw_only=True)
class MedianInterval:
    """A median with its interval from the order of the values.

    Attributes
    ----------
    n : int
        Number of values.
    median : float
        The middle value, or the mean of the two middle ones.
    low, high : float or None
        The `rank`-th smallest and largest value; None where so few values reach no interval of this level.
    rank : int
        1 where the bounds are the smallest and the largest value themselves; 0 where there are none.
    level : float
        Confidence that was asked for; the interval has at least that.
    """

    n: int
    median: float
    low: float | None
    high: float | None
    rank: int
    level: float


def wilson_interval(successes: int, n: int, level: float = 0.95) -> ShareInterval:
    """Give a share with its score interval.

    Parameters
    ----------
    successes, n : int
        Of how many of how many; `n` at least 1.
    level : float
        Confidence, above 0 and below 1.

    Returns
    -------
    ShareInterval
        Good for small `n` and shares near 0 and 1, where the usual formula is not.

    Raises
    ------
    ValueError
        If `n` is below 1, `successes` not within 0 to `n`, or `level` not within 0 to 1.

    References
    ----------
    .. [1] Wilson, *Probable inference, the law of succession, and statistical inference*, J Am Stat Assoc, 1927,
       10.1080/01621459.1927.10502953.
    """
    _check_level(level)
    if not (n >= 1 and 0 <= successes <= n):
        raise ValueError(f"{successes} of {n} is no share; give n of at least 1 and successes within 0 to n.")
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return ShareInterval(
        successes=successes,
        n=n,
        share=share,
        low=0.0 if successes == 0 else centre - half,  # exactly; the formula is off by rounding
        high=1.0 if successes == n else centre + half,
        level=level,
    )


def median_interval(values: Sequence[float], level: float = 0.95) -> MedianInterval:
    """Give the median of values with an interval that supposes nothing about their distribution.

    Parameters
    ----------
    values : sequence of float
        At least one; finite.
    level : float
        Confidence, above 0 and below 1. Below 6 values none reaches 0.95.

    Returns
    -------
    MedianInterval
        Bounds are values of the sample: the sign test inverted, so the confidence is at least `level`.

    Raises
    ------
    ValueError
        If there is no value, one is not finite, or `level` not within 0 to 1.

    References
    ----------
    .. [1] David, Nagaraja, *Order Statistics*, 3rd ed., 2003, section 7.1, 10.1002/0471722162.
    """
    _check_level(level)
    ordered = np.sort(np.asarray(values, dtype=float))
    n = ordered.size
    if n == 0 or not np.isfinite(ordered).all():
        raise ValueError(f"{n} values, some perhaps not finite; give at least one, and only finite ones.")
    ranks = np.arange(1, n // 2 + 1)
    fit = ranks[bdtr(ranks - 1.0, n, 0.5) <= (1 - level) / 2]  # P(fewer than rank values below the median)
    rank = int(fit[-1]) if fit.size else 0
    return MedianInterval(
        n=n,
        median=float(np.median(ordered)),
        low=float(ordered[rank - 1]) if rank else None,
        high=float(ordered[n - rank]) if rank else None,
        rank=rank,
        level=level,
    )


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level is {level:g}; give a confidence between 0 and 1, such as 0.95.")
