"""The sixty odd records of the clinical fact sheet, section 2: each judged as its table says, by the rule it names.

Not expressible with the fields of this version, and why:
must fail 5 (procalcitonin), 7 (beta-D-glucan), 10 and 11 (glucose in cerebrospinal fluid): no such field;
18 and 19 (a phase ends before it starts, two overlap): a visit has one phase and no start or end;
21 (graft-versus-host disease), 23 (day of specimen and result), 24 (puncture): no such field.
27 names galactomannan in lavage fluid; it is judged on serum, as a warning.
must pass 4, 7, 8, 12 (the same fields), 17 (a second transplant beside the first: the latest is kept),
23 (planned day), 25 (a result per method), 27 (contrast agent): no such field.
"""

from __future__ import annotations

import pytest

from cohortex.study.records.fields import field
from cohortex.study.records.plausibility import RecordedVisit, judge_record, judge_visits
from cohortex.study.records.value import RecordProblem, parse_value


def values(**typed):
    return {name: parse_value(name, raw) for name, raw in typed.items()}


def visit(day, **typed):
    return RecordedVisit(day=day, values=values(**typed))


ALL = {"leukaemia_type": "ALL", "leukaemia_diagnosis_day": -100}
AML = {"leukaemia_type": "AML", "leukaemia_diagnosis_day": -100}

MUST_PASS = {
    1: visit(0, neutrophils="0.0 10*9/L"),
    2: visit(0, neutrophils="0.1 10*9/L", csf_cells="0 /uL", cause="escherichia_coli", cause_basis="csf"),
    3: visit(0, crp="<0.6 mg/L"),
    5: visit(0, galactomannan_serum="7.5"),
    6: visit(0, galactomannan_serum="0.5"),
    9: visit(0, platelets="3 10*9/L"),
    10: visit(0, leukaemia_type="CML", platelets="1900 10*9/L"),
    11: visit(0, csf_protein="10 g/L"),
    13: visit(40, treatment_phase="maintenance", first_remission_day=40, remission_status="remission", **ALL),
    14: visit(0, treatment_phase="induction", remission_status="not_reached", **AML),
    15: visit(0, treatment_phase="induction", remission_status="relapse", first_remission_day=-50, **ALL),
    16: visit(0, transplant="sibling", transplant_day=-400, cause="aspergillus", leukaemia_diagnosis_day=-600),
    18: visit(0, leukaemia_type="CLL", treatment_phase="watch_and_wait", remission_status="not_applicable"),
    19: visit(0, leukaemia_type="CML", treatment_phase="continuous", remission_status="not_applicable"),
    20: visit(0, leukaemia_type="ALL", leukaemia_diagnosis_day=0, cns_disease="CNS3"),
    21: visit(0, leukaemia_type="AML", leukaemia_diagnosis_day=3),
    22: visit(1, neutrophils="1 10*9/L"),
    24: visit(0, cause="mixed", cause_basis="tissue"),
    26: visit(0, cause="hhv_6b", cause_basis="csf"),
    28: visit(0, **ALL),
    29: visit(14, outcome="worse", neutrophils="2.5 10*9/L", antifungal_intent="targeted", cause="aspergillus"),
    30: visit(20, outcome="died", alive=False, cause="mucorales", cause_basis="tissue", evidence_level="proven"),
}


@pytest.mark.parametrize("number", MUST_PASS)
def test_a_record_that_is_odd_but_real_passes(number):
    assert (
        judge_record(MUST_PASS[number].values, day=MUST_PASS[number].day, age_years=0.5 if number == 28 else 40) == ()
    )


REFUSED_AT_ONCE = {
    1: ("neutrophils", {"value": -0.1, "unit": "10*9/L"}),
    3: ("crp", "12"),
    4: ("crp", "1200 mg/L"),
    6: ("galactomannan_serum", "240"),
    9: ("platelets", "150000 10*9/L"),
    28: ("leukaemia_type", {"value": "AML", "code": "C91.0"}),
    29: ("cause", {"code": "9606"}),
}


@pytest.mark.parametrize("number", REFUSED_AT_ONCE)
def test_a_value_that_cannot_be_is_refused_when_it_is_read(number):
    with pytest.raises(RecordProblem):
        parse_value(*REFUSED_AT_ONCE[number])


MUST_FAIL = {
    2: ("warning", visit(0, neutrophils="480 10*9/L")),
    8: ("warning", visit(0, csf_protein="45 g/L")),
    12: ("error", visit(0, treatment_phase="maintenance", remission_status="not_reached", **ALL)),
    13: ("error", visit(0, transplant="sibling", transplant_day=-101, **AML)),
    14: ("error", visit(0, first_remission_day=-101, **AML)),
    15: ("error", visit(0, remission_status="relapse", **AML)),
    16: ("error", visit(-1)),
    20: ("error", visit(0, treatment_phase="after_transplant", transplant="none")),
    22: ("error", visit(0, leukaemia_diagnosis_day=-22000)),
    25: ("error", visit(0, cause="aspergillus", evidence_level="proven", cause_basis="serum_antigen")),
    26: ("error", visit(0, cause="nocardia", evidence_level="probable")),
    27: ("warning", visit(0, cause="aspergillus", evidence_level="possible", galactomannan_serum="3.0")),
    30: ("warning", visit(0, cause="radiation_injury", radiation="none")),
}


@pytest.mark.parametrize("number", MUST_FAIL)
def test_a_record_that_cannot_be_is_judged_by_the_rule_that_names_it(number):
    level, wrong = MUST_FAIL[number]
    (finding,) = judge_record(wrong.values, day=wrong.day, age_years=40)
    assert (finding.rule, finding.level) == (str(number), level)
    assert finding.message.en != finding.message.it


