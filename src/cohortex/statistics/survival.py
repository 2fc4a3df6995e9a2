"""How many live on: survival of patients who were followed for different times, and at which days it may be shown."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import CensoredData, ecdf

from cohortex.statistics.disclosure import Cell, Minimum


@dataclass(frozen=True)
class FollowUp:
    """How long one patient was followed.

    Attributes
    ----------
    day : int
        Days from the beginning to death, or to the last day on which the patient was known to be alive.
    died : bool
        Whether the patient died on that day.
    centre : str
        Whose patient.
    """

    day: int
    died: bool
    centre: str = ""


@dataclass(frozen=True, kw_only=True)
class SurvivalAt:
    """Survival to one day.

    Attributes
    ----------
    day : int
        Days from the beginning.
    survival : float
        Share that lives on after that day, 0 to 1.
    low, high : float or None
        Bounds of the interval; None where no death or nothing but deaths came before, as the formula has none.
    at_risk : int
        Patients alive that day and followed up to it.
    deaths : int
        Deaths up to that day.
    """

    day: int
    survival: float
    low: float | None
    high: float | None
    at_risk: int
    deaths: int


def survival_at(followed: Sequence[FollowUp], days: Sequence[int], level: float = 0.95) -> tuple[SurvivalAt, ...]:
    """Estimate survival to some days from patients who were followed for different times.

    Parameters
    ----------
    followed : sequence of FollowUp
        At least one. Who leaves on a day of deaths is counted among those who could have died.
    days : sequence of int
        Not negative.
    level : float
        Confidence of the interval, above 0 and below 1.

    Returns
    -------
    tuple of SurvivalAt
        One per day: the product-limit estimate [1]_, with the interval on the scale of log(-log), within 0 to 1 [2]_.

    Raises
    ------
    ValueError
        If nobody was followed, a day is negative, or `level` is not within 0 to 1.

    References
    ----------
    .. [1] Kaplan, Meier, *Nonparametric estimation from incomplete observations*, J Am Stat Assoc, 1958,
       10.1080/01621459.1958.10501452.
    .. [2] Kalbfleisch, Prentice, *The Statistical Analysis of Failure Time Data*, 2nd ed., 2002, section 1.4,
       10.1002/9781118032985.
    """
    if not followed or min([*days, *(one.day for one in followed)]) < 0 or not 0 < level < 1:
        raise ValueError(
            f"{len(followed)} patients and a level of {level:g}: give at least one patient, days of 0 or more, and a "
            "level between 0 and 1."
        )
    estimate = ecdf(
        CensoredData(
            uncensored=[one.day for one in followed if one.died], right=[one.day for one in followed if not one.died]
        )
    ).sf
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The confidence interval is undefined")  # at 1 and 0: left out below
        interval = estimate.confidence_interval(level, method="log-log")
    found = []
    for day in days:
        survival, low, high = (float(curve.evaluate(day)) for curve in (estimate, interval.low, interval.high))
        bounded = 0 < survival < 1
        found.append(
            SurvivalAt(
                day=day,
                survival=survival,
                low=low if bounded else None,
                high=high if bounded else None,
                at_risk=sum(_is_followed_to(one, day) for one in followed),
                deaths=sum(one.died and one.day <= day for one in followed),
            )
        )
    return tuple(found)


def days_to_show(groups: Sequence[Sequence[FollowUp]], days: Sequence[int], *, minimum: Minimum) -> tuple[bool, ...]:
    """Say at which days survival, patients at risk and deaths so far may be shown.

    Parameters
    ----------
    groups : sequence of sequence of FollowUp
        Groups whose curves are shown at the same days; every patient is in one of them.
    days : sequence of int
        In rising order.
    minimum : Minimum
        What a figure needs to be shown.

    Returns
    -------
    tuple of bool
        Whether each day is shown. The days shown part time; in every group and every part, after the last day too,
        those who died and those who left without having died are each nobody or reach the minimum, and those who go
        on reach it. Days are taken in their order, each if this holds up to it and after it.

    Notes
    -----
    Survival changes only at deaths and with those at risk, so that two days shown next to each other give away the
    deaths and departures between them, in numbers and nearly in their order, and nothing of their days; and with the
    number of all who died, as of a table of survival, those after the last day too. These are the numbers the rule
    keeps large. The tests go through all small courses of deaths and departures: who sees the days shown, the order
    of events between them and the table of survival, and knows this rule, cannot compute a small number. Take the
    days for groups from those shown for all of them together; else their sums give away days that were hidden.
    """
    shown: list[bool] = []
    last: int | None = None
    for day in days:
        allowed = all(_tells_of_nobody(group, last, day, minimum) for group in groups)
        shown.append(allowed)
        last = day if allowed else last
    return tuple(shown)


def _tells_of_nobody(group: Sequence[FollowUp], last: int | None, day: int, minimum: Minimum) -> bool:
    going_on = [one for one in group if _is_followed_to(one, day)]
    ended = [one for one in group if not _is_followed_to(one, day) and (last is None or _is_followed_to(one, last))]
    parts = [[one for one in part if one.died is died] for part in (ended, going_on) for died in (True, False)]
    return minimum.reached_by(_cell(going_on)) and all(not part or minimum.reached_by(_cell(part)) for part in parts)


def _is_followed_to(one: FollowUp, day: int) -> bool:
    """Whether the patient is known to live on that day; who dies on it does not."""
    return one.day > day or (one.day == day and not one.died)


def _cell(followed: Sequence[FollowUp]) -> Cell:
    return Cell(len(followed), len({one.centre for one in followed}))
