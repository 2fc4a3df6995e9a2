from __future__ import annotations

import numpy as np
import pytest

from cohortex import Grid, Image, Labels
from cohortex.measure import diameters
from cohortex.templates.deviation import deviating_groups

GRID = Grid.from_parts((60, 60, 40), spacing_mm=(1, 1, 1.5), origin_mm=(-30, -30, -20))


def z_with_balls() -> tuple[Image, Labels]:
    points = GRID.world_points()
    z = np.random.default_rng(0).normal(size=GRID.shape).astype(np.float32)
    z[np.linalg.norm(points - (10, 0, 0), axis=-1) < 6] += 8
    z[np.linalg.norm(points - (-12, 5, 4), axis=-1) < 4] -= 9
    brain = np.linalg.norm(points, axis=-1) < 27
    return Image(z, GRID), Labels(brain, GRID)


def test_planted_differences_are_found_with_place_sign_and_volume():
    difference, brain = z_with_balls()
    bright, dark = deviating_groups(difference, brain=brain).groups
    np.testing.assert_allclose(bright.centroid_mm, (10, 0, 0), atol=1.5)
    np.testing.assert_allclose(dark.centroid_mm, (-12, 5, 4), atol=1.5)
    assert bright.mean_z > 5 > -5 > dark.mean_z
    assert bright.volume_ml == pytest.approx(4 / 3 * np.pi * 6**3 / 1000, rel=0.2)  # the blur moves the rim
    assert bright.slice_index == pytest.approx(GRID.index_of((10, 0, 0))[2], abs=1)


@pytest.mark.parametrize("thick", [0, 1, 2])
def test_the_slice_of_a_group_is_counted_from_slice_to_slice(thick: int):
    """Along the axis the lesions of the same series are counted along, whichever the scanner stacked."""
    shape, spacing = [60, 60, 60], [1.0, 1.0, 1.0]
    shape[thick], spacing[thick] = 15, 4.0
    grid = Grid.from_parts(shape, spacing_mm=spacing, origin_mm=(-30, -30, -30))
    center = np.array([10.0, 2.0, -6.0])
    ball = np.linalg.norm(grid.world_points() - center, axis=-1) < 8
    difference = Image(np.where(ball, np.float32(8), np.float32(0)), grid)
    (group,) = deviating_groups(difference, brain=Labels(np.ones(grid.shape, bool), grid)).groups
    size = diameters(Labels(ball, grid))
    assert size is not None
    assert group.slice_index == pytest.approx(grid.index_of(center)[thick], abs=1)
    assert group.slice_index == pytest.approx(size.slice_index, abs=1)  # largest by area, and by length


def test_every_group_is_given_however_many():
    z = np.zeros(GRID.shape, np.float32)
    for i, j, k in np.ndindex(4, 4, 2):
        z[5 + 14 * i : 11 + 14 * i, 5 + 14 * j : 11 + 14 * j, 6 + 18 * k : 11 + 18 * k] = 9
    found = deviating_groups(Image(z, GRID), brain=Labels(np.ones(GRID.shape, bool), GRID))
    assert len(found.groups) == 32
    assert [group.label for group in found.groups] == list(np.unique(found.labels.values)[1:])
    for group in found.groups:
        i, j, k = np.rint(GRID.index_of(group.centroid_mm)).astype(int)
        assert found.labels.values[i, j, k] == group.label


def test_noise_alone_gives_no_group():
    noise = Image(np.random.default_rng(1).normal(size=GRID.shape).astype(np.float32), GRID)
    assert deviating_groups(noise, brain=Labels(np.ones(GRID.shape, bool), GRID)).groups == ()


def test_nothing_outside_the_brain_is_looked_at():
    difference, _ = z_with_balls()
    left_out = GRID.world_points()[..., 0] < 0
    groups = deviating_groups(difference, brain=Labels(left_out, GRID)).groups
    assert [g.mean_z < 0 for g in groups] == [True]


def test_grids_that_differ_are_refused():
    difference, _ = z_with_balls()
    with pytest.raises(ValueError, match="different grids"):
        deviating_groups(difference, brain=Labels(np.ones((3, 3, 3), bool), Grid.from_parts((3, 3, 3))))
