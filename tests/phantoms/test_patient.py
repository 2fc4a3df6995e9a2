from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cohortex import phantoms
from cohortex.image import sample_at_points

FEW = {"same": 1, "grown": 1, "shrunk": 1, "new": 1, "gone": 1, "split": 1, "merged": 1, "touching": 1}


def by_id(visit):
    return {lesion.id: lesion for lesion in visit.lesions}


def test_script_plants_what_was_asked_for(two_visits):
    kinds = sorted(event.event for event in two_visits.events[0])
    expected = {**phantoms.DEFAULT_EVENTS}
    expected["same"] += expected.pop("touching")
    assert kinds == sorted(kind for kind, count in expected.items() for _ in range(count))


def test_event_table_sums_to_the_lesions_of_both_visits(two_visits):
    before, after = (by_id(visit) for visit in two_visits.visits)
    events = two_visits.events[0]
    assert sorted(i for e in events for i in e.baseline_ids) == sorted(before)
    assert sorted(i for e in events for i in e.follow_up_ids) == sorted(after)
    for event in events:
        assert event.baseline_volume_mm3 == pytest.approx(sum(before[i].volume_mm3 for i in event.baseline_ids))
        assert event.follow_up_volume_mm3 == pytest.approx(sum(after[i].volume_mm3 for i in event.follow_up_ids))


@pytest.mark.parametrize("seed", range(3))
def test_nothing_changes_by_ten_to_thirty_percent_and_nothing_is_below_27_mm3(seed):
    patient = phantoms.patient(seed=seed, spacing_mm=4.0, deformation_mm=0.0, contrasts=("FLAIR",), distractors=False)
    for event in patient.events[0]:
        if event.event in ("new", "gone"):
            assert 0 in (event.baseline_volume_mm3, event.follow_up_volume_mm3)
            continue
        ratio = event.follow_up_volume_mm3 / event.baseline_volume_mm3
        expected = {
            "grown": ratio >= 1.3, "shrunk": ratio <= 0.7, "same": 0.95 <= ratio <= 1.0527,
            "split": 0.94 <= ratio <= 1.06, "merged": 0.94 <= ratio <= 1.06,
        }  # fmt: skip
        assert expected[event.event], (event.event, ratio)
    volumes = [lesion.volume_mm3 for visit in patient.visits for lesion in visit.lesions]
    assert min(volumes) >= 27
    ratios = [lesion.contrast_to_noise["FLAIR"] for visit in patient.visits for lesion in visit.lesions]
    assert min(ratios) >= 3


def test_labels_and_volumes_agree(two_visits):
    for visit in two_visits.visits:
        voxel = visit.labels.grid.voxel_volume_mm3
        assert set(np.unique(visit.labels.values)) == {0, *by_id(visit)}
        planted = sum(lesion.volume_mm3 for lesion in visit.lesions)
        assert (visit.labels.values > 0).sum() * voxel == pytest.approx(planted, rel=0.15)  # majority of 3 mm voxels
        shares = sum(
            lesion.shape.fraction(visit.labels.grid, world_from_head=visit.scanner_from_head).share.sum()
            for lesion in visit.lesions
        )
        assert shares * voxel == pytest.approx(planted, rel=0.01)


def test_lesion_centres_lie_in_their_label_and_in_the_brain(two_visits):
    for visit in two_visits.visits:
        points = visit.labels.grid.world_points()
        for lesion in visit.lesions:
            seen = points[visit.labels.values == lesion.id].mean(axis=0)
            assert np.linalg.norm(seen - lesion.center_mm) < 3.0
        index = np.rint(visit.brain.grid.index_of([lesion.center_mm for lesion in visit.lesions])).astype(int)
        assert visit.brain.values[tuple(index.T)].all()


def test_true_motion_takes_lesions_from_visit_to_visit(two_visits):
    before, after = (by_id(visit) for visit in two_visits.visits)
    motion = two_visits.follow_up_from_baseline()
    still = [e for e in two_visits.events[0] if e.event in ("same", "grown", "shrunk")]
    assert still
    for event in still:
        here, there = before[event.baseline_ids[0]], after[event.follow_up_ids[0]]
        assert_allclose(motion(np.array(here.center_mm)), there.center_mm, atol=1e-6)
        assert_allclose(event.center_mm, there.center_mm, atol=1e-6)
    assert 0.5 < motion.angle_deg <= 10
    center = two_visits.visits[0].images["FLAIR"].grid.center_mm
    assert 0.5 < np.linalg.norm(motion(center) - center) <= 13  # 10 mm, and the turn about another point


def test_true_motion_brings_the_pictures_together(two_visits):
    motion = two_visits.follow_up_from_baseline()
    first, second = two_visits.visits
    index = np.argwhere(first.brain.mask)[::37]
    points = first.brain.grid.world_of(index)
    here = sample_at_points(first.images["T1"], points)
    there = sample_at_points(second.images["T1"], motion(points))
    unmoved = sample_at_points(second.images["T1"], points)
    assert np.corrcoef(here, there)[0, 1] > 0.85 > np.corrcoef(here, unmoved)[0, 1]


def test_template_place_is_the_true_one(two_visits):
    visit = two_visits.visits[1]
    lesion = visit.lesions[0]
    head_point = visit.scanner_from_head.inverse()(np.array(lesion.center_mm))
    assert_allclose(two_visits.head.template_from_head(head_point), lesion.template_mm, atol=1e-9)


