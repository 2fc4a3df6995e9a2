"""Scales made comparable."""

from __future__ import annotations

import numpy as np
import pytest

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.intensity import match_to, standardise

GRID = Grid.from_parts((24, 24, 24), spacing_mm=(2, 2, 2))
RNG = np.random.default_rng(1)
TISSUE = RNG.choice([1.0, 2.0, 3.0], size=GRID.shape, p=[0.2, 0.4, 0.4])
BRAIN = Labels(np.ones(GRID.shape, dtype=bool), GRID)
WHITE = Image((TISSUE == 3.0).astype(np.float32), GRID, "1")
BASELINE = Image((100 * TISSUE + RNG.normal(0, 3, GRID.shape)).astype(np.float32), GRID)


def test_white_matter_is_one_whatever_the_scanner() -> None:
    louder = BASELINE.with_values(BASELINE.values * 7.3)
    once, twice = (standardise(image, mask=BRAIN, white=WHITE) for image in (BASELINE, louder))
    assert np.median(once.values[TISSUE == 3.0]) == pytest.approx(1, abs=1e-5)
    assert np.allclose(once.values, twice.values, rtol=1e-5)
    assert once.unit == "white matter = 1"


def test_the_recorded_scale_undoes_it() -> None:
    scaled = standardise(BASELINE, mask=BRAIN)
    assert scaled.metadata["intensity_reference"] == "brain median"
    back = scaled.values * scaled.metadata["intensity_scale"]
    assert np.allclose(back, BASELINE.values, rtol=1e-6)


def test_nan_stays_and_takes_no_part() -> None:
    values = BASELINE.values + 0
    values[:4] = np.nan
    scaled = standardise(BASELINE.with_values(values), mask=BRAIN, white=WHITE)
    assert np.isnan(scaled.values[:4]).all()
    assert np.nanmedian(scaled.values[TISSUE == 3.0]) == pytest.approx(1, abs=1e-3)


def test_two_visits_meet_in_spite_of_a_lesion() -> None:
    follow_up = 1.6 * BASELINE.values - 20
    follow_up[:6, :6, :6] += 400  # new, and 1.6 % of the brain
    matched = match_to(BASELINE, BASELINE.with_values(follow_up), mask=BRAIN)
    assert matched.gain == pytest.approx(1.6, rel=1e-3)
    assert matched.offset == pytest.approx(-20, abs=0.5)
    difference = matched.follow_up.values - matched.baseline.values
    assert np.abs(np.median(difference)) < 0.1
    assert difference[:6, :6, :6].mean() == pytest.approx(400 / np.sqrt(1.6), rel=0.01)


def test_swapping_the_visits_mirrors_the_scales_to_the_last_bit() -> None:
    follow_up = BASELINE.with_values((0.7 * BASELINE.values + 11 + RNG.normal(0, 2, GRID.shape)).astype(np.float32))
    there, back = match_to(BASELINE, follow_up, mask=BRAIN), match_to(follow_up, BASELINE, mask=BRAIN)
    assert np.array_equal(there.baseline.values, back.follow_up.values)
    assert np.array_equal(there.follow_up.values, back.baseline.values)
    assert there.gain * back.gain == pytest.approx(1)
    assert back.offset == pytest.approx(-there.offset / there.gain)


def test_hounsfield_units_are_left_alone() -> None:
    ct = Image(BASELINE.values, GRID, "HU")
    assert standardise(ct, mask=BRAIN) is ct
    matched = match_to(ct, ct, mask=BRAIN)
    assert matched.baseline is ct
    assert (matched.gain, matched.offset) == (1, 0)


def test_what_cannot_be_scaled_is_refused() -> None:
    nothing = Labels(np.zeros(GRID.shape, dtype=bool), GRID)
    elsewhere = Labels(np.ones((4, 4, 4), dtype=bool), Grid.from_parts((4, 4, 4)))
    with pytest.raises(ValueError, match="50 are needed"):
        standardise(BASELINE, mask=nothing)
    with pytest.raises(ValueError, match="only a positive value"):
        standardise(BASELINE.with_values(-BASELINE.values), mask=BRAIN)
    with pytest.raises(ValueError, match="mask lies on another grid"):
        standardise(BASELINE, mask=elsewhere)
    with pytest.raises(ValueError, match="white lies on another grid"):
        standardise(BASELINE, mask=BRAIN, white=Image(np.ones((4, 4, 4)), elsewhere.grid))


def test_what_cannot_be_matched_is_refused() -> None:
    nothing = Labels(np.zeros(GRID.shape, dtype=bool), GRID)
    with pytest.raises(ValueError, match="different grids"):
        match_to(BASELINE, Image(np.ones((4, 4, 4)), Grid.from_parts((4, 4, 4))), mask=BRAIN)
    with pytest.raises(ValueError, match="only like"):
        match_to(BASELINE, Image(BASELINE.values, GRID, "HU"), mask=BRAIN)
    with pytest.raises(ValueError, match="50 are needed"):
        match_to(BASELINE, BASELINE, mask=nothing)
    with pytest.raises(ValueError, match="constant"):
        match_to(BASELINE, BASELINE.with_values(np.ones(GRID.shape)), mask=BRAIN)
