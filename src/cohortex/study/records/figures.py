"""The figures of the study as every centre sees them: tables, courses, and what is hidden in them."""

from __future__ import annotations

from dataclasses import dataclass

from cohortex.study.records.fields import JSON
from cohortex.study.records.wording import Language, Words


@dataclass(frozen=True, kw_only=True)
class CountRow:
    """How many patients are in one category; None for all figures where the row is hidden.

    Attributes
    ----------
    value : str
        Category as it is stored.
    label : Words
        As it is read.
    n : int or None
        Patients in it.
    share, low, high : float or None
        Of the patients of the table, with the 95 % score interval.
    hidden : bool
        Whether the figures are hidden: too few patients or centres, or because another could be computed from it.
    """

    value: str
    label: Words
    n: int | None
    share: float | None
    low: float | None
    high: float | None
    hidden: bool

    def to_json(self, language: Language = "en") -> dict[str, JSON]:
        """Give the row as the page reads it."""
        return {
            "value": self.value,
            "label": self.label.in_language(language),
            "n": self.n,
            "share": self.share,
            "low": self.low,
            "high": self.high,
            "hidden": self.hidden,
        }


@dataclass(frozen=True, kw_only=True)
class CountTable:
    """Patients by category.

    Attributes
    ----------
    name : str
        "centres", "sex", "age", "diagnosis", "phase", "agents", "outcome", "survival" or "events".
    title : Words
        What is counted.
    n : int or None
        Patients of whom it is known; None where they are too few.
    rows : tuple of CountRow
        Categories in a fixed order; one that nobody is in has no row. Empty where the table is hidden.
    """

    name: str
    title: Words
    n: int | None
    rows: tuple[CountRow, ...]

    def to_json(self, language: Language = "en") -> dict[str, JSON]:
        """Give the table as the page reads it."""
        return {
            "name": self.name,
            "title": self.title.in_language(language),
            "n": self.n,
            "hidden": self.n is None,
            "rows": [row.to_json(language) for row in self.rows],
        }


@dataclass(frozen=True, kw_only=True)
class CoursePoint:
    """One measure at one visit, over the patients in whom it was measured; None for all where it is hidden.

    Attributes
    ----------
    visit : int
        1 for the first examination.
    n : int or None
        Patients.
    median, q1, q3 : float or None
        Median and quartiles, three digits.
    low, high : float or None
        95 % interval of the median; None where it would be the smallest and the largest value (below 9 patients).
    censored : int or None
        Values among them that were given as < or > or below detection; they count by their bound. None where they
        are hidden as too few.
    hidden : bool
        Whether too few patients or centres hide it.
    """

    visit: int
    n: int | None = None
    median: float | None = None
    q1: float | None = None
    q3: float | None = None
    low: float | None = None
    high: float | None = None
    censored: int | None = None
    hidden: bool = True

    def to_json(self) -> dict[str, JSON]:
        """Give the point as the page reads it."""
        return {
            "visit": self.visit,
            "n": self.n,
            "median": self.median,
            "q1": self.q1,
            "q3": self.q3,
            "low": self.low,
            "high": self.high,
            "censored": self.censored,
            "hidden": self.hidden,
        }


@dataclass(frozen=True, kw_only=True)
class Course:
    """A measure by order of visits.

    Attributes
    ----------
    name : str
        Name of a laboratory field, or "lesion_count", "lesion_volume", "lesion_volume_change", "brain_volume",
        "brain_volume_change".
    title : Words
        What is measured.
    unit : str
        UCUM unit.
    points : tuple of CoursePoint
        One per visit, up to the last that is shown.
    """

    name: str
    title: Words
    unit: str
    points: tuple[CoursePoint, ...]

    def to_json(self, language: Language = "en") -> dict[str, JSON]:
        """Give the course as the page reads it."""
        return {
            "name": self.name,
            "title": self.title.in_language(language),
            "unit": self.unit,
            "points": [point.to_json() for point in self.points],
        }


@dataclass(frozen=True, kw_only=True)
class SurvivalPoint:
    """Survival to one day; None for all where it is hidden.

    Attributes
    ----------
    day : int
        From the first examination.
    survival, low, high : float or None
        Share that lives on, with its 95 % interval, to a hundredth; no interval before the first death.
    at_risk : int or None
        Patients alive that day and followed up to it.
    deaths : int or None
        Up to that day.
    hidden : bool
        Whether it would tell of too few patients.
    """

    day: int
    survival: float | None = None
    low: float | None = None
    high: float | None = None
    at_risk: int | None = None
    deaths: int | None = None
    hidden: bool = True

    def to_json(self) -> dict[str, JSON]:
        """Give the point as the page reads it."""
        return {
            "day": self.day,
            "survival": self.survival,
            "low": self.low,
            "high": self.high,
            "at_risk": self.at_risk,
            "deaths": self.deaths,
            "hidden": self.hidden,
        }


