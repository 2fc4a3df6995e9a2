"""A new value against a few others: the textbook's numbers, the rate of false alarms, and taking one out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from cohortex.statistics import GroupSummary, equivalent_z, predictive_t, without_one


def summary(values: np.ndarray) -> GroupSummary:
    return GroupSummary(
        mean=values.mean(axis=0), sd=values.std(axis=0, ddof=1), n=np.full(values.shape[1:], len(values))
    )


def test_t_follows_crawford_and_howell():
    group = GroupSummary(mean=np.array(100.0), sd=np.array(15.0), n=np.array(10))
    assert_allclose(predictive_t(70.0, group), -30 / (15 * np.sqrt(1.1)))


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 12])
def test_one_healthy_value_in_twenty_lies_beyond_1_96(n):
    rng = np.random.default_rng(n)
    group = summary(rng.normal(3, 2, (n, 100_000)))
    z = equivalent_z(predictive_t(rng.normal(3, 2, 100_000), group), degrees_of_freedom=n - 1)
    assert np.mean(np.abs(z) > 1.96) == pytest.approx(0.05, abs=0.003)  # 4 standard errors
    assert z.std() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("dof", [1, 4, 30, 1000])
def test_z_is_as_rare_as_t(dof):
    t = np.array([-30.0, -2.0, 0.0, 0.5, 6.0])
    assert_allclose(stats.norm.cdf(equivalent_z(t, degrees_of_freedom=dof)), stats.t.cdf(t, dof), rtol=1e-9)


def test_a_value_beyond_all_doubles_keeps_a_finite_z():
    assert equivalent_z(-1e9, degrees_of_freedom=500) == pytest.approx(-37, abs=0.2)


def test_without_degrees_of_freedom_nothing_is_said():
    assert equivalent_z(12.0, degrees_of_freedom=0) == 0


def test_one_taken_out_leaves_the_mean_and_spread_of_the_rest():
    values = np.random.default_rng(0).normal(5, 1, (6, 50))
    rest, expected = without_one(values[2], summary(values)), summary(np.delete(values, 2, axis=0))
    assert_allclose(rest.mean, expected.mean)
    assert_allclose(rest.sd, expected.sd)
    assert np.all(rest.n == 5)


def test_of_two_one_taken_out_leaves_no_spread():
    rest = without_one(np.array([1.0]), summary(np.array([[1.0], [4.0]])))
    assert (rest.mean, rest.sd, rest.n) == (4, 0, 1)


def test_a_group_of_one_and_a_group_that_does_not_vary_foretell_nothing():
    alone = GroupSummary(mean=np.array(1.0), sd=np.array(0.0), n=np.array(1))
    even = GroupSummary(mean=np.array(1.0), sd=np.array(0.0), n=np.array(9))
    assert predictive_t(5.0, alone) == predictive_t(5.0, even) == 0
    assert predictive_t(5.0, even, least_sd=1.0) > 3
