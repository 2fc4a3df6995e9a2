"""Reading coarse maps on finer grids."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cohortex.geometry import Grid, rotation_about_axis
from cohortex.image import Image, Labels, resample, upsample

TURNED = Grid.from_parts(
    (9, 8, 7), spacing_mm=(4, 5, 6), origin_mm=(3, -20, 7), direction=rotation_about_axis(2, 30) @ np.diag([1, -1, 1])
)


def test_upsampling_moves_no_anatomy() -> None:
    ramp = Image(TURNED.world_points()[..., 1].astype(np.float32), TURNED)
    fine = TURNED.with_spacing((1, 2, 1.5)).cropped((0, 0, 0), (30, 17, 20))
    assert_allclose(upsample(ramp, onto=fine).values, fine.world_points()[..., 1], atol=1e-3)


def test_upsampling_agrees_with_resampling_inside() -> None:
    noise = Image(np.random.default_rng(0).normal(size=TURNED.shape).astype(np.float32), TURNED)
    fine = TURNED.with_spacing((1.3, 2.1, 2.9)).cropped((0, 0, 0), (24, 16, 12))
    assert_allclose(upsample(noise, onto=fine).values, resample(noise, onto=fine).values, atol=1e-4)


def test_the_nearest_value_repeats_beyond_the_border() -> None:
    ones = Image(np.ones(TURNED.shape, dtype=np.float32), TURNED)
    assert upsample(ones, onto=TURNED.padded(3)).values.min() == 1


def test_a_single_slice_is_repeated() -> None:
    flat = TURNED.cropped((0, 0, 3), (9, 8, 4))
    there = upsample(Image(np.full(flat.shape, 5.0), flat), onto=TURNED)
    assert_allclose(there.values, 5)


def test_crossed_axes_and_vectors_are_refused() -> None:
    image = Labels(np.ones(TURNED.shape, dtype=np.uint8), TURNED)
    with pytest.raises(ValueError, match="not parallel"):
        upsample(image, onto=Grid.from_parts((4, 4, 4)))
    with pytest.raises(ValueError, match="scalar image of three axes"):
        upsample(Image(np.zeros((*TURNED.shape, 3)), TURNED, extra_axes=("vector",)), onto=TURNED)
