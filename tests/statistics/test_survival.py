from __future__ import annotations

from collections import defaultdict
from itertools import combinations, combinations_with_replacement, product
from math import exp, log, sqrt

import pytest

from cohortex.statistics import Cell, FollowUp, Minimum, days_to_show, hidden_cells, survival_at

REMISSION_WEEKS = ([6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35])
"""Freireich 1963, 6-mercaptopurine: weeks to relapse, and weeks of those who had none; in many textbooks."""


def followed(died, left):
    return [
        *(FollowUp(day, died=True, centre="AB"[n % 2]) for n, day in enumerate(died)),
        *(FollowUp(day, died=False, centre="AB"[n % 2]) for n, day in enumerate(left)),
    ]


def test_survival_is_the_product_of_living_on_at_each_death():
    found = survival_at(followed(*REMISSION_WEEKS), [0, 5, 6, 7, 9, 10, 22, 40])
    by_hand = [1, 1, 18 / 21, 18 / 21 * 16 / 17]
    by_hand += [by_hand[-1], by_hand[-1] * 14 / 15]  # who left in week 10 was at risk that week
    by_hand += [by_hand[-1] * 11 / 12 * 10 / 11 * 6 / 7]
    by_hand += [by_hand[-1] * 5 / 6]
    assert [point.survival for point in found] == pytest.approx(by_hand)
    assert [point.deaths for point in found] == [0, 0, 3, 4, 4, 5, 8, 9]
    assert [point.at_risk for point in found] == [21, 21, 18, 16, 16, 14, 6, 0]


def test_the_interval_is_that_of_greenwood_on_the_scale_of_log_minus_log():
    (point,) = survival_at(followed(*REMISSION_WEEKS), [7])
    greenwood = sqrt(3 / (21 * 18) + 1 / (17 * 16))
    survival = 18 / 21 * 16 / 17
    half = 1.959964 * greenwood / log(survival)
    assert point.low == pytest.approx(survival ** exp(-half), abs=1e-6)
    assert point.high == pytest.approx(survival ** exp(half), abs=1e-6)


def test_where_nobody_died_there_is_no_interval():
    (point,) = survival_at(followed([], [3, 9, 9]), [5])
    assert (point.survival, point.low, point.high, point.at_risk, point.deaths) == (1, None, None, 2, 0)
    (point,) = survival_at(followed([3, 9], []), [9])
    assert (point.survival, point.low, point.high, point.at_risk, point.deaths) == (0, None, None, 0, 2)


def test_who_dies_on_a_day_is_dead_that_day_and_who_is_seen_on_it_is_followed():
    (point,) = survival_at(followed([5], [5, 5]), [5])
    assert (point.survival, point.at_risk, point.deaths) == (pytest.approx(2 / 3), 2, 1)


@pytest.mark.parametrize(
    ("people", "days", "level"),
    [([], [1], 0.95), ([FollowUp(-1, died=True)], [1], 0.95), ([FollowUp(1, True)], [1], 1)],
)
def test_what_has_no_survival_is_refused(people, days, level):
    with pytest.raises(ValueError, match="give at least one patient"):
        survival_at(people, days, level)


def test_a_day_is_shown_when_enough_died_and_left_before_it_and_after_it():
    people = followed([10] * 6 + [50] * 7, [20] * 5 + [60] * 9)
    assert days_to_show([people], [5, 15, 30, 55], minimum=Minimum()) == (True, True, True, True)
    assert days_to_show([people], [61], minimum=Minimum()) == (False,)  # nobody goes on


def test_a_lone_death_hides_every_day_between_those_that_hold_enough():
    people = followed([10, 40, 40, 40, 40], [60] * 9)
    assert days_to_show([people], [5, 20, 30, 45], minimum=Minimum()) == (True, False, False, True)


def test_a_lone_death_after_a_day_hides_it_as_the_number_of_all_deaths_is_known():
    people = followed([10] * 6 + [50], [60] * 9)
    assert days_to_show([people], [5, 20, 55], minimum=Minimum()) == (True, False, True)


def test_deaths_of_one_centre_are_hidden():
    people = [FollowUp(10, True, "A")] * 6 + followed([], [60] * 9)
    assert days_to_show([people], [20], minimum=Minimum()) == (False,)
    assert days_to_show([people], [20], minimum=Minimum(centres=1)) == (True,)


