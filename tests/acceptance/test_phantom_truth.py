"""The whole chain, from DICOM zips to events, against planted truth at full resolution; seeds not used for tuning.

The aim is every event and every volume; `docs/lesions.md` has what was reached and what stands in the way. The bounds
here are what must never get worse. Figures of each patient are written to `acceptance-output`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from cohortex import phantoms
from cohortex.io import read_image
from cohortex.pipeline import compare_visits, find_visits
from cohortex.pipeline.results import ComparisonResult

pytestmark = pytest.mark.acceptance

SEEDS = range(201, 211)
THICKNESSES_MM = ((1.0, 1.0), (1.0, 4.0), (4.0, 1.0), (4.0, 4.0))  # of the two visits, taken in turn
VENDORS = (("siemens-like", "ge-like"), ("philips-like", "siemens-like"), ("ge-like", "philips-like"))


@dataclass(frozen=True)
class Case:
    patient: phantoms.PhantomPatient
    result: ComparisonResult
    output: Path
    thickness_mm: tuple[float, float]


def compared(seed: int, folder: Path) -> Case:
    """Plant, write as DICOM, compare: scanner change, bias, noise, motion, distractors and touching lesions are on."""
    thickness = THICKNESSES_MM[seed % len(THICKNESSES_MM)]
    patient = phantoms.patient(
        seed=seed, visits=2, spacing_mm=1.0, slice_thickness_mm=thickness, contrast_to_noise=(3.0, 15.0)
    )
    zips = []
    for number, (visit, vendor) in enumerate(zip(patient.visits, VENDORS[seed % len(VENDORS)], strict=True)):
        zips.append(folder / f"phantom-{seed}_visit-{number + 1}.zip")
        phantoms.write_dicom_zip(visit.images, zips[-1], scanner=vendor, seed=seed)
    first, second = (find_visits(path)[0] for path in zips)
    output = folder / "comparison"
    return Case(patient, compare_visits(first, second, output, workers=1), output, thickness)


def planted_in(found: np.ndarray, truth: np.ndarray) -> dict[int, set[int]]:
    """Which planted lesions each found outline covers.

    One counts from a fifth of its own voxels or three tenths of the outline's; where an outline covers none, a voxel of
    tolerance is given (labels count a voxel by its majority).
    """
    sizes = np.bincount(truth.ravel())
    covered: dict[int, set[int]] = {}
    for label, box in enumerate(ndimage.find_objects(found.astype(np.int32)), start=1):
        if box is None:
            continue
        wide = tuple(slice(max(0, s.start - 1), s.stop + 1) for s in box)
        outline = found[wide] == label
        shared = np.bincount(truth[wide][outline], minlength=len(sizes))
        enough = (shared >= 0.2 * np.maximum(sizes, 1)) | (shared >= 0.3 * outline.sum())
        ids = {int(n) for n in np.flatnonzero(enough & (shared > 0)) if n}
        covered[label] = ids or {int(n) for n in np.unique(truth[wide][ndimage.binary_dilation(outline)]) if n}
    return covered


def described(case: Case) -> tuple[Counter[tuple[str, frozenset[int], frozenset[int]]], Counter[object]]:
    """Planted and found events as (kind, planted lesions at baseline, at follow-up)."""
    covered = []
    for name, visit in zip(("baseline", "follow_up"), case.patient.visits, strict=True):
        found = read_image(case.output / f"{name}_lesions.nii.gz")
        assert found.grid.same_as(visit.labels.grid, tolerance_mm=0.01)
        covered.append(planted_in(np.asarray(found.values), np.asarray(visit.labels.values)))

    def ids(labels: tuple[int, ...], at: dict[int, set[int]]) -> frozenset[int]:
        return frozenset().union(*(at.get(label) or {-label} for label in labels))  # -label: nothing planted there

    found_events = Counter(
        (event.event, ids(event.baseline_labels, covered[0]), ids(event.follow_up_labels, covered[1]))
        for event in case.result.events
    )
    planted = Counter(
        (event.event, frozenset(event.baseline_ids), frozenset(event.follow_up_ids)) for event in case.patient.events[0]
    )
    return planted, found_events


@pytest.mark.parametrize("seed", SEEDS)
def test_events_volumes_and_motion_are_those_planted(seed: int, tmp_path: Path) -> None:
    case = compared(seed, tmp_path)
    planted, found = described(case)
    missing, extra = planted - found, found - planted
    figures = {
        "seed": seed,
        "thickness_mm": case.thickness_mm,
        "planted": sum(planted.values()),
        "missing": [str(event) for event in missing],
        "extra": [str(event) for event in extra],
        "rigid_error_mm": rigid_error_mm(case),
        "volumes": volume_errors(case),
    }
    target = Path("acceptance-output") / f"phantom-truth-{seed}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(figures, indent=1))
    assert figures["rigid_error_mm"] <= 0.5
    assert len(missing) <= 1, f"planted but not found: {figures['missing']}; found instead: {figures['extra']}"
    assert len(extra) <= 2, f"found but not planted: {figures['extra']}"
    judged = {(slice_mm, least): [] for slice_mm in set(case.thickness_mm) for least in (125, 500)}
    for volume in figures["volumes"]:
        least = 500 if volume["planted_mm3"] >= 500 else 125
        if volume["planted_mm3"] >= least:
            within = abs(volume["relative_error"]) <= (0.05 if least == 500 else 0.15)
            judged[volume["slice_mm"], least].append(within)
    for (slice_mm, least), within in judged.items():
        assert within, f"nothing to judge from {least} mm³ with slices of {slice_mm:g} mm"
        allowed = max(2, (0.25 if slice_mm == 1 else 0.5) * len(within))
        assert within.count(False) <= allowed, (slice_mm, least, figures["volumes"])


def rigid_error_mm(case: Case) -> float:
    """Mean distance, over the brain, between where the alignment and the truth put a point."""
    from cohortex.io import read_transform

    brain = case.patient.visits[0].brain
    points = brain.grid.world_of(np.argwhere(brain.mask)[::997])
    true = case.patient.follow_up_from_baseline(0, 1)(points)
    folder = case.output / "transforms"
    midway = read_transform(folder / "baseline_from_midway.tfm").inverse()(points)
    return float(np.mean(np.linalg.norm(read_transform(folder / "follow_up_from_midway.tfm")(midway) - true, axis=1)))


def volume_errors(case: Case) -> list[dict[str, float]]:
    """Relative volume errors of the lesions whose event was found, measured against the formula of their shape."""
    rows = []
    for name, visit, slice_mm in zip(("baseline", "follow_up"), case.patient.visits, case.thickness_mm, strict=True):
        found = read_image(case.output / f"{name}_lesions.nii.gz")
        covered = planted_in(np.asarray(found.values), np.asarray(visit.labels.values))
        lesions = {lesion.label: lesion for lesion in getattr(case.result, name).lesions}
        truths = {truth.id: truth for truth in visit.lesions}
        for label, ids in covered.items():
            if len(ids) == 1 and sum(ids == other for other in covered.values()) == 1:
                (id_,) = ids
                planted = truths[id_].volume_mm3
                rows.append(
                    {
                        "slice_mm": slice_mm,
                        "planted_mm3": planted,
                        "relative_error": 1000 * lesions[label].volume_ml / planted - 1,
                        "z": (1000 * lesions[label].volume_ml - planted) / (1000 * lesions[label].volume_sd_ml),
                        "contrast_to_noise": truths[id_].contrast_to_noise.get("FLAIR", float("nan")),
                    }
                )
    return rows


def test_swapping_the_visits_mirrors_events_and_change(tmp_path: Path) -> None:
    case = compared(SEEDS[0], tmp_path)
    first, second = (find_visits(path)[0] for path in sorted(tmp_path.glob("*.zip")))
    swapped = compare_visits(second, first, tmp_path / "swapped", store=case.output / ".cohortex", workers=1)
    mirror = {"new": "gone", "gone": "new", "grown": "shrunk", "shrunk": "grown", "split": "merged", "merged": "split"}
    assert [
        (
            mirror.get(e.event, e.event),
            e.follow_up_labels,
            e.baseline_labels,
            e.follow_up_volume_ml,
            e.baseline_volume_ml,
        )
        for e in sorted(case.result.events, key=lambda e: (e.baseline_labels, e.follow_up_labels))
    ] == [
        (e.event, e.baseline_labels, e.follow_up_labels, e.baseline_volume_ml, e.follow_up_volume_ml)
        for e in sorted(swapped.events, key=lambda e: (e.follow_up_labels, e.baseline_labels))
    ]
    here, there = case.result.images.change, swapped.images.change
    assert here.grid == there.grid
    np.testing.assert_array_equal(np.choose(here.values, (0, 2, 1)), there.values)
