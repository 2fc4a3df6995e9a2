"""report.json: the whole result, every digit, no NaN, no person, no machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cohortex.lesions.lesion import Lesion, LesionEvent
from cohortex.measure import QualityFlag
from cohortex.pipeline.results import ComparisonResult, MethodRecord, VisitResult
from cohortex.report import comparison_record, visit_record
from cohortex.report.record import json_text, plain


def tuples(fields: dict[str, object]) -> dict[str, object]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}


def test_lesions_come_back_from_json_as_they_were(visit: VisitResult) -> None:
    record = json.loads(json_text(visit_record(visit)))
    lesions = {Lesion(**tuples(fields)) for fields in record["lesions"]}
    assert lesions == set(visit.lesions)
    assert record["lesion_count"] == len(visit.lesions)
    assert record["total_lesion_volume_ml"] == pytest.approx(sum(lesion.volume_ml for lesion in visit.lesions))


def test_events_come_back_from_json_as_they_were(comparison: ComparisonResult) -> None:
    record = json.loads(json_text(comparison_record(comparison)))
    names = LesionEvent.__dataclass_fields__
    events = {LesionEvent(**tuples({k: v for k, v in fields.items() if k in names})) for fields in record["events"]}
    assert events == set(comparison.events)
    assert sum(record["event_counts"].values()) == len(comparison.events)
    assert record["total_change_percent"] == pytest.approx(
        100 * (comparison.follow_up_total_ml / comparison.baseline_total_ml - 1)
    )


def test_what_is_not_finite_is_null(visit: VisitResult) -> None:
    broken = replace(
        visit,
        lesions=(replace(visit.lesions[0], volume_sd_ml=np.nan, contrast_to_noise=np.inf),),
        brain_volume_ml=float("nan"),
    )
    record = json.loads(json_text(visit_record(broken)), parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert record["brain_volume_ml"] is None
    assert record["lesions"][0]["volume_sd_ml"] is None
    assert record["total_lesion_volume_sd_ml"] is None


def test_folders_of_the_machine_and_times_stay_out(visit: VisitResult) -> None:
    method = MethodRecord(
        step="align",
        version=1,
        sentence="Aligned.",
        seconds=12.5,
        parameters={
            "template": Path("/home/somebody/t.nii"),
            "similarity": np.corrcoef,
            "weights": np.array([1, np.nan]),
        },
    )
    record = visit_record(replace(visit, methods=(method,)))
    assert record["methods"] == [
        {
            "step": "align",
            "version": 1,
            "sentence": "Aligned.",
            "parameters": {"template": "t.nii", "similarity": "corrcoef", "weights": [1.0, None]},
        }
    ]


def test_failures_stand_before_warnings_and_are_told_once_for_both_visits(comparison: ComparisonResult) -> None:
    lost = replace(comparison, alignment_converged=False)
    notices = comparison_record(lost)["notices"]
    assert [notice["level"] for notice in notices] == ["fail", "warn"]
    assert "artefact of position" in notices[0]["message"]
    assert notices[1]["message"].endswith("(baseline, month 6)")


def test_template_alignment_that_failed_or_folds_is_noticed(visit: VisitResult) -> None:
    doubtful = replace(visit, alignment=replace(visit.alignment, converged=False, folded_percent=0.25))
    words = [notice["message"] for notice in visit_record(doubtful)["notices"]]
    assert any("did not converge" in message for message in words)
    assert any("0.25 %" in message for message in words)


def test_poor_similarity_is_a_warning_even_where_the_search_converged(visit: VisitResult) -> None:
    poor = replace(visit, alignment=replace(visit.alignment, similarity=0.3))
    assert any("poor (similarity 0.30)" in notice["message"] for notice in visit_record(poor)["notices"])
    assert not any("poor" in notice["message"] for notice in visit_record(visit)["notices"])


def test_one_finding_on_several_images_is_told_once_and_unused_images_only_warn_in_their_table(
    visit: VisitResult,
) -> None:
    thick = QualityFlag(check="spacing", level="warn", message="Slices are 6 mm apart.", value=6.0)
    first, second = (replace(series, quality=(thick,)) for series in visit.series)
    mask = replace(first, name="m" * 60 + ".nii", contrast="other", used_for="not used: a mask")
    record = visit_record(replace(visit, series=(first, second, mask)))
    assert [notice["message"] for notice in record["notices"]] == ["FLAIR, T1: Slices are 6 mm apart."]
    broken = replace(mask, quality=(replace(thick, level="fail", message="Truncated."),))
    record = visit_record(replace(visit, series=(first, broken)))
    assert record["notices"][0]["message"] == "m" * 18 + "…" + "m" * 14 + ".nii: Truncated."
    assert record["quality"] == "warn"  # of the images used


def test_images_have_no_plain_form(visit: VisitResult) -> None:
    with pytest.raises(TypeError, match="no plain form"):
        plain({"image": visit.images.reference})


def test_a_series_that_only_supports_counts_as_used(visit: VisitResult) -> None:
    """T2 that only tells fluid apart: its warning is told, and the gravest quality is that of all images used."""
    thick = QualityFlag(check="spacing", level="warn", message="Slices are 6 mm apart.", value=6.0)
    support = replace(visit.series[1], contrast="T2", used_for="support", quality=(thick,))
    record = visit_record(replace(visit, series=(visit.series[0], support)))
    assert record["quality"] == "warn"
    assert [notice["message"] for notice in record["notices"]] == ["T2: Slices are 6 mm apart."]


def test_what_was_not_outlined_is_null_with_the_reason_and_no_zero(visit: VisitResult) -> None:
    reason = "on CT alone no method here tells lesions from healthy tissue"
    record = json.loads(json_text(visit_record(replace(visit, lesions=(), not_outlined=reason))))
    figures = ("lesion_count", "total_lesion_volume_ml", "total_lesion_volume_sd_ml")
    assert [record[key] for key in figures] == [None, None, None]
    assert record["lesions_not_outlined_because"] == reason
    assert record["schema"] == "cohortex.visit-report/2"  # in the first these were numbers always
    healthy = visit_record(replace(visit, lesions=()))
    assert (healthy["lesion_count"], healthy["total_lesion_volume_ml"]) == (0, 0)
