"""A plane map gives back what was planar, says what it loses, and does not depend on the order of the subjects."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist

from cohortex.statistics import lay_out, procrustes


def cloud(seed: int, n: int = 12, dimensions: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dimensions)) * ([3, 1.5] + [0.3] * (dimensions - 2))


@pytest.mark.parametrize("refine", [False, True])
def test_planar_distances_give_the_points_back(refine):
    points = cloud(0)
    layout = lay_out(cdist(points, points), refine=refine)
    assert procrustes(layout.points, onto=points).disparity < 1e-12
    assert layout.stress < 1e-7
    assert layout.explained == pytest.approx(1)
    assert layout.negative_share == 0


def test_what_two_dimensions_lose_is_said():
    points = cloud(1, dimensions=5)
    layout = lay_out(cdist(points, points))
    assert 0.01 < layout.stress < 0.2
    assert 0.8 < layout.explained < 1
    assert layout.negative_share < 1e-9


def test_refining_lowers_the_stress():
    points = cloud(2, dimensions=8)
    distances = cdist(points, points, "cityblock")
    assert lay_out(distances).stress < lay_out(distances, refine=False).stress


def test_distances_no_space_holds_have_negative_eigenvalues():
    star = 2 - 2 * np.eye(4)  # three points all 2 apart, and one that is 1 from each: nearer than any space allows
    star[3, :3] = star[:3, 3] = 1
    assert lay_out(star).negative_share > 0.01


@given(st.integers(0, 100))
def test_the_order_of_the_subjects_does_not_turn_the_map(seed):
    points = cloud(seed, n=9, dimensions=4)
    order = np.random.default_rng(seed).permutation(9)
    distances = cdist(points, points)
    assert_allclose(lay_out(distances[order][:, order]).points, lay_out(distances).points[order], atol=1e-3)


def test_the_first_axis_is_the_longer_one():
    points = lay_out(cdist(cloud(3), cloud(3))).points
    assert points[:, 0].std() > points[:, 1].std()
    assert_allclose(points.mean(axis=0), 0, atol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_few_subjects_have_their_exact_distances(n):
    points = cloud(4, n=n)
    assert_allclose(cdist(lay_out(cdist(points, points)).points, lay_out(cdist(points, points)).points),
                    cdist(points, points), atol=1e-6)  # fmt: skip


def test_subjects_that_coincide_lie_on_one_point():
    layout = lay_out(np.zeros((4, 4)))
    assert np.all(layout.points == 0)
    assert layout.stress == 0


def test_a_matrix_of_something_else_is_refused():
    with pytest.raises(ValueError, match="symmetric"):
        lay_out([[0.0, 1], [2, 0]])


def test_a_turned_mirrored_scaled_map_is_laid_back():
    points = cloud(5)
    angle = 0.7
    turned = 3 * points @ [[np.cos(angle), np.sin(angle)], [np.sin(angle), -np.cos(angle)]] + [5, -2]
    fit = procrustes(turned, onto=points)
    assert_allclose(fit.points, points, atol=1e-9)
    assert_allclose(turned @ fit.matrix + fit.shift, points, atol=1e-9)
    assert procrustes(turned, onto=points, scale=False).disparity > 1


def test_maps_of_other_subjects_are_refused():
    with pytest.raises(ValueError, match="same subjects"):
        procrustes(np.zeros((3, 2)), onto=np.zeros((4, 2)))
    with pytest.raises(ValueError, match="coincide"):
        procrustes(cloud(6, n=3), onto=np.zeros((3, 2)))
