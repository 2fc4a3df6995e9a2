"""Diameters against formulas and against trying every pair of points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cohortex.geometry import Grid, rotation_about_axis, rotation_from_vector
from cohortex.image import Labels
from cohortex.measure import diameters


def ellipse(long_mm, short_mm, *, angle_deg, spacing_mm, direction=None) -> Labels:
    half = np.ceil(long_mm / np.asarray(spacing_mm)).astype(int)[:2] + 3
    grid = Grid.from_parts((*(2 * half + 1), 3), spacing_mm=spacing_mm)
    points = grid.world_points() - grid.center_mm
    turned = points @ rotation_about_axis(2, angle_deg)
    inside = (turned[..., 0] / long_mm * 2) ** 2 + (turned[..., 1] / short_mm * 2) ** 2 <= 1
    values = inside & (np.abs(points[..., 2]) < 0.1)
    return Labels(values, Grid.from_parts(grid.shape, spacing_mm=spacing_mm, direction=direction))


@pytest.mark.parametrize("angle_deg", [0, 20, 45, 70, 90])
@pytest.mark.parametrize("direction", [None, rotation_from_vector((0.4, 0.3, -0.2))])
def test_an_ellipse_gives_its_two_axes(angle_deg, direction):
    found = diameters(ellipse(40, 24, angle_deg=angle_deg, spacing_mm=(0.5, 0.8, 4), direction=direction))
    assert found.longest_mm == pytest.approx(40, abs=0.8)  # one voxel
    assert found.perpendicular_mm == pytest.approx(24, abs=0.8)
    assert found.slice_index == 1


def test_the_ends_lie_in_world_and_at_a_right_angle():
    labels = ellipse(30, 18, angle_deg=33, spacing_mm=(0.7, 0.7, 3), direction=rotation_from_vector((0.4, 0.3, -0.2)))
    found = diameters(labels)
    (a, b), (c, d) = np.array(found.endpoints)
    assert np.linalg.norm(b - a) == pytest.approx(found.longest_mm)
    assert np.linalg.norm(d - c) == pytest.approx(found.perpendicular_mm)
    assert (b - a) @ (d - c) == pytest.approx(0, abs=1e-8)
    index = labels.grid.index_of([a, b, c, d])
    assert_allclose(index[:, 2], found.slice_index, atol=1e-9)
    inside = np.argwhere(labels.mask)
    assert np.all(index >= inside.min(axis=0) - 0.5 - 1e-9)
    assert np.all(index <= inside.max(axis=0) + 0.5 + 1e-9)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_voxels_in_a_row_measure_as_many_spacings(count):
    values = np.zeros((9, 5, 4), np.uint8)
    values[1 : 1 + count, 2, 3] = 1
    found = diameters(Labels(values, Grid.from_parts(values.shape, spacing_mm=(0.8, 0.8, 5))))
    assert found.longest_mm == pytest.approx(0.8 * count)
    assert found.perpendicular_mm == pytest.approx(0.8)
    assert found.slice_index == 3


def brute_force(region, plane):
    """Longest and longest across over every pair of edge middles and dense parallel lines, mm."""
    voxels = np.argwhere(region)
    points = np.concatenate([voxels + step for step in ([0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5])]) @ plane.T
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    longest = distance.max()
    across = []
    for i, j in np.argwhere(np.triu(distance > longest - 1e-9)):
        unit = (points[j] - points[i]) / longest
        along, side = points @ unit, points @ np.array([-unit[1], unit[0]])
        lines = along.copy()  # the widest line of a convex set of points passes through one of them
        upper, lower = np.full(len(lines), -np.inf), np.full(len(lines), np.inf)
        for p in range(len(points)):
            for q in range(len(points)):
                low, high = sorted((along[p], along[q]))
                on = (lines >= low - 1e-12) & (lines <= high + 1e-12)
                if high - low < 1e-12:
                    value = np.full(len(lines), max(side[p], side[q]))
                    bottom = np.full(len(lines), min(side[p], side[q]))
                else:
                    value = bottom = side[p] + (lines - along[p]) / (along[q] - along[p]) * (side[q] - side[p])
                upper[on] = np.maximum(upper, value)[on]
                lower[on] = np.minimum(lower, bottom)[on]
        across.append((upper - lower).max())
    return longest, across


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), tilt=st.floats(-0.5, 0.5), aspect=st.floats(0.5, 2))
def test_every_pair_of_points_tried_gives_the_same_diameters(seed, tilt, aspect):
    region = np.random.default_rng(seed).random((6, 5)) < 0.25
    region[2, 2] = True
    matrix = np.diag([1.0, aspect, 4.0, 1.0])
    matrix[0, 1] = tilt  # a shear in the plane
    labels = Labels(region[..., None], Grid((6, 5, 1), matrix))
    found = diameters(labels)
    longest, across = brute_force(region, matrix[:2, :2])
    assert found.longest_mm == pytest.approx(longest, rel=1e-9)
    assert any(found.perpendicular_mm == pytest.approx(a, rel=1e-6) for a in across)  # ties in the longest


def test_the_slice_with_the_longest_diameter_counts_and_a_tie_takes_the_first():
    values = np.zeros((12, 12, 6), np.uint8)
    values[2:5, 2:5, 1] = 1
    values[1:10, 3, 3] = 1
    values[1:10, 5, 4] = 1
    found = diameters(Labels(values, Grid.from_parts(values.shape, spacing_mm=(1, 1, 3))))
    assert (found.slice_index, found.slice_axis) == (3, 2)


def test_thick_slices_along_another_axis_are_recognised():
    values = np.zeros((6, 8, 8), np.uint8)
    values[2, 1:7, 3] = 1
    labels = Labels(values, Grid.from_parts(values.shape, spacing_mm=(5, 1, 1)))
    assert diameters(labels).slice_axis == 0
    assert diameters(labels, slice_axis=2).slice_axis == 2
    assert diameters(labels).longest_mm == pytest.approx(6)


def test_one_label_is_measured_apart_from_the_others():
    values = np.zeros((10, 10, 2), np.uint8)
    values[1:3, 1, 0] = 1
    values[1:9, 5, 1] = 2
    labels = Labels(values, Grid.from_parts(values.shape))
    assert diameters(labels, 1).longest_mm == pytest.approx(2)
    assert diameters(labels, 2).longest_mm == pytest.approx(8)


def test_a_label_that_is_not_there_has_no_diameters():
    assert diameters(Labels(np.zeros((4, 4, 4), np.uint8), Grid.from_parts((4, 4, 4))), 1) is None


def test_a_picture_and_an_impossible_axis_are_refused():
    with pytest.raises(ValueError, match="2 axes"):
        diameters(Labels(np.ones((4, 4), np.uint8), Grid.from_parts((4, 4))))
    with pytest.raises(ValueError, match="slice_axis is 3"):
        diameters(Labels(np.ones((4, 4, 4), np.uint8), Grid.from_parts((4, 4, 4))), slice_axis=3)
