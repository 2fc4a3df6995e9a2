from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cohortex.study.records.facts import PatientFacts, VisitFacts
from cohortex.study.records.statistics import study_statistics
from cohortex.study.records.value import parse_value


def visit(day=0, **typed):
    return VisitFacts(day=day, values={name: parse_value(name, raw) for name, raw in typed.items()})


def patient(*visits, centre="A"):
    return PatientFacts(centre=centre, sex="F", age_band="40-49", visits=visits)


def spread(*groups):
    """So many patients of each kind, of three centres in turn."""
    return [patient(*visits, centre="ABC"[n % 3]) for count, visits in groups for n in range(count)]


def grouping(people, name="diagnosis"):
    return next(found for found in study_statistics(people).to_json()["groupings"] if found["name"] == name)


def counts(found, name):
    table = next(table for table in found["tables"] if table["name"] == name)
    return {group["name"]: {row["value"]: row["n"] for row in group["rows"]} for group in table["groups"]}


def ill(leukaemia, cause, **more):
    return (visit(leukaemia_type=leukaemia, cause=cause, **more),)


def test_causes_are_counted_by_leukaemia_with_share_of_the_group_and_interval():
    people = spread(
        (9, ill("ALL", "aspergillus")),
        (6, ill("ALL", "nocardia")),
        (7, ill("AML", "aspergillus")),
        (12, ill("AML", "nocardia")),
    )
    found = grouping(people)
    assert found["title"] == "By leukaemia"
    assert counts(found, "agents") == {
        "ALL": {"aspergillus": 9, "nocardia": 6},
        "AML": {"aspergillus": 7, "nocardia": 12},
    }
    (first, _) = found["tables"][0]["groups"]
    assert (first["title"], first["n"]) == ("acute lymphoblastic (ALL)", 15)
    assert first["rows"][0]["share"] == 0.6
    assert 0.3 < first["rows"][0]["low"] < 0.6 < first["rows"][0]["high"] < 0.85


def test_rare_leukaemias_and_rare_causes_are_put_together():
    people = spread(
        (20, ill("ALL", "aspergillus")),
        (9, ill("ALL", "nocardia")),
        (21, ill("AML", "aspergillus")),
        (9, ill("AML", "nocardia")),
        (3, ill("CLL", "aspergillus")),
        (4, ill("CLL", "nocardia")),
        (3, ill("CML", "aspergillus")),
        (2, ill("CML", "vzv")),
    )
    assert counts(grouping(people), "agents") == {
        "ALL": {"aspergillus": 20, "others": 9},
        "AML": {"aspergillus": 21, "others": 9},
        "others": {"aspergillus": 6, "others": 6},
    }


def test_a_table_that_cannot_be_shown_is_hidden_as_a_whole():
    people = spread((9, ill("ALL", "aspergillus")), (2, ill("ALL", "nocardia")), (12, ill("AML", "nocardia")))
    found = grouping(people)
    assert counts(found, "agents") == {}
    assert found["tables"][0]["hidden"]
    assert [table["name"] for table in found["tables"]] == ["agents", "outcome", "survival"]


def test_with_one_leukaemia_there_are_no_groups():
    found = grouping(spread((20, ill("ALL", "aspergillus")), (20, ill("ALL", "nocardia"))))
    assert counts(found, "agents") == {}
    assert found["survival"] == []


def test_who_has_no_leukaemia_told_is_a_group_as_it_could_be_subtracted():
    people = spread(
        (9, ill("ALL", "aspergillus")),
        (9, ill("AML", "nocardia")),
        (6, (visit(cause="aspergillus"),)),
        (2, (visit(cause="nocardia"),)),
    )
    found = grouping(people)
    assert counts(found, "agents") == {}  # nocardia of the unknown: two
    people += spread((4, (visit(cause="nocardia"),)))
    assert list(counts(grouping(people), "agents")) == ["ALL", "AML", "not_known"]


