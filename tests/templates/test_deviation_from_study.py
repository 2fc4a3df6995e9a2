"""Deviation from a study: the rate of false alarms, what is planted on top, members taken out, refusals by name."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cohortex.templates import average_brains, deviation_from_study, why_no_deviation

PLACE_MM = (28.0, -20.0, 28.0)  # left frontal white matter


@pytest.fixture(scope="module")
def brains(make_brain):
    return [make_brain(seed) for seed in range(13)]


@pytest.fixture(scope="module")
def template(brains):
    return average_brains(brains[:8])


@pytest.mark.parametrize("n", [4, 6, 8, 12])
def test_of_healthy_voxels_one_in_twenty_lies_beyond_1_96(brains, n):
    """Over three held-out brains: 1 % either way, though neighbouring voxels are not independent."""
    template = average_brains(brains[:n])
    found = [deviation_from_study(brain, template, member=False) for brain in brains[-13 + n :][:1] + brains[n : n + 3]]
    inside = brains[0].brain.mask
    for kind in ("grey", "volume"):
        z = np.concatenate([getattr(deviation, kind).z.values[inside] for deviation in found])
        assert np.mean(np.abs(z) > 1.96) == pytest.approx(0.05, abs=0.01)


def test_members_held_against_the_rest_alarm_as_rarely(brains):
    template = average_brains(brains[:6])
    inside = brains[0].brain.mask
    z = np.concatenate(
        [deviation_from_study(brain, template, member=True).grey.z.values[inside] for brain in brains[:6]]
    )
    assert np.mean(np.abs(z) > 1.96) == pytest.approx(0.05, abs=0.01)


def test_a_member_is_held_against_the_others_alone(brains):
    """Taken out by the closed form or never put in: the same z."""
    inside = average_brains(brains[:5])
    outside = average_brains(brains[1:5])
    taken_out = deviation_from_study(brains[0], inside, member=True)
    never_in = deviation_from_study(brains[0], outside, member=False)
    assert_allclose(taken_out.grey.z.values, never_in.grey.z.values, atol=0.01)  # float32 maps
    assert_allclose(taken_out.volume.z.values, never_in.volume.z.values, atol=0.01)
    assert (taken_out.others, taken_out.member, never_in.others, never_in.member) == (4, True, 4, False)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", ["grey", "volume"])
def test_what_is_planted_comes_first_with_its_sign_and_place(make_brain, make_ball, template, kind, sign):
    ball = make_ball(PLACE_MM, 8.0)
    planted = np.where(ball, np.float32(sign * 0.6), np.float32(0))
    brain = make_brain(99, bright=planted) if kind == "grey" else make_brain(99, larger=2 * planted)
    found = getattr(deviation_from_study(brain, template, member=False), kind)
    first = found.groups[0]
    assert np.linalg.norm(np.subtract(first.peak_mm, PLACE_MM)) < 6
    assert np.sign(first.largest_z) == np.sign(first.mean_z) == sign
    assert first.place == "left frontal white matter"
    assert found.labels.values[tuple(np.argwhere(ball)[len(np.argwhere(ball)) // 2])] == first.label == 1
    assert first.volume_ml == pytest.approx(np.count_nonzero(found.labels.values == 1) * 0.064)


def test_a_lesion_left_out_of_the_template_still_deviates_from_it(make_brain, make_ball, brains):
    ball = make_ball(PLACE_MM, 8.0)
    ill = make_brain(50, bright=np.where(ball, np.float32(0.8), np.float32(0)), ill=ball)
    found = deviation_from_study(ill, average_brains([*brains[:6], ill]), member=True)
    assert np.linalg.norm(np.subtract(found.grey.groups[0].peak_mm, PLACE_MM)) < 8


def test_groups_come_by_falling_peak_and_stand_beside_what_chance_gives(brains, template):
    found = deviation_from_study(brains[9], template, member=False, least_z=2.0).grey
    peaks = [abs(group.largest_z) for group in found.groups]
    assert len(peaks) > 1
    assert peaks == sorted(peaks, reverse=True)
    assert found.share_expected == pytest.approx(0.0455, abs=1e-4)
    assert found.share_beyond == pytest.approx(0.0455, abs=0.03)
    assert "by chance" in deviation_from_study(brains[9], template, member=False).caution


def test_smaller_groups_are_left_out(brains, template):
    found = deviation_from_study(brains[9], template, member=False, least_z=2.0, least_volume_ml=1.0).grey
    assert found.groups
    assert all(group.volume_ml >= 1 for group in found.groups)


def test_where_too_few_are_healthy_nothing_is_said(make_brain, make_ball, brains):
    ball = make_ball(PLACE_MM, 10.0)
    template = average_brains([brains[0], *(make_brain(seed, ill=ball) for seed in (1, 2, 3, 4))])
    assert np.all(deviation_from_study(brains[5], template, member=False).grey.z.values[ball] == 0)


@pytest.mark.parametrize(
    ("n", "member", "allowed"), [(3, True, False), (3, False, True), (4, True, True), (2, False, False)]
)
def test_three_others_are_needed(brains, n, member, allowed):
    template = average_brains(brains[:n])
    assert (why_no_deviation(template, member=member) == "") is allowed
    if allowed:
        assert deviation_from_study(brains[0], template, member=member).others == 3
    else:
        with pytest.raises(ValueError, match="n too small: 2 other brains, and 3 are needed"):
            deviation_from_study(brains[0], template, member=member)


def test_what_cannot_be_compared_is_refused(make_brain, brains, template):
    with pytest.raises(ValueError, match="brain is T1 and the template FLAIR"):
        deviation_from_study(make_brain(0, contrast="T1"), template, member=False)
    with pytest.raises(ValueError, match="different grids"):
        deviation_from_study(make_brain(0, spacing_mm=5.0), template, member=False)
    with pytest.raises(ValueError, match="positive threshold"):
        deviation_from_study(brains[9], template, member=False, least_z=0)
