from __future__ import annotations

from math import comb

import numpy as np
import pytest
from scipy.stats import binomtest

from cohortex.statistics import median_interval, wilson_interval


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (1, 5), (5, 5), (3, 20), (81, 263), (1, 1)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_the_interval_of_a_share_is_that_of_an_independent_program(successes, n, level):
    found = wilson_interval(successes, n, level)
    judge = binomtest(successes, n).proportion_ci(level, method="wilson")
    assert found.low == pytest.approx(judge.low, abs=1e-12)
    assert found.high == pytest.approx(judge.high, abs=1e-12)
    assert (found.share, found.n, found.successes) == (successes / n, n, successes)


def test_the_interval_of_a_share_is_that_of_the_textbook():
    found = wilson_interval(81, 263)  # Newcombe 1998, 10.1002/(SICI)1097-0258(19980430)17:8<857, table I
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


@pytest.mark.parametrize(("successes", "n", "level"), [(1, 0, 0.95), (-1, 5, 0.95), (6, 5, 0.95), (1, 5, 1.0)])
def test_what_is_no_share_is_refused(successes, n, level):
    with pytest.raises(ValueError, match=r"no share|level is 1"):
        wilson_interval(successes, n, level)


@pytest.mark.parametrize("n", [1, 2, 5, 6, 7, 8, 9, 20, 51, 1000])
def test_the_interval_of_a_median_has_the_ranks_of_the_sign_test(n):
    found = median_interval(np.random.default_rng(3).permutation(n) + 1.0)

    def outside(rank):  # chance that the median lies beyond the rank-th smallest or largest value
        return 2 * sum(comb(n, k) for k in range(rank)) / 2**n

    assert found.median == (n + 1) / 2
    if n < 6:
        assert (found.low, found.high, found.rank) == (None, None, 0)
    else:
        assert (found.low, found.high) == (found.rank, n + 1 - found.rank)
        assert outside(found.rank) <= 0.05 < outside(found.rank + 1)


def test_the_interval_of_a_median_holds_the_median_as_often_as_it_says():
    rng = np.random.default_rng(7)
    held = [
        found.low <= 0 <= found.high for found in (median_interval(rng.standard_t(2, size=15)) for _ in range(2000))
    ]
    assert 0.955 < np.mean(held) < 0.985  # exactly 0.9648 for n = 15; three standard errors of 2000 draws are 0.012


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_a_median_of_nothing_is_refused(values):
    with pytest.raises(ValueError, match="give at least one, and only finite"):
        median_interval(values)
