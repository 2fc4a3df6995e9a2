from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohortex import Grid, phantoms
from cohortex.transform import Rigid


def test_an_ellipsoid_has_the_volume_of_its_formula():
    blob = phantoms.Blob(center_mm=(1, 2, 3), radii_mm=(4, 5, 6), axes=np.eye(3))
    assert phantoms.Shape(parts=(blob,)).volume_mm3 == pytest.approx(4 / 3 * np.pi * 120)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), volume=st.floats(27, 3000))
def test_a_drawn_blob_has_the_volume_asked_for_by_counting_points(seed, volume):
    blob = phantoms.draw_blob(np.random.default_rng(seed), center_mm=(3, -2, 1), volume_mm3=volume)
    assert blob.volume_mm3 == pytest.approx(volume)
    step = np.cbrt(volume) / 40
    half = blob.reach_mm
    axes = [np.arange(-half, half + step, step)] * 3
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1) + np.array([3, -2, 1])
    assert (blob.level(points) < 1).sum() * step**3 == pytest.approx(volume, rel=0.01)


def test_boxes_hold_the_shape():
    rng = np.random.default_rng(5)
    blob = phantoms.draw_blob(rng, center_mm=(0, 0, 0), volume_mm3=800, elongation=3, lobulation=0.4)
    shape = phantoms.Shape(parts=(blob,))
    points = rng.uniform(-30, 30, (200_000, 3))
    inside = points[shape.level(points) < 1]
    low, high = shape.box_mm
    assert len(inside) > 500
    assert ((inside > low) & (inside < high)).all()
    assert np.linalg.norm(inside - shape.center_mm, axis=1).max() < shape.reach_mm


def test_scaling_multiplies_the_volume_and_keeps_the_centre():
    rng = np.random.default_rng(1)
    parts = tuple(phantoms.draw_blob(rng, center_mm=c, volume_mm3=200) for c in ((0, 0, 0), (6, 0, 0)))
    shape = phantoms.Shape(parts=parts)
    grown = shape.scaled(1.7)
    assert grown.volume_mm3 / shape.volume_mm3 == pytest.approx(1.7, rel=0.003)
    assert grown.center_mm == pytest.approx(shape.center_mm)


def test_overlap_of_touching_parts_counts_once():
    ball = phantoms.Blob(center_mm=(0, 0, 0), radii_mm=(5, 5, 5), axes=np.eye(3))
    twice = phantoms.Shape(parts=(ball, ball))
    assert twice.volume_mm3 == pytest.approx(ball.volume_mm3, rel=0.003)


def test_voxel_shares_add_up_to_the_volume_on_a_moved_anisotropic_grid():
    blob = phantoms.draw_blob(np.random.default_rng(2), center_mm=(5, 5, 5), volume_mm3=300)
    shape = phantoms.Shape(parts=(blob,))
    grid = Grid.from_parts((40, 40, 12), spacing_mm=(1, 1.3, 4), origin_mm=(-15, -20, -20))
    motion = Rigid.from_vectors(rotation_vector_rad=(0.2, -0.1, 0.3), translation_mm=(2, 3, -1))
    part = shape.fraction(grid, world_from_head=motion)
    assert part.share.sum() * grid.voxel_volume_mm3 == pytest.approx(300, rel=0.02)
    block = grid.world_points()[part.box]
    center = np.average(block.reshape(-1, 3), axis=0, weights=part.share.ravel())
    low = blob.level(motion.inverse()(center))
    assert low < 0.3


def test_a_shape_outside_the_grid_fills_nothing():
    blob = phantoms.draw_blob(np.random.default_rng(2), center_mm=(500, 0, 0), volume_mm3=300)
    part = phantoms.Shape(parts=(blob,)).fraction(Grid.from_parts((10, 10, 10)))
    assert part.share.sum() == 0