def test_lesions_keep_apart_but_for_the_parts_of_one(two_visits):
    for visit in two_visits.visits:
        lesions = visit.lesions
        for n, one in enumerate(lesions):
            for other in lesions[n + 1 :]:
                points = np.linspace(one.center_mm, other.center_mm, 200)
                here = visit.scanner_from_head.inverse()(points)
                free = (one.shape.level(here) > 1) & (other.shape.level(here) > 1)
                gap = free.mean() * np.linalg.norm(np.subtract(one.center_mm, other.center_mm))
                assert gap > 5


def test_touching_lesions_are_one_connected_lesion(two_visits):
    touching = [lesion for visit in two_visits.visits for lesion in visit.lesions if lesion.parts == 2]
    assert len(touching) == 2  # the same one at both visits
    assert touching[0].id == touching[1].id
    for lesion in touching:
        one, other = (part.center_mm for part in lesion.shape.parts)
        assert lesion.shape.level(np.linspace(one, other, 50)).max() < 1


def test_distractors_keep_clear_of_lesions(two_visits):
    for visit in two_visits.visits:
        for deposit in visit.distractors.deposits:
            for lesion in visit.lesions:
                distance = np.linalg.norm(deposit.shape.center_mm - lesion.shape.center_mm)
                assert distance > deposit.shape.reach_mm + lesion.shape.reach_mm + 4


def test_scanners_differ_between_visits_unless_switched_off(two_visits):
    first, second = (visit.scanner for visit in two_visits.visits)
    assert first.gain != second.gain
    assert first.vendor != second.vendor
    calm = phantoms.patient(
        seed=2, spacing_mm=4.0, deformation_mm=0.0, events={"same": 2}, scanner_change=False, bias=False,
        noise=False, blur=False, motion=False, distractors=False, same_change=0.0, contrasts=("T1", "FLAIR"),
    )  # fmt: skip
    one, two = calm.visits
    for contrast in ("T1", "FLAIR"):
        assert_array_equal(one.images[contrast].values, two.images[contrast].values)
    assert_array_equal(one.labels.values, two.labels.values)
    assert one.scanner.bias == one.scanner.noise_sd == 0
    assert calm.follow_up_from_baseline().angle_deg == 0
    assert not one.distractors.deposits


def test_slices_and_planes_may_differ_between_visits():
    patient = phantoms.patient(
        seed=3, spacing_mm=4.0, deformation_mm=0.0, slice_thickness_mm=(4.0, 6.0), orientation=("axial", "sagittal"),
        events={"same": 1}, contrasts=("FLAIR",), distractors=False,
    )  # fmt: skip
    first, second = (visit.images["FLAIR"].grid for visit in patient.visits)
    assert first.spacing_mm[2] == pytest.approx(4)
    assert second.spacing_mm[2] == pytest.approx(6)
    assert abs(second.direction[0, 2]) == pytest.approx(1)


def test_many_visits_follow_each_lesion_to_its_end():
    patient = phantoms.patient(
        seed=5, visits=4, spacing_mm=4.0, deformation_mm=0.0,
        events={**FEW, "split": 0, "merged": 0, "touching": 0}, contrasts=("FLAIR",),
        volume_mm3=(27.0, 600.0), distractors=False,
    )  # fmt: skip
    assert len(patient.events) == 3
    for t, events in enumerate(patient.events):
        assert {e.event for e in events} == {"same", "grown", "shrunk", "new", "gone"}
        assert sorted(i for e in events for i in e.follow_up_ids) == sorted(by_id(patient.visits[t + 1]))


def test_a_single_visit_has_lesions_and_no_events():
    patient = phantoms.patient(seed=5, visits=1, spacing_mm=4.0, deformation_mm=0.0, contrasts=("T2",))
    assert patient.events == ()
    assert len(patient.visits[0].lesions) == 4
    assert patient.visits[0].reference == "T2"


_DIGEST = """
import hashlib
from cohortex import phantoms
patient = phantoms.patient(seed=9, spacing_mm=4.0, contrasts=("FLAIR", "ADC"), events={"same": 2, "grown": 1})
digests = [hashlib.sha256(image.values.tobytes()).hexdigest() for v in patient.visits for image in v.images.values()]
answer = repr((digests, patient.events, patient.follow_up_from_baseline().matrix.tobytes()))
"""


def test_seeds_repeat_bit_for_bit_in_a_new_process():
    here: dict[str, str] = {}
    exec(_DIGEST, here)
    there = subprocess.run(
        [sys.executable, "-c", _DIGEST + "print(answer)"], capture_output=True, check=True, text=True
    )
    assert there.stdout.strip() == here["answer"]


def test_other_seeds_give_other_patients():
    one, two = (
        phantoms.patient(seed=s, spacing_mm=4.0, deformation_mm=0.0, events={"same": 1}, contrasts=("T1",))
        for s in (1, 2)
    )
    assert not np.array_equal(one.visits[0].images["T1"].values, two.visits[0].images["T1"].values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"visits": 0}, "visits is 0"),
        ({"volume_mm3": (10.0, 100.0)}, "from 27"),
        ({"contrast_to_noise": (1.0, 4.0)}, "from 3"),
        ({"same_change": 0.2}, "same_change is 0.2"),
        ({"contrasts": ()}, "contrasts is empty"),
        ({"slice_thickness_mm": (3.0, 3.0, 3.0)}, "3 values for 2 visits"),
        ({"reference": "T2"}, "not scanned"),
        ({"events": {"same": 400}, "volume_mm3": (3000.0, 4000.0)}, "no room"),
        ({"visits": 3, "slice_thickness_mm": 6.0, "orientation": ("axial", "sagittal", "coronal")}, "thick slices"),
    ],
)
def test_patients_that_cannot_be_made_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        phantoms.patient(**{"seed": 0, "spacing_mm": 4.0, "deformation_mm": 0.0, **arguments})
