"""Grids: places of voxel centres, new spacings, crops, and what is refused."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cohortex.geometry import Grid, rotation_from_vector


def oblique(shape=(12, 10, 8), *, spacing_mm=(0.9, 1.1, 2.5)) -> Grid:
    return Grid.from_parts(
        shape, spacing_mm=spacing_mm, origin_mm=(-31, 12, 7), direction=rotation_from_vector((0.2, -0.5, 0.9))
    )


def sheared() -> Grid:
    matrix = oblique().world_from_index.copy()
    matrix[:3, 2] += 0.7 * matrix[:3, 1]
    return Grid((12, 10, 8), matrix)


def test_an_integer_index_is_a_voxel_centre():
    grid = Grid.from_parts((4, 5, 6), spacing_mm=(1, 2, 3), origin_mm=(10, 20, 30))
    assert_allclose(grid.world_of((0, 0, 0)), (10, 20, 30))
    assert_allclose(grid.world_of((1, 1, 1)), (11, 22, 33))
    assert_allclose(grid.center_mm, (11.5, 24, 37.5))
    assert grid.extent_mm == (4, 10, 18)


@given(st.integers(0, 10_000))
def test_world_and_index_cancel_on_any_grid(seed):
    rng = np.random.default_rng(seed)
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_from_vector(rng.normal(size=3)) @ np.diag(rng.uniform(0.2, 6, 3))
    matrix[:3, :3] += rng.normal(scale=0.05, size=(3, 3))  # a little shear
    matrix[:3, 3] = rng.normal(scale=200, size=3)
    grid = Grid((256, 256, 180), matrix)
    index = rng.uniform(0, 255, (50, 3))
    assert_allclose(grid.index_of(grid.world_of(index)), index, atol=1e-7)
    points = grid.world_of(index)
    assert_allclose(grid.world_of(grid.index_of(points)), points, atol=1e-4)  # mm, row S3-04


def test_512_pixels_of_1_mm_become_341_of_1_5_mm_with_the_origin_kept():
    grid = Grid.from_parts((512, 512), spacing_mm=(1, 1), origin_mm=(-255, -200))
    coarse = grid.with_spacing(1.5)
    assert coarse.shape == (341, 341)
    assert coarse.origin_mm == grid.origin_mm
    assert coarse.spacing_mm == (1.5, 1.5)


def test_100_voxels_of_1_mm_cover_what_50_of_2_mm_do():
    grid = Grid.from_parts((100, 100, 100), origin_mm=(3, 4, 5))
    coarse = grid.with_spacing(2, keep="extent")
    assert coarse.shape == (50, 50, 50)
    assert coarse.extent_mm == grid.extent_mm == (100, 100, 100)
    assert_allclose(coarse.world_of((-0.5,) * 3), grid.world_of((-0.5,) * 3))
    assert_allclose(coarse.world_of((49.5,) * 3), grid.world_of((99.5,) * 3))


@pytest.mark.parametrize("grid", [oblique(), sheared()], ids=["oblique", "sheared"])
def test_a_new_spacing_keeps_the_directions_and_the_named_corner(grid):
    finer = grid.with_spacing((0.3, 0.4, 0.5))
    assert_allclose(finer.direction, grid.direction, atol=1e-12)
    assert_allclose(finer.spacing_mm, (0.3, 0.4, 0.5))
    assert_allclose(finer.origin_mm, grid.origin_mm)
    edge = grid.with_spacing((0.3, 0.4, 0.5), keep="extent")
    assert_allclose(edge.world_of((-0.5,) * 3), grid.world_of((-0.5,) * 3))


def test_rounding_does_not_lose_a_voxel():
    assert Grid.from_parts((100, 100, 3), spacing_mm=(0.3, 0.3, 3)).with_spacing((0.1, 0.1, 3)).shape == (300, 300, 3)
    assert Grid.from_parts((3, 3, 1), spacing_mm=(1, 1, 5)).with_spacing(7).shape == (1, 1, 1)


@pytest.mark.parametrize("grid", [oblique(), sheared()], ids=["oblique", "sheared"])
def test_cropping_and_padding_move_no_voxel(grid):
    cropped = grid.cropped((2, 3, 1), (10, 9, 6))
    assert cropped.shape == (8, 6, 5)
    assert_allclose(cropped.world_points(), grid.world_points()[2:10, 3:9, 1:6], atol=1e-9)
    assert cropped.frame_of_reference == grid.frame_of_reference
    padded = grid.padded((2, 0, 1))
    assert padded.shape == (16, 10, 10)
    assert_allclose(padded.world_points()[2:-2, :, 1:-1], grid.world_points(), atol=1e-9)


def test_a_moved_grid_follows_the_patient_and_changes_its_frame():
    motion = np.eye(4)
    motion[:3, :3], motion[:3, 3] = rotation_from_vector((0.1, 0.2, 0.3)), (5, -6, 7)
    grid = oblique()
    moved = grid.moved(motion, frame_of_reference="second visit")
    assert_allclose(moved.world_points(), grid.world_points() @ motion[:3, :3].T + motion[:3, 3], atol=1e-9)
    assert moved.frame_of_reference == "second visit"


def test_the_volume_of_a_voxel_counts_shear():
    assert oblique().voxel_volume_mm3 == pytest.approx(0.9 * 1.1 * 2.5)
    assert sheared().voxel_volume_mm3 == pytest.approx(0.9 * 1.1 * 2.5)  # a shear keeps volume, not spacing
    assert sheared().spacing_mm[2] > 2.5
    assert oblique().is_orthogonal
    assert not sheared().is_orthogonal


def test_same_grids_are_recognised_and_different_ones_told_apart():
    grid = oblique()
    nudged = Grid(grid.shape, grid.world_from_index + 1e-5 * np.eye(4)[:, 3:] * [0, 0, 0, 1])
    assert grid.same_as(Grid(grid.shape, grid.world_from_index.copy()))
    assert grid.same_as(nudged)
    assert grid != nudged
    shifted = grid.world_from_index.copy()
    shifted[0, 3] += 0.01
    assert not grid.same_as(Grid(grid.shape, shifted))
    assert not grid.same_as(grid.cropped((0, 0, 0), (12, 10, 7)))
    assert grid == oblique()
    assert hash(grid) == hash(oblique())
    assert grid != "a grid"


def test_corners_are_the_outermost_voxel_centres():
    corners = sheared().corners_mm()
    assert_allclose(corners[0], sheared().world_of((0, 0, 0)))
    assert_allclose(corners[-1], sheared().world_of((11, 9, 7)))


def test_a_grid_cannot_be_changed_and_does_not_follow_its_source():
    matrix = np.eye(4)
    grid = Grid((2, 2, 2), matrix)
    matrix[0, 0] = 9
    assert grid.spacing_mm == (1, 1, 1)
    with pytest.raises(ValueError, match="read-only"):
        grid.world_from_index[0, 0] = 2
    with pytest.raises(ValueError, match="read-only"):
        grid.index_from_world[0, 0] = 2
    with pytest.raises(AttributeError):
        grid.shape = (3, 3, 3)


@pytest.mark.parametrize("copied", [lambda g: pickle.loads(pickle.dumps(g)), copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_copy_in_another_process_is_equal_and_just_as_frozen(copied):
    again = copied(oblique())
    assert again == oblique()
    with pytest.raises(ValueError, match="read-only"):
        again.world_from_index[0, 0] = 2


@pytest.mark.parametrize(
    ("shape", "matrix", "message"),
    [
        ((4,), np.eye(2), "two or three"),
        ((4, 4, 4, 4), np.eye(5), "two or three"),
        ((4, 0, 4), np.eye(4), "positive"),
        ((4, 4, 4), np.eye(3), "needs"),
        ((4, 4, 4), np.diag([1, 1, np.nan, 1]), "NaN"),
        ((4, 4, 4), np.diag([1, 1, np.inf, 1]), "infinity"),
        ((4, 4, 4), np.diag([1, 1, 0, 1]), "singular"),
        ((4, 4, 4), np.ones((4, 4)), "last row"),
    ],
)
def test_an_impossible_grid_is_refused(shape, matrix, message):
    with pytest.raises(ValueError, match=message):
        Grid(shape, matrix)


@pytest.mark.parametrize("spacing", [0, -1, np.nan, (1, 1, 0)])
def test_an_impossible_spacing_is_refused(spacing):
    with pytest.raises(ValueError, match="spacing_mm"):
        oblique().with_spacing(spacing)
    with pytest.raises(ValueError, match="spacing_mm"):
        Grid.from_parts((4, 4, 4), spacing_mm=np.broadcast_to(spacing, (3,)))


def test_the_text_of_a_grid_says_what_matters():
    assert (
        repr(Grid.from_parts((4, 5, 6), spacing_mm=(1, 1, 2.5))) == "Grid(4×5×6, 1×1×2.5 mm, origin (0, 0, 0) mm LPS)"
    )
