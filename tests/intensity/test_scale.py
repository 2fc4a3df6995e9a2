"""Scales: one image against its white matter, two visits against each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.intensity import match_to, standardise

GRID = Grid.from_parts((20, 20, 20), spacing_mm=(2.0, 2.0, 3.0))
MASK = Labels(np.pad(np.ones((16, 16, 16), dtype=bool), 2), GRID)
NOWHERE = Labels(np.zeros(GRID.shape, dtype=bool), GRID)
ELSEWHERE = Labels(np.ones((4, 4, 4), dtype=bool), Grid((4, 4, 4), np.eye(4)))
WHITE = Image((np.indices(GRID.shape)[0] < 10).astype(np.float32), GRID, "1")


def brain(seed: int = 0) -> Image:
    """White matter near 120, grey near 80, noise of 5."""
    noise = np.random.default_rng(seed).normal(scale=5, size=GRID.shape)
    return Image((80 + 40 * WHITE.values + noise).astype(np.float32), GRID)


def test_white_matter_becomes_one_and_the_numbers_that_undo_it_are_kept() -> None:
    image = brain()
    result = standardise(image, mask=MASK, white=WHITE)
    assert np.median(result.values[MASK.mask & (WHITE.values > 0.9)]) == pytest.approx(1, abs=1e-6)
    assert result.unit == "white matter = 1"
    assert result.metadata["intensity_reference"] == "white matter"
    np.testing.assert_allclose(result.values * result.metadata["intensity_scale"], image.values, rtol=1e-6)


def test_without_white_matter_the_median_of_the_brain_is_the_reference() -> None:
    result = standardise(brain(), mask=MASK)
    assert np.median(result.values[MASK.mask]) == pytest.approx(1, abs=1e-6)
    assert result.unit == "brain median = 1"


@given(gain=st.floats(0.01, 1000))
@settings(max_examples=20)
def test_the_standard_scale_does_not_depend_on_the_gain(gain: float) -> None:
    louder = brain().with_values(brain().values * np.float32(gain))
    np.testing.assert_allclose(
        standardise(louder, mask=MASK, white=WHITE).values,
        standardise(brain(), mask=MASK, white=WHITE).values,
        rtol=1e-5,
    )


def test_nan_stays_and_takes_no_part() -> None:
    values = brain().values.copy()
    values[3:6] = np.nan
    result = standardise(brain().with_values(values), mask=MASK, white=WHITE)
    assert np.isnan(result.values[3:6]).all()
    assert np.nanmedian(result.values[MASK.mask & (WHITE.values > 0.9)]) == pytest.approx(1, abs=1e-6)


def test_hounsfield_units_keep_their_meaning() -> None:
    ct = brain().with_values(brain().values, unit="HU")
    assert standardise(ct, mask=MASK) is ct
    matched = match_to(ct, ct.with_values(ct.values + 30), mask=MASK)
    assert (matched.gain, matched.offset) == (1, 0)
    np.testing.assert_array_equal(matched.follow_up.values, ct.values + 30)


def test_standardise_refuses_other_grids_too_little_tissue_and_a_negative_scale() -> None:
    with pytest.raises(ValueError, match="mask lies on another grid"):
        standardise(brain(), mask=ELSEWHERE)
    with pytest.raises(ValueError, match="white lies on another grid"):
        standardise(brain(), mask=MASK, white=Image(ELSEWHERE.values.astype(np.float32), ELSEWHERE.grid))
    with pytest.raises(ValueError, match="0 voxels of white matter"):
        standardise(brain(), mask=NOWHERE, white=WHITE)
    with pytest.raises(ValueError, match="only a positive value"):
        standardise(brain().with_values(-brain().values), mask=MASK)


def followed_up(gain: float = 2.5, offset: float = -30.0, noise_sd: float = 2.0) -> Image:
    """The baseline on another scale, with noise and a tenth of the brain changed."""
    rng = np.random.default_rng(1)
    values = gain * brain().values + offset + rng.normal(scale=noise_sd, size=GRID.shape)
    values[rng.uniform(size=GRID.shape) < 0.1] += 150
    return brain().with_values(values.astype(np.float32))


def test_the_line_between_two_visits_is_found_though_a_tenth_of_the_brain_changed() -> None:
    matched = match_to(brain(), followed_up(), mask=MASK)
    assert matched.gain == pytest.approx(2.5, rel=0.01)
    assert matched.offset == pytest.approx(-30, abs=2.5)  # 1 % of the gain times the mean of 100
    difference = matched.follow_up.values - matched.baseline.values
    assert abs(np.median(difference[MASK.mask])) < 0.3


def test_both_visits_meet_halfway() -> None:
    matched = match_to(brain(), followed_up(noise_sd=0), mask=MASK)
    np.testing.assert_allclose(
        np.diff(matched.baseline.values), np.sqrt(matched.gain) * np.diff(brain().values), atol=1e-3
    )
    np.testing.assert_allclose(
        np.diff(matched.follow_up.values), np.diff(followed_up(noise_sd=0).values) / np.sqrt(matched.gain), atol=1e-3
    )


def test_swapping_the_visits_swaps_the_answer_to_the_last_bit() -> None:
    there, back = match_to(brain(), followed_up(), mask=MASK), match_to(followed_up(), brain(), mask=MASK)
    np.testing.assert_array_equal(there.baseline.values, back.follow_up.values)
    np.testing.assert_array_equal(there.follow_up.values, back.baseline.values)
    assert there.gain * back.gain == pytest.approx(1, rel=1e-12)
    assert back.offset == pytest.approx(-there.offset / there.gain, rel=1e-9)


@given(gain=st.floats(0.1, 20), offset=st.floats(-200, 200))
@settings(max_examples=20)
def test_a_visit_on_another_scale_matches_exactly(gain: float, offset: float) -> None:
    other = brain().with_values(gain * brain().values.astype(np.float64) + offset)
    matched = match_to(brain(), other, mask=MASK)
    assert matched.gain == pytest.approx(gain, rel=1e-6)
    np.testing.assert_allclose(matched.follow_up.values, matched.baseline.values, rtol=1e-4, atol=1e-3)


def test_match_to_refuses_what_cannot_be_matched() -> None:
    image = brain()
    with pytest.raises(ValueError, match="visits lie on different grids"):
        match_to(image, Image(np.ones((4, 4, 4)), ELSEWHERE.grid), mask=MASK)
    with pytest.raises(ValueError, match="mask lies on another grid"):
        match_to(image, image, mask=ELSEWHERE)
    with pytest.raises(ValueError, match="only like can be matched"):
        match_to(image, image.with_values(image.values, unit="HU"), mask=MASK)
    with pytest.raises(ValueError, match="0 voxels in both visits"):
        match_to(image, image, mask=NOWHERE)
    with pytest.raises(ValueError, match="constant inside the mask"):
        match_to(image, image.with_values(np.full(GRID.shape, 3, dtype=np.float32)), mask=MASK)
