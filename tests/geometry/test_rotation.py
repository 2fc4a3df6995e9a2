"""Rotation vectors and matrices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation

from cohortex.geometry import rotation_about_axis, rotation_angle_deg, rotation_from_vector

vectors = st.lists(st.floats(-1.7, 1.7), min_size=3, max_size=3)


@given(vectors)
def test_the_matrix_is_scipys(vector):
    matrix = rotation_from_vector(vector)
    assert_allclose(matrix, Rotation.from_rotvec(vector).as_matrix(), atol=1e-12)
    assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1)


@given(vectors)
def test_the_angle_is_the_length_of_the_vector(vector):
    assert rotation_angle_deg(rotation_from_vector(vector)) == pytest.approx(
        np.rad2deg(np.linalg.norm(vector)), abs=1e-7
    )


@pytest.mark.parametrize("angle", [0, 1e-9, 90, 179.999, 180])
def test_small_and_straight_angles_are_exact(angle):
    assert rotation_angle_deg(rotation_about_axis(1, angle)) == pytest.approx(angle, abs=1e-12, rel=1e-9)


def test_a_quarter_turn_about_the_long_axis_takes_left_to_the_back():
    assert_allclose(rotation_about_axis(2, 90) @ (1, 0, 0), (0, 1, 0), atol=1e-15)  # L to P, right-handed about S
