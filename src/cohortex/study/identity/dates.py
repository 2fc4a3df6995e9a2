"""Dates and times of a header: dates move by the patient's days, what is no exact date goes."""

from __future__ import annotations

import datetime
import re

_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_DATE_TIME = re.compile(r"(\d{8})(\d{2}|\d{4}|\d{6}(?:\.\d{1,6})?)?(?:[+-]\d{4})?")
_TIME = re.compile(r"(?:[01]\d|2[0-3])(?:[0-5]\d(?:[0-6]\d(?:\.\d{1,6})?)?)?")
_AGE = re.compile(r"(\d{3})([DWMY])")
_OLDEST_YEARS = 90  # above, an age alone can tell a person


def read_date(text: str) -> datetime.date | None:
    """Read a DICOM date, YYYYMMDD or YYYY.MM.DD of old files; None where it is no day of the calendar."""
    found = _DATE.fullmatch(text.strip(" \0"))
    try:
        return datetime.date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        return None


def shift_date(text: str, *, days: int) -> str | None:
    """Move a DICOM date; None where it is no date.

    Parameters
    ----------
    text : str
        YYYYMMDD, or YYYY.MM.DD of old files.
    days : int
        Added.

    Returns
    -------
    str or None
        YYYYMMDD.
    """
    original = read_date(text)
    if original is None:
        return None
    try:
        date = original + datetime.timedelta(days=days)
    except OverflowError:
        return None
    return f"{date.year:04d}{date.month:02d}{date.day:02d}"


def shift_date_time(text: str, *, days: int) -> str | None:
    """Move the date of a DICOM date and time and leave the clock; an offset from UTC goes; None where it is neither."""
    found = _DATE_TIME.fullmatch(text.strip(" \0"))
    if not found:
        return None
    date, clock = shift_date(found.group(1), days=days), found.group(2) or ""
    return None if date is None or (clock and not _TIME.fullmatch(clock)) else date + clock


def clock_time(text: str) -> str | None:
    """Give a DICOM time as it is, without the colons of old files; None where it is no time."""
    plain = text.strip(" \0").replace(":", "")
    return plain if _TIME.fullmatch(plain) else None


def capped_age(text: str) -> str | None:
    """Give an age as it is, 090Y for all from 90 years on; None where it is no age."""
    found = _AGE.fullmatch(text.strip(" \0"))
    if not found:
        return None
    return "090Y" if found.group(2) == "Y" and int(found.group(1)) >= _OLDEST_YEARS else found.group()
