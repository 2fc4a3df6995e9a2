"""Clinical records: entered value by value with their history, judged, and as a table in and out."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Job, Patient
from cohortex.study.patients import shift_of


@pytest.fixture
def visits(anna):
    code = anna.post("/api/patients", json={"sex": "F", "birth_date": "1980-03-01"}).json()["code"]
    days = ("2024-03-01", "2024-04-12")
    return code, [anna.post(f"/api/patients/{code}/visits", json={"date": day}).json()["id"] for day in days]


def entered(client, visit: str, values: dict):
    return client.put(f"/api/visits/{visit}/record", json={"values": values})


def test_a_value_is_kept_in_the_unit_of_its_field_with_who_and_when(anna, visits):
    values = entered(anna, visits[1][0], {"crp": {"value": "<0,6", "unit": "mg/dL"}}).json()["values"]
    assert {key: values["crp"][key] for key in ("value", "unit", "comparator", "label", "recorded_by")} == {
        "value": 6.0, "unit": "mg/L", "comparator": "<", "label": "< 6 mg/L", "recorded_by": "Anna of AA",
    }  # fmt: skip


def test_what_a_value_replaces_stays_in_its_history(anna, visits):
    visit = visits[1][0]
    entered(anna, visit, {"platelets": {"value": 50, "unit": "10*9/L"}, "leukaemia_type": "AML"})
    entered(anna, visit, {"platelets": {"value": 60, "unit": "10*9/L"}})
    found = entered(anna, visit, {"platelets": None}).json()
    assert set(found["values"]) == {"leukaemia_type"}
    assert [(entry["field"], entry["label"]) for entry in found["history"]] == [
        ("platelets", "60 10*9/L"),
        ("platelets", "50 10*9/L"),
    ]


def test_messages_print_units_as_a_laboratory_does(anna, visits):
    without = entered(anna, visits[1][0], {"platelets": {"value": 5}}).json()["error"]["fields"]["platelets"]
    assert "10⁹/L" in without
    asked = entered(anna, visits[1][0], {"platelets": {"value": 2500, "unit": "10*9/L"}}).json()["findings"]
    assert ["10⁹/L" in finding["message"] for finding in asked if finding["field"] == "platelets"] == [True]
    assert "10*9" not in without + str(asked)


def test_the_same_value_again_changes_nothing(anna, visits):
    visit = visits[1][0]
    first = entered(anna, visit, {"leukaemia_type": "AML"}).json()
    assert entered(anna, visit, {"leukaemia_type": "AML"}).json() == first


def test_a_value_starts_the_statistics_and_no_image_step(anna, visits, study):
    entered(anna, visits[1][0], {"leukaemia_type": "AML"})
    with study.session(THE_STUDY) as session:
        assert [(job.kind, job.cause, job.patient_id) for job in session.query(Job)] == [("statistics", "record", None)]


@pytest.mark.parametrize(
    ("values", "entry"),
    [
        ({"crp": {"value": 5}}, "crp"),
        ({"crp": {"value": "Mario Rossi", "unit": "mg/L"}}, "crp"),
        ({"leukaemia_type": "unheard of"}, "leukaemia_type"),
        ({"remarks": "Mario Rossi"}, "values"),
        ({"evidence_level": "proven", "cause": "nocardia"}, "evidence_level"),  # a rule: the level is for fungi
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_field_and_nothing_is_kept(anna, visits, values, entry):
    reply = entered(anna, visits[1][0], {"treatment_phase": "induction", **values})
    assert reply.status_code == 422
    assert entry in reply.json()["error"]["fields"]
    assert "Rossi" not in reply.text
    assert anna.get(f"/api/visits/{visits[1][0]}/record").json()["values"] == {}


def test_a_field_of_another_kind_of_visit_is_refused(anna, visits):
    reply = entered(anna, visits[1][1], {"leukaemia_type": "AML"})
    assert set(reply.json()["error"]["fields"]) == {"leukaemia_type"}


def test_a_change_that_breaks_the_record_of_a_later_visit_is_refused(anna, visits):
    code, (_, second) = visits
    assert anna.post(f"/api/patients/{code}/visits", json={"date": "2024-05-20"}).status_code == 201
    reply = entered(anna, second, {"outcome": "died"})
    assert reply.status_code == 422
    assert "(visit 3)" in reply.json()["error"]["fields"]["visit"]


def test_what_is_odd_may_stand_and_is_asked_about(anna, visits):
    found = entered(anna, visits[1][0], {"crp": {"value": 600, "unit": "mg/L"}}).json()
    assert [(finding["level"], finding["field"]) for finding in found["findings"]] == [("warning", "crp")]


def test_problems_are_told_in_the_language_of_the_person(person_of):
    carla = person_of("CC")
    code = carla.post("/api/patients", json={"sex": "M"}).json()["code"]
    visit = carla.post(f"/api/patients/{code}/visits", json={"date": "2024-03-01"}).json()["id"]
    words = entered(carla, visit, {"crp": {"value": 5}}).json()["error"]["fields"]["crp"]
    assert "unità" in words


def test_the_form_comes_in_both_languages(anna):
    english = anna.get("/api/fields").json()
    italian = anna.get("/api/fields", params={"language": "it"}).json()
    names = [
        [field["name"] for section in form["sections"] for field in section["fields"]] for form in (english, italian)
    ]
    assert names[0] == names[1]
    assert len(names[0]) >= 15
    assert english["sections"][0]["label"] != italian["sections"][0]["label"]
    assert anna.get("/api/fields", params={"language": "de"}).status_code == 422


def sent(client, text: str, **parameters):
    return client.post(
        "/api/records/import",
        content=text.encode(),
        params=parameters,
        headers={"Content-Type": "text/csv; charset=utf-8"},
    )


def test_a_table_is_tried_then_written_as_a_whole(anna, visits):
    code, (first, second) = visits
    text = f"patient,visit,leukaemia_type,crp [mg/L]\n{code},2024-03-01,AML,12\n{code},2024-04-12,,7\n"
    tried = sent(anna, text, dry_run=True).json()
    assert tried == {"rows": 2, "problems": [], "changes": 3, "written": False}
    assert anna.get(f"/api/visits/{first}/record").json()["values"] == {}
    assert sent(anna, text).json() == {**tried, "written": True}
    assert anna.get(f"/api/visits/{second}/record").json()["values"]["crp"]["value"] == 7.0
    assert sent(anna, text).json()["changes"] == 0  # twice does no harm


def test_every_problem_of_a_table_is_told_by_row_and_nothing_is_written(anna, visits):
    code, (first, _) = visits
    text = (
        "patient,visit,leukaemia_type,cause,evidence_level\n"
        f"{code},2024-03-01,AML,,\n"
        f"\n{code},2024-03-02,ALL,,\n"
        "AA-0099,2024-03-01,ALL,,\n"
        f"{code},2024-04-12,AML,nocardia,proven\n"
    )
    found = sent(anna, text).json()
    assert not found["written"]
    assert [(problem["row"], problem["column"]) for problem in found["problems"]] == [
        (4, "visit"),
        (5, "patient"),
        (6, "leukaemia_type"),
        (6, "evidence_level"),
    ]
    assert anna.get(f"/api/visits/{first}/record").json()["values"] == {}


def test_what_is_exported_is_taken_in_again_and_changes_nothing(anna, visits):
    code, (first, _) = visits
    entered(anna, first, {"leukaemia_type": "AML", "crp": {"value": "<6", "unit": "mg/L"}, "platelets": "not_done"})
    text = anna.get("/api/records/export").text
    assert "2024-03-01" not in text  # shifted, as everywhere
    found = sent(anna, text).json()
    assert (found["problems"], found["changes"], found["rows"]) == ([], 0, 2)
    assert code in text


def test_a_day_that_means_two_visits_is_not_guessed(anna, study):
    code = anna.post("/api/patients", json={"sex": "F"}).json()["code"]
    with study.session(THE_STUDY) as session:
        shift = shift_of(study, session.query(Patient).one().id)
    later = date(2024, 3, 1)
    for day in (later + shift, later):  # the shifted day of the second is the true day of the first
        assert anna.post(f"/api/patients/{code}/visits", json={"date": day.isoformat()}).status_code == 201
    found = sent(anna, f"patient,visit,outcome\n{code},{(later + shift).isoformat()},stable\n").json()
    assert [(problem["row"], problem["column"]) for problem in found["problems"]] == [(2, "visit")]
    other = later - timedelta(days=1)
    assert not sent(anna, f"patient,visit,outcome\n{code},{other.isoformat()},stable\n").json()["written"]


def test_a_table_that_may_name_people_is_refused_without_repeating_them(anna):
    reply = sent(anna, "patient,visit,surname\nAA-0001,2024-03-01,Rossi\n")
    assert not reply.json()["written"]
    assert "Rossi" not in reply.text


def test_a_table_of_another_type_is_refused(anna):
    assert anna.post("/api/records/import", json={}).status_code == 415


def test_an_empty_table_shows_every_column(anna):
    reply = anna.get("/api/records/template")
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.text.startswith("patient,visit,leukaemia_type")
    assert len(reply.text.splitlines()) == 1
