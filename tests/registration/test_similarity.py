"""How alike samples are."""

import numpy as np
import pytest

from cohortex.registration import correlation, mutual_information

RNG = np.random.default_rng(0)
SAMPLES = RNG.normal(size=5000)


def test_correlation_is_one_for_any_gain_and_offset() -> None:
    assert correlation(SAMPLES, 7 - 3 * SAMPLES) == pytest.approx(1)


def test_correlation_with_a_constant_is_zero() -> None:
    assert correlation(SAMPLES, np.full(5000, 2.0)) == 0


def test_no_samples_share_nothing() -> None:
    assert correlation([], []) == 0
    assert mutual_information([], []) == 0


def test_mutual_information_of_unrelated_samples_is_about_zero() -> None:
    assert mutual_information(SAMPLES, RNG.normal(size=5000)) == pytest.approx(0, abs=0.03)  # chance has sd 0.005


def test_mutual_information_of_equal_coins_is_the_entropy_of_one() -> None:
    coins = RNG.integers(0, 2, 100_000).astype(float)
    assert mutual_information(coins, coins) == pytest.approx(np.log(2), rel=1e-3)


def test_mutual_information_does_not_mind_an_inverted_contrast() -> None:
    noisy = SAMPLES + 0.3 * RNG.normal(size=5000)
    assert mutual_information(SAMPLES, -noisy) == pytest.approx(mutual_information(SAMPLES, noisy), rel=0.05)
