from __future__ import annotations

import numpy as np
import pytest

from cohortex.lesions import LesionParameters
from cohortex.lesions.matching import MatchedGroup, match_outlines


def grouped(baseline, follow_up):
    return match_outlines(
        baseline,
        follow_up,
        spacing_mm=(1.0, 1.0, 1.0),
        baseline_labels=tuple(range(1, baseline.max() + 1)),
        follow_up_labels=tuple(range(1, follow_up.max() + 1)),
        parameters=LesionParameters(),
    )


def blank():
    return np.zeros((30, 20, 10), dtype=np.int32)


def test_overlapping_outlines_are_one_group():
    baseline, follow_up = blank(), blank()
    baseline[2:8, 2:8, 2:8] = 1
    follow_up[4:10, 2:8, 2:8] = 1
    assert grouped(baseline, follow_up) == (MatchedGroup(baseline=(1,), follow_up=(1,)),)


def test_split_and_merger_are_one_group_each():
    whole, parts = blank(), blank()
    whole[2:16, 5:9, 3:7] = 1
    parts[2:7, 5:9, 3:7] = 1
    parts[11:16, 5:9, 3:7] = 2
    assert grouped(whole, parts) == (MatchedGroup(baseline=(1,), follow_up=(1, 2)),)
    assert grouped(parts, whole) == (MatchedGroup(baseline=(1, 2), follow_up=(1,)),)


def test_neighbours_that_only_graze_each_other_stay_apart():
    baseline, follow_up = blank(), blank()
    baseline[2:8, 2:8, 2:8] = 1
    baseline[8:14, 2:8, 2:8] = 2
    follow_up[3:9, 2:8, 2:8] = 1  # moved by one voxel: a sixth lies in the neighbour
    follow_up[9:15, 2:8, 2:8] = 2
    assert grouped(baseline, follow_up) == (
        MatchedGroup(baseline=(1,), follow_up=(1,)),
        MatchedGroup(baseline=(2,), follow_up=(2,)),
    )


def test_small_lesions_that_just_miss_each_other_are_matched():
    baseline, follow_up = blank(), blank()
    baseline[5:8, 5:8, 4:5] = 1
    follow_up[5:8, 5:8, 5:6] = 1
    assert grouped(baseline, follow_up) == (MatchedGroup(baseline=(1,), follow_up=(1,)),)


def test_a_distant_lesion_has_no_partner():
    baseline, follow_up = blank(), blank()
    baseline[2:5, 2:5, 2:5] = 1
    follow_up[20:23, 2:5, 2:5] = 1
    assert grouped(baseline, follow_up) == (
        MatchedGroup(baseline=(1,), follow_up=()),
        MatchedGroup(baseline=(), follow_up=(1,)),
    )


@pytest.mark.parametrize("seed", range(5))
def test_renumbering_changes_no_group(seed):
    rng = np.random.default_rng(seed)
    baseline, follow_up = blank(), blank()
    for label in range(1, 5):
        x = 7 * (label - 1) + 1
        baseline[x : x + 5, 3:8, 3:8] = label
        follow_up[x + 1 : x + 5, 3:9, 3:8] = label
    order = np.concatenate([[0], 1 + rng.permutation(4)])
    plain = grouped(baseline, follow_up)
    renamed = grouped(order[baseline].astype(np.int32), follow_up)
    back = {int(order[n]): n for n in range(1, 5)}
    assert {(frozenset(back[b] for b in g.baseline), g.follow_up) for g in renamed} == {
        (frozenset(g.baseline), g.follow_up) for g in plain
    }
