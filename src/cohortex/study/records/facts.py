"""What a patient and a visit add to the statistics of the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cohortex.statistics.disclosure import Cell
from cohortex.study.records.value import ClinicalValue

EVENTS = ("new", "grown", "shrunk", "gone", "split", "merged")
"""What can become of a lesion between two visits."""
AGE_BANDS = ("0-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80-89", "90+")
"""Ages in years that are told apart; the oldest are together, as few are so old."""


@dataclass(frozen=True, kw_only=True)
class VisitFacts:
    """What one visit adds to the statistics.

    Attributes
    ----------
    day : int
        Days from the first examination.
    values : mapping of str to ClinicalValue
        Clinical record, by name of the field.
    lesion_count : int or None
        Lesions that were outlined; None where none were looked for yet.
    lesion_volume_ml, brain_volume_ml : float or None
        Total volumes; None where they were not measured.
    events : mapping of str to int, or None
        Lesions by what became of them since the visit before; None where there is no comparison.
    """

    day: int = 0
    values: Mapping[str, ClinicalValue] = field(default_factory=dict)
    lesion_count: int | None = None
    lesion_volume_ml: float | None = None
    brain_volume_ml: float | None = None
    events: Mapping[str, int] | None = None


@dataclass(frozen=True, kw_only=True)
class PatientFacts:
    """What one patient adds to the statistics.

    Attributes
    ----------
    centre : str
        Code of the centre.
    sex : {"F", "M", "O", "U"}
        As entered.
    age_band : str
        Age at the first examination, one of `AGE_BANDS`; empty where it is not known.
    visits : tuple of VisitFacts
        In order of time.
    """

    centre: str
    sex: str
    age_band: str
    visits: tuple[VisitFacts, ...]


def age_band_of(age_years: float) -> str:
    """Give the band of an age.

    Raises
    ------
    ValueError
        If the age is negative or NaN.
    """
    if not age_years >= 0:
        raise ValueError(f"age_years is {age_years:g}; give 0 or more.")
    return AGE_BANDS[min(int(age_years // 10), len(AGE_BANDS) - 1)]


def cell_of(patients: Sequence[PatientFacts]) -> Cell:
    """Count patients and their centres."""
    return Cell(len(patients), len({patient.centre for patient in patients}))
