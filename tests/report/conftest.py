"""Results of a made-up patient to draw reports from: tissue of the MNI152 template, planted ellipsoids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from nilearn import datasets
from numpy.typing import NDArray

from cohortex.geometry import Grid
from cohortex.image import Image, Labels, reorient
from cohortex.lesions.lesion import EventKind, Lesion, LesionEvent
from cohortex.measure import QualityFlag
from cohortex.pipeline.results import (
    ComparisonImages,
    ComparisonResult,
    DifferingRegion,
    MethodRecord,
    SeriesRecord,
    TemplateAlignmentRecord,
    VisitImages,
    VisitResult,
)


@dataclass(frozen=True)
class Planted:
    """An ellipsoid at both visits; radius 0 is absence."""

    place: str
    center_mm: tuple[float, float, float]
    before_mm: float
    after_mm: float
    event: EventKind


SCRIPT = (
    Planted("left frontal white matter", (26, -24, 28), 0, 7, "new"),
    Planted("right parietal white matter", (-28, 36, 34), 7, 9.5, "grown"),
    Planted("left periventricular white matter", (24, 20, 22), 8, 8, "same"),
    Planted("right temporal white matter", (-40, 22, -4), 8, 5, "shrunk"),
    Planted("right frontal white matter", (-24, -30, 18), 6, 0, "gone"),
)


@cache
def tissue(spacing_mm: float) -> tuple[Grid, NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Grid (LPS), grey and white fractions, and brain of the template."""
    resolution = int(spacing_mm)
    grey, white, mask = (
        load(resolution=resolution)
        for load in (
            datasets.load_mni152_gm_template,
            datasets.load_mni152_wm_template,
            datasets.load_mni152_brain_mask,
        )
    )
    grid = Grid(grey.shape, np.diag([-1.0, -1.0, 1.0, 1.0]) @ grey.affine, "made up")
    return grid, *(np.asarray(x.dataobj, dtype=np.float32) for x in (grey, white, mask))


def ball(grid: Grid, center_mm: Sequence[float], radius_mm: float) -> NDArray[np.bool_]:
    offset = (grid.world_points() - np.asarray(center_mm)) / np.array([1.0, 1.25, 0.9])
    return np.linalg.norm(offset, axis=-1) < radius_mm


def flair(grid: Grid, lesions: NDArray[np.bool_], *, spacing_mm: float, seed: int) -> Image:
    _, grey, white, brain = tissue(spacing_mm)
    rng = np.random.default_rng(seed)
    values = brain * (0.25 + 0.75 * grey + 0.55 * white)
    values = np.where(lesions, 1.55, values) + rng.normal(0, 0.03, size=grid.shape)
    return Image(np.clip(values, 0, None).astype(np.float32), grid, "white matter = 1")


def make_lesion(label: int, planted: Planted, radius_mm: float, grid: Grid) -> Lesion:
    volume_ml = 4 / 3 * np.pi * radius_mm**3 * 1.25 * 0.9 / 1000
    return Lesion(
        label=label,
        volume_ml=volume_ml,
        volume_sd_ml=0.04 * volume_ml + 0.011,
        longest_diameter_mm=2.5 * radius_mm,
        perpendicular_diameter_mm=2 * radius_mm,
        centroid_mm=planted.center_mm,
        template_mm=planted.center_mm,
        place=planted.place,
        slice_number=int(np.rint(grid.index_of(planted.center_mm)[2])) + 1,
        contrast_to_noise=9.3,
        kind="FLAIR hyperintense",
    )


