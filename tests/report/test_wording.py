"""Numbers as text: rounded to what is known, with signs that are signs."""

from __future__ import annotations

import math

import pytest

from cohortex.report.wording import (
    change_text,
    change_with_sd_text,
    count_text,
    decimals_of_row,
    number_text,
    percent_change,
    percent_text,
    signed_text,
    volume_text,
    volume_with_sd_text,
)


@pytest.mark.parametrize(
    ("volume_ml", "text"),
    [(0, "0.00"), (0.0274, "0.027"), (0.0996, "0.10"), (0.42, "0.42"), (9.994, "9.99"), (9.996, "10.0"), (99.96, "100"),
     (1432.7, "1433"), (None, "–"), (math.nan, "–"), (math.inf, "–")],
)  # fmt: skip
def test_volumes_keep_about_three_digits(volume_ml: float | None, text: str) -> None:
    assert volume_text(volume_ml) == text


def test_changes_carry_a_true_sign_and_zero_none() -> None:
    assert change_text(-1.234) == "−1.23"
    assert change_text(1.234) == "+1.23"
    assert change_text(-0.0) == "0.00"
    assert signed_text(-0.04, decimals=1) == "0.0"
    assert percent_text(63.9) == "+64\u202f%"
    assert percent_text(-0.3) == "0\u202f%"
    assert percent_text(None) == "–"
    assert number_text(-2.0, decimals=1) == "−2.0"


def test_sd_has_the_decimals_of_its_volume_and_is_never_rounded_to_zero() -> None:
    assert volume_with_sd_text(1.62, 0.08) == "1.62 ± 0.08"
    assert volume_with_sd_text(45.3, 0.04) == "45.30 ± 0.04"
    assert volume_with_sd_text(1.62, None) == "1.62"
    assert volume_with_sd_text(math.nan, 0.1) == "–"
    assert change_with_sd_text(-1.02, 0.05) == "−1.02 ± 0.05"


def test_volumes_of_one_row_have_the_decimals_of_the_largest_and_no_sd_is_zero() -> None:
    assert decimals_of_row([10.9, 8.66, -2.24], [0.2, 0.22, 0.3]) == 1
    assert decimals_of_row([122.0, 124.0, 2.0], [3.0, 3.0, 4.2]) == 0
    assert decimals_of_row([12.3, 0.05], [0.4, 0.004]) == 3
    assert decimals_of_row([0, 0.031, 0.031], [0, 0.012, 0.012]) == 3  # absence asks for no precision
    assert decimals_of_row([None, math.nan], [None, math.nan]) == 2
    assert volume_with_sd_text(8.66, 0.22, decimals=1) == "8.7 ± 0.2"
    assert change_with_sd_text(-2.24, 0.3, decimals=1) == "−2.2 ± 0.3"


def test_counts_are_words_up_to_twelve() -> None:
    assert [count_text(n) for n in (0, 1, 12, 13)] == ["zero", "one", "twelve", "13"]
    assert count_text(3, start=True) == "Three"


def test_percent_of_nothing_is_not_a_number() -> None:
    assert percent_change(0, 1) is None
    assert percent_change(2.0, 3.0) == 50
