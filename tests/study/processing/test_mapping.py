"""The map: others see a density that stays between two releases, each centre its own patients as dots."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from sqlalchemy import select, update

from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Job, MapPoint, OpenFigure, Patient, Result, Series, Visit, now
from cohortex.study.processing.following import current_version, images_changed, visit_processed


@pytest.fixture(scope="module")
def centres(open_centres):
    opened = open_centres(spacing_mm=4.0)
    opened.drawn_patients("AA", "AA", "BB", "BB", "CC")
    opened.settle()
    return opened


@pytest.fixture(scope="module")
def first_map(centres) -> str:
    return map_of(centres)


def map_of(centres) -> str:
    return json.dumps(centres.figure("map", centre="CC"))


def statistics_of(centres) -> str:
    return json.dumps(centres.figure("statistics", centre="CC"))


def dots(centres, centre: str | None) -> dict[str, tuple[float, float]]:
    """Give the dots a centre sees, by patient, for the version in force; all of them to the study itself."""
    asker = THE_STUDY if centre is None else centres.people[centre].asker
    with centres.study.session(asker) as session:
        points = session.scalars(select(MapPoint).where(MapPoint.version == current_version(session)))
        return {dot.patient_id: (dot.x, dot.y) for dot in points}


def withdrawn(centres, visit: str) -> None:
    with centres.study.session(THE_STUDY, writes=True) as session, session.begin():
        session.execute(update(Series).where(Series.visit_id == visit).values(withdrawn_at=now()))
        images_changed(session, session.get_one(Visit, visit), cause="withdrawal")


def test_a_centre_sees_its_own_patients_as_dots_and_no_other(centres, first_map):
    assert first_map
    with centres.study.session(THE_STUDY) as session:
        home = {patient.id: patient.centre_id for patient in session.scalars(select(Patient))}
    for code, count in (("AA", 2), ("BB", 2), ("CC", 1)):
        seen = dots(centres, code)
        assert len(seen) == count
        assert {home[patient] for patient in seen} == {centres.people[code].asker.centre_id}


def test_the_plane_keeps_the_distances_between_the_patients(centres, first_map):
    figure = json.loads(first_map)
    assert figure["n"] == 5
    assert 0 <= figure["stress"] < 0.5
    density = figure["density"]
    assert len(density["values"]) == len(density["y"])
    assert len(density["values"][0]) == len(density["x"])
    for x, y in dots(centres, None).values():
        assert density["x"][0] < x < density["x"][-1]
        assert density["y"][0] < y < density["y"][-1]


def test_a_sixth_patient_is_placed_among_the_others_who_stay_where_they_are(centres, first_map):
    before = dots(centres, None)
    centres.drawn_patients("BB")
    centres.settle()
    after = dots(centres, None)
    assert map_of(centres) == first_map
    assert len(after) == 6
    assert before.items() <= after.items()
    [new] = after.keys() - before.keys()
    assert np.isfinite(after[new]).all()
    assert new in dots(centres, "BB")
    assert new not in dots(centres, "AA")


def test_while_a_visit_is_processed_again_the_others_see_what_they_saw(centres, first_map):
    """A figure without the one patient would tell of him."""
    statistics = statistics_of(centres)
    with centres.study.session(THE_STUDY, writes=True) as session, session.begin():
        visit = session.scalars(select(Visit).order_by(Visit.created_at).limit(1)).one()
        images_changed(session, visit, cause="upload")
        session.execute(update(Job).where(Job.kind == "visit").values(state="done"))  # that worker is slow
        for other in session.scalars(select(Visit).where(Visit.id != visit.id)):
            visit_processed(session, other, cause="upload")
    centres.settle()
    assert map_of(centres) == first_map
    assert statistics_of(centres) == statistics
    assert visit.patient_id not in dots(centres, None)
    with centres.study.session(THE_STUDY, writes=True) as session, session.begin():
        session.execute(update(Result).where(Result.visit_id == visit.id, Result.kind == "visit").values(stale_at=None))
        visit_processed(session, session.get_one(Visit, visit.id), cause="upload")
    centres.settle()
    assert visit.patient_id in dots(centres, "AA")


def test_who_is_withdrawn_leaves_the_dots_and_the_density_follows_with_the_next_release(centres, first_map):
    with centres.study.session(THE_STUDY) as session:
        [visit] = session.scalars(select(Visit).where(Visit.centre_id == centres.people["CC"].asker.centre_id))
    withdrawn(centres, visit.id)
    centres.settle()
    assert dots(centres, "CC") == {}
    assert map_of(centres) == first_map
    centres.drawn_patients("AA", "BB", "CC", "CC")  # with the sixth five are new
    centres.settle()
    figure = centres.figure("map", centre="CC")
    assert (figure["version"], figure["n"]) == (2, 9)
    assert centres.versions(centre="AA")[-1][:3] == (2, 9, 3)


def test_when_all_are_withdrawn_nothing_fails(centres, first_map):
    assert first_map
    with centres.study.session(THE_STUDY) as session:
        visits = session.scalars(select(Visit.id)).all()
    for visit in visits:
        withdrawn(centres, visit)
    centres.settle()
    assert dots(centres, None) == {}
    assert Counter(job.state for job in centres.jobs() if job.state != "done") == {}
    with centres.study.session(centres.people["BB"].asker) as session:
        assert session.scalars(select(OpenFigure)).all()
    assert not centres.figure("statistics", centre="BB")["en"]["shown"]
