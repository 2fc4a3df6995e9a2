"""Storing values in small integers: nothing overflows or loses digits silently."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cohortex.image import Packing, fewest_digits_packing, judge_packing, lossless_packing

SHORT = np.dtype(np.int16)


def test_hounsfield_units_are_stored_with_the_intercept_of_ct_scanners():
    hounsfield = Packing(slope=1, intercept=-1024, dtype=np.dtype(np.uint16))
    assert_array_equal(hounsfield.unpack([0, 1034, 1324]), [-1024, 10, 300])
    assert_array_equal(hounsfield.pack([-1024, 10, 300]), [0, 1034, 1324])


def test_1_4_is_too_fine_a_slope_for_52427_in_a_short():
    verdict = judge_packing(0, 52_427, Packing(slope=1.4, intercept=0, dtype=SHORT))
    assert not verdict.fits
    assert int(verdict.largest_stored) == 37_447


def test_1_6_fits_and_is_wrong_by_0_8_at_most():
    packing = Packing(slope=1.6, intercept=0, dtype=SHORT)
    verdict = judge_packing(0, 52_427, packing)
    assert verdict.fits
    assert verdict.largest_stored == pytest.approx(32_766.9, abs=0.05)
    assert verdict.largest_error == pytest.approx(0.8)
    values = np.arange(52_428)
    assert np.abs(packing.unpack(packing.pack(values)) - values).max() <= 0.8 + 1e-9


def test_an_intercept_of_the_wrong_sign_does_not_fit_and_the_right_one_is_offered():
    verdict = judge_packing(0, 52_427, Packing(slope=1, intercept=-19_660, dtype=SHORT))
    assert not verdict.fits
    assert verdict.largest_stored == 72_087
    offered = lossless_packing(0, 52_427)
    assert (offered.slope, offered.intercept, offered.dtype) == (1, 19_660, SHORT)
    assert judge_packing(0, 52_427, offered).fits
    assert judge_packing(0, 52_427, offered).largest_error == 0
    values = np.arange(52_428)
    assert_array_equal(offered.unpack(offered.pack(values)), values)


@pytest.mark.parametrize(
    ("low", "high", "intercept"),
    [(0, 32_767, 0), (-32_768, 32_767, 0), (-40_000, 0, -7_232), (100_000, 100_010, 67_243)],
)
def test_the_intercept_is_the_smallest_whole_number_that_fits(low, high, intercept):
    offered = lossless_packing(low, high)
    assert offered.intercept == intercept
    assert judge_packing(low, high, offered).fits


def test_a_range_wider_than_the_type_has_no_lossless_packing():
    assert lossless_packing(0, 65_535) is not None
    assert lossless_packing(0, 65_536) is None
    assert lossless_packing(-1, 255, np.uint8) is None


@given(st.integers(-(10**6), 10**6), st.integers(0, 65_535))
def test_what_is_offered_gives_every_end_back(low, width):
    offered = lossless_packing(low, low + width)
    ends = np.array([low, low + width // 2, low + width])
    assert_array_equal(offered.unpack(offered.pack(ends)), ends)


@pytest.mark.parametrize("value", [40_000, -32_769, np.nan, np.inf])
def test_what_does_not_fit_is_refused_rather_than_wrapped_around(value):
    with pytest.raises(OverflowError):
        Packing(slope=1, intercept=0, dtype=SHORT).pack([0, value])


def test_labels_take_the_fewest_digits():
    packing = fewest_digits_packing([10, 5, 15, -10])
    assert (packing.slope, packing.intercept, packing.dtype) == (5, -10, np.uint8)
    assert_array_equal(packing.pack([10, 5, 15, -10]), [4, 3, 5, 0])
    assert packing.pack([0]) == [2]  # the background
    assert_array_equal(packing.unpack([4, 3, 5, 0, 2]), [10, 5, 15, -10, 0])


@given(st.lists(st.integers(-(10**5), 10**5), min_size=1, max_size=20))
def test_fewest_digits_are_exact_and_cannot_be_divided_further(values):
    packing = fewest_digits_packing(values)
    stored = packing.pack(values)
    assert_array_equal(packing.unpack(stored), values)
    assert stored.min() == 0
    assert np.gcd.reduce(stored.astype(np.int64)) in (0, 1)
    assert packing.dtype == np.min_scalar_type(int(stored.max()))


@pytest.mark.parametrize("values", [[], [0.5], [np.nan]])
def test_what_is_no_set_of_labels_has_no_such_packing(values):
    with pytest.raises(ValueError, match="whole numbers"):
        fewest_digits_packing(values)


@pytest.mark.parametrize(("slope", "intercept"), [(0, 0), (np.nan, 0), (1, np.inf)])
def test_a_packing_that_stores_nothing_is_refused(slope, intercept):
    with pytest.raises(ValueError, match="slope"):
        Packing(slope=slope, intercept=intercept, dtype=SHORT)


def test_a_packing_into_floats_is_refused():
    with pytest.raises(ValueError, match="integer type"):
        Packing(slope=1, intercept=0, dtype=np.dtype(np.float32))
