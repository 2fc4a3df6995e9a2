"""Two visits are compared only where both were looked at, in an order that is known, and of one person."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.lesions import LesionOutline, outline_lesions
from cohortex.measure import QualityFlag
from cohortex.pipeline.compare_visits import (
    comparable_totals_ml,
    doubts_about_alignment,
    follow_lesions,
    pictures_halfway,
)
from cohortex.pipeline.results import ComparisonResult, TemplateAlignmentRecord, VisitResult
from cohortex.registration import MidwayAlignment
from cohortex.report import comparison_record, headline, visit_record
from cohortex.report.record import json_text
from cohortex.transform import Affine, Rigid

GRID = Grid.from_parts((44, 44, 44), spacing_mm=(1, 1, 1))


def outlined(*, searched: bool, contrast: str = "FLAIR") -> LesionOutline:
    """A ball of white matter with one bright lesion; not searched as a visit is that was not aligned."""
    radius = np.linalg.norm(GRID.world_points() - 21.5, axis=-1)
    lesion = np.linalg.norm(GRID.world_points() - (28, 21, 21), axis=-1) < 4
    brain = radius < 20
    values = np.random.default_rng(1).normal(100, 3, GRID.shape) * brain + 60 * lesion
    share = Image(brain.astype(np.float32), GRID)
    nothing = share.with_values(np.zeros_like(share.values))
    return outline_lesions(
        {contrast: Image(values.astype(np.float32), GRID)},
        brain=Labels((brain & searched).astype(np.uint8), GRID),
        tissue={"white": share, "grey": nothing, "csf": nothing},
        contrast=contrast,
    )


def followed(baseline: LesionOutline, follow_up: LesionOutline, *converged: bool):
    here = Rigid.identity()
    alignment = MidwayAlignment(
        baseline_from_midway=here, follow_up_from_midway=here, grid=GRID, similarity=0.9, converged=True
    )
    ways = [Affine(np.eye(4)), Affine(np.eye(4))]
    return follow_lesions.function(baseline, follow_up, alignment, ways, [0.8, 0.9], list(converged))


def test_a_visit_that_was_not_outlined_makes_no_lesion_of_the_other_new_or_gone():
    there, not_looked_for = outlined(searched=True), outlined(searched=False)
    assert len(there.measured) == 1
    for baseline, follow_up, converged in (
        (not_looked_for, there, (False, True)),
        (there, not_looked_for, (True, False)),
    ):
        comparison = followed(baseline, follow_up, *converged)
        assert comparison.events == ()
        for change in (comparison.change_common, comparison.change_baseline, comparison.change_follow_up):
            assert change.grid.same_as(GRID)
            assert not change.mask.any()
        kept = comparison.follow_up if converged[1] else comparison.baseline
        assert kept.measured == there.measured


def test_a_visit_that_was_outlined_and_has_no_lesion_shows_those_of_the_other_as_new():
    without = outlined(searched=False)  # the same outline, but the alignment held: healthy
    assert [event.event for event in followed(without, outlined(searched=True), True, True).events] == ["new"]


@pytest.mark.parametrize("moved", [(0.5, 0, 0), (0.5, 0.5, 0.5), (-0.5, 0.25, 0)])
def test_outlines_lie_on_their_lesions_halfway(moved: tuple[float, float, float]):
    """Two touching balls outlined at 1.5 mm, moved by half a voxel: the nearest voxel would put them 0.75 mm off."""
    grid = Grid.from_parts((24, 24, 24), spacing_mm=(1.5, 1.5, 1.5))
    centre, shift = np.array([18.0, 18.0, 18.0]), 1.5 * np.array(moved)
    ball = np.linalg.norm(grid.world_points() - centre, axis=-1) < 6
    labels = Labels((ball * np.where(grid.world_points()[..., 1] < 18, 7, 9)).astype(np.uint16), grid)
    outline = replace(outlined(searched=False), labels=labels)
    there = Rigid.from_vectors(rotation_vector_rad=(0, 0, 0), translation_mm=shift)
    alignment = MidwayAlignment(
        baseline_from_midway=there, follow_up_from_midway=there.inverse(), grid=grid, similarity=1.0, converged=True
    )
    scan, brain = Image(ball.astype(np.float32), grid), Labels(ball, grid)
    images = pictures_halfway.function(outline, outline, scan, scan, brain, brain, alignment, Labels(ball * 0, grid))
    for lesions, expected in ((images.baseline_lesions, centre - shift), (images.follow_up_lesions, centre + shift)):
        assert np.linalg.norm(grid.world_of(np.argwhere(lesions.mask)).mean(axis=0) - expected) < 0.2  # mm
        assert set(np.unique(lesions.values)) == {0, 7, 9}


def test_a_lesion_too_small_to_half_fill_a_voxel_halfway_is_still_there():
    """Three voxels of thick slices, half a voxel off: each voxel halfway is less than half full."""
    grid = Grid.from_parts((12, 12, 8), spacing_mm=(1, 1, 4))
    labels = np.zeros(grid.shape, dtype=np.uint16)
    labels[5, 4:7, 4] = 3
    outline = replace(outlined(searched=False), labels=Labels(labels, grid))
    there = Rigid.from_vectors(rotation_vector_rad=(0, 0, 0), translation_mm=(0.5, 0, 2))
    alignment = MidwayAlignment(
        baseline_from_midway=there, follow_up_from_midway=there.inverse(), grid=grid, similarity=1.0, converged=True
    )
    scan, brain = Image(labels.astype(np.float32), grid), Labels(np.ones(grid.shape, dtype=np.uint8), grid)
    images = pictures_halfway.function(outline, outline, scan, scan, brain, brain, alignment, Labels(labels * 0, grid))
    assert set(np.unique(images.baseline_lesions.values)) == {0, 3}
    assert set(np.unique(images.follow_up_lesions.values)) == {0, 3}


def visit(name: str, *, not_outlined: str = "") -> VisitResult:
    return VisitResult(
        study_code="case-1",
        visit=name,
        lesion_contrast="FLAIR",
        series=(),
        lesions=(),
        not_outlined=not_outlined,
        brain_volume_ml=1400.0,
        tissue_volumes_ml={},
        alignment=TemplateAlignmentRecord(
            template="MNI152", similarity=0.9, converged=not not_outlined, folded_percent=0.0, inverse_error_p95_mm=0.1
        ),
        differing_regions=(),
        methods=(),
        files={},
        cohortex_version="0",
        images=None,  # type: ignore[arg-type]  # no picture is drawn
    )


def comparison(*visits: VisitResult) -> ComparisonResult:
    totals = comparable_totals_ml(visits)
    return ComparisonResult(
        study_code="case-1",
        baseline=visits[0],
        follow_up=visits[1],
        events=(),
        baseline_total_ml=totals[0],
        follow_up_total_ml=totals[1],
        alignment_similarity=0.9,
        alignment_converged=True,
        motion_mm=1.0,
        methods=(),
        files={},
        cohortex_version="0",
        images=None,  # type: ignore[arg-type]
    )


def test_no_total_and_no_count_is_said_where_a_visit_was_not_outlined():
    result = comparison(visit("a", not_outlined="the alignment with the template failed"), visit("b"))
    assert all(map(math.isnan, (result.baseline_total_ml, result.follow_up_total_ml)))
    record = json.loads(json_text(comparison_record(result)))
    assert record["schema"] == "cohortex.comparison-report/2"  # in the first these were numbers always
    totals = [key for key in record if "total" in key]
    assert len(totals) == 7
    assert {record[key] for key in totals} == {None}
    assert set(record["event_counts"].values()) == {None}  # not looked for, so not none
    assert "not outlined" in headline(result)


def test_two_visits_without_lesions_have_totals_of_zero():
    result = comparison(visit("a"), visit("b"))
    record = comparison_record(result)
    assert (record["baseline_total_ml"], record["follow_up_total_ml"], record["total_change_ml"]) == (0, 0, 0)
    assert set(record["event_counts"].values()) == {0}


def test_what_is_doubtful_about_the_pair_is_told_before_the_rest():
    doubt = QualityFlag(check="order", level="warn", message="The follow-up was scanned before the baseline.")
    grave = QualityFlag(check="person", level="fail", message="Two persons.")
    unclear = replace(visit("a").alignment, similarity=0.1)
    result = comparison(replace(visit("a"), alignment=unclear), visit("b"))
    told = comparison_record(replace(result, notices=(doubt, grave)))["notices"]
    assert told[:2] == [{"level": "fail", "message": grave.message}, {"level": "warn", "message": doubt.message}]
    assert len(told) == 3


def test_visits_that_align_poorly_are_doubted_in_the_report():
    assert doubts_about_alignment(0.95, converged=True) == ()
    assert doubts_about_alignment(0.2, converged=False) == ()  # the report says that alignment failed
    assert len(doubts_about_alignment(math.nan, converged=True)) == 1
    doubts = doubts_about_alignment(0.69, converged=True)
    (notice,) = comparison_record(replace(comparison(visit("a"), visit("b")), notices=doubts))["notices"]
    assert notice["level"] == "warn"
    assert "look little alike once aligned (correlation 0.69" in notice["message"]


def test_images_left_out_of_the_visits_are_told_before_the_figures():
    left_out = QualityFlag(check="files", level="warn", message="1 image was left out, of no visit by name: gt.nii.gz.")
    visits = [replace(visit(name), notices=(left_out,)) for name in ("a", "b")]
    assert visit_record(visits[0])["notices"] == [{"level": "warn", "message": left_out.message}]
    assert comparison_record(comparison(*visits))["notices"] == [
        {"level": "warn", "message": f"{left_out.message} (a, b)"}
    ]
