from __future__ import annotations

import pytest

from cohortex.statistics import FollowUp
from cohortex.study.records.facts import PatientFacts, VisitFacts
from cohortex.study.records.statistics import study_statistics
from cohortex.study.records.survival import SURVIVAL_DAYS, follow_up
from cohortex.study.records.value import parse_value


def visit(day=0, lesions=None, brain=None, **typed):
    values = {name: parse_value(name, raw) for name, raw in typed.items()}
    return VisitFacts(day=day, values=values, lesion_count=lesions, brain_volume_ml=brain)


def patient(*visits, centre="A"):
    return PatientFacts(centre=centre, sex="F", age_band="40-49", visits=visits)


def patients(count, make):
    """So many patients, of three centres in turn."""
    return [patient(*make(number), centre="ABC"[number % 3]) for number in range(count)]


def curve(people, **minimum):
    return study_statistics(people, **minimum).to_json()["survival"]


def shown(found):
    return {point["day"]: point for point in found["points"] if not point["hidden"]}


@pytest.mark.parametrize(
    ("visits", "day", "died"),
    [
        ([visit(0)], 0, False),
        ([visit(0, crp="5 mg/L"), visit(40, alive=True), visit(90)], 40, False),
        ([visit(0), visit(40, alive=True), visit(90, crp="5 mg/L")], 90, False),
        ([visit(0), visit(40, alive=True), visit(90, lesions=0)], 90, False),
        ([visit(0), visit(40, brain=1200.0), visit(90, alive="unknown")], 40, False),
        ([visit(0), visit(40, alive=False)], 40, True),
        ([visit(0), visit(40, outcome="died"), visit(90, alive="unknown")], 40, True),
        ([visit(0), visit(40, alive=False, death_day=33)], 33, True),
        ([visit(0), visit(40, death_day=33)], 33, True),
        ([visit(0), visit(40, alive=False, death_day="unknown")], 40, True),
        ([visit(0), visit(40, death_day=33), visit(90, death_day=35)], 35, True),
        ([], 0, False),
    ],
)
def test_a_patient_is_followed_to_death_or_to_the_last_sign_of_life(visits, day, died):
    assert follow_up(patient(*visits)) == FollowUp(day, died, "A")


def test_survival_of_all_is_given_at_fixed_days_with_interval_and_numbers():
    def make(n):
        if n < 6:
            return visit(), visit(100, alive=False, death_day=20)
        if n < 12:
            return visit(), visit(100, alive=True)
        if n < 18:
            return visit(), visit(200, outcome="died")
        return visit(), visit(800, alive=True)

    found = curve(patients(30, make))
    assert [point["day"] for point in found["points"]] == list(SURVIVAL_DAYS)
    assert found["n"] == 30
    points = shown(found)
    assert list(points) == [30, 90, 180, 365, 730]  # at 1825 nobody is left
    assert points[30] == {
        "day": 30,
        "survival": 0.8,
        "low": 0.61,
        "high": 0.9,
        "at_risk": 24,
        "deaths": 6,
        "hidden": False,
    }
    assert points[180]["survival"] == 0.8
    assert points[180]["at_risk"] == 18
    assert (points[365]["survival"], points[365]["at_risk"], points[365]["deaths"]) == (0.53, 12, 12)  # 0.8 × 12 / 18
    assert points[730]["survival"] == 0.53


def test_a_point_that_would_tell_of_few_is_hidden_and_says_nothing():
    def make(n):
        return visit(), visit(400, alive=n >= 6, **({"death_day": 20 if n < 2 else 50} if n < 6 else {}))

    found = curve(patients(30, make))
    assert found["points"][0] == {
        "day": 30,
        "survival": None,
        "low": None,
        "high": None,
        "at_risk": None,
        "deaths": None,
        "hidden": True,
    }
    assert list(shown(found)) == [90, 180, 365]


def test_where_every_day_is_hidden_not_even_the_number_is_told():
    found = curve(patients(30, lambda n: (visit(), visit(400, alive=n >= 2))))
    assert (found["n"], found["hidden"], shown(found)) == (None, True, {})


def test_the_day_of_death_counts_as_dead_in_the_table_of_survival():
    people = patients(20, lambda n: (visit(), visit(90, **({"death_day": 80} if n < 8 else {"alive": True}))))
    (table,) = (table for table in study_statistics(people).to_json()["tables"] if table["name"] == "survival")
    assert {row["value"]: row["n"] for row in table["rows"]} == {"alive": 12, "dead": 8}
