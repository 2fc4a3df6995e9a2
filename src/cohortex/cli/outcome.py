"""What the commands print when the work is done."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cohortex.pipeline import BatchOutcome, BatchRow, VisitSource
from cohortex.pipeline.results import ComparisonResult, VisitResult
from cohortex.report import headline

_EVENT_STYLE = {"new": "bold red", "grown": "red", "shrunk": "green", "gone": "bold green"}


def print_visit(result: VisitResult, output: Path, console: Console) -> None:
    """Print one visit: the sentence, the lesions, and where the report is."""
    table = Table("lesion", "place", "volume (ml)", "diameters (mm)", "slice", title_justify="left")
    for lesion in result.lesions:
        table.add_row(
            str(lesion.label),
            escape(lesion.place),
            f"{lesion.volume_ml:.2f} ± {lesion.volume_sd_ml:.2f}",
            f"{lesion.longest_diameter_mm:.0f} × {lesion.perpendicular_diameter_mm:.0f}",
            str(lesion.slice_number),
        )
    _print(headline(result), table if result.lesions else None, output, console)


def print_comparison(result: ComparisonResult, output: Path, console: Console) -> None:
    """Print a comparison: the sentence, the events, and where the report is."""
    table = Table("event", "place", "before (ml)", "after (ml)", "change", title_justify="left")
    for event in result.events:
        style = _EVENT_STYLE.get(event.event, "")
        percent = "" if event.change_percent is None else f"{event.change_percent:+.0f} %"
        table.add_row(
            f"[{style}]{event.event}[/]" if style else event.event,
            escape(event.place),
            f"{event.baseline_volume_ml:.2f}",
            f"{event.follow_up_volume_ml:.2f}",
            percent,
        )
    _print(headline(result), table if result.events else None, output, console)


def folder_of(source: VisitSource | BatchRow, output: Path) -> Path:
    """Give the folder of one visit of a batch."""
    return output / source.study_code / source.visit


def batch_table(outcome: BatchOutcome, output: Path) -> Table:
    """Lay out a batch: each visit, whether it worked, and why not."""
    table = Table("patient", "visit", "outcome", "reason or report", title_justify="left")
    for row in outcome.rows:
        table.add_row(
            escape(row.study_code),
            escape(row.visit),
            "[green]done[/]" if row.succeeded else "[bold red]failed[/]",
            escape(str(folder_of(row, output) / "report.html") if row.succeeded else row.reason),
        )
    return table


def _print(sentence: str, table: Table | None, output: Path, console: Console) -> None:
    console.print(f"[bold]{escape(sentence)}[/]")
    if table is not None:
        console.print(table)
    report = escape(str(output / "report.html"))
    console.print(f"Report: {report}   (data: report.json; research use only)", soft_wrap=True)  # a path stays whole
