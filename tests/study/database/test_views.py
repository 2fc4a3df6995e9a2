"""The views of the database: one row per patient or visit, each with centre and uploader."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from cohortex.errors import Refused
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Result
from cohortex.study.database.views import VIEWS, refresh_views
from cohortex.study.patients import add_patient, add_visit
from cohortex.study.people import sign_in, who_asks
from cohortex.study.record_entries import enter


@pytest.fixture
def recorded(staffed):
    """A patient of AA with two visits, the first with a record and a result; one of BB without any."""
    asker = who_asks(staffed, sign_in(staffed, login="anna.aa", password="correct horse"))
    with staffed.session(asker, writes=True) as session, session.begin():
        patient = add_patient(staffed, session, sex="F", birth_date=date(1980, 3, 1))
        first = add_visit(staffed, session, patient, on=date(2024, 3, 1))
        add_visit(staffed, session, patient, on=date(2024, 4, 12))
        enter(staffed, session, first, {"leukaemia_type": "AML", "crp": {"value": "<0,6", "unit": "mg/dL"}})
        enter(staffed, session, first, {"platelets": "not_done", "crp": {"value": 5, "unit": "mg/L"}})
        visit = (first.id, patient.id, asker.centre_id, asker.uploader_id)
    with staffed.session(THE_STUDY, writes=True) as session, session.begin():
        session.add(
            Result(
                kind="visit", key="k", visit_id=visit[0], patient_id=visit[1], centre_id=visit[2], uploader_id=visit[3],
                record="0" * 64, files={},
                summary={"lesion_count": 3, "lesion_volume_ml": 1.25, "brain_volume_ml": 1400.5},
            )
        )  # fmt: skip
    other = who_asks(staffed, sign_in(staffed, login="anna.bb", password="correct horse"))
    with staffed.session(other, writes=True) as session, session.begin():
        add_patient(staffed, session, sex="M")
    refresh_views(staffed.engine)
    return staffed


def rows(study, view: str) -> list[dict]:
    with study.engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM {view}")).mappings()]


def test_every_view_names_centre_and_uploader(recorded):
    for view in VIEWS:
        for row in rows(recorded, view):
            assert (row["centre"], row["uploader"]) == (row["patient"][:2], f"anna.{row['patient'][:2].lower()}")


def test_patients_are_listed_once_with_their_visits(recorded):
    assert {row["patient"]: row["visits"] for row in rows(recorded, "at_patients")} == {"AA-0001": 2, "BB-0001": 0}


def test_first_examinations_and_follow_ups_stand_apart(recorded):
    assert len(rows(recorded, "ht_patients_primary")) == 1
    assert len(rows(recorded, "ht_patients_followup")) == 1


def test_the_view_for_analysis_has_one_row_per_visit_and_one_column_per_field(recorded):
    first, second = sorted(rows(recorded, "at_visits"), key=lambda row: row["day"])
    assert (first["kind"], first["day"], second["kind"], second["day"]) == ("first", 0, "follow-up", 42)
    assert first["age_years"] == pytest.approx(44.0, abs=0.01)
    assert first["leukaemia_type"] == "AML"
    assert (first["crp"], first["crp_sign"]) == (5.0, None)  # what was replaced is not in it
    assert (first["platelets"], first["platelets_missing"]) == (None, "not_done")
    assert (first["lesion_count"], first["lesion_volume_ml"], first["brain_volume_ml"]) == (3, 1.25, 1400.5)
    assert (second["leukaemia_type"], second["lesion_count"]) == (None, None)


def test_views_are_made_anew_without_harm(recorded):
    before = rows(recorded, "at_visits")
    refresh_views(recorded.engine)
    assert rows(recorded, "at_visits") == before


def test_a_person_cannot_read_a_view_past_the_session(recorded):
    asker = who_asks(recorded, sign_in(recorded, login="anna.bb", password="correct horse"))
    with recorded.session(asker) as session, pytest.raises(Refused, match="bypasses"):
        session.execute(text("SELECT * FROM at_patients"))
