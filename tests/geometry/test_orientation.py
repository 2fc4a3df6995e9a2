"""Orientation codes and reordering of axes."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cohortex.geometry import Grid, axis_codes, closest_axes, reorient_grid, rotation_from_vector

CODES = ["".join(c) for axes in permutations(("LR", "PA", "SI")) for c in product(*axes)]


def grid_towards(codes: str) -> Grid:
    direction = np.zeros((3, 3))
    for axis, letter in enumerate(codes):
        world = next(i for i, pair in enumerate(("LR", "PA", "SI")) if letter in pair)
        direction[world, axis] = 1 if letter in "LPS" else -1
    return Grid.from_parts((4, 5, 6), spacing_mm=(1, 2, 3), origin_mm=(7, 8, 9), direction=direction)


@pytest.mark.parametrize("codes", CODES)
def test_all_48_orders_of_axes_are_named(codes):
    assert axis_codes(grid_towards(codes)) == codes


def test_an_oblique_grid_takes_the_nearest_names():
    tilt = rotation_from_vector((0.3, 0.1, -0.2))
    assert axis_codes(Grid.from_parts((4, 4, 4), direction=tilt)) == "LPS"
    assert axis_codes(Grid.from_parts((4, 4, 4), direction=tilt @ np.diag([-1, -1, 1]))) == "RAS"


def test_at_45_degrees_each_world_axis_is_still_named_once():
    grid = Grid.from_parts((4, 4, 4), direction=rotation_from_vector((0, 0, np.pi / 4)))
    assert sorted(closest_axes(grid)[:, 0]) == [0, 1, 2]


def test_an_unknown_orientation_is_not_guessed():
    unknown = replace(grid_towards("LPS"), orientation_known=False)
    assert axis_codes(unknown) == "???"
    with pytest.raises(ValueError, match="not known"):
        reorient_grid(unknown, "LPS")


@pytest.mark.parametrize("codes", CODES[::5])
@pytest.mark.parametrize("wanted", ["LPS", "RAS", "ILA"])
def test_reordering_moves_no_voxel_centre(codes, wanted):
    old = grid_towards(codes)
    new, order, flipped = reorient_grid(old, wanted)
    assert axis_codes(new) == wanted
    places = np.flip(np.transpose(old.world_points(), (*order, 3)), axis=flipped)
    assert_allclose(new.world_points(), places, atol=1e-12)


def test_reordering_a_sheared_oblique_grid_moves_no_voxel_centre():
    matrix = Grid.from_parts((4, 5, 6), direction=rotation_from_vector((0.4, 0.2, 0.1))).world_from_index.copy()
    matrix[:3, 2] += 0.4 * matrix[:3, 0]
    old = Grid((4, 5, 6), matrix, "frame")
    new, order, flipped = reorient_grid(old, "RSA")
    assert_allclose(
        new.world_points(), np.flip(np.transpose(old.world_points(), (*order, 3)), axis=flipped), atol=1e-12
    )
    assert new.frame_of_reference == "frame"


@pytest.mark.parametrize("codes", ["LP", "LLS", "LPX", "lps", "LRS", ""])
def test_codes_that_name_no_order_are_refused(codes):
    with pytest.raises(ValueError, match="codes"):
        reorient_grid(grid_towards("LPS"), codes)


def test_a_picture_has_no_anatomical_directions():
    with pytest.raises(ValueError, match="2 axes"):
        closest_axes(Grid.from_parts((4, 4)))
