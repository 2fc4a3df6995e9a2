from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cohortex.geometry import Grid
from cohortex.lesions import LesionParameters, compare_lesions, outline_lesions
from cohortex.lesions.outline import brain_window, with_lesions
from cohortex.lesions.second_look import second_look
from cohortex.lesions.side import Side
from cohortex.lesions.visit_change import visit_changes
from cohortex.transform import Rigid

MOTION = Rigid.from_vectors(
    rotation_vector_rad=(0.03, -0.02, 0.05), translation_mm=(1.3, -0.8, 0.6), center_mm=(36, 36, 24)
)
BLIND = replace(LesionParameters(), seed_score=1e6)  # one visit by itself shows nothing
WAYS = (MOTION.half().inverse(), MOTION.half())


def outlined(scene, parameters=None):
    return outline_lesions(scene.images, brain=scene.brain, tissue=scene.tissue, parameters=parameters)


def sides_of(*outlines):
    return tuple(Side.of(outline, way, LesionParameters()) for outline, way in zip(outlines, WAYS, strict=True))


def changes_of(*outlines):
    return visit_changes(sides_of(*outlines))


def compared(*outlines, ways=WAYS):
    return compare_lesions(
        *outlines,
        baseline_from_midway=ways[0],
        follow_up_from_midway=ways[1],
        midway=Grid.from_parts((73, 73, 49), spacing_mm=(1, 1, 1)),
        parameters=LesionParameters(),
    )


@pytest.fixture(scope="module")
def scenes(make_scene, make_ball):
    """One lesion that stays and one that is new; another scanner with another contrast between tissues, and motion."""
    stays, new = (make_ball((15, 0, 0), 200), 1.0), (make_ball((-15, 3, 2), 90), 1.0)
    return make_scene([stays], seed=1), make_scene([stays, new], seed=2, gain=2.5, motion=MOTION)


def test_the_score_is_high_where_a_lesion_is_new_and_low_where_one_stays(scenes):
    before, after = (outlined(scene) for scene in scenes)
    baseline, follow_up = changes_of(before, after)
    window = brain_window(after.brain.mask, after.brain.grid.spacing_mm)
    truth = scenes[1].truth.values[window] > 0.5
    left = np.argwhere(truth)[:, 0] < 36 - window[0].start  # of the middle: the new lesion
    new, stays = (np.argwhere(truth)[chosen] for chosen in (left, ~left))
    assert follow_up.score[tuple(new.T)].max() > 15
    assert np.abs(follow_up.score[tuple(stays.T)]).max() < 4
    assert np.nanmin(baseline.score) < -15
    assert np.nanmax(baseline.score) < 8


def test_the_difference_is_that_of_both_visits_over_their_white_matter(scenes):
    before, after = (outlined(scene) for scene in scenes)
    change = changes_of(before, after)[1]
    window = brain_window(after.brain.mask, after.brain.grid.spacing_mm)
    core = np.argwhere(scenes[1].truth.values[window] > 0.99)
    core = core[core[:, 0] < 36 - window[0].start]
    assert change.difference[tuple(core.T)].mean() == pytest.approx(0.6, abs=0.05)  # 60 over 100, whatever the gain


def test_nothing_is_said_where_a_visit_has_no_brain(scenes):
    before, after = (outlined(scene) for scene in scenes)
    cut = after.brain.values.copy()
    cut[:20] = 0
    less = outlined(replace(scenes[1], brain=after.brain.with_values(cut)))
    change = changes_of(before, less)[0]
    points = sides_of(before, less)[0].halfway(np.argwhere(np.isfinite(change.score)).astype(float))
    assert WAYS[1](points)[:, 0].min() > 19


def test_what_only_the_other_visit_makes_plain_is_found_and_measured(scenes):
    """By itself the visit shows nothing; the lesion that stays is not found by subtraction either."""
    before, after = outlined(scenes[0]), outlined(scenes[1], BLIND)
    assert after.measured == ()
    again = second_look(after, changes_of(before, after)[1])
    assert [lesion.volume_mm3 for lesion in again.measured] == [pytest.approx(90, rel=0.1)]
    assert [lesion.contrast for lesion in again.measured] == [pytest.approx(150, rel=0.15)]  # 60 times the gain of 2.5
    assert (scenes[1].truth.values > 0.5)[again.labels.mask].mean() > 0.9


def test_a_visit_without_change_is_returned_as_it_is(make_scene, make_ball):
    lesion = [(make_ball((15, 0, 0), 200), 1.0)]
    before, after = outlined(make_scene(lesion, seed=3)), outlined(make_scene(lesion, seed=4, motion=MOTION), BLIND)
    assert second_look(after, changes_of(before, after)[1]) is after


