"""A newcomer lies where its distances say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cohortex.statistics.placing import place_among


def test_exact_distances_give_the_place_back():
    rng = np.random.default_rng(3)
    for _ in range(20):
        others, place = rng.normal(size=(7, 2)), rng.normal(size=2)
        assert_allclose(place_among(others, np.linalg.norm(others - place, axis=1)), place, atol=1e-6)


def test_no_place_on_a_fine_grid_is_better():
    rng = np.random.default_rng(4)
    others = rng.normal(size=(6, 2))
    wanted = np.linalg.norm(others - rng.normal(size=2), axis=1) + rng.uniform(0, 0.5, size=6)
    found = place_among(others, wanted)
    grid = np.stack(np.meshgrid(*[np.linspace(-5, 5, 401)] * 2), axis=-1)
    costs = ((np.linalg.norm(others - grid[..., None, :], axis=-1) - wanted) ** 2).sum(axis=-1)
    assert ((np.linalg.norm(others - found, axis=1) - wanted) ** 2).sum() <= costs.min() + 1e-9


def test_one_other_is_enough_and_the_answer_repeats():
    first = place_among([[1.0, 1.0]], [2.0])
    assert_allclose(np.linalg.norm(first - [1, 1]), 2.0, atol=1e-6)
    assert_allclose(first, place_among([[1.0, 1.0]], [2.0]), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("points", "distances", "said"),
    [([[0, 0]], [1, 2], "shape"), ([[0, 0]], [-1], "negative"), ([[0, 0]], [np.nan], "finite"), ([], [], "shape")],
)
def test_what_cannot_be_placed_is_refused(points, distances, said):
    with pytest.raises(ValueError, match=said):
        place_among(points, distances)
