"""Which of two visits came first: by the words and numbers of their names, and by the study dates of their scans."""

from __future__ import annotations

import re
from typing import Literal

from cohortex.pipeline.visits.headers import VisitHeaders

Order = Literal["earlier", "later", "not known"]

_PHASES = {"screening": -1, "baseline": 0, "pre": 0, "before": 0, "post": 2, "after": 2}
_AFTERWARDS = 2  # phase of a first follow-up; the second is the next
_DAYS = {"day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}
_SAME_WORD = {
    "v": "visit", "tp": "timepoint", "time": "timepoint", "session": "ses", "d": "day", "w": "week", "m": "month",
    "y": "year",
}  # fmt: skip
_CLEARLY = 1.2  # ratio of two times in different units: 12 months and a year are one time


def order_of_names(first: str, second: str) -> Order:
    """Say whether one visit comes before another by their names alone.

    Parameters
    ----------
    first, second : str
        Names of visits, such as "visit-2", "ses-pre", "w96" or "baseline".

    Returns
    -------
    {"earlier", "later", "not known"}
        When `first` was. Known where both count the same thing (visit-2 before visit-10), give a time (week-2 before
        month-6) or name a phase (screening, baseline, follow-up; before, after), and where a phase meets a time.
    """
    one, other = _meaning(first), _meaning(second)
    if _comes_before(one, other):
        return "earlier"
    return "later" if _comes_before(other, one) else "not known"


def order_of_dates(first: VisitHeaders, second: VisitHeaders) -> Order:
    """Say whether one visit was scanned before another by the study dates in DICOM headers.

    Parameters
    ----------
    first, second : VisitHeaders
        Of each visit.

    Returns
    -------
    {"earlier", "later", "not known"}
        When `first` was; not known where one has no date, or the dates are equal or overlap.
    """
    if first.dates and second.dates:
        if max(first.dates) < min(second.dates):
            return "earlier"
        if max(second.dates) < min(first.dates):
            return "later"
    return "not known"


def sorting_key(name: str) -> tuple[object, ...]:
    """Order names as a person would: phases first and last, times by their length, numbers by their value."""
    kind, value = _meaning(name)
    if kind == "phase":
        return (min(value, _AFTERWARDS), 0.0, value, natural_key(name))
    return (1.0, 0.0 if kind in _DAYS else 1.0, value * _DAYS.get(kind, 0.0), natural_key(name))


def natural_key(name: str) -> tuple[tuple[str, int], ...]:
    """Split a name into words and numbers, so that 10 follows 9."""
    return tuple((word, int(number or -1)) for word, number in re.findall(r"(\D*)(\d*)", name.lower()))


def _meaning(name: str) -> tuple[str, float]:
    """What a name counts and its value: ("phase", 0), ("week", 96), ("visit", 2), or the name itself."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    label = re.sub(r"^(ses|session)-(?=[a-z]{2}|[a-z]+\d)", "", plain)  # ses-pre, ses-m06
    if label in _PHASES:
        return "phase", _PHASES[label]
    if found := re.fullmatch(r"(?:follow-?up|fu)-?(\d*)", label):
        return "phase", _AFTERWARDS - 1 + int(found.group(1) or 1)
    if found := re.fullmatch(r"([a-z]+)-?(\d+)", label):
        word = found.group(1)
        return _SAME_WORD.get(word, word), float(found.group(2))
    if found := re.fullmatch(r"(?:ses|session)-([a-z])", plain):
        return "letter", float(ord(found.group(1)))
    return plain, 0.0


def _comes_before(one: tuple[str, float], other: tuple[str, float]) -> bool:
    (kind, value), (other_kind, other_value) = one, other
    if kind == other_kind:
        return value < other_value
    if kind in _DAYS and other_kind in _DAYS:
        days, other_days = value * _DAYS[kind], other_value * _DAYS[other_kind]
        return days * _CLEARLY < other_days
    if kind == "phase" and value < 1:  # a time of 0 may be the baseline, the first visit the screening
        if other_kind in _DAYS:
            return other_value > 0 or value < 0
        return other_kind in ("visit", "timepoint", "scan", "exam", "study") and other_value >= 2
    return other_kind == "phase" and other_value >= _AFTERWARDS and kind in _DAYS and value == 0