def test_a_new_lesion_that_no_visit_shows_by_itself_is_an_event(scenes):
    before, after = outlined(scenes[0], BLIND), outlined(scenes[1], BLIND)
    assert [event.event for event in compared(before, after).events] == ["new"]
    assert [event.event for event in compared(after, before, ways=WAYS[::-1]).events] == ["gone"]


def test_an_outline_that_the_subtraction_does_not_bear_out_is_no_event(make_scene):
    """Healthy tissue that was outlined by mistake at one visit looks the same at the other."""
    before, after = outlined(make_scene(seed=5)), outlined(make_scene(seed=6, motion=MOTION))
    window = brain_window(after.brain.mask, after.brain.grid.spacing_mm)
    labels = np.zeros(after.brain.mask[window].shape, dtype=np.int32)
    labels[20:25, 34:39, 22:25] = 1
    bright = after.difference.values + 40 * (labels > 0)  # the mistake is in what healthy tissue was thought to be
    darker = after.expected.values - 40 * (labels > 0)
    mistaken = with_lesions(
        replace(
            after,
            difference=after.difference.with_values(bright.astype(np.float32)),
            expected=after.expected.with_values(darker.astype(np.float32)),
        ),
        labels,
        (1,),
    )
    assert len(mistaken.measured) == 1
    assert compared(before, mistaken).events == ()


@pytest.mark.parametrize("slice_mm", [1.0, 4.0])
def test_a_visit_does_not_differ_from_itself(make_scene, make_ball, slice_mm):
    """Slices are averaged over those of the other visit only where these are thinner."""
    outline = outlined(make_scene([(make_ball((15, 0, 0), 200), 1.0)], seed=7, slice_mm=slice_mm))
    side = Side.of(outline, Rigid.identity(), LesionParameters())
    change = visit_changes((side, side))[0]
    known = np.isfinite(change.difference)
    assert known.sum() > 0.8 * side.measuring.brain.sum()  # its rim has no neighbour in the brain to read from
    np.testing.assert_allclose(change.difference[known], 0, atol=1e-5)


def test_thin_slices_are_averaged_over_thick_ones(make_scene):
    """Two scans of one healthy head: the edges of the ventricle, cut by thick slices, must not look like a change."""
    thin, thick = outlined(make_scene(seed=8, noise=0.5)), outlined(make_scene(seed=9, noise=0.5, slice_mm=4.0))
    sides = [Side.of(outline, Rigid.identity(), LesionParameters()) for outline in (thick, thin)]
    change = visit_changes((sides[0], sides[1]))[0]
    inside = np.isfinite(change.difference)
    assert np.abs(change.difference[inside]).mean() < 0.01


def test_a_dark_lesion_scores_at_the_scale_at_which_it_stands_out_most(make_scene, make_ball):
    lesion = [(make_ball((12, 0, 0), 90), 1.0)]
    before, after = (outlined(make_scene(lesions, seed=1, contrasts=("T1",))) for lesions in ([], lesion))
    sides = [Side.of(outline, Rigid.identity(), LesionParameters()) for outline in (before, after)]
    baseline, follow_up = visit_changes((sides[0], sides[1]))
    assert np.nanmin(follow_up.score) == pytest.approx(-np.nanmax(baseline.score), rel=0.01)


def test_a_lesion_that_stays_keeps_its_background_beside_one_that_is_found_anew(make_scene, make_ball):
    stays, new = (make_ball((15, 0, 0), 35), 1.0), (make_ball((15, 6.5, 0), 60), 1.0)
    before, after = outlined(make_scene([stays], seed=1)), outlined(make_scene([stays, new], seed=2))
    window = brain_window(after.brain.mask, after.brain.grid.spacing_mm)
    labels = after.labels.values[window].astype(np.int32)
    smaller = min(after.measured, key=lambda lesion: lesion.volume_mm3).label
    overlooked = with_lesions(after, (labels == smaller).astype(np.int32), (1,))
    event = next(
        event for event in compared(before, overlooked, ways=(Rigid.identity(),) * 2).events if event.baseline_labels
    )
    assert event.event == "same"
    assert 1000 * event.follow_up_volume_ml == pytest.approx(35, rel=0.2)


def test_a_comparison_without_a_look_at_one_visit_neither_finds_nor_drops(scenes):
    before, after = (outlined(scene) for scene in scenes)
    blank = replace(before, backdrop=None)
    assert [event.event for event in compared(blank, after).events] == ["same", "new"]
    assert second_look(blank, changes_of(blank, after)[0]) is blank
    with pytest.raises(ValueError, match="nothing was looked at"):
        with_lesions(blank, np.zeros((1, 1, 1), dtype=np.int32), ())
