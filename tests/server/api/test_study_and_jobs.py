"""The study as every centre sees it, the jobs, and the events of an open page."""

from __future__ import annotations

import json

import pytest

from cohortex.server.api.events import Watch
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import (
    CountedPatient,
    Job,
    OpenFigure,
    Patient,
    Result,
    TemplateMember,
    TemplateVersion,
    Upload,
    now,
)

NOT_SHOWN = {
    "shown": False,
    "reason": "Statistics are shown from 5 patients of 2 centres on.",
    "least_patients": 5,
    "least_centres": 2,
    "made_at": None,
    "n_patients": None,
    "n_centres": None,
    "tables": [],
    "courses": [],
    "survival": None,
    "groupings": [],
}


def test_the_study_is_told_to_every_centre_and_each_what_it_gave(person_of, filled):
    for centre in filled.centres:
        found = person_of(centre).get("/api/study").json()
        assert [row["code"] for row in found["centres"]] == ["AA", "BB", "CC"]
        assert found["rule"] == {"patients": 5, "centres": 2}
        assert found["template"]["version"] == 1
        assert found["mine"] == {"patients": 1, "visits": 2, "series": 1}
        assert found["waiting"] == {"patients": 0}


def test_who_waits_for_the_next_template_is_told_of_the_own_centre_only(person_of, filled):
    with filled.study.session(THE_STUDY, writes=True) as session, session.begin():
        for member in session.query(TemplateMember):
            session.delete(member)
    assert person_of("AA").get("/api/study").json()["waiting"] == {"patients": 1}


def test_contributions_are_counted_over_all_centres(person_of, filled):
    expected = [{"patients": 1, "visits": 2, "series": 1, "complete_records": 0}] * 3
    found = person_of("BB").get("/api/study/contributions").json()["centres"]
    assert [{key: row[key] for key in expected[0]} for row in found] == expected
    assert filled.study.info.name == "Lesions"


def test_the_map_shows_own_patients_as_points_and_all_as_a_density(person_of, filled):
    maps = {centre: person_of(centre).get("/api/study/map").json() for centre in filled.centres}
    for centre, rows in filled.centres.items():
        assert [point["patient"] for point in maps[centre]["points"]] == [rows.patient]
        assert maps[centre]["density"] == maps["AA"]["density"]
        assert (maps[centre]["shown"], maps[centre]["n"]) == (True, 6)


def test_a_map_of_too_few_tells_nothing_but_that(anna, filled):
    before = anna.get("/api/study/map").json()
    with filled.study.session(THE_STUDY, writes=True) as session, session.begin():
        content = {**before, "density": None, "n": None}
        session.add(OpenFigure(kind="map", template_version=1, content=content))
    hidden = anna.get("/api/study/map").json()
    assert (hidden["shown"], hidden["points"], hidden["template"], hidden["stress"]) == (False, [], None, None)


def test_below_the_minimum_the_figures_are_the_same_whatever_was_counted(person_of, study):
    ben = person_of("BB")
    pages = ("/api/study/statistics", "/api/study/map", "/api/study/template")
    before = [ben.get(page).json() for page in pages]
    assert before[0] == NOT_SHOWN
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        hidden = {"shown": False, "reason": "4 patients", "n_patients": 4}
        session.add(OpenFigure(kind="statistics", content={"en": hidden, "it": hidden}))
    assert [ben.get(page).json() for page in pages] == before


@pytest.mark.usefixtures("filled")
def test_statistics_stored_before_there_were_groupings_are_still_given(person_of):
    found = person_of("AA").get("/api/study/statistics").json()
    assert found["shown"]
    assert (found["survival"], found["groupings"], found["least_patients"]) == (None, [], 5)


def test_the_statistics_come_in_the_language_of_the_person(person_of, filled):
    shown = {"shown": True, "reason": "", "n_patients": 6, "n_centres": 3, "courses": []}
    content = {
        language: {**shown, "tables": [{"name": "sex", "title": title, "rows": []}]}
        for language, title in (("en", "Patients"), ("it", "Pazienti"))
    }
    with filled.study.session(THE_STUDY, writes=True) as session, session.begin():
        session.add(OpenFigure(kind="statistics", template_version=1, content=content))
    assert person_of("AA").get("/api/study/statistics").json()["tables"][0]["title"] == "Patients"
    found = person_of("CC").get("/api/study/statistics").json()
    assert found["tables"][0]["title"] == "Pazienti"
    assert (found["n_patients"], found["made_at"] is not None) == (6, True)


def test_every_centre_sees_every_version_of_the_template(person_of, filled):
    found = person_of("BB").get("/api/study/template").json()
    assert found["current"] == 1
    mean = found["versions"][0]["files"][0]
    assert mean["space"] == "template"
    ben = person_of("BB")
    assert ben.get(mean["url"]).content[:2] == b"\x1f\x8b"
    assert ben.get(mean["preview_url"]).status_code == 200
    for version in ("2", "x", "9" * 30, "-1"):
        assert ben.get(f"/api/study/template/{version}/files/template_mean.nii.gz").status_code == 404
    assert filled.study.info.rule_patients == 5


