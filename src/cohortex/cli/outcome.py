"""What the commands print when the work is done."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from cohortex.pipeline import BatchOutcome, BatchRow, VisitSource
from cohortex.pipeline.results import ComparisonResult, VisitResult
from cohortex.report import headline

_EVENT_STYLE = {"new": "bold red", "grown": "red", "shrunk": "green", "gone": "bold green"}


def visit_lines(result: VisitResult, output: Path) -> Group:
    """Lay out one visit: the sentence, the lesions, and where the report is."""
    table = Table("lesion", "place", "volume (ml)", "diameters (mm)", "slice", title_justify="left")
    for lesion in result.lesions:
        table.add_row(
            str(lesion.label),
            escape(lesion.place),
            f"{lesion.volume_ml:.2f} ± {lesion.volume_sd_ml:.2f}",
            f"{lesion.longest_diameter_mm:.0f} × {lesion.perpendicular_diameter_mm:.0f}",
            str(lesion.slice_number),
        )
    return Group(f"[bold]{escape(headline(result))}[/]", *([table] if result.lesions else []), _where(output))


def comparison_lines(result: ComparisonResult, output: Path) -> Group:
    """Lay out a comparison: the sentence, the events, and where the report is."""
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
    return Group(f"[bold]{escape(headline(result))}[/]", *([table] if result.events else []), _where(output))


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


def _where(output: Path) -> str:
    return f"Report: {escape(str(output / 'report.html'))}   (data: report.json; research use only)"
