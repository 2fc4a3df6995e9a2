"""Writing a report into a folder: the page for people, the record for machines."""

from __future__ import annotations

import os
from pathlib import Path

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
        Folder, made if it is missing. A report already there is replaced.

    Returns
    -------
    Path
        The page: one file that needs no network.
    """
    record = visit_record(result)
    return _write(output, visit_page(result, record), record)


def write_comparison_report(result: ComparisonResult, output: Path) -> Path:
    """Write `report.html` and `report.json` of a comparison; parameters are those of `write_visit_report`."""
    record = comparison_record(result)
    return _write(output, comparison_page(result, record), record)


def _write(output: Path, page: str, record: Record) -> Path:
    output.mkdir(parents=True, exist_ok=True)
    for name, words in (("report.json", json_text(record)), ("report.html", page)):
        part = output / f".{name}.part"
        part.write_text(words, encoding="utf-8", newline="\n")
        os.replace(part, output / name)  # a reader never sees half a report
    return output / "report.html"
