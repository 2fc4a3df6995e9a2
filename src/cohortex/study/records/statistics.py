"""The statistics of the study: counts, shares and courses over all patients, with nothing that tells of one."""

from __future__ import annotations

from collections.abc import Sequence

from cohortex.statistics.disclosure import Minimum
from cohortex.study.records.counts import count_tables
from cohortex.study.records.courses import measure_courses
from cohortex.study.records.facts import PatientFacts, cell_of
from cohortex.study.records.figures import StudyStatistics
from cohortex.study.records.groupings import all_groupings
from cohortex.study.records.survival import survival_curve
from cohortex.study.records.wording import STATISTICS, Words


def study_statistics(
    patients: Sequence[PatientFacts], *, least_patients: int = 5, least_centres: int = 2
) -> StudyStatistics:
    """Count and summarise all patients of the study for every centre to see.

    Parameters
    ----------
    patients : sequence of PatientFacts
        In any order; the order changes nothing.
    least_patients, least_centres : int
        From how many on a figure is shown, as in the study's protocol; see `Minimum`.

    Returns
    -------
    StudyStatistics
        Every figure with its n, and its interval where it is an estimate.

    Raises
    ------
    ValueError
        If the minimum protects nobody.

    Notes
    -----
    A patient is counted by what was said last; what is missing is not counted. Two releases that differ by one
    patient tell of that patient whatever each hides: the caller releases in batches, as with the template.
    """
    minimum = Minimum(patients=least_patients, centres=least_centres)
    if not minimum.reached_by(cell_of(patients)):
        reason = STATISTICS["too_few"].filled(patients=str(least_patients), centres=str(least_centres))
        return StudyStatistics(shown=False, reason=reason, n_patients=None, n_centres=None, tables=(), courses=())
    survival = survival_curve(patients, minimum=minimum)
    return StudyStatistics(
        shown=True,
        reason=Words("", ""),
        n_patients=len(patients),
        n_centres=len({patient.centre for patient in patients}),
        tables=count_tables(patients, minimum=minimum),
        courses=measure_courses(patients, minimum=minimum),
        survival=survival,
        groupings=all_groupings(patients, survival=survival, minimum=minimum),
    )
