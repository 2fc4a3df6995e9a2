from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohortex.statistics import wilson_interval
from cohortex.study.records.facts import AGE_BANDS, PatientFacts, VisitFacts, age_band_of
from cohortex.study.records.fields import field
from cohortex.study.records.statistics import study_statistics
from cohortex.study.records.value import parse_value


def visit(lesions=None, volume=None, brain=None, events=None, **typed):
    values = {name: parse_value(name, raw) for name, raw in typed.items()}
    return VisitFacts(
        values=values, lesion_count=lesions, lesion_volume_ml=volume, brain_volume_ml=brain, events=events
    )


def patient(centre="A", *visits, sex="F", age_band="40-49"):
    return PatientFacts(centre=centre, sex=sex, age_band=age_band, visits=visits)


def patients(count, make):
    """So many patients, of three centres in turn."""
    return [make(number, "ABC"[number % 3]) for number in range(count)]


def table(found, name):
    return next(table for table in found.to_json()["tables"] if table["name"] == name)


def rows(found, name):
    return {row["value"]: row["n"] for row in table(found, name)["rows"]}


def points(found, name):
    return next(course for course in found.to_json()["courses"] if course["name"] == name)["points"]


def test_below_the_minimum_the_answer_is_the_same_whatever_the_number():
    answers = {json.dumps(study_statistics([patient("A"), patient("B")] * n).to_json()) for n in range(3)}
    answers |= {json.dumps(study_statistics([patient("A")] * n).to_json()) for n in (1, 5, 50)}
    (answer,) = answers
    assert json.loads(answer) == {
        "shown": False,
        "reason": "Statistics are shown from 5 patients of 2 centres on.",
        "n_patients": None,
        "n_centres": None,
        "tables": [],
        "courses": [],
        "survival": None,
        "groupings": [],
    }
    assert study_statistics([]).to_json("it")["reason"].startswith("Le statistiche si mostrano da 5 pazienti")


def test_the_fifth_patient_from_a_second_centre_opens_the_statistics():
    found = study_statistics([*[patient("A")] * 4, patient("B")])
    assert (found.shown, found.n_patients, found.n_centres) == (True, 5, 2)


def test_patients_are_counted_by_centre_leukaemia_and_phase():
    people = patients(30, lambda n, c: patient(c, visit(leukaemia_type="AML" if n < 18 else "ALL")))
    people += patients(6, lambda _, c: patient(c, visit(leukaemia_type="unknown"), visit(treatment_phase="induction")))
    found = study_statistics(people)
    assert rows(found, "centres") == {"A": 12, "B": 12, "C": 12}
    assert rows(found, "diagnosis") == {"ALL": 12, "AML": 18}
    assert table(found, "diagnosis")["n"] == 30
    assert rows(found, "phase") == {"induction": 6}
    assert rows(found, "age") == {"40-49": 36}
    assert rows(found, "sex") == {"F": 36}


def test_each_agent_comes_with_its_share_and_interval():
    people = patients(20, lambda n, c: patient(c, visit(cause="aspergillus" if n < 7 else "hhv_6b")))
    found = table(study_statistics(people), "agents")
    judge = wilson_interval(7, 20)
    assert found["rows"][0] == {
        "value": "aspergillus",
        "label": "Aspergillus",
        "n": 7,
        "share": 0.35,
        "low": judge.low,
        "high": judge.high,
        "hidden": False,
    }


def test_the_last_word_about_a_cause_counts_and_a_reason_is_no_word():
    revised = (visit(cause="aspergillus"), visit(cause="nocardia"), visit(cause="not_done"))
    found = study_statistics(patients(6, lambda _, c: patient(c, *revised)))
    assert rows(found, "agents") == {"nocardia": 6}


def test_a_small_row_is_hidden_with_the_next_so_that_the_total_does_not_give_it_away():
    causes = ["aspergillus"] * 12 + ["candida"] * 3 + ["nocardia"] * 9 + ["vzv"] * 10
    found = study_statistics(patients(34, lambda n, c: patient(c, visit(cause=causes[n]))))
    assert rows(found, "agents") == {"aspergillus": 12, "candida": None, "nocardia": None, "vzv": 10}
    hidden = table(found, "agents")["rows"][1]
    assert hidden == {
        "value": "candida",
        "label": "Candida",
        "n": None,
        "share": None,
        "low": None,
        "high": None,
        "hidden": True,
    }