def test_only_a_coordinator_asks_for_a_release_and_never_after_one_patient(person_of, filled):
    anna, ben = person_of("AA"), person_of("BB")
    assert ben.post("/api/study/template", json={"reason": "please"}).status_code == 403
    assert anna.post("/api/study/template", json={"reason": " "}).status_code == 422
    few = anna.post("/api/study/template", json={"reason": "meeting"})
    assert few.status_code == 409
    assert "it takes 5" in few.json()["error"]["message"]
    with filled.study.session(THE_STUDY, writes=True) as session, session.begin():
        model = session.query(Result).filter_by(kind="visit").first()
        for n in range(6):
            code = f"XX-{n:04d}"
            patient = Patient(code=code, sex="F", centre_id=1 + n % 2, uploader_id=1)
            session.add(patient)
            session.flush()
            session.add(
                Result(
                    kind="visit", key=f"more-{n}", patient_id=patient.id, visit_id=model.visit_id, files=model.files,
                    record=model.record, summary=model.summary, centre_id=patient.centre_id, uploader_id=1,
                )
            )  # fmt: skip
    reply = anna.post("/api/study/template", json={"reason": "meeting"})
    assert reply.status_code == 201
    with filled.study.session(THE_STUDY) as session:
        job = session.get_one(Job, reply.json()["job"])
        assert (job.kind, job.arguments["reason"], job.arguments["why"]) == ("template", "coordinator", "meeting")
    assert anna.post("/api/study/template", json={"reason": "again"}).status_code == 409


def test_jobs_are_those_of_the_centre_and_of_the_study(person_of, filled):
    found = person_of("BB").get("/api/jobs").json()
    rows = filled.centres["BB"]
    own = {job["id"]: job for job in found["jobs"] if job["patient"]}
    assert set(own) == set(rows.jobs.values())
    assert own[rows.jobs["failed"]]["title"] == "Images of visit 1"
    assert own[rows.jobs["failed"]]["remedy"] == "Try again."
    assert filled.study_job in {job["id"] for job in found["jobs"]}
    assert found["counts"]["failed"] == 1
    only = person_of("BB").get("/api/jobs", params={"state": "failed"}).json()
    assert [job["id"] for job in only["jobs"]] == [rows.jobs["failed"]]


def test_a_failed_job_is_tried_again_and_no_other(anna, filled):
    rows = filled.centres["AA"]
    again = anna.post(f"/api/jobs/{rows.jobs['failed']}/retry").json()
    assert (again["state"], again["cause"], again["id"] != rows.jobs["failed"]) == ("queued", "retry", True)
    assert anna.post(f"/api/jobs/{rows.jobs['failed']}/retry").status_code == 409
    assert anna.post(f"/api/jobs/{rows.jobs['queued']}/retry").status_code == 409


def changed(study, table, key, **values) -> None:
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        row = session.get_one(table, key)
        for name, value in values.items():
            setattr(row, name, value)


@pytest.fixture
def watch(filled, asker_of):
    watch = Watch(filled.study, asker_of(filled.study, "AA"), since=None)
    assert watch.changes() == []  # a page that was just loaded knows
    return watch


def test_an_open_page_is_told_of_a_changed_job_once(filled, watch):
    key = filled.centres["AA"].jobs["queued"]
    changed(filled.study, Job, key, state="running", progress=0.25, changed_at=now())
    ((name, data),) = watch.changes()
    assert (name, json.loads(data)["id"], json.loads(data)["progress"]) == ("job", key, 0.25)
    assert watch.changes() == []


def test_an_open_page_is_told_of_a_changed_upload_and_of_new_figures(filled, watch):
    key = filled.centres["AA"].uploads["held"]
    changed(filled.study, Upload, key, state="committed")
    ((name, data),) = watch.changes()
    assert (name, json.loads(data)["id"], json.loads(data)["state"]) == ("upload", key, "committed")
    with filled.study.session(THE_STUDY, writes=True) as session, session.begin():
        session.add(TemplateVersion(number=2, n_patients=9, n_centres=3, reason="rule", key="u" * 64, files={}))
    ((name, data),) = watch.changes()
    assert (name, json.loads(data)["template_version"]) == ("study", 2)


def test_an_open_page_is_told_nothing_of_other_centres(filled, watch):
    other = filled.centres["BB"]
    changed(filled.study, Job, other.jobs["queued"], state="running", changed_at=now())
    changed(filled.study, Upload, other.uploads["held"], state="committed")
    with filled.study.session(THE_STUDY, writes=True) as session, session.begin():
        patient = session.get_one(Patient, other.patient_id)
        session.add(CountedPatient(patient_id=patient.id, centre_id=patient.centre_id, uploader_id=patient.uploader_id))
    assert watch.changes() == []


def test_a_broken_connection_goes_on_where_it_ended(filled, asker_of):
    asker = asker_of(filled.study, "AA")
    broke = now()
    rows = filled.centres["AA"]
    changed(filled.study, Job, rows.jobs["queued"], state="done", changed_at=now())
    told = Watch(filled.study, asker, since=broke).changes()
    assert rows.jobs["queued"] in {json.loads(data)["id"] for name, data in told if name == "job"}
    assert {json.loads(data)["state"] for name, data in told if name == "upload"} >= {"held", "receiving"}
