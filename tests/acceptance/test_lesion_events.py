"""Lesions and their events against planted truth at 1 mm in the plane, with true alignment: what lesions alone can do.

Scanner change, noise, blur, head motion, distractors and touching lesions are on; shading is off and the template's
tissue fractions miss this head by 1 mm in the mean, as after an elastic alignment. Seeds were never used for tuning
(0 to 19 were). The whole chain, with its own alignment and shading correction, is proven in test_phantom_truth.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from cohortex import phantoms
from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.lesions import LesionComparison, LesionOutline, compare_lesions, outline_lesions
from cohortex.phantoms.acquisition import carried_labels
from cohortex.phantoms.distractors import draw_distractors, draw_flow
from cohortex.transform import Rigid

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(7200)]

SEEDS = range(120, 130)
MISALIGNED_MM = 1.0
MIRRORED = {"same": "same", "grown": "shrunk", "shrunk": "grown", "new": "gone", "gone": "new"}
MIRRORED |= {"split": "merged", "merged": "split"}


@dataclass(frozen=True)
class Pair:
    patient: phantoms.PhantomPatient
    outlines: tuple[LesionOutline, LesionOutline]
    comparison: LesionComparison


def tissue_of(head: phantoms.Head, grid: Grid, scanner_from_head: Rigid, seed: int) -> dict[str, Image]:
    """True tissue fractions moved by a smooth random field of `MISALIGNED_MM`."""
    rng = np.random.default_rng(seed)
    index = head.grid.index_of(scanner_from_head.inverse()(grid.world_points()))
    sigma = [12 / s for s in grid.spacing_mm]
    shift = np.stack([ndimage.gaussian_filter(rng.standard_normal(grid.shape), sigma) for _ in range(3)], axis=-1)
    index += shift * MISALIGNED_MM / np.sqrt(np.mean(np.sum(shift**2, axis=-1)))
    where = np.moveaxis(index, -1, 0)
    return {
        name: Image(
            ndimage.map_coordinates(head.tissues[name].astype(np.float32) / 255, where, order=1).astype(np.float32),
            grid,
        )
        for name in ("grey", "white", "csf")
    }


def cropped(image: Image, window: tuple[slice, ...]) -> Image:
    grid = image.grid.cropped([s.start for s in window], [s.stop for s in window])
    kind = Labels if isinstance(image, Labels) else Image
    return kind(np.ascontiguousarray(image.values[window]), grid, image.unit)


def brain_box(brain: Labels) -> tuple[slice, ...]:
    (box,) = ndimage.find_objects(brain.mask.astype(np.uint8))
    margin = np.ceil(8 / np.asarray(brain.grid.spacing_mm)).astype(int)
    return tuple(
        slice(max(0, s.start - m), min(n, s.stop + m)) for s, m, n in zip(box, margin, brain.grid.shape, strict=True)
    )


def outlined(patient: phantoms.PhantomPatient, number: int) -> LesionOutline:
    visit = patient.visits[number]
    window = brain_box(visit.brain)
    brain = cropped(visit.brain, window)
    images = {name: cropped(image, window) for name, image in visit.images.items()}
    tissue = tissue_of(patient.head, brain.grid, visit.scanner_from_head, 10 * patient.seed + number)
    assert isinstance(brain, Labels)
    return outline_lesions(images, brain=brain, tissue=tissue)


def halfway(
    patient: phantoms.PhantomPatient, outlines: tuple[LesionOutline, LesionOutline]
) -> tuple[Rigid, Rigid, Grid]:
    half = patient.follow_up_from_baseline().half()
    from_baseline, from_follow_up = half.inverse(), half
    brain = outlines[0].brain
    points = from_baseline.inverse()(brain.grid.world_of(np.argwhere(brain.mask)[::97]))
    low, high = points.min(axis=0) - 6, points.max(axis=0) + 6
    spacing = np.array([1.0, 1.0, max(o.brain.grid.spacing_mm[2] for o in outlines)])
    shape = tuple(int(n) for n in np.ceil((high - low) / spacing))
    return from_baseline, from_follow_up, Grid.from_parts(shape, spacing_mm=tuple(spacing), origin_mm=tuple(low))


def compared(seed: int, slice_mm: tuple[float, float], **options: object) -> Pair:
    patient = phantoms.patient(seed=seed, spacing_mm=1.0, slice_thickness_mm=slice_mm, bias=False, **options)
    outlines = outlined(patient, 0), outlined(patient, 1)
    from_baseline, from_follow_up, midway = halfway(patient, outlines)
    comparison = compare_lesions(
        *outlines, baseline_from_midway=from_baseline, follow_up_from_midway=from_follow_up, midway=midway
    )
    return Pair(patient, outlines, comparison)


def planted_under(found: NDArray[np.integer], truth: NDArray[np.integer]) -> dict[int, set[int]]:
    """Planted lesions each outline covers: a fifth of the lesion, three tenths of the outline, or else by touch."""
    sizes = np.bincount(truth.ravel())
    covered = {}
    for label, box in enumerate(ndimage.find_objects(found.astype(np.int32)), start=1):
        wide = tuple(slice(max(0, s.start - 1), s.stop + 1) for s in box)
        outline = found[wide] == label
        shared = np.bincount(truth[wide][outline], minlength=len(sizes))
        enough = (shared > 0) & ((shared >= 0.2 * np.maximum(sizes, 1)) | (shared >= 0.3 * outline.sum()))
        ids = {int(n) for n in np.flatnonzero(enough) if n}
        covered[label] = ids or {int(n) for n in np.unique(truth[wide][ndimage.binary_dilation(outline)]) if n}
    return covered


def coverage(pair: Pair) -> list[dict[int, set[int]]]:
    result = []
    for outline, visit in zip((pair.comparison.baseline, pair.comparison.follow_up), pair.patient.visits, strict=True):
        truth = cropped(visit.labels, brain_box(visit.brain))
        result.append(planted_under(np.asarray(outline.labels.values), np.asarray(truth.values)))
    return result


def wrong_events(pair: Pair) -> list[str]:
    """Planted events that are not named once and rightly, and events where nothing was planted."""
    covered = coverage(pair)

    def ids(labels: tuple[int, ...], at: dict[int, set[int]]) -> frozenset[int]:
        return frozenset().union(*(at.get(label) or {-label} for label in labels))

    found = [
        (e.event, ids(e.baseline_labels, covered[0]), ids(e.follow_up_labels, covered[1]))
        for e in pair.comparison.events
    ]
    planted = [(t.event, frozenset(t.baseline_ids), frozenset(t.follow_up_ids)) for t in pair.patient.events[0]]
    return [f"missing {p}" for p in planted if p not in found] + [f"extra {f}" for f in found if f not in planted]


def volume_errors(pair: Pair) -> NDArray[np.float64]:
    """Planted volume, relative error, and error over the sd said, of every lesion outlined alone, (n, 3)."""
    rows = []
    outlines = (pair.comparison.baseline, pair.comparison.follow_up)
    for outline, visit, covered in zip(outlines, pair.patient.visits, coverage(pair), strict=True):
        planted = {truth.id: truth.volume_mm3 for truth in visit.lesions}
        for measured in outline.measured:
            ids = covered.get(measured.label, set())
            if len(ids) == 1 and sum(ids == other for other in covered.values()) == 1:
                (true,) = (planted[n] for n in ids)
                off = measured.volume_mm3 - true
                rows.append((true, off / true, off / measured.volume_sd_mm3))
    return np.array(rows)


def record(name: str, figures: dict[str, object]) -> None:
    target = Path("acceptance-output") / f"lesion-events-{name}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(figures, indent=1))


def summary(errors: NDArray[np.float64]) -> dict[str, object]:
    bins = {"27-125": (27, 125), "125-500": (125, 500), "500-": (500, np.inf)}
    result: dict[str, object] = {}
    for name, (low, high) in bins.items():
        rows = errors[(errors[:, 0] >= low) & (errors[:, 0] < high)]
        if len(rows):
            result[name] = {
                "n": len(rows),
                "bias": float(rows[:, 1].mean()),
                "sd": float(rows[:, 1].std()),
                "largest": float(np.abs(rows[:, 1]).max()),
                "within_5_percent": float(np.mean(np.abs(rows[:, 1]) <= 0.05)),
                "within_15_percent": float(np.mean(np.abs(rows[:, 1]) <= 0.15)),
                "z_sd": float(rows[:, 2].std()),
            }
    return result


def test_every_event_is_right_at_1_mm_from_27_mm3_and_a_contrast_to_noise_of_3() -> None:
    wrong, errors = {}, []
    for seed in SEEDS:
        pair = compared(seed, (1.0, 1.0), contrast_to_noise=(3.0, 15.0))
        if faults := wrong_events(pair):
            wrong[seed] = faults
        errors.append(volume_errors(pair))
    rows = np.concatenate(errors)
    record("1mm", {"wrong": wrong, "volumes": summary(rows)})
    assert not wrong
    large, middle = rows[rows[:, 0] >= 500], rows[(rows[:, 0] >= 125) & (rows[:, 0] < 500)]
    assert np.mean(np.abs(large[:, 1]) <= 0.05) >= 0.9  # at contrast to noise 3 not every one can be
    assert np.sqrt(np.mean(large[:, 1] ** 2)) <= 0.05
    assert np.mean(np.abs(middle[:, 1]) <= 0.15) >= 0.97
    assert 0.4 < rows[rows[:, 0] >= 125][:, 2].std() < 1.5  # the sd said is the error made


def test_every_event_is_right_with_4_mm_slices_from_125_mm3() -> None:
    """A ball of 125 mm³ is 6.2 mm across: the smallest that one of the slices shows in full."""
    wrong, errors = {}, []
    for seed in SEEDS:
        thickness = ((4.0, 4.0), (1.0, 4.0), (4.0, 1.0))[seed % 3]
        pair = compared(seed, thickness, contrast_to_noise=(3.0, 15.0), volume_mm3=(125.0, 4000.0))
        if faults := wrong_events(pair):
            wrong[seed] = faults
        errors.append(volume_errors(pair))
    rows = np.concatenate(errors)
    record("4mm", {"wrong": wrong, "volumes": summary(rows)})
    assert not wrong
    large = rows[rows[:, 0] >= 500]
    assert np.sqrt(np.mean(large[:, 1] ** 2)) <= 0.08
    assert np.mean(np.abs(rows[rows[:, 0] >= 125][:, 1]) <= 0.15) >= 0.9


def test_a_head_without_lesions_shows_none() -> None:
    false = []
    for seed, slice_mm in ((130, 1.0), (131, 4.0), (132, 1.0), (133, 4.0)):
        rng = np.random.default_rng(seed)
        head = phantoms.head(spacing_mm=1.0, rng=rng, deformation_mm=2.0)
        distractors = draw_distractors(head, rng)
        distractors = replace(distractors, flow=draw_flow(head, rng))
        scanner = replace(phantoms.draw_scanner(rng, "ge-like"), bias=0.0)
        images = {
            contrast: phantoms.scan(
                head,
                contrast,
                slice_thickness_mm=slice_mm,
                scanner=scanner,
                distractors=distractors,
                rng=np.random.default_rng([seed, n]),
            )
            for n, contrast in enumerate(("T1", "FLAIR"))
        }
        grid = images["FLAIR"].grid
        brain = carried_labels(head.brain, grid, source_from_world=Rigid.identity())
        tissue = tissue_of(head, grid, Rigid.identity(), seed)
        outline = outline_lesions(images, brain=brain, tissue=tissue)
        false += [(seed, slice_mm, round(m.volume_mm3)) for m in outline.measured]
    record("healthy", {"false": false})
    assert not false


def test_exchanging_the_visits_and_running_again_change_nothing() -> None:
    pair = compared(SEEDS[0], (1.0, 4.0), contrast_to_noise=(3.0, 15.0))
    from_baseline, from_follow_up, midway = halfway(pair.patient, pair.outlines)
    swapped = compare_lesions(
        pair.outlines[1],
        pair.outlines[0],
        baseline_from_midway=from_follow_up,
        follow_up_from_midway=from_baseline,
        midway=midway,
    )
    for event, mirror in zip(pair.comparison.events, swapped.events, strict=True):
        assert mirror.event == MIRRORED[event.event]
        assert (mirror.baseline_labels, mirror.follow_up_labels) == (event.follow_up_labels, event.baseline_labels)
        assert mirror.change_ml == -event.change_ml
        assert mirror.change_sd_ml == event.change_sd_ml
    exchanged = np.array([0, 2, 1], dtype=np.uint8)
    np.testing.assert_array_equal(swapped.change_common.values, exchanged[pair.comparison.change_common.values])
    np.testing.assert_array_equal(swapped.baseline.labels.values, pair.comparison.follow_up.labels.values)

    again = outlined(pair.patient, 1)
    assert again.measured == pair.outlines[1].measured
    np.testing.assert_array_equal(again.labels.values, pair.outlines[1].labels.values)
    np.testing.assert_array_equal(again.fraction.values, pair.outlines[1].fraction.values)
