"""Displacement fields: reading, inverting, local volume."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cohortex.geometry import Grid, rotation_from_vector
from cohortex.image import Image
from cohortex.transform import Affine, Displacement, Rigid, displacement_of, jacobian_determinant

GRID = Grid.from_parts(
    (26, 24, 22), spacing_mm=(4, 4, 5), origin_mm=(-48, -46, -50), direction=rotation_from_vector((0.1, 0.2, -0.1))
)


def smooth_field(amplitude_mm: float, *, seed: int = 0) -> Displacement:
    """A sum of slow waves that dies away towards the border."""
    rng = np.random.default_rng(seed)
    points = (GRID.world_points() - GRID.center_mm) / 100
    waves = np.stack([np.sin(points @ rng.normal(size=3) * 5 + rng.uniform(0, 6)) for _ in range(3)], axis=-1)
    index = np.moveaxis(np.indices(GRID.shape), 0, -1) / (np.array(GRID.shape) - 1)
    window = np.prod(np.sin(np.pi * index), axis=-1, keepdims=True)
    return Displacement(Image(amplitude_mm * waves * window, GRID, "mm", {}, ("vector",)))


def points_inside(count: int = 300) -> np.ndarray:
    index = np.random.default_rng(1).uniform(2, np.array(GRID.shape) - 3, (count, 3))
    return GRID.world_of(index)


@pytest.mark.parametrize("seed", range(3))
def test_a_field_and_its_inverse_cancel(seed):
    field = smooth_field(6, seed=seed)
    points = points_inside()
    moved = field(points)
    assert np.abs(moved - points).max() > 3
    error = np.linalg.norm(field.inverse()(moved) - points, axis=-1)
    assert np.quantile(error, 0.95) < 0.2  # the inverse is stored on the same 4 mm grid and read linearly
    assert error.max() < 0.3
    at_nodes = GRID.world_points()[3:-3, 3:-3, 3:-3]
    assert np.abs(field(field.inverse()(at_nodes)) - at_nodes).max() < 0.01


def test_the_inverse_of_the_inverse_is_the_field_itself():
    field = smooth_field(5)
    assert field.inverse().inverse().field is field.field


def test_an_inverse_that_is_known_is_used():
    field, back = smooth_field(5), smooth_field(3, seed=9)
    assert Displacement(field.field, back.field).inverse().field is back.field


def test_between_voxels_the_field_is_read_linearly_and_beyond_the_grid_it_is_that_of_the_edge():
    values = np.zeros((*GRID.shape, 3))
    values[..., 0] = np.arange(GRID.shape[0])[:, None, None]
    field = Displacement(Image(values, GRID, "mm", {}, ("vector",)))
    for index, expected in (((2.5, 4, 4), 2.5), ((-10, 4, 4), 0), ((60, 4, 4), GRID.shape[0] - 1)):
        point = GRID.world_of(index)
        assert_allclose(field(point) - point, (expected, 0, 0), atol=1e-9)


@pytest.mark.parametrize(
    "transform",
    [
        Rigid.from_vectors(rotation_vector_rad=(0.2, 0.1, -0.3), translation_mm=(5, -4, 3)),
        Affine(np.diag([1.1, 0.9, 1.2, 1.0])),
        smooth_field(4),
    ],
    ids=["rigid", "affine", "field"],
)
def test_any_transform_can_be_written_as_a_field(transform):
    field = displacement_of(transform, GRID)
    nodes = GRID.world_points()
    assert_allclose(field(nodes), transform(nodes), atol=1e-4)  # float32 millimetres
    assert field.field.dtype == np.float32


def test_a_ten_percent_dilation_has_the_jacobian_of_the_formula():
    dilation = Affine(np.diag([1.1, 1.1, 1.1, 1.0]))
    assert_allclose(jacobian_determinant(dilation, GRID).values, 1.1**3, rtol=1e-5)
    assert_allclose(jacobian_determinant(displacement_of(dilation, GRID), GRID).values, 1.1**3, rtol=1e-4)


def test_a_rigid_motion_keeps_volume_and_a_mirror_turns_the_sign():
    motion = Rigid.from_vectors(rotation_vector_rad=(0.5, 0.1, -0.3), translation_mm=(9, 9, 9))
    assert_allclose(jacobian_determinant(motion, GRID).values, 1, rtol=1e-5)
    mirror = Affine(np.diag([-1.0, 1, 1, 1]))
    assert_allclose(jacobian_determinant(mirror, GRID).values, -1, rtol=1e-5)


def test_jacobians_of_a_field_and_its_inverse_multiply_to_one():
    field = smooth_field(4)
    inner = (slice(4, -4),) * 3
    there = jacobian_determinant(field, GRID).values[inner]
    back_at_target = jacobian_determinant(field @ field.inverse(), GRID).values[inner]
    assert there.std() > 0.03
    assert_allclose(back_at_target, 1, atol=0.02)


@pytest.mark.parametrize(
    "image",
    [
        Image(np.zeros((4, 4, 4)), Grid.from_parts((4, 4, 4))),
        Image(np.zeros((4, 4, 4, 2)), Grid.from_parts((4, 4, 4)), extra_axes=("vector",)),
        Image(np.zeros((4, 4, 4, 3)), Grid.from_parts((4, 4, 4)), extra_axes=("channel",)),
        Image(np.zeros((4, 4, 3)), Grid.from_parts((4, 4)), extra_axes=("vector",)),
    ],
)
def test_what_is_no_field_of_three_components_in_space_is_refused(image):
    with pytest.raises(ValueError, match="displacement field"):
        Displacement(image)
    with pytest.raises(ValueError, match="displacement field"):
        Displacement(smooth_field(1).field, image)


@pytest.mark.parametrize("grid", [Grid.from_parts((4, 4)), Grid.from_parts((4, 4, 1))])
def test_a_jacobian_needs_neighbours_along_three_axes(grid):
    with pytest.raises(ValueError, match="three axes"):
        jacobian_determinant(Affine.identity(), grid)
