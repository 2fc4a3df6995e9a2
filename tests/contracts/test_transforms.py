"""What every transform promises: its inverse cancels, @ composes, points and images agree, one sampling."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cohortex.geometry import Grid, rotation_from_vector
from cohortex.image import Image, Labels
from cohortex.transform import Affine, Chain, Displacement, Rigid, Transform, warp

FIXED = Grid.from_parts((22, 20, 16), spacing_mm=(3, 3, 4), origin_mm=(-31, -28, -30))
MOVING = Grid.from_parts(
    (40, 40, 40), spacing_mm=(2.5, 2.5, 3), origin_mm=(-50, -45, -60), direction=rotation_from_vector((0.1, -0.1, 0.2))
)


def bump_field() -> Displacement:
    grid = FIXED.padded(3)
    distance = np.linalg.norm(grid.world_points() - grid.center_mm, axis=-1, keepdims=True)
    values = np.array((4.0, -3.0, 2.0)) * np.exp(-((distance / 22) ** 2))
    return Displacement(Image(values, grid, "mm", {}, ("vector",)))


RIGID = Rigid.from_vectors(rotation_vector_rad=(0.1, 0.2, -0.15), translation_mm=(3, -2, 4))
AFFINE = Affine(RIGID.matrix @ np.diag([1.1, 0.95, 1.05, 1.0]))
TRANSFORMS = {
    "rigid": RIGID,
    "affine": AFFINE,
    "displacement": bump_field(),
    "chain": Chain.of(RIGID, bump_field(), AFFINE.inverse()),
    "inverse of a displacement": bump_field().inverse(),
    "inverse of a chain": Chain.of(RIGID, bump_field()).inverse(),
}


@pytest.fixture(params=list(TRANSFORMS), ids=list(TRANSFORMS))
def transform(request) -> Transform:
    return TRANSFORMS[request.param]


def points() -> np.ndarray:
    return FIXED.world_of(np.random.default_rng(0).uniform(4, (17, 15, 11), (200, 3)))


def test_it_is_a_transform(transform):
    assert isinstance(transform, Transform)


def test_its_inverse_cancels(transform):
    assert_allclose(transform.inverse()(transform(points())), points(), atol=0.15)  # fields are inverted on a 3 mm grid
    assert_allclose(transform(transform.inverse()(points())), points(), atol=0.15)


@pytest.mark.parametrize("other", [RIGID, AFFINE, bump_field(), Chain.of(AFFINE, bump_field())])
def test_a_product_is_one_after_the_other(transform, other):
    assert_allclose((transform @ other)(points()), transform(other(points())), atol=1e-9)


def test_products_do_not_care_about_brackets(transform):
    left, right = (transform @ RIGID) @ bump_field(), transform @ (RIGID @ bump_field())
    assert_allclose(left(points()), right(points()), atol=1e-9)


def test_points_keep_their_shape_and_the_input_stays(transform):
    given = np.zeros((2, 3, 3))
    assert transform(given).shape == (2, 3, 3)
    assert not given.any()
    assert transform((1.0, 2.0, 3.0)).shape == (3,)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_points_and_images_agree(transform, axis):
    """A picture of the world coordinate shows, at a fixed point, where the transform takes that point."""
    ramp = Image(MOVING.world_points()[..., axis], MOVING)
    warped = warp(ramp, transform, onto=FIXED, outside=np.nan)
    expected = transform(FIXED.world_points())[..., axis]
    seen = np.isfinite(warped.values)
    assert seen.mean() > 0.5
    inside = seen & np.all(
        (MOVING.index_of(transform(FIXED.world_points())) >= 0)
        & (MOVING.index_of(transform(FIXED.world_points())) <= np.array(MOVING.shape) - 1),
        axis=-1,
    )
    assert_allclose(warped.values[inside], expected[inside], atol=1e-6)


def test_a_marker_lands_where_the_inverse_takes_its_centre(transform):
    center = transform(FIXED.center_mm)
    blob = np.exp(-np.sum((MOVING.world_points() - center) ** 2, axis=-1) / (2 * 5.0**2))
    warped = warp(Image(blob, MOVING), transform, onto=FIXED)
    assert warped.grid == FIXED
    found = FIXED.world_points()[np.unravel_index(np.argmax(warped.values), FIXED.shape)]
    assert np.linalg.norm(found - transform.inverse()(center)) < 4  # one voxel


def test_labels_keep_their_set(transform):
    labels = Labels(np.random.default_rng(1).choice([0, 5, 12], MOVING.shape), MOVING)
    assert set(np.unique(warp(labels, transform, onto=FIXED).values)) <= {0, 5, 12}


def test_twice_gives_the_same_bits(transform):
    image = Image(np.random.default_rng(2).normal(size=MOVING.shape), MOVING)
    first, second = (warp(image, transform, onto=FIXED).values.tobytes() for _ in range(2))
    assert first == second
