"""Patients and visits: entered with true dates, shown with shifted ones, listed by how they stand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Job, Result, Series, Upload, Visit, now


def added(client, **sent) -> str:
    reply = client.post("/api/patients", json={"sex": "F", "birth_date": "1980-03-01", **sent})
    assert reply.status_code == 201, reply.text
    return str(reply.json()["code"])


def visited(client, code: str, day: str) -> dict:
    reply = client.post(f"/api/patients/{code}/visits", json={"date": day})
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


def test_a_patient_gets_a_code_of_the_centre(anna, person_of):
    assert [added(anna), added(anna), added(person_of("BB"))] == ["AA-0001", "AA-0002", "BB-0001"]
    assert [line["code"] for line in anna.get("/api/patients").json()["patients"]] == ["AA-0001", "AA-0002"]


def test_no_true_date_comes_back_and_ages_and_intervals_stay_exact(anna):
    code = added(anna)
    first, second = visited(anna, code, "2024-03-01"), visited(anna, code, "2024-04-12")
    assert (first["kind"], first["number"], first["day"]) == ("first", 1, 0)
    assert (second["kind"], second["number"], second["day"]) == ("follow-up", 2, 42)
    assert first["age"] == pytest.approx(44.0, abs=0.01)
    found = anna.get(f"/api/patients/{code}")
    for true_date in ("2024-03-01", "2024-04-12", "1980-03-01"):
        assert true_date not in found.text
    assert found.json()["age_at_first"] == first["age"]


def test_all_visits_of_the_centre_are_listed_by_patient_and_day(anna, person_of):
    codes = [added(anna), added(anna)]
    days = ("2024-04-12", "2024-03-01"), ("2024-05-01",)
    seen = {
        visit["id"]: visit
        for code, own in zip(codes, days, strict=True)
        for visit in [visited(anna, code, day) for day in sorted(own)]
    }
    visited(person_of("BB"), added(person_of("BB")), "2024-03-01")
    lines = anna.get("/api/visits").json()["visits"]
    assert [(line["patient"], line["number"], line["day"]) for line in lines] == [
        (codes[0], 1, 0),
        (codes[0], 2, 42),
        (codes[1], 1, 0),
    ]
    assert all(line == {key: seen[line["id"]][key] for key in line} for line in lines)


@pytest.mark.parametrize(
    ("sent", "entry"),
    [
        ({"sex": "X"}, "sex"),
        ({"birth_date": "not a date"}, "birth_date"),
        ({"birth_date": (date.today() + timedelta(days=1)).isoformat()}, "birth_date"),
        ({"name": "Mario Rossi"}, "name"),
    ],
)
def test_an_entry_that_cannot_be_is_named_and_not_repeated(anna, sent, entry):
    reply = anna.post("/api/patients", json={"sex": "F", "birth_date": "1980-03-01", **sent})
    assert reply.status_code == 422
    assert entry in reply.json()["error"]["fields"]
    assert "Rossi" not in reply.text


@pytest.mark.parametrize("day", ["2024-03-01", "2024-02-01", "1979-01-01", "2999-01-01"])
def test_a_visit_that_cannot_be_is_refused_by_its_day(anna, day):
    code = added(anna)
    visited(anna, code, "2024-03-01")
    reply = anna.post(f"/api/patients/{code}/visits", json={"date": day})
    assert reply.status_code == 422
    assert set(reply.json()["error"]["fields"]) == {"date"}
    assert len(anna.get(f"/api/patients/{code}").json()["visits"]) == 1


def test_the_list_says_what_is_known_of_each_patient(anna, filled):
    (line,) = anna.get("/api/patients").json()["patients"]
    assert line["diagnosis"] == {"value": "AML", "label": "acute myeloid (AML)"}
    assert line["visits"] == 2
    assert line["lesions"] == {"count": 1, "volume_ml": 0.5}
    assert line["change"] == {"new": 0, "gone": 1, "grown": 1, "shrunk": 0}
    assert line["code"] == filled.centres["AA"].patient


def test_the_list_gives_the_lesions_of_a_compared_visit_as_the_comparison_outlined_them(anna, filled):
    rows = filled.centres["AA"]
    with filled.study.session(THE_STUDY, writes=True) as session, session.begin():
        first = session.get_one(Result, rows.results["visit"])
        second = session.get_one(Visit, rows.visits[1])
        session.add(
            Result(
                kind="visit", key="of the second".ljust(64, "x"), patient_id=first.patient_id, visit_id=second.id,
                centre_id=first.centre_id, uploader_id=first.uploader_id, record=first.record, files={},
                summary={**first.summary, "lesion_count": 2, "lesion_volume_ml": 2.1},
            )
        )  # fmt: skip
    (line,) = anna.get("/api/patients").json()["patients"]
    assert line["lesions"] == {"count": 2, "volume_ml": 2.0}


def test_the_list_speaks_the_language_of_the_person(person_of, filled):
    (line,) = person_of("CC").get("/api/patients").json()["patients"]
    assert line["diagnosis"]["label"] == "mieloide acuta (LMA)"
    assert line["code"] == filled.centres["CC"].patient


@pytest.mark.parametrize(
    ("search", "found"), [("aa-0001", True), ("AML", True), ("myeloid acute", True), ("BB", False), ("ALL", False)]
)
@pytest.mark.usefixtures("filled")
def test_patients_are_found_by_code_and_diagnosis(anna, search, found):
    assert bool(anna.get("/api/patients", params={"search": search}).json()["patients"]) == found


def test_how_a_patient_stands_follows_uploads_jobs_and_results(anna, filled):
    rows = filled.centres["AA"]

    def standing() -> str:
        (line,) = anna.get("/api/patients").json()["patients"]
        assert anna.get("/api/patients", params={"status": line["status"]}).json()["patients"] == [line]
        assert anna.get(f"/api/patients/{rows.patient}").json()["status"] == line["status"]
        return str(line["status"])

    def change(act) -> None:
        with filled.study.session(THE_STUDY, writes=True) as session, session.begin():
            act(session)

    assert standing() == "attention"  # held, and a failed job
    change(lambda s: setattr(s.get_one(Upload, rows.uploads["held"]), "state", "committed"))
    assert standing() == "attention"
    change(lambda s: setattr(s.get_one(Job, rows.jobs["failed"]), "state", "done"))
    assert standing() == "processing"
    change(lambda s: setattr(s.get_one(Job, rows.jobs["queued"]), "state", "done"))
    assert standing() == "waiting"  # bytes are still coming
    change(lambda s: setattr(s.get_one(Upload, rows.uploads["receiving"]), "state", "withdrawn"))
    assert standing() == "ready"
    change(lambda s: setattr(s.get_one(Series, rows.series), "withdrawn_at", now()))
    assert standing() == "empty"


def test_a_failure_that_was_done_since_asks_for_nobody(anna, filled):
    rows = filled.centres["AA"]
    with filled.study.session(THE_STUDY, writes=True) as session, session.begin():
        failed = session.get_one(Job, rows.jobs["failed"])
        session.add(
            Job(
                kind=failed.kind, about=failed.about, cause="upload", state="done", patient_id=failed.patient_id,
                visit_id=failed.visit_id, centre_id=failed.centre_id, uploader_id=failed.uploader_id,
            )
        )  # fmt: skip
        session.get_one(Upload, rows.uploads["held"]).state = "committed"
    assert anna.get("/api/patients").json()["patients"][0]["status"] == "processing"


def test_a_patient_is_shown_with_visits_results_and_trace(anna, filled):
    rows = filled.centres["AA"]
    found = anna.get(f"/api/patients/{rows.patient}").json()
    assert found["centre"]["code"] == "AA"
    assert [visit["id"] for visit in found["visits"]] == rows.visits
    assert [result["id"] for result in found["comparisons"]] == [rows.results["comparison"]]
    assert found["deviation"]["id"] == rows.results["deviation"]
    assert found["template_version"] == 1
    assert {"patient added", "visit added", "record changed"} <= {entry["action"] for entry in found["trace"]}
    first = found["visits"][0]
    assert first["record"]["complete"] == 2 < first["record"]["of"]
    assert [series["id"] for series in first["series"]] == [rows.series]
    assert first["series"][0]["instances"] == 1
    assert {upload["id"] for upload in first["uploads"]} == set(rows.uploads.values())
    assert first == anna.get(f"/api/visits/{rows.visits[0]}").json()
