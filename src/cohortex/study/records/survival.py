"""Survival of the patients of the study from the first examination, at days that tell of nobody."""

from __future__ import annotations

from collections.abc import Sequence

from cohortex.statistics.disclosure import Minimum
from cohortex.statistics.survival import FollowUp, days_to_show, survival_at
from cohortex.study.records.facts import PatientFacts, VisitFacts
from cohortex.study.records.figures import SurvivalCurve, SurvivalPoint
from cohortex.study.records.wording import STATISTICS, Words

SURVIVAL_DAYS = (30, 90, 180, 365, 730, 1825)
"""Days from the first examination at which survival is given."""


def follow_up(patient: PatientFacts) -> FollowUp:
    """Tell how long a patient was followed, and whether to death.

    Parameters
    ----------
    patient : PatientFacts
        With visits in order of time.

    Returns
    -------
    FollowUp
        Death on the day of death that was said last, else on the day of the first visit that says so. Who is not said
        to have died leaves at the last visit that has images or a value; the first examination is one.
    """
    told = [visit for visit in patient.visits if _tells_of_death(visit)]
    if told:
        days = [day for visit in patient.visits if (day := _death_day(visit)) is not None]
        return FollowUp(max(days[-1] if days else told[0].day, 0), died=True, centre=patient.centre)
    seen = [visit.day for visit in patient.visits if _was_seen(visit)]
    return FollowUp(max([0, *seen]), died=False, centre=patient.centre)


def survival_curve(patients: Sequence[PatientFacts], *, minimum: Minimum) -> SurvivalCurve:
    """Give survival of all patients at the days that may be shown; see `days_to_show`."""
    followed = [follow_up(patient) for patient in patients]
    shown = days_to_show([followed], SURVIVAL_DAYS, minimum=minimum)
    return _curve("", STATISTICS["all_patients"], followed, SURVIVAL_DAYS, shown)


def survival_curves(
    groups: Sequence[tuple[str, Words, Sequence[PatientFacts]]], *, of_all: SurvivalCurve, minimum: Minimum
) -> tuple[SurvivalCurve, ...]:
    """Give survival of each group at the same days, all among those shown for all patients.

    Parameters
    ----------
    groups : sequence of tuple of str, Words and sequence of PatientFacts
        Value and label of each group and its patients; every patient of the study is in exactly one.
    of_all : SurvivalCurve
        Of all patients.
    minimum : Minimum
        What a figure needs to be shown.

    Returns
    -------
    tuple of SurvivalCurve
        One per group; none where no day may be shown.
    """
    days = [point.day for point in of_all.points if not point.hidden]
    followed = [[follow_up(patient) for patient in members] for _, _, members in groups]
    shown = days_to_show(followed, days, minimum=minimum)
    if not any(shown):
        return ()
    return tuple(
        _curve(value, label, people, days, shown) for (value, label, _), people in zip(groups, followed, strict=True)
    )


def _curve(
    value: str, label: Words, followed: Sequence[FollowUp], days: Sequence[int], shown: Sequence[bool]
) -> SurvivalCurve:
    points = [
        SurvivalPoint(
            day=found.day,
            survival=round(found.survival, 2),
            low=None if found.low is None else round(found.low, 2),
            high=None if found.high is None else round(found.high, 2),
            at_risk=found.at_risk,
            deaths=found.deaths,
            hidden=False,
        )
        if is_shown
        else SurvivalPoint(day=found.day)
        for found, is_shown in zip(survival_at(followed, days), shown, strict=True)
    ]
    return SurvivalCurve(value=value, label=label, n=len(followed) if any(shown) else None, points=tuple(points))


def _tells_of_death(visit: VisitFacts) -> bool:
    alive, outcome = visit.values.get("alive"), visit.values.get("outcome")
    said = (alive is not None and alive.value is False) or (outcome is not None and outcome.value == "died")
    return said or _death_day(visit) is not None


def _death_day(visit: VisitFacts) -> int | None:
    value = visit.values.get("death_day")
    return None if value is None else value.days


def _was_seen(visit: VisitFacts) -> bool:
    measured = visit.lesion_count is not None or visit.brain_volume_ml is not None
    return measured or any(value.missing == "" for value in visit.values.values())
