from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cohortex.geometry import Grid
from cohortex.lesions import LesionParameters, compare_lesions, outline_lesions
from cohortex.transform import Rigid

MIRRORED = {"same": "same", "grown": "shrunk", "shrunk": "grown", "new": "gone", "gone": "new"}
MIRRORED |= {"split": "merged", "merged": "split"}
MOTION = Rigid.from_vectors(
    rotation_vector_rad=(0.03, -0.02, 0.05), translation_mm=(1.3, -0.8, 0.6), center_mm=(36, 36, 24)
)


def outlined(scene):
    return outline_lesions(scene.images, brain=scene.brain, tissue=scene.tissue)


def halves():
    """The two ways from midway when the follow-up moved by MOTION: exactly each other's inverse."""
    half = MOTION.half()
    return half.inverse(), half


def midway(slice_mm=1.0):
    shape = (73, 73, int(49 / slice_mm))
    return Grid.from_parts(shape, spacing_mm=(1, 1, slice_mm), origin_mm=(0, 0, (slice_mm - 1) / 2))


def compared(baseline, follow_up, slice_mm=1.0, **options):
    from_baseline, from_follow_up = halves()
    return compare_lesions(
        baseline,
        follow_up,
        baseline_from_midway=from_baseline,
        follow_up_from_midway=from_follow_up,
        midway=midway(slice_mm),
        **options,
    )


@pytest.fixture(scope="module")
def visits(make_scene, make_ball):
    """Same, grown, shrunk, gone, new, and a split; another scanner, position and slice thickness."""
    before = [
        (make_ball((16, 0, 0), 200), 1.0),
        (make_ball((-16, 0, 0), 150), 1.0),
        (make_ball((0, 18, 0), 300), 1.0),
        (make_ball((12, -13, 4), 60), 1.0),
        (make_ball((-12, -14, -2), 420, (1, 3.2, 1)), 1.0),
    ]
    after = [
        (make_ball((16, 0, 0), 206), 1.0),
        (make_ball((-16, 0, 0), 290), 1.0),
        (make_ball((0, 18, 0), 130), 1.0),
        (make_ball((12, 13, -4), 70), 1.0),
        (make_ball((-12, -20, -2), 180), 1.0),
        (make_ball((-12, -8, -2), 180), 1.0),
    ]
    baseline = make_scene(before, seed=1)
    follow_up = make_scene(after, seed=2, gain=3.7, motion=MOTION)
    return outlined(baseline), outlined(follow_up), baseline, follow_up


@pytest.fixture(scope="module")
def comparison(visits):
    return compared(visits[0], visits[1])


def test_every_planted_event_is_named_once(comparison):
    assert sorted(e.event for e in comparison.events) == ["gone", "grown", "new", "same", "shrunk", "split"]


def test_event_volumes_are_those_planted(comparison):
    by_kind = {event.event: event for event in comparison.events}
    assert 1000 * by_kind["grown"].follow_up_volume_ml == pytest.approx(290, rel=0.1)
    assert 1000 * by_kind["grown"].baseline_volume_ml == pytest.approx(150, rel=0.1)
    assert by_kind["grown"].change_percent == pytest.approx(93, abs=20)
    assert by_kind["new"].baseline_volume_ml == 0
    assert by_kind["new"].change_percent is None
    assert by_kind["gone"].follow_up_volume_ml == 0
    assert by_kind["gone"].change_percent == pytest.approx(-100)
    assert len(by_kind["split"].follow_up_labels) == 2
    for event in comparison.events:
        assert event.change_ml == pytest.approx(event.follow_up_volume_ml - event.baseline_volume_ml)
        assert event.change_sd_ml > 0


def test_exchanging_the_visits_mirrors_the_answer(visits, comparison):
    from_baseline, from_follow_up = halves()
    swapped = compare_lesions(
        visits[1],
        visits[0],
        baseline_from_midway=from_follow_up,
        follow_up_from_midway=from_baseline,
        midway=midway(),
    )
    assert len(swapped.events) == len(comparison.events)
    for event, mirror in zip(comparison.events, swapped.events, strict=True):
        assert mirror.event == MIRRORED[event.event]
        assert mirror.baseline_labels == event.follow_up_labels
        assert mirror.follow_up_labels == event.baseline_labels
        assert mirror.baseline_volume_ml == event.follow_up_volume_ml  # to the last bit
        assert mirror.change_ml == -event.change_ml
        assert mirror.change_sd_ml == event.change_sd_ml
    exchanged = np.array([0, 2, 1], dtype=np.uint8)
    np.testing.assert_array_equal(swapped.change_common.values, exchanged[comparison.change_common.values])
    np.testing.assert_array_equal(swapped.change_baseline.values, exchanged[comparison.change_follow_up.values])


