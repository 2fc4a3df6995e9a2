"""Margins are millimetres, whatever the voxel."""

from __future__ import annotations

import numpy as np
import pytest

from cohortex.geometry import Grid
from cohortex.image import Labels
from cohortex.segmentation import with_margin

GRID = Grid.from_parts((41, 31, 13), spacing_mm=(1.0, 1.5, 4.0), origin_mm=(-7.0, 3.0, 50.0))
MIDDLE = (20, 15, 6)


def single_voxel(value: int = 1, at: tuple[int, int, int] = MIDDLE) -> Labels:
    values = np.zeros(GRID.shape, dtype=np.uint8)
    values[at] = value
    return Labels(values, GRID)


@pytest.mark.parametrize("margin_mm", [0.9, 1.0, 4.0, 9.3])
def test_exactly_the_voxels_within_the_margin_are_added(margin_mm: float) -> None:
    distance = np.linalg.norm(GRID.world_points() - GRID.world_of(MIDDLE), axis=-1)
    grown = with_margin(single_voxel(), margin_mm=margin_mm)
    assert grown.grid == GRID
    np.testing.assert_array_equal(grown.mask, distance <= margin_mm + 1e-9)


def test_a_mask_at_the_edge_of_the_grid_grows_inwards_only() -> None:
    grown = with_margin(single_voxel(at=(0, 0, 0)), margin_mm=4.0).mask
    distance = np.linalg.norm(GRID.world_points() - GRID.world_of((0, 0, 0)), axis=-1)
    np.testing.assert_array_equal(grown, distance <= 4.0 + 1e-9)


def test_a_margin_of_zero_keeps_the_mask_and_every_label_counts() -> None:
    np.testing.assert_array_equal(with_margin(single_voxel(7), margin_mm=0).mask, single_voxel().mask)


def test_an_empty_mask_stays_empty() -> None:
    assert not with_margin(Labels(np.zeros(GRID.shape, dtype=bool), GRID), margin_mm=5).mask.any()


@pytest.mark.parametrize("margin_mm", [-0.1, float("nan")])
def test_a_negative_margin_is_refused(margin_mm: float) -> None:
    with pytest.raises(ValueError, match="margin_mm"):
        with_margin(single_voxel(), margin_mm=margin_mm)
