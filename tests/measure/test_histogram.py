"""Histograms as proportions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.measure import histogram

GRID = Grid.from_parts((6, 5, 4))


@given(st.integers(0, 1000), st.integers(1, 400))
def test_proportions_sum_to_one_and_count_like_numpy(seed, bins):
    values = np.random.default_rng(seed).normal(size=GRID.shape)
    found = histogram(Image(values, GRID), bins=bins)
    assert found.proportions.sum() == pytest.approx(1)
    counts, edges = np.histogram(values, bins=bins)
    assert_allclose(found.proportions * found.counted, counts)
    assert_allclose(found.edges, edges)


def test_integers_get_a_bin_each():
    values = np.tile([3, 3, 3, 7], 30).reshape(GRID.shape).astype(np.int16)
    found = histogram(Image(values, GRID))
    assert_array_equal(found.centers, [3, 4, 5, 6, 7])
    assert_allclose(found.proportions, [0.75, 0, 0, 0, 0.25])


def test_images_of_different_sizes_become_comparable():
    values = np.random.default_rng(0).integers(0, 20, GRID.shape)
    twice = Image(np.concatenate([values, values]), Grid.from_parts((12, 5, 4)))
    assert_allclose(histogram(twice).proportions, histogram(Image(values, GRID)).proportions)


def test_what_is_not_counted_is_said():
    values = np.arange(120.0).reshape(GRID.shape)
    values[0, 0, 0] = np.nan
    found = histogram(Image(values, GRID), value_range=(10, 59), bins=5)
    assert (found.counted, found.left_out) == (50, 70)
    assert_allclose(found.proportions, 0.2)


def test_a_mask_limits_what_is_counted():
    values = np.arange(120.0).reshape(GRID.shape)
    mask = Labels(values < 12, GRID)
    assert histogram(Image(values, GRID), mask=mask).counted == 12
    series = Image(np.stack([values, values], axis=-1), GRID, extra_axes=("time",))
    assert histogram(series, mask=mask).counted == 24


def test_a_constant_image_fills_one_bin():
    assert histogram(Image(np.full(GRID.shape, 2.5), GRID)).proportions.max() == 1


def test_misuse_is_refused():
    image = Image(np.ones(GRID.shape), GRID)
    with pytest.raises(ValueError, match="bins is 0"):
        histogram(image, bins=0)
    with pytest.raises(ValueError, match="smaller value first"):
        histogram(image, value_range=(3, 2))
    with pytest.raises(ValueError, match="no finite value"):
        histogram(image.with_values(np.full(GRID.shape, np.nan)))
    with pytest.raises(ValueError, match="another grid"):
        histogram(image, mask=Labels(np.ones((2, 2, 2), int), Grid.from_parts((2, 2, 2))))