def make_visit(
    name: str,
    sizes_mm: Sequence[float],
    script: Sequence[Planted],
    *,
    spacing_mm: float,
    codes: str = "LPS",
    seed: int = 1,
) -> VisitResult:
    grid, _, _, brain_values = tissue(spacing_mm)
    labels = np.zeros(grid.shape, dtype=np.int16)
    lesions = []
    for planted, radius in zip(script, sizes_mm, strict=True):
        if radius > 0:
            labels[ball(grid, planted.center_mm, radius)] = len(lesions) + 1
            lesions.append(make_lesion(len(lesions) + 1, planted, radius, grid))
    reference = flair(grid, labels > 0, spacing_mm=spacing_mm, seed=seed)
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 0.7, size=grid.shape).astype(np.float32) + 7 * (labels > 0) - 3.5 * ball(grid, (0, 60, -30), 14)
    points = grid.world_points()
    log_jacobian = 0.22 * np.exp(-((np.linalg.norm(points - (0, 20, 18), axis=-1) / 25) ** 2)) - 0.12 * np.exp(
        -((np.linalg.norm(points - (0, -50, 20), axis=-1) / 30) ** 2)
    )
    images = VisitImages(
        reference=reorient(reference, codes),
        brain=reorient(Labels((brain_values > 0).astype(np.uint8), grid), codes),
        lesions=reorient(Labels(labels, grid), codes),
        difference=reorient(Image(z.astype(np.float32), grid, "1"), codes),
        log_jacobian=reorient(Image(log_jacobian.astype(np.float32), grid, "1"), codes),
    )
    shape, spacing = (256, 256, 48), (0.9375, 0.9375, 3.0)
    good = QualityFlag(check="missing slices", level="pass", message="48 of 48 slices.", value=0.0)
    noise = QualityFlag(check="signal to noise", level="pass", message="Signal to noise 31.", value=31.2)
    series = (
        SeriesRecord(
            name="t2_tirm_tra_dark-fluid",
            contrast="FLAIR",
            contrast_reason="inversion time 2.5 s, echo time 0.09 s",
            shape=shape,
            spacing_mm=spacing,
            orientation="LPS",
            unit="arbitrary",
            used_for="alignment and lesions",
            quality=(good, noise),
            warnings=(),
        ),
        SeriesRecord(
            name="t1_mpr_sag_iso",
            contrast="T1",
            contrast_reason="inversion time 0.9 s",
            shape=(192, 256, 256),
            spacing_mm=(1.0, 1.0, 1.0),
            orientation="PSR",
            unit="arbitrary",
            used_for="alignment",
            quality=(
                good,
                QualityFlag(
                    check="truncation",
                    level="warn",
                    value=0.06,
                    message="The field of view cuts 6 % of the head at the top; volumes near the crown are too small.",
                ),
            ),
            warnings=("Slice spacing 1.0 mm was computed from positions; the header says 1.1 mm.",),
        ),
    )
    methods = (
        MethodRecord(
            step="correct_bias",
            version=1,
            sentence="Intensity inhomogeneity was corrected with N4 inside the brain.",
            parameters={"shrink": 4, "iterations": (50, 50, 30), "fwhm": 0.15},
            seconds=12.0,
        ),
        MethodRecord(
            step="align_deformable",
            version=2,
            sentence="The visit was aligned with the MNI152 template (version 0) "
            "by an affine and a diffeomorphic transform.",
            parameters={"similarity": "correlation"},
            seconds=80.0,
        ),
        MethodRecord(
            step="outline_lesions",
            version=1,
            sentence="Lesions were outlined on FLAIR where the intensity exceeds that expected from the local tissue.",
            parameters={"threshold_z": 3.0, "smallest_mm3": 27.0},
            seconds=None,
        ),
    )
    return VisitResult(
        study_code="P-0042",
        visit=name,
        lesion_contrast="FLAIR",
        series=series,
        lesions=tuple(lesions),
        not_outlined="",
        brain_volume_ml=1432.7,
        tissue_volumes_ml={"grey": 741.2, "white": 522.9, "csf": 168.6},
        alignment=TemplateAlignmentRecord(
            template="MNI152 (template version 0)",
            similarity=0.943,
            converged=True,
            folded_percent=0.0,
            inverse_error_p95_mm=0.08,
        ),
        differing_regions=(
            DifferingRegion(
                place="left frontal white matter", volume_ml=1.9, mean_z=5.1, template_mm=(26, -24, 28), slice_number=34
            ),
            DifferingRegion(place="cerebellum", volume_ml=4.2, mean_z=-3.4, template_mm=(0, 60, -30), slice_number=12),
        ),
        methods=methods,
        files={
            "lesion labels": "lesions.nii.gz",
            "lesion labels in template space": "lesions_template.nii.gz",
            "transform to the template": "template_from_visit.tfm",
        },
        cohortex_version="0.1.0",
        images=images,
    )


