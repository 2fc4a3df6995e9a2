"""The methods of a page: every distinct sentence and step once, and of which visit only where they differ."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from cohortex.pipeline.results import ComparisonResult, MethodRecord, VisitResult
from cohortex.report import comparison_record, visit_record, write_comparison_report
from cohortex.report.methods import methods_of


def method(step: str, sentence: str = "", **parameters: object) -> MethodRecord:
    return MethodRecord(step=step, version=1, sentence=sentence, parameters=parameters, seconds=1.0)


READ = method("read_visit", "Images were read.")
LOOK = method("look_at", "Each series was checked.", chosen={})
JOIN = method("align_series", "The series were aligned.")
SHADING = method("take_shading_off", "Shading was removed.")
CHAINED = method("chained")
MEASURE = method("measure", "Volumes count partial volume.", slice_numbers=(1, 2, 3))
MIDWAY = method("align_visits", "The visits were aligned halfway.")


def compared(
    comparison: ComparisonResult, before: tuple[MethodRecord, ...], after: tuple[MethodRecord, ...]
) -> ComparisonResult:
    return replace(
        comparison,
        baseline=replace(comparison.baseline, methods=before),
        follow_up=replace(comparison.follow_up, methods=after),
        methods=(*before, *after, MIDWAY),
    )


def test_a_step_run_on_every_series_is_told_once(visit: VisitResult) -> None:
    (part,) = methods_of(visit_record(replace(visit, methods=(READ, LOOK, LOOK, SHADING, SHADING, CHAINED))))
    assert [s["words"] for s in part["sentences"]] == [READ.sentence, LOOK.sentence, SHADING.sentence]
    assert [s["step"] for s in part["steps"]] == ["read_visit", "look_at", "take_shading_off", "chained"]
    assert not any(entry["visit"] for entry in (*part["sentences"], *part["steps"]))


def test_slice_numbers_stay_in_the_record_and_are_not_shown(visit: VisitResult) -> None:
    record = visit_record(replace(visit, methods=(MEASURE,)))
    assert record["methods"][0]["parameters"] == {"slice_numbers": [1, 2, 3]}
    assert methods_of(record)[0]["steps"][0]["parameters"] == {}


def test_a_step_with_two_settings_is_listed_with_both(visit: VisitResult) -> None:
    (part,) = methods_of(
        visit_record(replace(visit, methods=(LOOK, method("look_at", LOOK.sentence, chosen={"a": "T1"}))))
    )
    assert len(part["sentences"]) == 1
    assert [s["parameters"] for s in part["steps"]] == [{"chosen": {}}, {"chosen": {"a": "T1"}}]


def test_visits_processed_alike_are_told_together(comparison: ComparisonResult) -> None:
    longer = replace(MEASURE, parameters={"slice_numbers": (1, 2, 3, 4)})
    each, both = methods_of(comparison_record(compared(comparison, (READ, LOOK, LOOK, MEASURE), (READ, LOOK, longer))))
    assert [(s["words"], s["visit"]) for s in each["sentences"]] == [
        (READ.sentence, ""), (LOOK.sentence, ""), (MEASURE.sentence, ""),
    ]  # fmt: skip
    assert [s["step"] for s in each["steps"]] == ["read_visit", "look_at", "measure"]
    assert [s["words"] for s in both["sentences"]] == [MIDWAY.sentence]
    assert [s["step"] for s in both["steps"]] == ["align_visits"]


def test_what_was_done_at_one_visit_only_says_at_which(comparison: ComparisonResult) -> None:
    each, both = methods_of(comparison_record(compared(comparison, (READ, JOIN), (READ, SHADING))))
    assert [(s["words"], s["visit"]) for s in each["sentences"]] == [
        (READ.sentence, ""), (JOIN.sentence, "Baseline"), (SHADING.sentence, "Follow-up"),
    ]  # fmt: skip
    assert [s["visit"] for s in each["steps"]] == ["", "Baseline", "Follow-up"]
    assert [s["words"] for s in both["sentences"]] == [MIDWAY.sentence]


def test_the_page_says_each_sentence_once(comparison: ComparisonResult, tmp_path: Path) -> None:
    result = compared(comparison, (READ, LOOK, LOOK, JOIN, MEASURE), (READ, LOOK, MEASURE))
    text = write_comparison_report(result, tmp_path).read_text(encoding="utf-8")
    for one in (READ, LOOK, JOIN, MEASURE, MIDWAY):
        assert text.count(one.sentence) == 1
    assert f"Baseline only: {JOIN.sentence}" in text
    assert re.search(r"align_series <span class=\"sd\">\(Baseline only\)</span>", text)
    assert "slice_numbers" not in text