def test_a_row_from_one_centre_is_hidden_however_many_they_are():
    people = [patient("A", visit(cause="vzv"))] * 9
    people += patients(30, lambda n, c: patient(c, visit(cause="cmv" if n < 12 else "ebv")))
    assert rows(study_statistics(people), "agents") == {"vzv": None, "cmv": None, "ebv": 18}


def test_a_table_of_few_is_hidden_as_a_whole_and_does_not_say_how_few():
    def of(count):
        people = patients(12, lambda n, c: patient(c, visit(cause="cmv") if n < count else visit()))
        return table(study_statistics(people), "agents")

    assert of(1) == of(4) == {"name": "agents", "title": "Causes of the lesions", "n": None, "hidden": True, "rows": []}


def test_a_table_in_which_every_row_is_small_is_hidden_as_a_whole():
    people = patients(8, lambda n, c: patient(c, visit(cause="cmv" if n % 2 else "vzv", alive=n > 3)))
    found = study_statistics(people)
    assert table(found, "agents")["hidden"]
    assert table(found, "survival")["hidden"]


def test_who_died_stays_dead_and_is_counted_once():
    def make(n, c):
        if n < 6:
            return patient(c, visit(), visit(outcome="better"), visit(outcome="died"))
        if n < 12:
            return patient(c, visit(), visit(alive=False, outcome="worse"), visit(alive="unknown"))
        return patient(c, visit(), visit(alive=True, outcome="stable"))

    found = study_statistics(patients(30, make))
    assert rows(found, "survival") == {"alive": 18, "dead": 12}
    assert rows(found, "outcome") == {"better": 6, "stable": 18, "worse": 6}


def test_patients_with_an_event_are_hidden_when_those_without_are_few():
    def make(n, c):
        events = {"new": 2 if n < 10 else 0, "grown": 1 if n < 18 else 0, "gone": 1 if n < 2 else 0}
        return patient(c, visit(), visit(events=events))

    found = study_statistics(patients(20, make) + patients(4, lambda _, c: patient(c, visit())))
    assert table(found, "events")["n"] == 20
    assert rows(found, "events") == {"new": 10, "grown": None, "shrunk": 0, "gone": None, "split": 0, "merged": 0}
    none = study_statistics(patients(9, lambda n, c: patient(c, visit(events={"new": 1} if n < 2 else None))))
    assert table(none, "events")["hidden"]


def test_a_course_has_medians_quartiles_and_an_interval_by_visit():
    people = patients(21, lambda n, c: patient(c, visit(crp=f"{10 * n} mg/L"), visit(crp=f"{n} mg/L")))
    first, second = points(study_statistics(people), "crp")
    assert (first["visit"], first["n"], first["median"], first["q1"], first["q3"]) == (1, 21, 100, 50, 150)
    assert (first["low"], first["high"]) == (50, 150)  # sign test: the 6th and the 16th of 21
    assert (second["visit"], second["median"]) == (2, 10)
    assert first["censored"] == 0


def test_an_interval_that_would_show_the_extremes_is_left_out():
    def of(count):
        return points(study_statistics(patients(count, lambda n, c: patient(c, visit(crp=f"{n + 1} mg/L")))), "crp")[0]

    assert (of(8)["low"], of(8)["high"], of(8)["median"]) == (None, None, 4.5)
    assert (of(9)["low"], of(9)["high"]) == (2, 8)


def test_a_measure_is_rounded_so_that_nobody_knows_a_value_again():
    people = patients(5, lambda _, c: patient(c, visit(brain=1234.567)))
    assert points(study_statistics(people), "brain_volume")[0]["median"] == 1230


def test_a_visit_that_few_had_is_not_even_counted():
    def make(n, c):
        more = [visit(crp="5 mg/L")] * (1 if n < 9 else 2) if n < 11 else []
        return patient(c, visit(crp="5 mg/L"), *more)

    assert [point["n"] for point in points(study_statistics(patients(20, make)), "crp")] == [20, 11]
    gap = patients(
        9, lambda n, c: patient(c, visit(crp="5 mg/L"), visit(crp="5 mg/L") if n < 2 else visit(), visit(crp="5 mg/L"))
    )
    middle = points(study_statistics(gap), "crp")[1]
    assert middle["hidden"]
    assert [name for name, value in middle.items() if value is not None] == ["visit", "hidden"]


