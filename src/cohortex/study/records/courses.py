"""Laboratory values and volumes over the visits: medians of the study, none of them a patient's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal

import numpy as np

from cohortex.statistics.disclosure import Minimum, hidden_cells
from cohortex.statistics.intervals import median_interval
from cohortex.study.records.facts import PatientFacts, VisitFacts, cell_of
from cohortex.study.records.fields import all_fields
from cohortex.study.records.fields import field as field_named
from cohortex.study.records.figures import Course, CoursePoint, GroupedCourse
from cohortex.study.records.wording import STATISTICS, Words

_SHOWN_DIGITS = 3  # of a median: enough to read, too few to know a laboratory value again


@dataclass(frozen=True)
class _Number:
    """A measure of one patient at one visit."""

    number: float
    censored: bool = False


_Measure = Callable[[PatientFacts, int], _Number | None]
_Of = Literal["lesion", "brain"]


def measure_courses(patients: Sequence[PatientFacts], *, minimum: Minimum) -> tuple[Course, ...]:
    """Give medians by visit of laboratory values, lesions and volumes, and changes of volumes.

    Parameters
    ----------
    patients : sequence of PatientFacts
        All patients of the study; enough to be shown at all.
    minimum : Minimum
        What a figure needs to be shown.

    Returns
    -------
    tuple of Course
        Laboratory fields in the order of the form, then lesions, then the brain. Changes begin at the second visit.
    """
    longest = _longest(patients)
    return tuple(
        _course(
            followed.name,
            followed.title,
            followed.unit,
            [_point(visit, _measured(visit, followed, patients), minimum) for visit in range(followed.first, longest)],
        )
        for followed in _all_followed()
    )


def grouped_courses(
    groups: Sequence[tuple[str, Words, Sequence[PatientFacts]]], *, minimum: Minimum
) -> tuple[GroupedCourse, ...]:
    """Give the same medians for each group.

    Parameters
    ----------
    groups : sequence of tuple of str, Words and sequence of PatientFacts
        Value and label of each group and its patients; every patient of the study is in exactly one.
    minimum : Minimum
        What a figure needs to be shown.

    Returns
    -------
    tuple of GroupedCourse
        At a visit all groups are shown or none: the number of all who were measured is in the course of all patients,
        and that of a group in the tables, so that those measured and those not measured of each group must be nobody or
        reach the minimum. How many values were censored is told of all patients only.
    """
    longest = _longest([patient for _, _, members in groups for patient in members])
    found = []
    for followed in _all_followed():
        points: list[list[CoursePoint]] = [[] for _ in groups]
        for visit in range(followed.first, longest):
            measured = [_measured(visit, followed, members) for _, _, members in groups]
            hidden = _hidden(groups, measured, minimum)
            for place, (inside, is_hidden) in enumerate(zip(measured, hidden, strict=True)):
                point = CoursePoint(visit=visit + 1) if is_hidden else _point(visit, inside, minimum)
                points[place].append(replace(point, censored=None))
        courses = [
            _course(value, label, followed.unit, row) for (value, label, _), row in zip(groups, points, strict=True)
        ]
        shown = tuple(course for course in courses if course.points)
        found.append(GroupedCourse(name=followed.name, title=followed.title, unit=followed.unit, groups=shown))
    return tuple(found)


def _hidden(
    groups: Sequence[tuple[str, Words, Sequence[PatientFacts]]],
    measured: Sequence[Sequence[tuple[PatientFacts, _Number]]],
    minimum: Minimum,
) -> list[bool]:
    for (_, _, members), inside in zip(groups, measured, strict=True):
        with_value = {id(patient) for patient, _ in inside}
        for part in ([p for p in members if id(p) in with_value], [p for p in members if id(p) not in with_value]):
            if part and not minimum.reached_by(cell_of(part)):
                return [True] * len(groups)
    return [not inside for inside in measured]


@dataclass(frozen=True)
class _Followed:
    """What is followed over the visits, and from which on."""

    name: str
    title: Words
    unit: str
    measure: _Measure
    first: int = 0


def _all_followed() -> tuple[_Followed, ...]:
    titles = {name.removeprefix("course_"): title for name, title in STATISTICS.items() if name.startswith("course_")}
    return (
        *(_Followed(f.name, f.label, f.unit, _laboratory(f.name)) for f in all_fields() if f.section == "laboratory"),
        _Followed("lesion_count", titles["lesion_count"], "1", _lesions),
        _Followed("lesion_volume", titles["lesion_volume"], "mL", _volume("lesion")),
        _Followed("lesion_volume_change", titles["lesion_volume_change"], "%", _change("lesion"), first=1),
        _Followed("brain_volume", titles["brain_volume"], "mL", _volume("brain")),
        _Followed("brain_volume_change", titles["brain_volume_change"], "%", _change("brain"), first=1),
    )


def _longest(patients: Sequence[PatientFacts]) -> int:
    return max((len(patient.visits) for patient in patients), default=0)


def _course(name: str, title: Words, unit: str, points: Sequence[CoursePoint]) -> Course:
    """A course up to the last point that is shown."""
    shown = [number for number, point in enumerate(points, 1) if not point.hidden]
    return Course(name=name, title=title, unit=unit, points=tuple(points[: max(shown, default=0)]))


def _measured(visit: int, followed: _Followed, patients: Sequence[PatientFacts]) -> list[tuple[PatientFacts, _Number]]:
    return [
        (patient, found)
        for patient in patients
        if visit < len(patient.visits) and (found := followed.measure(patient, visit)) is not None
    ]


def _point(visit: int, measured: Sequence[tuple[PatientFacts, _Number]], minimum: Minimum) -> CoursePoint:
    if not measured or not minimum.reached_by(cell_of([patient for patient, _ in measured])):
        return CoursePoint(visit=visit + 1)
    numbers = [found.number for _, found in measured]
    censored = [patient for patient, found in measured if found.censored]
    exact = [patient for patient, found in measured if not found.censored]
    few = any(hidden_cells([cell_of(censored), cell_of(exact)], minimum=minimum))
    interval = median_interval(numbers)
    inner = interval.rank > 1  # else the bounds are the values of two patients
    q1, q3 = np.quantile(numbers, (0.25, 0.75))
    return CoursePoint(
        visit=visit + 1,
        n=len(numbers),
        median=_rounded(interval.median),
        q1=_rounded(float(q1)),
        q3=_rounded(float(q3)),
        low=_rounded(interval.low) if inner and interval.low is not None else None,
        high=_rounded(interval.high) if inner and interval.high is not None else None,
        censored=None if few else len(censored),
        hidden=False,
    )


def _rounded(number: float) -> float:
    return float(f"{number:.{_SHOWN_DIGITS}g}")


def _laboratory(name: str) -> _Measure:
    limits = field_named(name).limits

    def measure(patient: PatientFacts, visit: int) -> _Number | None:
        value = patient.visits[visit].values.get(name)
        if value is None:
            return None
        if value.number is not None:
            return _Number(value.number, censored=value.comparator != "")
        if value.missing == "below_detection" and limits is not None:
            return _Number(limits.low, censored=True)  # the smallest, whatever the limit of the method was
        return None

    return measure


def _lesions(patient: PatientFacts, visit: int) -> _Number | None:
    count = patient.visits[visit].lesion_count
    return None if count is None else _Number(float(count))


def _volume(of: _Of) -> _Measure:
    def measure(patient: PatientFacts, visit: int) -> _Number | None:
        volume = _volume_of(patient.visits[visit], of)
        return None if volume is None else _Number(volume)

    return measure


def _change(of: _Of) -> _Measure:
    """Change against the first visit, percent; none where the first was not measured or was zero."""

    def measure(patient: PatientFacts, visit: int) -> _Number | None:
        first, now = (_volume_of(patient.visits[number], of) for number in (0, visit))
        return None if not first or now is None else _Number(100 * (now - first) / first)

    return measure


def _volume_of(visit: VisitFacts, of: _Of) -> float | None:
    volume = visit.lesion_volume_ml if of == "lesion" else visit.brain_volume_ml
    return volume if volume is not None and isfinite(volume) else None
