"""Similarities against the formulas, written out plainly."""

from __future__ import annotations

import numpy as np
import pytest

from cohortex.registration import correlation, mutual_information


@pytest.mark.parametrize("seed", range(4))
def test_correlation_is_the_square_of_pearsons(seed: int) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, 500))
    b = b + seed * a
    assert correlation(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1] ** 2, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_mutual_information_is_that_of_the_joint_histogram_less_the_bias(seed: int) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, 3000))
    b = b + seed * np.abs(a)
    joint = np.histogram2d(a, b, bins=32)[0] / len(a)
    p, q = joint.sum(axis=1), joint.sum(axis=0)
    nats = 0.0
    for i in range(32):
        for j in range(32):
            if joint[i, j] > 0:
                nats += joint[i, j] * np.log(joint[i, j] / (p[i] * q[j]))
    bias = (np.sum(p > 0) - 1) * (np.sum(q > 0) - 1) / (2 * len(a))
    assert mutual_information(a, b) == pytest.approx(nats - bias, abs=1e-9)


def test_mutual_information_does_not_depend_on_order_gain_or_which_comes_first() -> None:
    a, b = np.random.default_rng(9).normal(size=(2, 2000))
    b = a**2 + 0.1 * b
    expected = mutual_information(a, b)
    assert expected > 0.5
    assert correlation(a, b) < 0.05  # what correlation cannot see
    assert mutual_information(b, a) == pytest.approx(expected, abs=1e-12)
    assert mutual_information(8 * a[::-1], b[::-1]) == pytest.approx(expected, abs=1e-12)


def test_a_constant_shares_nothing() -> None:
    a = np.random.default_rng(0).normal(size=100)
    assert mutual_information(a, np.zeros(100)) == pytest.approx(0, abs=1e-12)
    assert correlation(np.ones(100), a) == 0
