"""Volumes, surfaces and roundness against formulas."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cohortex.geometry import Grid, rotation_from_vector
from cohortex.image import Image, Labels
from cohortex.measure import sphericity, surface_area_mm2, volume_ml

OBLIQUE = rotation_from_vector((0.3, -0.2, 0.5))


def ellipsoid(radii_mm, spacing_mm, *, direction=None, label=1) -> Labels:
    """Voxels whose centre lies in an ellipsoid with axes along the world, off-centre by a part of a voxel."""
    half = np.ceil(np.max(radii_mm) * 1.3 / np.asarray(spacing_mm)).astype(int) + 2
    grid = Grid.from_parts(2 * half + 1, spacing_mm=spacing_mm, direction=direction)
    points = grid.world_points() - grid.center_mm - 0.21
    return Labels(label * (np.sum((points / np.asarray(radii_mm)) ** 2, axis=-1) <= 1).astype(np.uint8), grid)


def sheared(grid: Grid) -> Grid:
    matrix = grid.world_from_index.copy()
    matrix[1, 2] += 0.4 * matrix[2, 2]  # a gantry tilted by 22 degrees
    return Grid(grid.shape, matrix)


@pytest.mark.parametrize("spacing", [(1, 1, 1), (1, 1, 2.5), (0.5, 0.5, 4)])
@pytest.mark.parametrize("direction", [None, OBLIQUE])
def test_a_ball_has_the_volume_surface_and_sphericity_of_the_formulas(spacing, direction):
    ball = ellipsoid((14, 14, 14), spacing, direction=direction)
    assert volume_ml(ball) == pytest.approx(4 / 3 * np.pi * 14**3 / 1000, rel=0.02)  # voxels of 4 mm at the rim
    assert surface_area_mm2(ball) == pytest.approx(4 * np.pi * 14**2, rel=0.02)
    assert sphericity(ball) == pytest.approx(1, rel=0.02)


def test_a_ball_on_a_sheared_grid_keeps_volume_and_surface():
    tilted = sheared(Grid.from_parts((50, 70, 50), spacing_mm=(0.9, 0.9, 1.2)))
    inside = np.linalg.norm(tilted.world_points() - tilted.center_mm, axis=-1) <= 13
    ball = Labels(inside, tilted)
    assert volume_ml(ball) == pytest.approx(4 / 3 * np.pi * 13**3 / 1000, rel=0.01)
    assert surface_area_mm2(ball) == pytest.approx(4 * np.pi * 13**2, rel=0.02)


def test_the_surface_of_an_ellipsoid_agrees_with_its_integral():
    a, b, c = 10.0, 15.0, 20.0
    theta, phi = np.meshgrid((np.arange(400) + 0.5) / 400 * np.pi, (np.arange(800) + 0.5) / 400 * np.pi, indexing="ij")
    element = np.sin(theta) * np.sqrt(
        (b * c * np.sin(theta) * np.cos(phi)) ** 2
        + (a * c * np.sin(theta) * np.sin(phi)) ** 2
        + (a * b * np.cos(theta)) ** 2
    )
    truth = element.sum() * (np.pi / 400) ** 2
    assert surface_area_mm2(ellipsoid((a, b, c), (1, 1, 1))) == pytest.approx(truth, rel=0.025)


def test_a_long_body_is_less_spherical_than_a_ball():
    assert sphericity(ellipsoid((5, 5, 20), (1, 1, 1))) < 0.85


def test_a_body_cut_by_the_border_of_the_grid_is_closed_there():
    block = Labels(np.ones((20, 20, 20), np.uint8), Grid.from_parts((20, 20, 20)))
    assert surface_area_mm2(block) == pytest.approx(6 * 20**2, rel=0.05)  # the blur rounds its edges


def test_one_label_is_measured_apart_from_the_others():
    grid = Grid.from_parts((10, 10, 10), spacing_mm=(1, 2, 3))
    values = np.zeros(grid.shape, np.int16)
    values[2:4, 2:4, 2:4] = 3
    values[6:, 6:, 6:] = 7
    labels = Labels(values, grid)
    assert volume_ml(labels, 3) == pytest.approx(8 * 6 / 1000)
    assert volume_ml(labels) == pytest.approx((8 + 64) * 6 / 1000)


def test_fractions_add_up_to_a_volume():
    grid = Grid.from_parts((4, 4, 4), spacing_mm=(1, 1, 2))
    values = np.zeros(grid.shape, np.float32)
    values[0, 0] = 0.25
    assert_allclose(volume_ml(Image(values, grid, "1")), 4 * 0.25 * 2 / 1000)


def test_a_label_that_is_not_there_measures_nothing():
    empty = Labels(np.zeros((5, 5, 5), np.uint8), Grid.from_parts((5, 5, 5)))
    assert volume_ml(empty) == 0
    assert surface_area_mm2(empty, 4) == 0
    assert sphericity(empty) is None


def test_a_single_slice_has_a_volume_and_a_surface():
    slab = Labels(np.ones((8, 8, 1), np.uint8), Grid.from_parts((8, 8, 1), spacing_mm=(1, 1, 5)))
    assert volume_ml(slab) == pytest.approx(0.32)
    assert surface_area_mm2(slab) > 64


@pytest.mark.parametrize(
    "image",
    [
        Image(np.full((3, 3, 3), 1.5), Grid.from_parts((3, 3, 3))),
        Image(np.full((3, 3, 3), np.nan), Grid.from_parts((3, 3, 3))),
        Image(np.zeros((3, 3)), Grid.from_parts((3, 3))),
        Image(np.zeros((3, 3, 3, 2)), Grid.from_parts((3, 3, 3)), extra_axes=("time",)),
    ],
)
def test_what_is_no_map_of_fractions_has_no_volume(image):
    with pytest.raises(ValueError, match=r"fractions|volume"):
        volume_ml(image)


def test_a_label_of_fractions_is_refused():
    with pytest.raises(ValueError, match="no labels"):
        volume_ml(Image(np.zeros((3, 3, 3)), Grid.from_parts((3, 3, 3))), 1)


def test_a_picture_has_no_surface():
    with pytest.raises(ValueError, match="2 axes"):
        surface_area_mm2(Labels(np.ones((3, 3), np.uint8), Grid.from_parts((3, 3))))