def test_the_phase_is_that_of_the_first_examination():
    def make(phase):
        return (visit(treatment_phase=phase), visit(200, treatment_phase="maintenance", alive=True))

    def died(phase):
        return (visit(treatment_phase=phase), visit(20, alive=False))

    people = spread(
        (10, make("induction")), (12, make("relapse_therapy")), (6, died("induction")), (8, died("relapse_therapy"))
    )
    found = grouping(people, "phase")
    assert counts(found, "survival") == {
        "induction": {"alive": 10, "dead": 6},
        "relapse_therapy": {"alive": 12, "dead": 8},
    }
    assert [(curve["value"], curve["n"]) for curve in found["survival"]] == [("induction", 16), ("relapse_therapy", 20)]
    assert [point["survival"] for point in found["survival"][1]["points"]] == [0.6, 0.6, 0.6]


def test_curves_of_groups_are_given_at_days_of_the_curve_of_all_that_tell_of_nobody():
    def dies(leukaemia, day):
        return (visit(leukaemia_type=leukaemia), visit(800, alive=False, death_day=day))

    def lives(leukaemia):
        return (visit(leukaemia_type=leukaemia), visit(800, alive=True))

    people = spread(
        (5, dies("ALL", 20)),
        (3, dies("ALL", 80)),
        (3, dies("AML", 80)),
        (5, dies("AML", 100)),
        (9, lives("ALL")),
        (9, lives("AML")),
    )
    found = study_statistics(people).to_json()
    assert [point["day"] for point in found["survival"]["points"] if not point["hidden"]] == [30, 90, 180, 365, 730]
    by_day = [
        {point["day"]: point["deaths"] for point in curve["points"] if not point["hidden"]}
        for curve in grouping(people)["survival"]
    ]
    assert by_day == [{180: 8, 365: 8, 730: 8}, {180: 8, 365: 8, 730: 8}]


def test_a_few_who_were_lost_are_put_together_with_the_smallest_group():
    people = spread(
        (6, (visit(leukaemia_type="ALL"), visit(20, alive=False))),
        (9, (visit(leukaemia_type="ALL"), visit(400, alive=True))),
        (7, (visit(leukaemia_type="AML"), visit(20, alive=False))),
        (9, (visit(leukaemia_type="AML"), visit(400, alive=True))),
        (6, (visit(leukaemia_type="CML"), visit(20, alive=False))),
        (7, (visit(leukaemia_type="CML"), visit(400, alive=True))),
        (3, (visit(), visit(400, alive=True))),
    )
    curves = grouping(people)["survival"]
    assert [(curve["value"], curve["n"]) for curve in curves] == [("ALL", 15), ("AML", 16), ("others", 16)]
    assert curves[-1]["label"] == "others or not known"


def test_measures_are_followed_by_leukaemia_where_neither_those_with_nor_those_without_are_few():
    people = spread(
        (9, (visit(leukaemia_type="ALL", crp="10 mg/L"), visit(crp="4 mg/L"))),
        (6, (visit(leukaemia_type="AML", crp="20 mg/L"), visit(crp="8 mg/L"))),
        (5, (visit(leukaemia_type="CLL", crp="<30 mg/L"), visit())),
        (4, (visit(leukaemia_type="CLL"), visit())),
        (5, (visit(leukaemia_type="CLL"), visit(crp="9 mg/L"))),
    )
    course = next(course for course in grouping(people)["courses"] if course["name"] == "crp")
    seen = {group["name"]: [(point["n"], point["median"]) for point in group["points"]] for group in course["groups"]}
    assert seen == {"ALL": [(9, 10), (9, 4)], "AML": [(6, 20), (6, 8)], "CLL": [(5, 30), (5, 9)]}
    assert all(point["censored"] is None for group in course["groups"] for point in group["points"])