def make_comparison(
    script: Sequence[Planted] = SCRIPT, *, spacing_mm: float = 4, codes: str = "LPS"
) -> ComparisonResult:
    baseline = make_visit("baseline", [p.before_mm for p in script], script, spacing_mm=spacing_mm, codes=codes, seed=3)
    follow_up = make_visit("month 6", [p.after_mm for p in script], script, spacing_mm=spacing_mm, codes=codes, seed=4)
    events, used_before, used_after = [], 0, 0
    for planted in script:
        before = after = 0.0
        sds, before_labels, after_labels = [], (), ()
        if planted.before_mm:
            before_labels, before = (used_before + 1,), baseline.lesions[used_before].volume_ml
            sds.append(baseline.lesions[used_before].volume_sd_ml)
            used_before += 1
        if planted.after_mm:
            after_labels, after = (used_after + 1,), follow_up.lesions[used_after].volume_ml
            sds.append(follow_up.lesions[used_after].volume_sd_ml)
            used_after += 1
        events.append(
            LesionEvent(
                event=planted.event,
                baseline_labels=before_labels,
                follow_up_labels=after_labels,
                baseline_volume_ml=before,
                follow_up_volume_ml=after,
                change_ml=after - before,
                change_sd_ml=float(np.linalg.norm(sds)),
                change_percent=100 * (after - before) / before if before else None,
                place=planted.place,
            )
        )
    first, second = baseline.images, follow_up.images
    change = np.where(second.lesions.mask & ~first.lesions.mask, 1, 0) + np.where(
        first.lesions.mask & ~second.lesions.mask, 2, 0
    )
    return ComparisonResult(
        study_code="P-0042",
        baseline=baseline,
        follow_up=follow_up,
        events=tuple(events),
        baseline_total_ml=sum(lesion.volume_ml for lesion in baseline.lesions),
        follow_up_total_ml=sum(lesion.volume_ml for lesion in follow_up.lesions),
        alignment_similarity=0.981,
        alignment_converged=True,
        motion_mm=3.4,
        methods=(
            MethodRecord(
                step="align_midway",
                version=1,
                sentence="The two visits were aligned rigidly in the space halfway between them.",
                parameters={"samples": 200_000},
                seconds=4.0,
            ),
        ),
        files={"change, common space": "change_common.nii.gz", "change on the baseline": "change_baseline.nii.gz"},
        cohortex_version="0.1.0",
        images=ComparisonImages(
            baseline=first.reference,
            follow_up=second.reference,
            difference=second.reference.with_values(second.reference.values - first.reference.values),
            change=first.lesions.with_values(change.astype(np.uint8)),
            baseline_lesions=first.lesions,
            follow_up_lesions=second.lesions,
            brain=first.brain,
        ),
    )


@pytest.fixture(scope="session")
def comparison() -> ComparisonResult:
    """Two visits with one lesion of each simple kind."""
    return make_comparison()


@pytest.fixture(scope="session")
def visit(comparison: ComparisonResult) -> VisitResult:
    """The follow-up of `comparison`."""
    return comparison.follow_up


@pytest.fixture(scope="session")
def compared() -> Callable[..., ComparisonResult]:
    """Builder of comparisons from other scripts and voxel orders."""
    return make_comparison


@pytest.fixture(scope="session")
def many_lesions() -> ComparisonResult:
    """Forty small lesions, a few of each kind."""
    rng = np.random.default_rng(5)
    kinds: tuple[EventKind, ...] = ("new", "grown", "same", "shrunk", "gone")
    sizes = {"new": (0, 4.5), "grown": (4.5, 6), "same": (5, 5), "shrunk": (6, 4.5), "gone": (4.5, 0)}
    script = []
    for n in range(40):
        angle, height = 2 * np.pi * n / 40, float(rng.uniform(-10, 45))
        center = (42 * np.cos(angle), 50 * np.sin(angle) + 15, height)
        kind = kinds[n % 5]
        script.append(Planted(f"place {n}", tuple(float(c) for c in center), *sizes[kind], kind))
    return make_comparison(script)
