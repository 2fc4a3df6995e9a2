"""The statistics of a study join records and images by visit, and count days from the first examination."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from cohortex.study import Study
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Job, OpenFigure, Patient, Result, Visit
from cohortex.study.jobs import work
from cohortex.study.patients import add_patient, add_visit
from cohortex.study.people import add_centre, add_uploader, sign_in, who_asks
from cohortex.study.processing.following import comparison_made
from cohortex.study.processing.summarising import statistics
from cohortex.study.record_entries import enter
from cohortex.study.starting import tidy

FIRST = date(2021, 3, 4)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Twenty-four patients of two centres with images; a third of them died on day 20, told on day 100."""
    study = Study.create(tmp_path_factory.mktemp("counted") / "study", name="Lesions")
    for centre in ("AA", "BB"):
        add_centre(study, code=centre, name=f"Centre {centre}")
        add_uploader(study, centre=centre, login=centre.lower(), name=centre, password="correct horse")
        asker = who_asks(study, sign_in(study, login=centre.lower(), password="correct horse"))
        with study.session(asker, writes=True) as session, session.begin():
            for number in range(12):
                patient = add_patient(study, session, sex="F", birth_date=date(1970, 1, 1))
                first, later = (add_visit(study, session, patient, on=FIRST + timedelta(days=day)) for day in (0, 100))
                leukaemia = "ALL" if number % 2 else "AML"
                enter(study, session, first, {"leukaemia_type": leukaemia, "crp": {"value": 9, "unit": "mg/L"}})
                died = {"alive": False, "death_day": 20}
                enter(study, session, later, died if number < 4 else {"alive": True})
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        for visit in session.scalars(select(Visit).where(Visit.kind == "first")):
            owner = session.get_one(Patient, visit.patient_id)
            whose = {"centre_id": owner.centre_id, "uploader_id": owner.uploader_id}
            session.add(
                Result(
                    kind="visit", patient_id=owner.id, visit_id=visit.id, key=visit.id.zfill(64), record="0" * 64,
                    headline="", files={}, summary={"lesion_count": 3, "lesion_volume_ml": 2.0}, **whose,
                )
            )  # fmt: skip
        comparison_made(session, cause="upload")
    yield study
    study.close()


def latest(study: Study) -> dict:
    work(study, {"statistics": statistics}, until_idle=True)
    with study.session(THE_STUDY) as session:
        assert {job.state for job in session.scalars(select(Job))} == {"done"}
        return session.scalars(select(OpenFigure).order_by(OpenFigure.id.desc())).first().content["en"]


def test_survival_counts_from_the_first_examination_and_follows_every_new_value(study):
    found = latest(study)
    shown = {point["day"]: point["deaths"] for point in found["survival"]["points"] if not point["hidden"]}
    assert shown == {30: 8, 90: 8}  # nobody is followed beyond day 100
    asker = who_asks(study, sign_in(study, login="aa", password="correct horse"))
    with study.session(asker, writes=True) as session, session.begin():
        for visit in session.scalars(select(Visit).where(Visit.kind == "follow-up")):
            if any(entry.field == "death_day" for entry in visit.entries):
                enter(study, session, visit, {"death_day": 60})
    moved = latest(study)["survival"]["points"]
    assert [point["hidden"] for point in moved[:2]] == [True, False]  # four of eight deaths up to day 30
    assert (moved[1]["deaths"], moved[1]["survival"]) == (8, 0.67)


def test_records_and_images_are_joined_in_the_groups(study):
    found = latest(study)["groupings"][0]
    courses = {course["name"]: course["groups"] for course in found["courses"] if course["groups"]}
    assert {name: [(g["name"], g["points"][0]["n"]) for g in groups] for name, groups in courses.items()} == {
        "crp": [("ALL", 12), ("AML", 12)],
        "lesion_count": [("ALL", 12), ("AML", 12)],
        "lesion_volume": [("ALL", 12), ("AML", 12)],
    }


def test_figures_of_an_earlier_form_are_counted_anew_at_a_start_and_others_are_not(study):
    latest(study)
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        figure = session.scalars(select(OpenFigure).order_by(OpenFigure.id.desc())).first()
        session.add(OpenFigure(kind="statistics", content={"en": figure.content["en"], "it": figure.content["it"]}))
    tidy(study)
    assert waiting(study) == [("statistics", "update")]
    assert "survival" in latest(study)
    tidy(study)
    assert waiting(study) == []


def waiting(study: Study) -> list[tuple[str, str]]:
    with study.session(THE_STUDY) as session:
        return [(job.kind, job.cause) for job in session.scalars(select(Job).where(Job.state == "queued"))]