def test_a_visit_after_death_is_an_error():
    earlier = [visit(10, outcome="died"), visit(5, outcome="worse")]
    (finding,) = judge_record(values(outcome="stable"), day=11, earlier=earlier)
    assert (finding.rule, finding.level, finding.field) == ("17", "error", "visit")
    assert "day 11" in finding.message.en
    assert "day 10" in finding.message.en


def test_a_visit_after_the_day_of_death_is_an_error():
    told = visit(400, alive=False, death_day=300)
    assert judge_record(told.values, day=400, earlier=[visit(200, alive=True)]) == ()  # told later than it was
    (finding,) = judge_record(values(outcome="stable"), day=500, earlier=[told])
    assert (finding.rule, finding.field) == ("17", "visit")
    assert "day 300" in finding.message.en


def test_a_day_of_death_before_a_visit_with_a_record_is_an_error():
    told = values(alive=False, death_day=150)
    (finding,) = judge_record(told, day=400, earlier=[visit(200, crp="5 mg/L"), visit(100, crp="9 mg/L")])
    assert (finding.rule, finding.level, finding.field) == ("17", "error", "death_day")
    assert "day 150" in finding.message.en
    assert "day 200" in finding.message.en
    assert judge_record(told, day=400, earlier=[visit(200, alive="unknown"), visit(150, crp="9 mg/L")]) == ()


def test_a_death_before_the_first_examination_is_refused_at_once():
    with pytest.raises(RecordProblem, match="day -1 is outside 0 to"):
        parse_value("death_day", -1)


@pytest.mark.parametrize("day", [30, 31])
def test_alive_on_or_after_the_day_of_death_is_an_error(day):
    (finding,) = judge_record(values(alive=True, death_day=30), day=day)
    assert (finding.rule, finding.level, finding.field) == ("own-3", "error", "death_day")


def test_alive_before_the_day_of_death_is_in_order():
    assert judge_record(values(alive=True, death_day=31), day=30) == ()


@pytest.mark.parametrize("said", [{"alive": False}, {"outcome": "died"}])
def test_dead_before_the_day_of_death_is_an_error(said):
    (finding,) = judge_record(values(death_day=31, **said), day=30)
    assert (finding.rule, finding.level, finding.field) == ("own-4", "error", "death_day")
    assert judge_record(values(death_day=30, **said), day=30) == ()


@pytest.mark.parametrize("age", [-0.1, 121])
def test_an_age_that_nobody_has_is_an_error(age):
    (finding,) = judge_record({}, age_years=age)
    assert (finding.rule, finding.field) == ("22", "birth_date")


def test_maintenance_before_the_day_of_remission_is_an_error():
    wrong = values(treatment_phase="maintenance", first_remission_day=5, **ALL)
    assert [finding.rule for finding in judge_record(wrong, day=0)] == ["12"]


def test_what_earlier_visits_say_counts():
    first = visit(0, first_remission_day=-20, remission_status="remission", radiation="cranial", **ALL)
    later = values(
        treatment_phase="relapse_therapy", remission_status="relapse", cause="radiation_injury", radiation="none"
    )
    assert judge_record(later, day=60, earlier=[first]) == ()
    assert {finding.rule for finding in judge_record({**later, **values(**ALL)}, day=60)} == {"15", "30"}


def test_a_remission_of_unknown_day_is_a_remission():
    relapse = values(remission_status="relapse", first_remission_day="unknown", **AML)
    assert judge_record(relapse) == ()


def test_an_old_level_stays_when_the_cause_is_revised():
    first = visit(0, cause="aspergillus", evidence_level="probable", cause_basis="other_site")
    assert judge_record(values(cause="nocardia", cause_basis="tissue"), day=30, earlier=[first]) == ()


def test_a_transplant_to_come_is_none_yet():
    wrong = values(treatment_phase="after_transplant", transplant="cord", transplant_day=9)
    assert [finding.rule for finding in judge_record(wrong, day=0)] == ["20"]


def test_contradictions_within_a_record_are_errors():
    wrong = values(outcome="died", alive=True, transplant="none", transplant_day=3)
    assert [finding.rule for finding in judge_record(wrong, day=9)] == ["own-1", "own-2"]


def test_errors_come_before_warnings():
    wrong = values(platelets="2500 10*9/L", outcome="died", alive=True)
    assert [finding.level for finding in judge_record(wrong, day=9)] == ["error", "warning"]


@pytest.mark.parametrize(("name", "typed"), [("crp", "700 mg/L"), ("csf_cells", "30000 /uL")])
def test_an_unusual_number_is_asked_about_with_its_unit(name, typed):
    (finding,) = judge_record(values(**{name: typed}))
    assert (finding.rule, finding.level, finding.field) == (f"ask-{name}", "warning", name)
    assert field(name).unit in finding.message.en


def test_every_visit_of_a_patient_is_judged_with_those_before_it():
    visits = [visit(30, outcome="stable"), visit(0, **AML), visit(10, outcome="died")]
    assert [[finding.rule for finding in found] for found in judge_visits(visits, age_years=50)] == [["17"], [], []]


def test_a_finding_is_json_in_one_language():
    (finding,) = judge_record({}, day=-1)
    assert finding.to_json("it") == {
        "rule": "16",
        "level": "error",
        "field": "visit",
        "message": "Questa visita è al giorno -1, prima del primo esame. Correggere la data, o inserirla come prima.",
    }
