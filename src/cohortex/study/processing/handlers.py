"""Which function does which kind of job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from cohortex.pipeline.results import ComparisonResult, VisitResult
from cohortex.study.database.tables import JobKind
from cohortex.study.jobs.worker import Handler
from cohortex.study.processing.checking import check
from cohortex.study.processing.comparing import comparison_handler
from cohortex.study.processing.deviating import deviation
from cohortex.study.processing.mapping import distances
from cohortex.study.processing.summarising import statistics
from cohortex.study.processing.templating import release
from cohortex.study.processing.visiting import visit_handler


def handlers(
    *,
    write_visit_report: Callable[[VisitResult, Path], Path],
    write_comparison_report: Callable[[ComparisonResult, Path], Path],
) -> Mapping[JobKind, Handler]:
    """Gather the handlers of all kinds of jobs.

    Parameters
    ----------
    write_visit_report, write_comparison_report : callable
        From `cohortex.report`, the floor above, which this one does not know.

    Returns
    -------
    mapping of JobKind to Handler
        For `jobs.work`.
    """
    return {
        "check": check,
        "visit": visit_handler(write_visit_report),
        "comparison": comparison_handler(write_comparison_report),
        "template": release,
        "deviation": deviation,
        "distances": distances,
        "statistics": statistics,
    }
