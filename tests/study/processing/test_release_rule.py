"""No release that a coordinator asks for lets anybody compute the image of a single patient."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import select, update

from cohortex.errors import Refused
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Job, Result, TemplateMember, TemplateVersion, Visit, now
from cohortex.study.processing.following import member_visits
from cohortex.study.processing.release_rule import ask_for_release, why_no_release


@pytest.fixture
def come(staffed, person_of) -> Callable[..., None]:
    """Let patients with an aligned brain come from centres."""

    def enter(*centres: str) -> None:
        for centre in centres:
            person = person_of(staffed, f"anna.{centre}")
            visit = person.visit(person.patient(), date(2024, 1, 15))
            with staffed.session(THE_STUDY, writes=True) as session, session.begin():
                row = session.get_one(Visit, visit)
                session.add(
                    Result(kind="visit", key=visit, patient_id=row.patient_id, visit_id=visit, record="0" * 64,
                           summary={"aligned_brain": visit}, files={}, centre_id=row.centre_id,
                           uploader_id=row.uploader_id)
                )  # fmt: skip

    return enter


@pytest.fixture
def release(staffed) -> Callable[[], None]:
    """Release what is there as the first version."""

    def make() -> None:
        with staffed.session(THE_STUDY, writes=True) as session, session.begin():
            session.add(TemplateVersion(number=1, n_patients=5, n_centres=2, reason="rule", key="k", files={}))
            session.flush()
            for patient, visit in member_visits(session).items():
                session.add(TemplateMember(version=1, patient_id=patient, visit_id=visit.id,
                                           centre_id=visit.centre_id, uploader_id=visit.uploader_id))  # fmt: skip

    return make


def why_not(study) -> str | None:
    with study.session(THE_STUDY) as session:
        return why_no_release(session)


def test_too_few_patients_or_centres_make_no_template(staffed, come):
    come("aa", "aa", "aa", "aa")
    assert "it takes 5" in why_not(staffed)
    come("aa")
    assert "too few centres" in why_not(staffed)


def test_one_new_patient_makes_no_version(staffed, come, release):
    come("aa", "aa", "aa", "bb", "bb")
    release()
    come("cc")
    assert "fewer than two" in why_not(staffed)


def test_a_centre_with_all_new_patients_but_one_cannot_subtract_its_own(staffed, come, release):
    come("aa", "aa", "aa", "bb", "bb")
    release()
    come("aa", "aa", "bb")
    assert "all but one" in why_not(staffed)
    come("bb")
    assert why_not(staffed) is None


def test_the_first_version_is_held_to_the_same(staffed, come):
    come("aa", "aa", "aa", "aa", "bb")
    assert "all but one" in why_not(staffed)


def test_a_patient_who_was_withdrawn_counts_as_changed(staffed, come, release):
    come("aa", "aa", "aa", "aa", "bb", "bb", "bb")
    release()
    come("bb")
    with staffed.session(THE_STUDY, writes=True) as session, session.begin():
        first = session.scalars(select(Result).order_by(Result.made_at)).first()
        session.execute(update(Result).where(Result.id == first.id).values(stale_at=now()))
    assert "all but one" in why_not(staffed)


def test_what_is_refused_queues_nothing(staffed, come, person_of):
    come("aa", "aa", "aa", "aa", "bb")
    with (
        staffed.session(THE_STUDY, writes=True) as session,
        pytest.raises(Refused, match="all but one"),
    ):
        ask_for_release(session, by=person_of(staffed, "anna.aa").asker, why="meeting")
    with staffed.session(THE_STUDY) as session:
        assert session.scalars(select(Job).where(Job.kind == "template")).all() == []