def test_values_below_detection_count_from_below():
    def make(n, c):
        raw = "below_detection" if n < 6 else f"<{n} mg/L" if n < 12 else f"{n} mg/L"
        return patient(c, visit(crp=raw))

    (point,) = points(study_statistics(patients(25, make)), "crp")
    assert (point["n"], point["median"], point["q1"], point["censored"]) == (25, 12, 6, 12)
    few = patients(25, lambda n, c: patient(c, visit(crp="<5 mg/L" if n < 2 else "9 mg/L")))
    assert points(study_statistics(few), "crp")[0]["censored"] is None


def test_a_value_that_is_missing_is_not_measured():
    people = patients(12, lambda n, c: patient(c, visit(crp="not_done" if n < 6 else "9 mg/L")))
    assert points(study_statistics(people), "crp")[0]["n"] == 6


def test_volumes_are_followed_and_their_change_begins_at_the_second_visit():
    def make(n, c):
        first = 0.0 if n == 0 else float(n)
        return patient(c, visit(lesions=n, volume=first, brain=1000.0), visit(lesions=1, volume=first / 2, brain=990))

    found = study_statistics(patients(21, make))
    assert [point["median"] for point in points(found, "lesion_count")] == [10, 1]
    assert [point["median"] for point in points(found, "lesion_volume")] == [10, 5]
    (change,) = points(found, "lesion_volume_change")
    assert (change["visit"], change["n"], change["median"]) == (2, 20, -50)  # who had none has no change
    assert points(found, "brain_volume_change")[0]["median"] == -1


def test_a_volume_that_is_not_finite_was_not_measured():
    people = patients(12, lambda n, c: patient(c, visit(volume=float("nan") if n < 6 else 2.0)))
    assert points(study_statistics(people), "lesion_volume")[0]["n"] == 6


def test_titles_and_labels_speak_both_languages():
    people = patients(9, lambda _, c: patient(c, visit(leukaemia_type="AML", crp="5 mg/L")))
    italian = study_statistics(people).to_json("it")
    assert [row["label"] for row in italian["tables"][3]["rows"]] == [field("leukaemia_type").choice("AML").label.it]
    assert italian["courses"][2]["title"] == "Proteina C reattiva"
    assert italian["courses"][2]["unit"] == "mg/L"


@pytest.mark.parametrize(("age", "band"), [(0, "0-9"), (9.9, "0-9"), (10, "10-19"), (89.9, "80-89"), (104, "90+")])
def test_ages_fall_into_bands(age, band):
    assert age_band_of(age) == band


@pytest.mark.parametrize("age", [-1, float("nan")])
def test_an_age_that_nobody_has_is_refused(age):
    with pytest.raises(ValueError, match="give 0 or more"):
        age_band_of(age)


@pytest.mark.parametrize("minimum", [{"least_patients": 2}, {"least_centres": 0}])
def test_a_minimum_that_protects_nobody_is_refused(minimum):
    with pytest.raises(ValueError, match="protects nobody"):
        study_statistics([], **minimum)


CAUSES = ["aspergillus", "candida", "vzv", "mixed"]
PEOPLE = st.lists(
    st.builds(
        lambda centre, cause, age, alive, new: patient(
            centre, visit(cause=cause), visit(alive=alive, events={"new": new}), age_band=age
        ),
        st.sampled_from("ABC"),
        st.sampled_from(CAUSES),
        st.sampled_from(AGE_BANDS[:4]),
        st.booleans(),
        st.integers(0, 1),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(people=PEOPLE, seed=st.integers(0, 9))
def test_no_figure_is_of_fewer_than_the_minimum_and_order_changes_nothing(people, seed):
    found = study_statistics(people)
    mixed = np.random.default_rng(seed).permutation(len(people))
    assert study_statistics([people[n] for n in mixed]) == found
    for counted in found.tables:
        shown = [row.n for row in counted.rows if row.n is not None]
        hidden = [row for row in counted.rows if row.hidden]
        assert all(n == 0 or n >= 5 for n in shown)
        assert counted.n is None or counted.n >= 5
        if counted.name == "events":
            assert all(n == 0 or counted.n - n in (0, *range(5, counted.n)) for n in shown)
        elif hidden and counted.name != "centres":
            assert len(hidden) > 1
            assert counted.n - sum(shown) >= 5
    assert all(point.n is None or point.n >= 5 for course in found.courses for point in course.points)