def test_where_one_patient_of_a_leukaemia_was_not_measured_no_leukaemia_is_followed():
    """The table tells 6, 6 and 5 patients, the course of all 16 measured: each group shown would tell who lacks it."""
    people = spread(
        (6, (visit(leukaemia_type="ALL", crp="10 mg/L"),)),
        (6, (visit(leukaemia_type="AML", crp="20 mg/L"),)),
        (4, (visit(leukaemia_type="CLL", crp="30 mg/L"),)),
        (1, (visit(leukaemia_type="CLL"),)),
    )
    [course] = [course for course in grouping(people)["courses"] if course["name"] == "crp"]
    assert course["groups"] == []


def test_where_the_cause_of_one_patient_of_a_leukaemia_is_not_known_causes_are_not_counted_by_leukaemia():
    """The table of leukaemias tells 16 with ALL: 15 causes among them would tell of the one without."""
    people = spread((15, ill("ALL", "aspergillus")), (1, (visit(leukaemia_type="ALL"),)), (9, ill("AML", "nocardia")))
    assert counts(grouping(people), "agents") == {}
    assert counts(grouping([*people, *spread((4, (visit(leukaemia_type="ALL"),)))]), "agents") != {}


def test_a_leukaemia_that_is_hidden_alone_is_nowhere_a_group():
    people = spread(
        (9, ill("ALL", "aspergillus", crp="10 mg/L")),
        (6, ill("CML", "aspergillus", crp="10 mg/L")),
        (2, ill("CLL", "aspergillus", crp="10 mg/L")),
    )
    course = next(course for course in grouping(people)["courses"] if course["name"] == "crp")
    assert [group["name"] for group in course["groups"]] == ["ALL", "others"]


def test_groupings_speak_both_languages():
    people = spread((9, ill("ALL", "aspergillus")), (9, ill("AML", "nocardia")))
    found = study_statistics(people).to_json("it")["groupings"]
    assert [one["title"] for one in found] == ["Per leucemia", "Per fase della terapia al primo esame"]
    assert found[0]["tables"][0]["groups"][0]["title"].startswith("linfoblastica acuta")


PEOPLE = st.lists(
    st.builds(
        lambda centre, leukaemia, phase, cause, day, alive: patient(
            visit(**{"leukaemia_type": leukaemia} if leukaemia else {}, cause=cause, treatment_phase=phase),
            visit(day, alive=alive, outcome="stable" if alive else "died"),
            centre=centre,
        ),
        st.sampled_from("AB"),
        st.sampled_from(["ALL", "AML", "CLL", ""]),
        st.sampled_from(["induction", "maintenance"]),
        st.sampled_from(["aspergillus", "vzv", "mixed"]),
        st.sampled_from([20, 60, 120]),
        st.booleans(),
    ),
    min_size=20,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(people=PEOPLE)
def test_no_figure_of_a_group_nor_a_difference_to_all_is_of_fewer_than_the_minimum(people):
    answer = study_statistics(people, least_patients=3, least_centres=1).to_json()
    large = (0, *range(3, len(people) + 1))
    alone = {table["name"]: {row["value"]: row["n"] for row in table["rows"]} for table in answer["tables"]}
    for found in answer["groupings"]:
        for table in found["tables"]:
            sums: dict[str, int] = {}
            for row in (row for group in table["groups"] for row in group["rows"]):
                assert row["n"] in large
                sums[row["value"]] = sums.get(row["value"], 0) + row["n"]
            for value, n in sums.items():
                assert value == "others" or alone[table["name"]][value] == n
        days = [{p["day"]: p for p in curve["points"] if not p["hidden"]} for curve in found["survival"]]
        of_all = {p["day"]: p for p in (answer["survival"]["points"]) if not p["hidden"]}
        for curve in days:
            assert set(curve) == set(days[0])
            assert set(curve) <= set(of_all)
            assert all(point["deaths"] in large and point["at_risk"] in large for point in curve.values())
        for day in days[0] if days else ():
            assert sum(curve[day]["deaths"] for curve in days) == of_all[day]["deaths"]
            assert sum(curve[day]["at_risk"] for curve in days) == of_all[day]["at_risk"]
        for course in found["courses"]:
            assert all(p["n"] is None or p["n"] >= 3 for group in course["groups"] for p in group["points"])
