"""What is printed at the end: the words, numbers and order of the report, and nothing it says first is hidden."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from cohortex.cli.outcome import batch_table, failures_in, print_comparison, print_visit
from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.lesions.lesion import EventKind, Lesion, LesionEvent
from cohortex.measure import QualityFlag
from cohortex.pipeline import BatchOutcome, BatchRow
from cohortex.pipeline.results import (
    ComparisonImages,
    ComparisonResult,
    SeriesRecord,
    TemplateAlignmentRecord,
    VisitImages,
    VisitResult,
)
from cohortex.report.catalogue import ENGLISH

GRID = Grid.from_parts((4, 4, 4))
EMPTY, IMAGE = Labels(np.zeros(GRID.shape, np.uint8), GRID), Image(np.zeros(GRID.shape, np.float32), GRID)


def lesion(label: int, volume_ml: float) -> Lesion:
    return Lesion(
        label=label,
        volume_ml=volume_ml,
        volume_sd_ml=0.06,
        longest_diameter_mm=12.34,
        perpendicular_diameter_mm=8.0,
        centroid_mm=(0, 0, 0),
        template_mm=None,
        place=f"place {label}",
        slice_number=7,
        contrast_to_noise=9.0,
        kind="FLAIR hyperintense",
    )


def visit(name: str, *volumes_ml: float) -> VisitResult:
    return VisitResult(
        study_code="p01",
        visit=name,
        lesion_contrast="FLAIR",
        series=(),
        lesions=tuple(lesion(n, volume) for n, volume in enumerate(volumes_ml, start=1)),
        not_outlined="",
        brain_volume_ml=1400.0,
        tissue_volumes_ml={},
        alignment=TemplateAlignmentRecord(
            template="MNI152", similarity=0.9, converged=True, folded_percent=0.0, inverse_error_p95_mm=0.1
        ),
        differing_regions=(),
        methods=(),
        files={},
        cohortex_version="0",
        images=VisitImages(reference=IMAGE, brain=EMPTY, lesions=EMPTY, difference=IMAGE, log_jacobian=IMAGE),
    )


def event(kind: EventKind, label: int, before_ml: float, after_ml: float) -> LesionEvent:
    return LesionEvent(
        event=kind,
        baseline_labels=(label,) if before_ml else (),
        follow_up_labels=(label,) if after_ml else (),
        baseline_volume_ml=before_ml,
        follow_up_volume_ml=after_ml,
        change_ml=after_ml - before_ml,
        change_sd_ml=0.08,
        change_percent=100 * (after_ml - before_ml) / before_ml if before_ml else None,
        place=f"place of {kind}",
    )


def comparison() -> ComparisonResult:
    events = (event("same", 1, 1.0, 1.1), event("gone", 2, 0.5, 0.0), event("new", 3, 0.0, 0.7))
    return ComparisonResult(
        study_code="p01",
        baseline=visit("week 0", 1.0, 0.5),
        follow_up=visit("week 4", 1.1, 0.2, 0.7),
        events=events,
        baseline_total_ml=1.5,
        follow_up_total_ml=1.8,
        alignment_similarity=0.9,
        alignment_converged=True,
        motion_mm=1.0,
        methods=(),
        files={},
        cohortex_version="0",
        images=ComparisonImages(
            baseline=IMAGE,
            follow_up=IMAGE,
            difference=IMAGE,
            change=EMPTY,
            baseline_lesions=EMPTY,
            follow_up_lesions=EMPTY,
        ),
    )


def printed(result: VisitResult | ComparisonResult, *, width: int = 200) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    if isinstance(result, VisitResult):
        print_visit(result, Path("out"), console)
    else:
        print_comparison(result, Path("out"), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def row(lines: list[str], word: str) -> list[str]:
    return [cell.strip() for cell in next(line for line in lines if word in line and "│" in line).split("│")[1:-1]]


def flagged(result: VisitResult, level: str, message: str) -> VisitResult:
    series = SeriesRecord(
        name="ax_flair [2]",
        contrast="other",
        contrast_reason="header",
        shape=(4, 4, 4),
        spacing_mm=(1, 1, 1),
        orientation="LPS",
        unit="arbitrary",
        used_for="lesions",
        quality=(QualityFlag(check="spacing", level=level, message=message),),  # type: ignore[arg-type]
        warnings=(),
    )
    return replace(result, series=(series,))


def test_failures_and_warnings_stand_between_the_sentence_and_the_lesions():
    lost = flagged(visit("week 4", 1.0), "warn", "Slices are 6 mm apart.")
    lost = replace(lost, alignment=replace(lost.alignment, converged=False))
    lines = printed(lost)
    assert lines[0].startswith("One lesion outlined on FLAIR")
    assert lines[1] == "fail: " + ENGLISH["notice_no_brain_alignment"]
    assert lines[2] == "warning: ax_flair [2]: Slices are 6 mm apart."
    assert "place" in lines[4]
    assert lines[-1].startswith("Report: ")


def test_a_comparison_whose_visits_do_not_lie_on_each_other_says_so():
    lines = printed(replace(comparison(), alignment_converged=False))
    assert lines[1] == "fail: " + ENGLISH["notice_visits_alignment"]


def test_where_nothing_is_wrong_nothing_stands_between():
    assert not any(line.startswith(("fail", "warning")) for line in printed(comparison()) + printed(visit("week 4", 1)))


def test_events_have_the_words_and_the_order_of_the_report():
    lines = printed(comparison())
    order = [next(n for n, line in enumerate(lines) if f"place of {kind}" in line) for kind in ("new", "gone", "same")]
    assert order == sorted(order)
    assert row(lines, "place of same")[:2] == ["3", "unchanged"]
    assert not any("│ same" in line for line in lines)


def test_volumes_of_a_comparison_carry_their_spread_and_absence_is_a_dash():
    lines = printed(comparison())
    assert row(lines, "place of same")[3:] == ["1.00 ± 0.06", "1.10 ± 0.06", "+10\u202f%"]
    assert row(lines, "place of new")[3:5] == ["–", "0.70 ± 0.06"]
    assert row(lines, "place of gone")[4:] == ["–", "−100\u202f%"]


def test_numbers_stay_whole_on_a_narrow_terminal():
    lines = printed(comparison(), width=80)
    assert any("│ 1.00 ± 0.06 │ 1.10 ± 0.06 │ +10\u202f%" in line for line in lines)


def test_lesions_are_numbered_as_in_the_report_largest_first():
    lines = printed(visit("week 4", 0.5, 2.0))
    assert row(lines, "place 2")[:3] == ["1", "place 2", "2.00 ± 0.06"]
    assert row(lines, "place 1")[0] == "2"


@pytest.mark.parametrize(("level", "told"), [("fail", True), ("warn", False)])
def test_a_batch_names_what_failed_in_a_visit_that_is_done(level: str, told: bool):
    result = flagged(visit("week 4"), level, "Slices are missing.")
    rows = (BatchRow(study_code="p01", visit="week 4", succeeded=True, reason="", step="", seconds=1.0),)
    table = batch_table(BatchOutcome(rows=rows), Path("out"), failures={Path("out/p01/week 4"): failures_in(result)})
    console = Console(file=io.StringIO(), width=200)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    assert ("Slices are missing." in console.file.getvalue()) == told
    assert ("done, read first" in console.file.getvalue()) == told