def test_groups_are_shown_at_the_same_days():
    one, other = followed([10] * 5, [60] * 9), followed([10, 40, 40, 40, 40], [60] * 9)
    assert days_to_show([one, other], [20, 45], minimum=Minimum()) == (False, True)
    assert days_to_show([[]], [20], minimum=Minimum()) == (False,)


def courses(most, days):
    """All orders of so many deaths and departures, with fixed days anywhere among them."""
    for n in range(most + 1):
        for fates in product((True, False), repeat=n):
            yield from ((fates, cuts) for cuts in combinations_with_replacement(range(n + 1), days))


@pytest.mark.parametrize(("least", "most", "days"), [(3, 9, 2), (3, 8, 3), (4, 9, 2)])
def test_no_small_number_of_deaths_or_departures_can_be_computed_from_what_is_shown(least, most, days):
    """Who sees the days shown, the order of events between them and the table of survival has two worlds or more."""
    minimum = Minimum(patients=least, centres=1)
    seen = defaultdict(list)
    for fates, cuts in courses(most, days):
        if len(fates) < least:
            continue  # nothing is shown at all
        people = [FollowUp(2 * n + 1, died) for n, died in enumerate(fates)]
        shown = days_to_show([people], [2 * cut for cut in cuts], minimum=minimum)
        dead = sum(fates)
        table = [dead, len(fates) - dead]
        hidden = hidden_cells([Cell(n, 1) for n in table], minimum=minimum)
        totals = tuple(None if is_hidden else n for n, is_hidden in zip(table, hidden, strict=True))
        open_days = [cut for cut, is_shown in zip(cuts, shown, strict=True) if is_shown]
        told = tuple(fates[start:end] for start, end in zip([0, *open_days], open_days, strict=False))
        seen[len(fates), shown, told, totals].append((fates, cuts))
    for possible in seen.values():
        bounds = [(0, *cuts, len(fates)) for fates, cuts in possible]
        for first, last in combinations(range(days + 2), 2):
            for died in (True, False):
                counts = {
                    sum(fate is died for fate in fates[bound[first] : bound[last]])
                    for (fates, _), bound in zip(possible, bounds, strict=True)
                }
                assert len(counts) > 1 or counts.pop() not in range(1, least), (possible, first, last, died)


@pytest.mark.parametrize(("least", "most"), [(3, 6)])
def test_groups_beside_the_curve_of_all_give_no_small_number_away(least, most):
    """Two groups at two days: shown are the curve of all, those of the groups at some of its days, and all sums."""
    minimum = Minimum(patients=least, centres=1)
    seen = defaultdict(list)
    for n in range(least, most + 1):
        for kinds in product(((0, True), (0, False), (1, True), (1, False)), repeat=n):
            groups = [
                [FollowUp(2 * place + 1, died) for place, (which, died) in enumerate(kinds) if which == group]
                for group in (0, 1)
            ]
            sizes = tuple(len(group) for group in groups)
            if 0 < min(sizes) < least:
                continue  # such groups are put together
            dead = tuple(sum(one.died for one in group) for group in groups)
            ends = [number for group, died in zip(groups, dead, strict=True) for number in (died, len(group) - died)]
            totals = dead if all(number == 0 or number >= least for number in ends) else None
            if totals is None:
                continue  # without a table of survival by group there is no curve by group
            everyone = [*groups[0], *groups[1]]
            for cuts in combinations_with_replacement(range(n + 1), 2):
                days = [2 * cut for cut in cuts]
                shown = days_to_show([everyone], days, minimum=minimum)
                some = [day for day, is_shown in zip(days, shown, strict=True) if is_shown]
                filled = [group for group in groups if group]
                by_group = days_to_show(filled, some, minimum=minimum)
                told = tuple(
                    tuple(one.died for one in sorted(people, key=lambda one: one.day) if start < one.day < end)
                    for people, at in [
                        (everyone, some),
                        *((group, [d for d, b in zip(some, by_group, strict=True) if b]) for group in groups),
                    ]
                    for start, end in zip([-1, *at], at, strict=False)
                )
                seen[sizes, totals, shown, by_group, told].append((groups, (-1, *days, 99)))
    assert seen
    for possible in seen.values():
        for group, died, (first, last) in product((0, 1), (True, False), combinations(range(4), 2)):
            counts = {
                sum(one.died is died and at[first] < one.day < at[last] for one in groups[group])
                for groups, at in possible
            }
            assert len(counts) > 1 or counts.pop() not in range(1, least), possible
