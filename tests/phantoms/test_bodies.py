from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cohortex import phantoms, resample


@pytest.mark.parametrize("spacing", [1.0, (1.0, 1.0, 2.5)])
def test_a_ball_has_the_volume_of_its_formula(spacing):
    ball = phantoms.ball(20.0, spacing)
    volume = ball.mask.sum() * ball.grid.voxel_volume_mm3
    assert volume == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.01)  # stair-steps at the rim


def test_a_ball_leaves_a_margin():
    values = phantoms.ball(6.0, (1.0, 2.0, 3.0)).values
    assert values[0].sum() == values[-1].sum() == values[:, 0].sum() == values[..., -1].sum() == 0


def test_a_ball_without_size_is_refused():
    with pytest.raises(ValueError, match="radius_mm is 0"):
        phantoms.ball(0.0)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_ramp_reads_its_own_place(axis):
    ramp = phantoms.world_ramp(axis)
    coarse = resample(ramp, spacing_mm=(3.0, 2.5, 4.0))
    assert_allclose(coarse.values, coarse.grid.world_points()[..., axis], atol=1e-9)


def test_a_ramp_along_no_axis_is_refused():
    with pytest.raises(ValueError, match="axis is 3"):
        phantoms.world_ramp(3)
