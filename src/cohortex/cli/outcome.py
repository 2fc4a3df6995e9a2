"""What the commands print when the work is done: the words, numbers and order of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cohortex.pipeline import BatchOutcome, BatchRow, VisitSource
from cohortex.pipeline.results import ComparisonResult, VisitResult
from cohortex.report import comparison_record, visit_record
from cohortex.report.catalogue import ENGLISH
from cohortex.report.record import Record
from cohortex.report.wording import NOT_KNOWN, decimals_of_row, number_text, percent_text, volume_with_sd_text

_STYLE = {
    "new": "bold red", "grown": "red", "shrunk": "green", "gone": "bold green", "fail": "bold red", "warn": "yellow",
}  # fmt: skip


def print_visit(result: VisitResult, output: Path, console: Console) -> None:
    """Print one visit: the sentence, what must be read first, the lesions, and where the report is."""
    record = visit_record(result)
    table = Table("lesion", "place", "volume (ml)", "diameters (mm)", "slice", title_justify="left")
    for number, lesion in enumerate(record["lesions"], start=1):
        diameters = [lesion[f"{which}_diameter_mm"] for which in ("longest", "perpendicular")]
        table.add_row(
            str(number),
            escape(lesion["place"]),
            volume_with_sd_text(lesion["volume_ml"], lesion["volume_sd_ml"]),
            " × ".join(number_text(diameter, decimals=1) for diameter in diameters),
            str(lesion["slice_number"]),
        )
    _print(record, table if record["lesions"] else None, output, console)


def print_comparison(result: ComparisonResult, output: Path, console: Console) -> None:
    """Print a comparison: the sentence, what must be read first, the events, and where the report is."""
    record = comparison_record(result)
    table = Table("#", "event", "place", title_justify="left")
    for name in ("before (ml)", "after (ml)", "change"):
        table.add_column(name, no_wrap=True)  # a narrow terminal breaks the place
    for event in record["events"]:
        names = ("baseline_volume", "follow_up_volume", "change")
        decimals = decimals_of_row(*([event[f"{name}{unit}"] for name in names] for unit in ("_ml", "_sd_ml")))
        table.add_row(
            str(event["number"]),
            _word(event["event"]),
            escape(event["place"]),
            *(
                volume_with_sd_text(event[f"{visit}_volume_ml"], event[f"{visit}_volume_sd_ml"], decimals=decimals)
                if event[f"{visit}_labels"]
                else NOT_KNOWN
                for visit in ("baseline", "follow_up")
            ),
            percent_text(event["change_percent"]),
        )
    _print(record, table if record["events"] else None, output, console)


def folder_of(source: VisitSource | BatchRow, output: Path) -> Path:
    """Give the folder of one visit of a batch."""
    return output / source.study_code / source.visit


def failures_in(result: VisitResult) -> list[str]:
    """What the report of a visit says first because it failed."""
    return [notice["message"] for notice in visit_record(result)["notices"] if notice["level"] == "fail"]


def batch_table(outcome: BatchOutcome, output: Path, *, failures: Mapping[Path, Sequence[str]]) -> Table:
    """Lay out a batch: each visit, whether it worked, and why not; `failures` are those its report tells, by folder."""
    table = Table("patient", "visit", "outcome", "reason or report", title_justify="left")
    for row in outcome.rows:
        folder = folder_of(row, output)
        told = failures.get(folder, ()) if row.succeeded else ()
        done = "[green]done[/]" if not told else "[yellow]done, read first[/]"
        table.add_row(
            escape(row.study_code),
            escape(row.visit),
            done if row.succeeded else "[bold red]failed[/]",
            escape("\n".join([str(folder / "report.html"), *told]) if row.succeeded else row.reason),
        )
    return table


def _word(kind: str) -> str:
    style, word = _STYLE.get(kind), ENGLISH[kind]
    return f"[{style}]{word}[/]" if style else word


def _print(record: Record, table: Table | None, output: Path, console: Console) -> None:
    console.print(f"[bold]{escape(record['headline'])}[/]")
    for notice in record["notices"]:
        console.print(f"{_word(notice['level'])}: {escape(notice['message'])}", soft_wrap=True)
    if table is not None:
        console.print(table)
    report = escape(str(output / "report.html"))
    console.print(f"Report: {report}   (data: report.json; research use only)", soft_wrap=True)  # a path stays whole
