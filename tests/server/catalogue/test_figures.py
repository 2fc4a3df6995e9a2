"""Numbers, dates and sizes as each language writes them."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import pytest

from cohortex.server.catalogue import format_date, format_entry, format_moment, format_number, format_size


@pytest.mark.parametrize(
    ("value", "digits", "sign", "english", "italian"),
    [
        (1234.56, 1, False, "1,234.6", "1.234,6"),
        (-36.4, 0, True, "−36", "−36"),
        (41.2, 0, True, "+41", "+41"),
        (-0.04, 1, False, "0.0", "0,0"),
        (None, 1, False, "–", "–"),
        (math.nan, 1, False, "–", "–"),
    ],
)
def test_a_number_follows_the_language(value, digits, sign, english, italian):
    assert format_number(value, digits, "en", sign=sign) == english
    assert format_number(value, digits, "it", sign=sign) == italian


def test_a_day_is_written_with_its_month():
    assert format_date("2024-03-01", "en") == "1 Mar 2024"
    assert format_date(date(2024, 1, 9), "it") == "9 gen 2024"
    assert format_date(None, "en") == "–"


def test_a_moment_carries_the_time_of_day():
    assert format_moment("2024-03-20T08:09:00Z", "en") == "20 Mar 2024, 08:09"
    assert format_moment(datetime(2024, 3, 20, 8, 9, tzinfo=UTC), "it") == "20 mar 2024, 08:09"
    assert format_moment(None, "it") == "–"


def test_a_size_takes_the_unit_that_suits_it():
    assert [format_size(n, "en") for n in (0, 999, 12_400_000, 148_300_000)] == ["0 B", "999 B", "12.4 MB", "148 MB"]
    assert format_size(12_400_000, "it") == "12,4 MB"
    assert format_size(None, "en") == "–"


@pytest.mark.parametrize(
    ("value", "typed"), [(177.0, "177"), (1.31, "1,31"), (-30, "-30"), (0.0, "0"), (None, ""), ("x", "x")]
)
def test_a_value_stands_in_its_field_as_one_would_type_it(value, typed):
    assert format_entry(value, "it") == typed
