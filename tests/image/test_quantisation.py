"""Digitising: values fall to the step below, samples are points and not squares."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cohortex.geometry import Grid
from cohortex.image import Image, Labels, quantise, resample


def row_of(values) -> Image:
    values = np.asarray(values)
    return Image(values.reshape(-1, 1), Grid.from_parts((values.size, 1)))


def test_values_fall_to_the_multiple_of_ten_below():
    image = row_of([26.94, 35.98, 0.48, 15.13])
    assert_array_equal(quantise(image, step=10).values.ravel(), [20, 30, 0, 10])


def test_negative_values_fall_too_and_integers_stay_integers():
    assert_array_equal(quantise(row_of([-0.5, -10.0, np.nan]), step=10).values.ravel(), [-10, -10, np.nan])
    integers = quantise(row_of(np.array([-1, 19, 20], np.int16)), step=10)
    assert_array_equal(integers.values.ravel(), [-10, 10, 20])
    assert integers.dtype == np.int16


def test_samples_are_points_so_a_half_pixel_shift_reads_the_middle_between_two():
    image = row_of([0.0, 10.0, 20.0, 30.0])
    shifted = Grid.from_parts((3, 1), origin_mm=(0.5, 0))
    assert_allclose(resample(image, onto=shifted).values.ravel(), [5, 15, 25])
    same_points = Grid.from_parts((2, 1), spacing_mm=(2, 1))  # twice the distance, the same first point
    assert_array_equal(resample(image, onto=same_points).values.ravel(), [0, 20])


@pytest.mark.parametrize("step", [0, -1, np.nan, np.inf])
def test_an_impossible_step_is_refused(step):
    with pytest.raises(ValueError, match="step"):
        quantise(row_of([1.0]), step=step)


def test_labels_are_not_quantised():
    with pytest.raises(ValueError, match="labels"):
        quantise(Labels(np.ones((2, 2), np.uint8), Grid.from_parts((2, 2))), step=2)
