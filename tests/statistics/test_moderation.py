"""Steadied spreads: nearer to the truth, no more false alarms, and as Smyth's prior says."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from cohortex.statistics import GroupSummary, equivalent_z, predictive_t, steadied

PLACES = 100_000


def overall(values, used):
    return np.full(values.shape, values[used].mean())


def drawn(n: int, *, prior_degrees: float, seed: int = 0):
    """Values at places whose variances scatter as a scaled inverse chi-squared about 4; and a new one at each."""
    rng = np.random.default_rng(seed)
    variance = 4 * prior_degrees / rng.chisquare(prior_degrees, PLACES)
    values = rng.normal(1, np.sqrt(variance), (n + 1, PLACES))
    group = values[1:]
    summary = GroupSummary(mean=group.mean(axis=0), sd=group.std(axis=0, ddof=1), n=np.full(PLACES, n))
    return values[0], summary, np.sqrt(variance)


@pytest.mark.parametrize("n", [2, 3, 5, 12])
def test_the_prior_is_found_and_no_more_healthy_values_alarm(n):
    value, group, true = drawn(n, prior_degrees=8)
    better = steadied(group, there=np.ones(PLACES, bool), average=overall)
    assert better.prior_degrees[0] == pytest.approx(8, rel=0.15)
    assert_allclose(better.degrees_of_freedom, n - 1 + better.prior_degrees)
    z = equivalent_z(predictive_t(value, better), degrees_of_freedom=better.degrees_of_freedom)
    for threshold in (1.96, 3.0):
        expected = 2 * stats.norm.sf(threshold)
        assert np.mean(np.abs(z) > threshold) == pytest.approx(expected, rel=0.2)  # at 3, a standard error is 0.06
    assert np.mean(np.log(better.sd / true) ** 2) < np.mean(np.log(group.sd / true) ** 2)


def test_equal_spreads_lend_each_other_all_they_have():
    _, group, _ = drawn(4, prior_degrees=1e6)
    better = steadied(group, there=np.ones(PLACES, bool), average=overall)
    assert better.prior_degrees[0] > 60
    assert_allclose(better.sd, 2, rtol=0.12)


def test_spreads_of_all_sizes_lend_each_other_nothing():
    _, group, _ = drawn(6, prior_degrees=0.2)
    better = steadied(group, there=np.ones(PLACES, bool), average=overall)
    assert better.prior_degrees[0] < 0.5


def test_places_left_out_or_without_spread_stay_as_they_are():
    _, group, _ = drawn(4, prior_degrees=8)
    group.sd[:5] = 0
    there = np.arange(PLACES) >= 10
    better = steadied(group, there=there, average=overall)
    assert_allclose(better.sd[:10], group.sd[:10])
    assert_allclose(better.degrees_of_freedom[:10], 3)
    assert np.all(better.degrees_of_freedom[10:] > 8)


def test_where_nothing_counts_nothing_changes():
    _, group, _ = drawn(4, prior_degrees=8)
    assert steadied(group, there=np.zeros(PLACES, bool), average=overall) is group
