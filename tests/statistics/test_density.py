"""A density is one, has the width of Scott's rule, and is not drawn of a few."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cohortex.statistics import density, scott_bandwidth

POINTS = np.random.default_rng(0).normal(size=(20, 2)) * [2, 1]
LINE = np.linspace(-15, 15, 151)


def test_it_integrates_to_one():
    assert density(POINTS, x=LINE, y=LINE).sum() * 0.2**2 == pytest.approx(1, abs=1e-6)


def test_rows_are_y_and_columns_x():
    there = density(POINTS + np.array([6, -3]), x=LINE, y=LINE)
    row, column = np.unravel_index(np.argmax(there), there.shape)
    assert LINE[column] == pytest.approx(6, abs=1.5)
    assert LINE[row] == pytest.approx(-3, abs=1.5)


def test_the_width_follows_scott_and_no_turn_changes_it():
    spread = np.sqrt(POINTS.var(axis=0, ddof=1).mean())
    assert scott_bandwidth(POINTS) == pytest.approx(spread * 20 ** (-1 / 6))
    turned = POINTS @ [[0.6, 0.8], [-0.8, 0.6]]
    assert_allclose(scott_bandwidth(turned), scott_bandwidth(POINTS))


@pytest.mark.parametrize(
    ("points", "what"),
    [
        (POINTS[:4], "n too small: 4 subjects"),
        (np.zeros((6, 2)), "one point"),
        (POINTS[:, :1], "coordinates"),
        (np.where(POINTS > 1, np.nan, POINTS), "finite"),
    ],
)
def test_what_has_no_density_is_refused(points, what):
    with pytest.raises(ValueError, match=what):
        density(points, x=LINE, y=LINE)