@dataclass(frozen=True, kw_only=True)
class SurvivalCurve:
    """Survival from the first examination at some days.

    Attributes
    ----------
    value : str
        Group as it is stored; empty for all patients.
    label : Words
        As it is read.
    n : int or None
        Patients; None where every day is hidden.
    points : tuple of SurvivalPoint
        In order of days.
    """

    value: str
    label: Words
    n: int | None
    points: tuple[SurvivalPoint, ...]

    def to_json(self, language: Language = "en") -> dict[str, JSON]:
        """Give the curve as the page reads it."""
        return {
            "value": self.value,
            "label": self.label.in_language(language),
            "n": self.n,
            "hidden": self.n is None,
            "points": [point.to_json() for point in self.points],
        }


@dataclass(frozen=True, kw_only=True)
class GroupedTable:
    """A table of counts for each group; empty where it is hidden.

    Attributes
    ----------
    name, title
        As of the table of all patients.
    groups : tuple of CountTable
        One per group, named and titled by it; shares are of the patients of the group.
    """

    name: str
    title: Words
    groups: tuple[CountTable, ...]

    def to_json(self, language: Language = "en") -> dict[str, JSON]:
        """Give the table as the page reads it."""
        return {
            "name": self.name,
            "title": self.title.in_language(language),
            "hidden": not self.groups,
            "groups": [group.to_json(language) for group in self.groups],
        }


@dataclass(frozen=True, kw_only=True)
class GroupedCourse:
    """A measure by order of visits for each group that has a point to show.

    Attributes
    ----------
    name, title, unit
        As of the course of all patients.
    groups : tuple of Course
        One per group, named and titled by it.
    """

    name: str
    title: Words
    unit: str
    groups: tuple[Course, ...]

    def to_json(self, language: Language = "en") -> dict[str, JSON]:
        """Give the courses as the page reads them."""
        return {
            "name": self.name,
            "title": self.title.in_language(language),
            "unit": self.unit,
            "hidden": not self.groups,
            "groups": [group.to_json(language) for group in self.groups],
        }


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """The figures of the study by what patients have in common.

    Attributes
    ----------
    name : str
        "diagnosis" or "phase".
    title : Words
        By what.
    tables : tuple of GroupedTable
        Causes, course and survival.
    courses : tuple of GroupedCourse
        The measures that are followed.
    survival : tuple of SurvivalCurve
        One per group, at the same days; empty where they are hidden.
    """

    name: str
    title: Words
    tables: tuple[GroupedTable, ...]
    courses: tuple[GroupedCourse, ...]
    survival: tuple[SurvivalCurve, ...]

    def to_json(self, language: Language = "en") -> dict[str, JSON]:
        """Give the grouping as the page reads it."""
        return {
            "name": self.name,
            "title": self.title.in_language(language),
            "tables": [table.to_json(language) for table in self.tables],
            "courses": [course.to_json(language) for course in self.courses],
            "survival": [curve.to_json(language) for curve in self.survival],
        }


@dataclass(frozen=True, kw_only=True)
class StudyStatistics:
    """What every centre may see of all patients.

    Attributes
    ----------
    shown : bool
        Whether there are enough patients and centres. If not, everything else is the same whatever their number.
    reason : Words
        Why nothing is shown; empty where it is.
    n_patients, n_centres : int or None
        Over all patients.
    tables : tuple of CountTable
        Counts and shares.
    courses : tuple of Course
        Medians by visit.
    survival : SurvivalCurve or None
        Of all patients.
    groupings : tuple of Grouping
        The same by leukaemia and by treatment phase.
    """

    shown: bool
    reason: Words
    n_patients: int | None
    n_centres: int | None
    tables: tuple[CountTable, ...]
    courses: tuple[Course, ...]
    survival: SurvivalCurve | None = None
    groupings: tuple[Grouping, ...] = ()

    def to_json(self, language: Language = "en") -> dict[str, JSON]:
        """Give the statistics as the page reads them."""
        return {
            "shown": self.shown,
            "reason": self.reason.in_language(language),
            "n_patients": self.n_patients,
            "n_centres": self.n_centres,
            "tables": [table.to_json(language) for table in self.tables],
            "courses": [course.to_json(language) for course in self.courses],
            "survival": None if self.survival is None else self.survival.to_json(language),
            "groupings": [grouping.to_json(language) for grouping in self.groupings],
        }
