"""Writing a report into a folder: the page for people, the record for machines."""

from __future__ import annotations

import os
from pathlib import Path

from cohortex.pipeline.output_folder import RECORD, refuse_other_visits, remove_outdated
from cohortex.pipeline.results import ComparisonResult, VisitResult
from cohortex.report.page import comparison_page, visit_page
from cohortex.report.record import Record, comparison_record, json_text, visit_record


def write_visit_report(result: VisitResult, output: Path) -> Path:
    """Write `report.html` and `report.json` of a visit.

    Parameters
    ----------
    result : VisitResult
        What was found; the same result gives the same bytes.
    output : Path
        Folder, made if it is missing. An earlier report of the same visit is replaced, and the files it names that are
        no longer written are removed.

    Returns
    -------
    Path
        The page: one file that needs no network.

    Raises
    ------
    TargetExists
        If the folder holds the report of another visit.
    """
    refuse_other_visits(output, study_code=result.study_code, visits=[result.visit])
    record = visit_record(result)
    return _write(output, visit_page(result, record), record)


def write_comparison_report(result: ComparisonResult, output: Path) -> Path:
    """Write `report.html` and `report.json` of a comparison; parameters are those of `write_visit_report`."""
    visits = [result.baseline.visit, result.follow_up.visit]
    refuse_other_visits(output, study_code=result.study_code, visits=visits)
    record = comparison_record(result)
    return _write(output, comparison_page(result, record), record)


def _write(output: Path, page: str, record: Record) -> Path:
    output.mkdir(parents=True, exist_ok=True)
    remove_outdated(output, set(record["files"].values()))  # before the record that names them is replaced
    for name, words in ((RECORD, json_text(record)), ("report.html", page)):
        part = output / f".{name}.part"
        part.write_text(words, encoding="utf-8", newline="\n")
        os.replace(part, output / name)  # a reader never sees half a report
    return output / "report.html"