def test_change_maps_mark_only_what_changed(visits, comparison):
    _, _, baseline, follow_up = visits
    assert comparison.change_baseline.grid == baseline.brain.grid
    assert comparison.change_follow_up.grid == follow_up.brain.grid
    new = next(e for e in comparison.events if e.event == "new")
    outline = np.isin(comparison.follow_up.labels.values, new.follow_up_labels)
    assert np.mean(comparison.change_follow_up.values[outline] == 1) > 0.9
    same = next(e for e in comparison.events if e.event == "same")
    still = np.isin(comparison.follow_up.labels.values, same.follow_up_labels)
    assert not comparison.change_follow_up.values[still].any()
    gone = next(e for e in comparison.events if e.event == "gone")
    lost = np.isin(comparison.baseline.labels.values, gone.baseline_labels)
    assert np.mean(comparison.change_baseline.values[lost] == 2) > 0.9
    volumes = np.bincount(comparison.change_common.values.ravel(), minlength=3)
    assert volumes[1] == pytest.approx(140 + 70, rel=0.25)  # grown by 140 mm³, new 70 mm³
    assert set(np.unique(comparison.change_common.values)) == {0, 1, 2}


def test_the_same_lesion_at_1_and_4_mm_slices_is_the_same(make_scene, make_ball):
    lesions = [(make_ball((16, 0, 0), 250), 1.0), (make_ball((-15, 3, 3), 90), 1.0)]
    thin = outlined(make_scene(lesions, seed=5))
    thick = outlined(make_scene(lesions, seed=6, slice_mm=4.0, motion=MOTION, gain=0.4))
    events = compared(thin, thick, slice_mm=4.0).events
    assert [e.event for e in events] == ["same", "same"]


def test_a_lesion_near_the_limit_does_not_come_and_go(make_scene, make_ball):
    """Too faint to be found alone at the second visit, it is found there because the first one shows it."""
    lesions = [(make_ball((-15, 0, 0), 400), 1.0), (make_ball((15, 3, 2), 40), 0.55)]
    clear = outlined(make_scene(lesions, seed=7))
    scene = make_scene(lesions, seed=8, motion=MOTION)
    strict = replace(LesionParameters(), seed_score=22.0)
    missed = outline_lesions(scene.images, brain=scene.brain, tissue=scene.tissue, parameters=strict)
    assert (len(clear.measured), len(missed.measured)) == (2, 1)
    comparison = compared(clear, missed)
    assert [e.event for e in comparison.events] == ["same", "same"]
    assert len(comparison.follow_up.measured) == 2
    assert comparison.follow_up.labels.values.max() == 2


def test_labels_of_the_joint_outlines_have_no_gaps(comparison):
    for outline in (comparison.baseline, comparison.follow_up):
        numbers = [m.label for m in outline.measured]
        assert numbers == list(range(1, len(numbers) + 1))
        assert set(np.unique(outline.labels.values)) == {0, *numbers}
        assert len(outline.kinds) == len(numbers)


def test_places_are_asked_of_the_template(visits):
    seen = []

    def describe(points):
        seen.append(points)
        return "somewhere"

    shift = Rigid.from_vectors(translation_mm=(100, 0, 0))
    events = compared(visits[0], visits[1], template_from_midway=shift, describe=describe).events
    assert {event.place for event in events} == {"somewhere"}
    assert all(points[:, 0].min() > 90 for points in seen)


def test_two_visits_without_lesions_have_no_events(make_scene):
    comparison = compared(outlined(make_scene(seed=3)), outlined(make_scene(seed=4, motion=MOTION)))
    assert comparison.events == ()
    assert not comparison.change_common.values.any()


def test_different_contrasts_are_refused(make_scene, visits):
    other = outlined(make_scene(contrasts=("T2",)))
    with pytest.raises(ValueError, match="outline both on a contrast that both visits have"):
        compared(visits[0], other)
