"""What a header says of person and day against what was entered; only which facts disagree leaves the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydicom.dataset import Dataset

from cohortex.study.check.verdict import Fact
from cohortex.study.identity.dates import read_date

_SCAN_DATES = ("StudyDate", "AcquisitionDate", "AcquisitionDateTime", "SeriesDate")  # the first that is one counts
_FIRST_YEAR_OF_SCANS = 1971
_TOLERANCE_DAYS = 1  # an examination may go on over midnight
_OLDEST_YEARS = 120
_PLACEHOLDERS = frozenset({date(1970, 1, 1)})  # the day that clocks of computers begin with
_MOVED_DATES = frozenset({"MODIFIED", "REMOVED"})


@dataclass(frozen=True, kw_only=True, repr=False)
class EnteredFacts:
    """What was entered of a patient and a visit, as it truly is; it stands in no message and no log.

    Parameters
    ----------
    day : date, optional
        Of the visit.
    sex : str
        F or M; anything else is compared with nothing.
    birth_date : date, optional
        Of the patient.
    """

    day: date | None = None
    sex: str = ""
    birth_date: date | None = None

    def __repr__(self) -> str:
        return "EnteredFacts(kept)"

    def as_entries(self) -> dict[str, str | None]:
        """Plain entries for the process that is started."""
        return {
            "day": self.day.isoformat() if self.day else None,
            "sex": self.sex,
            "birth_date": self.birth_date.isoformat() if self.birth_date else None,
        }

    @staticmethod
    def from_entries(entries: Mapping[str, Any]) -> EnteredFacts:
        """Read what `as_entries` gave."""
        return EnteredFacts(
            day=date.fromisoformat(entries["day"]) if entries["day"] else None,
            sex=entries["sex"],
            birth_date=date.fromisoformat(entries["birth_date"]) if entries["birth_date"] else None,
        )


def disagreements(header: Dataset, entered: EnteredFacts) -> set[Fact]:
    """Tell in which facts a header as it came from the scanner disagrees with what was entered.

    What is missing on either side, or stands where a value was taken out, disagrees with nothing; nor do dates of a
    header that says of itself that they were moved.

    Parameters
    ----------
    header : Dataset
        Original header of one object.
    entered : EnteredFacts
        What the study knows.

    Returns
    -------
    set of {"date", "sex", "birth-date"}
        A scan may lie one day beside the visit. Of a birth date on 1 January only the year counts: where no more is
        known, hospitals write that day.
    """
    found: set[Fact] = set()
    sex = _text(header, "PatientSex").upper()
    if {sex, entered.sex} == {"F", "M"}:
        found.add("sex")
    if _text(header, "LongitudinalTemporalInformationModified").upper() in _MOVED_DATES:
        return found
    day = _day_of_scan(header)
    if day and entered.day and abs((day - entered.day).days) > _TOLERANCE_DAYS:
        found.add("date")
    born = _birth_date(header)
    if born and entered.birth_date and not _same_birth(born, entered.birth_date):
        found.add("birth-date")
    return found


def _day_of_scan(header: Dataset) -> date | None:
    for keyword in _SCAN_DATES:
        text = _text(header, keyword)
        day = read_date(text[:8] if keyword.endswith("DateTime") else text)
        if day is not None and _FIRST_YEAR_OF_SCANS <= day.year <= date.today().year + 1:
            return day
    return None


def _birth_date(header: Dataset) -> date | None:
    born, today = read_date(_text(header, "PatientBirthDate")), date.today()
    if born is None or born in _PLACEHOLDERS or not today.year - _OLDEST_YEARS <= born.year <= today.year:
        return None
    return born


def _same_birth(one: date, other: date) -> bool:
    if (1, 1) in ((one.month, one.day), (other.month, other.day)):
        return one.year == other.year
    return one == other


def _text(header: Dataset, keyword: str) -> str:
    try:
        return str(header.get(keyword) or "").strip(" \0")
    except Exception:  # pydicom raises anything on a damaged element
        return ""
