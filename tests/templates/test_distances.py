"""Distances between brains: formulas, the laws of a metric, and what they must not see."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from cohortex.templates import average_brains, brain_distance, brain_features


@pytest.fixture(scope="module")
def brains(make_brain):
    return [make_brain(seed) for seed in range(4)]


@pytest.fixture(scope="module")
def features(brains):
    return [brain_features(brain) for brain in brains]


def test_the_laws_of_a_metric_hold(features):
    for a, b, c in itertools.permutations(features, 3):
        direct = brain_distance(a, c)
        assert direct == brain_distance(c, a)
        for kind in ("shape_mm", "grey", "joint_mm"):
            there = getattr(brain_distance(a, b), kind) + getattr(brain_distance(b, c), kind)
            assert 0 < getattr(direct, kind) <= there
    same = brain_distance(features[0], features[0])
    assert (same.shape_mm, same.grey, same.joint_mm) == (0, 0, 0)


def test_a_shape_moved_everywhere_by_two_millimetres_is_two_millimetres_away(brains, features):
    field = brains[0].displacement
    moved = replace(brains[0], displacement=field.with_values(field.values + np.float32([0, 2, 0])))
    distance = brain_distance(features[0], brain_features(moved))
    assert distance.shape_mm == pytest.approx(2, rel=1e-4)
    assert distance.grey == 0
    assert distance.joint_mm == pytest.approx(2, rel=1e-4)


def test_grey_values_count_by_their_weight(make_brain, features):
    brighter = brain_features(make_brain(0, bright=0.03))
    distance = brain_distance(features[0], brighter)
    assert distance.grey == pytest.approx(0.03, rel=1e-3)
    assert distance.shape_mm == 0
    assert distance.joint_mm == pytest.approx(0.3, rel=1e-3)
    assert brain_distance(features[0], brighter, grey_weight_mm=0).joint_mm == 0


def test_a_lesion_does_not_move_a_brain(make_brain, make_ball, features):
    ball = make_ball((30, 0, 20), 12)
    ill = brain_features(make_brain(0, bright=np.where(ball, np.float32(2), np.float32(0)), ill=ball))
    assert brain_distance(features[0], ill).joint_mm < 0.05 * brain_distance(features[0], features[1]).joint_mm


def test_the_mean_of_brains_lies_nearer_to_each_than_they_to_one_another(brains, features):
    middle = brain_features(average_brains(brains))
    between = [brain_distance(a, b).joint_mm for a, b in itertools.combinations(features, 2)]
    assert max(brain_distance(a, middle).joint_mm for a in features) < min(between)


def test_brains_without_a_distance_are_refused(make_brain, features):
    with pytest.raises(ValueError, match="FLAIR and T1 have no distance"):
        brain_distance(features[0], brain_features(make_brain(0, contrast="T1")))
    with pytest.raises(ValueError, match="different spacing"):
        brain_distance(features[0], brain_features(make_brain(0, spacing_mm=5.0)))
    with pytest.raises(ValueError, match="weights are"):
        brain_distance(features[0], features[1], grey_weight_mm=-1.0)


def test_a_brain_on_another_grid_than_the_template_is_refused(brains):
    grid = brains[0].grid.cropped((1, 0, 0), brains[0].grid.shape)
    cut = replace(brains[0].image, values=brains[0].image.values[1:], grid=grid)
    with pytest.raises(ValueError, match="another grid than MNI152"):
        brain_features(replace(brains[0], image=cut))
