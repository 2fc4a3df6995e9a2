"""Chains: order, merging of matrices, one sampling of the image."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.transform import Affine, Chain, Displacement, Rigid, Transform, warp

GRID = Grid.from_parts((14, 13, 12), spacing_mm=(2, 2, 2), origin_mm=(-14, -13, -12))
MOTION = Rigid.from_vectors(rotation_vector_rad=(0.1, -0.2, 0.15), translation_mm=(1, 2, -1))
STRETCH = Affine(np.diag([1.05, 0.95, 1.02, 1.0]))


def shift_field(mm: float) -> Displacement:
    values = np.zeros((*GRID.shape, 3))
    values[..., 0] = mm
    return Displacement(Image(values, GRID, "mm", {}, ("vector",)))


def test_neighbouring_matrices_are_multiplied_and_fields_kept_apart():
    chain = MOTION @ shift_field(1) @ MOTION @ STRETCH
    assert isinstance(chain, Chain)
    assert [type(part) for part in chain.parts] == [Rigid, Displacement, Affine]
    assert isinstance(Chain.of(MOTION, MOTION.inverse()), Rigid)
    assert isinstance(Chain.of(MOTION), Rigid)


def test_a_chain_acts_from_its_last_part_to_its_first():
    points = np.random.default_rng(0).uniform(-8, 8, (20, 3))
    chain = MOTION @ shift_field(2) @ STRETCH
    assert_allclose(chain(points), MOTION(STRETCH(points) + np.array((2, 0, 0))), atol=1e-9)
    assert_allclose(((STRETCH @ shift_field(2)) @ MOTION)(points), (STRETCH @ (shift_field(2) @ MOTION))(points))
    assert isinstance(chain, Transform)


def test_there_and_back_gives_the_image_unblurred():
    """Two samplings half a voxel apart would halve the finest detail."""
    image = Image(np.random.default_rng(1).normal(size=GRID.shape), GRID)
    there_and_back = shift_field(1) @ MOTION @ MOTION.inverse() @ shift_field(-1)
    assert_allclose(warp(image, there_and_back, onto=GRID).values, image.values, atol=1e-9)
    twice = warp(warp(image, shift_field(1), onto=GRID), shift_field(-1), onto=GRID)
    assert twice.values[2:-2].std() < 0.8 * image.values.std()


def test_a_chain_of_four_reads_the_image_once(monkeypatch):
    image = Image(np.random.default_rng(1).normal(size=GRID.shape), GRID)
    readings = []
    original = ndimage.map_coordinates

    def counted(values, *arguments, **options):
        readings.append(np.array_equal(values, image.values))
        return original(values, *arguments, **options)

    monkeypatch.setattr(ndimage, "map_coordinates", counted)
    warp(image, MOTION @ shift_field(1) @ STRETCH @ shift_field(0.5), onto=GRID)
    assert sum(readings) == 1
    assert len(readings) == 1 + 2 * 3  # and each of two fields once per component


def test_warping_labels_keeps_their_set():
    labels = Labels(np.random.default_rng(2).choice([0, 3, 9], GRID.shape), GRID)
    moved = warp(labels, MOTION @ shift_field(0.7), onto=GRID, interpolation="linear")
    assert isinstance(moved, Labels)
    assert set(np.unique(moved.values)) <= {0, 3, 9}


def test_beyond_the_moving_image_the_outside_value_stands():
    far = Rigid.from_vectors(translation_mm=(500, 0, 0))
    assert_array_equal(warp(Image(np.ones(GRID.shape), GRID), far, onto=GRID, outside=-1000).values, -1000)


def test_pictures_are_not_warped():
    flat = Grid.from_parts((4, 4))
    with pytest.raises(ValueError, match="three"):
        warp(Image(np.ones((4, 4)), flat), MOTION, onto=GRID)
    with pytest.raises(ValueError, match="three"):
        warp(Image(np.ones(GRID.shape), GRID), MOTION, onto=flat)
