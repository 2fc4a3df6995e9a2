"""Rigid and affine transforms: cancelling, halving, drift, refusals."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from cohortex.transform import Affine, Rigid

POINTS = np.random.default_rng(0).uniform(-120, 120, (40, 3))


@st.composite
def rigid_motions(draw) -> Rigid:
    return Rigid.from_vectors(
        rotation_vector_rad=draw(arrays(float, 3, elements=st.floats(-1.7, 1.7))),
        translation_mm=draw(arrays(float, 3, elements=st.floats(-200, 200))),
        center_mm=draw(arrays(float, 3, elements=st.floats(-100, 100))),
    )


@st.composite
def affines(draw) -> Affine:
    matrix = draw(rigid_motions()).matrix.copy()
    matrix[:3, :3] = matrix[:3, :3] @ (np.eye(3) + draw(arrays(float, (3, 3), elements=st.floats(-0.2, 0.2))))
    return Affine(matrix)


@given(rigid_motions())
def test_a_motion_and_its_inverse_cancel(motion):
    assert_allclose(motion.inverse()(motion(POINTS)), POINTS, atol=1e-9)
    assert_allclose((motion @ motion.inverse()).matrix, np.eye(4), atol=1e-9)


@given(affines())
def test_an_affine_and_its_inverse_cancel(affine):
    assert_allclose(affine.inverse()(affine(POINTS)), POINTS, atol=1e-8)


@given(rigid_motions())
def test_half_a_motion_made_twice_is_the_whole(motion):
    assume(motion.angle_deg < 175)
    half = motion.half()
    assert_allclose((half @ half).matrix, motion.matrix, atol=1e-6)
    assert half.angle_deg == pytest.approx(motion.angle_deg / 2, abs=1e-6)


@given(rigid_motions())
def test_half_of_the_way_back_is_the_way_back_from_half(motion):
    assume(motion.angle_deg < 175)
    assert_allclose(motion.inverse().half().matrix, motion.half().inverse().matrix, atol=1e-6)


@given(affines())
def test_half_an_affine_made_twice_is_the_whole(affine):
    assume(np.all(np.abs(np.angle(np.linalg.eigvals(affine.matrix))) < 3))
    half = affine.half()
    assert_allclose((half @ half).matrix, affine.matrix, atol=1e-6)


@given(rigid_motions(), rigid_motions())
def test_a_product_acts_from_right_to_left(first, second):
    assert isinstance(first @ second, Rigid)
    assert_allclose((first @ second)(POINTS), first(second(POINTS)), atol=1e-9)


def test_a_rigid_times_an_affine_is_an_affine_either_way():
    motion = Rigid.from_vectors(rotation_vector_rad=(0.1, 0.2, 0.3), translation_mm=(4, 5, 6))
    affine = Affine(np.diag([1.1, 0.9, 1.2, 1]))
    for product in (motion @ affine, affine @ motion):
        assert isinstance(product, Affine)
    assert_allclose((motion @ affine)(POINTS), motion(affine(POINTS)), atol=1e-9)
    assert_allclose((affine @ motion)(POINTS), affine(motion(POINTS)), atol=1e-9)


def test_a_rotation_turns_about_its_centre():
    center = np.array((10.0, -20.0, 30.0))
    motion = Rigid.from_vectors(rotation_vector_rad=(0, 0, np.pi / 2), translation_mm=(0, 0, 5), center_mm=center)
    assert_allclose(motion(center), center + np.array((0, 0, 5)))
    assert_allclose(motion(center + np.array((1, 0, 0))), center + np.array((0, 1, 5)))
    assert motion.angle_deg == pytest.approx(90)


def test_a_thousand_small_motions_stay_a_rotation():
    step = Rigid.from_vectors(rotation_vector_rad=(0.01, -0.02, 0.03), translation_mm=(0.1, 0, 0))
    motion = Rigid.identity()
    for _ in range(1000):
        motion = motion @ step
    assert_allclose(motion.rotation @ motion.rotation.T, np.eye(3), atol=1e-14)


def test_points_of_any_shape_keep_it():
    motion = Rigid.from_vectors(translation_mm=(1, 2, 3))
    assert_allclose(motion((0, 0, 0)), (1, 2, 3))
    assert motion(np.zeros((2, 4, 5, 3))).shape == (2, 4, 5, 3)
    assert Affine.identity()(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    "transform", [Rigid.from_vectors(rotation_vector_rad=(0.3, 0.2, 0.1)), Affine(np.diag([2.0, 1, 3, 1]))]
)
@pytest.mark.parametrize("copied", [lambda t: pickle.loads(pickle.dumps(t)), copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_transform_reaches_another_process_bit_for_bit_and_frozen(transform, copied):
    again = copied(transform)
    assert_array_equal(again.matrix, transform.matrix)
    with pytest.raises(ValueError, match="read-only"):
        again.matrix[0, 3] = 7


@pytest.mark.parametrize(
    "matrix", [np.eye(3), np.full((4, 4), np.nan), np.ones((4, 4)), np.diag([1.0, 0, 1, 1]), np.diag([1.0, 1, 1, 2])]
)
@pytest.mark.parametrize("kind", [Rigid, Affine])
def test_an_impossible_matrix_is_refused(kind, matrix):
    with pytest.raises(ValueError, match="matrix"):
        kind(matrix)


@pytest.mark.parametrize("matrix", [np.diag([1.1, 1, 1, 1]), np.diag([-1.0, 1, 1, 1])])
def test_scale_and_mirror_are_no_rigid_motion(matrix):
    with pytest.raises(ValueError, match="proper rotation"):
        Rigid(matrix)


def test_a_half_turn_has_no_single_half():
    with pytest.raises(ValueError, match="180 degrees"):
        Rigid.from_vectors(rotation_vector_rad=(np.pi, 0, 0)).half()
