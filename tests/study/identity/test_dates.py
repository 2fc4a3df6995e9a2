"""Dates move, times stay, and what is neither goes."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortex.study.identity.dates import capped_age, clock_time, shift_date, shift_date_time

DAYS = st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1))


@given(one=DAYS, other=DAYS, days=st.integers(-3650, -1))
def test_intervals_between_dates_stay_exact(one, other, days):
    shifted = [shift_date(day.strftime("%Y%m%d"), days=days) for day in (one, other)]
    first, second = (datetime.datetime.strptime(day or "", "%Y%m%d").date() for day in shifted)
    assert second - first == other - one
    assert first == one + datetime.timedelta(days=days)


@pytest.mark.parametrize(
    "text", ["", "ROSSI", "2024011", "20241301", "20240230", "2024-01-15", "00010101", "202401150"]
)
def test_what_is_no_date_goes(text):
    assert shift_date(text, days=-400) is None


def test_a_date_of_an_old_file_is_one():
    assert shift_date("2024.01.15", days=-15) == "20231231"


def test_a_date_with_a_time_keeps_the_time_and_loses_the_zone():
    assert shift_date_time("20240115093005.25+0100", days=-15) == "20231231093005.25"
    assert shift_date_time("20240115", days=-15) == "20231231"


@pytest.mark.parametrize("text", ["2024", "202401", "20240115ROSSI", "20240115256060", "20249915093005"])
def test_a_date_with_a_time_that_cannot_be_moved_goes(text):
    assert shift_date_time(text, days=-15) is None


@pytest.mark.parametrize(("text", "time"), [("093005.123456", "093005.123456"), ("09:30:05", "093005"), ("09", "09")])
def test_a_time_stays(text, time):
    assert clock_time(text) == time


@pytest.mark.parametrize("text", ["", "ROSSI", "250000", "0961", "093005.1234567", "0930051"])
def test_what_is_no_time_goes(text):
    assert clock_time(text) is None


@pytest.mark.parametrize(
    ("text", "age"), [("062Y", "062Y"), ("089Y", "089Y"), ("090Y", "090Y"), ("101Y", "090Y"), ("011M", "011M")]
)
def test_ages_from_ninety_on_are_ninety(text, age):
    assert capped_age(text) == age


@pytest.mark.parametrize("text", ["", "62", "062", "ROSSI", "62Y"])
def test_what_is_no_age_goes(text):
    assert capped_age(text) is None
