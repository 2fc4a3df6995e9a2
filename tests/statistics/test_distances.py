"""Distances that are metrics, joined or not, and matrices that are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from cohortex.statistics import checked_distances, joined, rms_difference

vectors = arrays(np.float64, (3, 4, 3), elements=st.floats(-100, 100))


def test_the_distance_of_two_fields_is_the_root_mean_square_of_their_vectors():
    assert rms_difference(np.zeros((5, 3)), np.tile([3.0, 0, 4], (5, 1))) == pytest.approx(5)
    assert rms_difference([0.0, 0, 0, 0], [2.0, 0, 0, 0]) == pytest.approx(1)


@given(vectors)
def test_joined_distances_keep_the_laws_of_a_metric(three):
    def distance(a, b):
        return joined((rms_difference(a, b), rms_difference(a[:, 0], b[:, 0])), (1.0, 7.0))

    a, b, c = three
    assert distance(a, a) == 0
    assert distance(a, b) == distance(b, a) >= 0
    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-9  # rounding


def test_joined_euclidean_distances_are_those_of_the_joined_vectors():
    a, b = np.random.default_rng(0).normal(size=(2, 10))
    parts = [float(np.linalg.norm(a[:4] - b[:4])), float(np.linalg.norm(a[4:] - b[4:]))]
    assert_allclose(joined(parts, (1, 1)), np.linalg.norm(a - b))


@pytest.mark.parametrize(
    ("a", "b", "what"),
    [([1.0], [1.0, 2.0], "shapes"), ([], [], "shapes"), ([np.nan], [1.0], "NaN"), ([[[1.0]]], [[[1.0]]], "shapes")],
)
def test_vectors_without_a_distance_are_refused(a, b, what):
    with pytest.raises(ValueError, match=what):
        rms_difference(a, b)


@pytest.mark.parametrize(("weights", "what"), [((1.0,), "one weight for each"), ((1.0, -1.0), "0 or more")])
def test_weights_that_would_break_the_metric_are_refused(weights, what):
    with pytest.raises(ValueError, match=what):
        joined((1.0, 2.0), weights)


@pytest.mark.parametrize(
    ("matrix", "what"),
    [
        (np.zeros((2, 3)), "square"),
        (np.zeros((0, 0)), "square"),
        ([[0.0, np.nan], [np.nan, 0]], "NaN"),
        ([[0.0, -1], [-1, 0]], "negative"),
        ([[0.0, 1], [2, 0]], "symmetric"),
        ([[1.0, 1], [1, 1]], "diagonal"),
    ],
)
def test_a_matrix_that_holds_no_distances_is_refused(matrix, what):
    with pytest.raises(ValueError, match=what):
        checked_distances(matrix)


def test_a_matrix_symmetric_but_for_rounding_becomes_so():
    matrix = checked_distances([[0.0, 1 + 1e-9], [1.0, 1e-12]])
    assert matrix[0, 1] == matrix[1, 0]
    assert np.all(np.diag(matrix) == 0)
