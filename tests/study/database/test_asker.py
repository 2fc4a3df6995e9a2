"""The session that carries the asker: no way of asking for rows finds those of another centre, none writes them."""

from __future__ import annotations

import pytest
from sqlalchemy import case, delete, func, insert, literal, literal_column, select, text, union_all, update
from sqlalchemy.orm import aliased, joinedload, selectinload

from cohortex.errors import NotThere, Refused
from cohortex.study.database import THE_STUDY, StudySession
from cohortex.study.database.tables import (
    Base,
    Centre,
    Closed,
    Job,
    OfCentre,
    OfCentreOrStudy,
    Patient,
    SignIn,
    StoredObject,
    TraceEntry,
    Uploader,
    Visit,
)
from cohortex.study.jobs.queue import STUDY, enqueue, job_of
from cohortex.study.patients import add_patient, patient_of
from cohortex.study.people import sign_in, who_asks

OPEN_TO_ALL = {"StudyInfo", "Centre", "TemplateVersion", "OpenFigure"}


@pytest.fixture
def askers(staffed):
    """Who asks for AA and for BB; each has one patient with a job, and there is one job of the study."""
    askers = {}
    for centre in ("AA", "BB"):
        token = sign_in(staffed, login=f"anna.{centre.lower()}", password="correct horse")
        askers[centre] = who_asks(staffed, token)
        with staffed.session(askers[centre], writes=True) as session, session.begin():
            patient = add_patient(staffed, session, sex="F")
            enqueue(
                session, "visit", about=patient.id, cause="upload", centre_id=patient.centre_id,
                uploader_id=patient.uploader_id, patient_id=patient.id,
            )  # fmt: skip
    with staffed.session(THE_STUDY, writes=True) as session, session.begin():
        enqueue(session, "statistics", about=STUDY, cause="record")
        session.add(StoredObject(sha256="0" * 64, size=1))
    return askers


@pytest.fixture
def mine(staffed, askers):
    with staffed.session(askers["AA"]) as session:
        yield session


@pytest.fixture
def writing(staffed, askers):
    with staffed.session(askers["AA"], writes=True) as session:
        yield session


@pytest.fixture
def foreign(staffed, askers) -> Patient:
    with staffed.session(askers["BB"]) as session:
        return session.scalars(select(Patient)).one()


def test_every_table_says_whose_its_rows_are():
    for mapper in Base.registry.mappers:
        row = mapper.class_
        kinds = [issubclass(row, kind) for kind in (OfCentre, OfCentreOrStudy, Closed)] + [row.__name__ in OPEN_TO_ALL]
        assert sum(kinds) == 1, f"{row.__name__}: decide who may see its rows"


def test_the_study_itself_sees_all(staffed, askers):
    with staffed.session(THE_STUDY) as session:
        assert session.scalars(select(Patient.code).order_by(Patient.code)).all() == ["AA-0001", "BB-0001"]
        assert len(askers) == 2


OTHER = aliased(Patient)
WAYS = {
    "select": lambda: select(Patient.code),
    "select of rows": lambda: select(Patient),
    "where it is asked for by name": lambda: select(Patient.code).where(Patient.code.like("%")),
    "aliased": lambda: select(OTHER.code),
    "join": lambda: select(Patient.code).join(TraceEntry, TraceEntry.patient_id == Patient.id),
    "join from an open table": lambda: (
        select(Patient.code).select_from(Centre).join(Patient, Patient.centre_id == Centre.id)
    ),
    "subquery": lambda: select(select(Patient.code).subquery().c.code),
    "common table expression": lambda: select(select(Patient.code).cte().c.code),
    "scalar subquery": lambda: select(Centre.id, select(func.max(Patient.code)).scalar_subquery()).where(
        Centre.code == "AA"
    ),
    "in": lambda: select(TraceEntry.id).where(TraceEntry.patient_id.in_(select(Patient.id))),
    "union": lambda: select(Patient.code).union(select(OTHER.code)),
    "exists": lambda: select(Patient.code).where(select(OTHER.id).where(OTHER.code == "BB-0001").exists()),
    "any of a relationship": lambda: select(Patient).where(~Patient.visits.any()),
    "case": lambda: select(case((Patient.code == "BB-0001", Patient.code), else_="")),
    "group": lambda: select(Patient.code).group_by(Patient.code),
    "eager": lambda: select(Uploader).options(selectinload(Uploader.centre)),
    "joined eager": lambda: select(Visit).options(joinedload(Visit.patient)),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_asking_finds_a_row_of_another_centre(mine, foreign, way):
    found = mine.execute(WAYS[way]()).all()
    words = " ".join(str(value) for row in found for value in row) + " ".join(
        str(vars(value)) for row in found for value in row if isinstance(value, Base)
    )
    assert "BB-0001" not in words
    assert foreign.id not in words
    assert "anna.bb" not in words


def test_counts_and_sums_count_own_rows_only(mine, foreign):
    assert foreign.code == "BB-0001"
    assert mine.scalar(select(func.count()).select_from(Patient)) == 1
    assert mine.scalar(select(func.count(Patient.id))) == 1
    assert mine.scalar(select(func.max(Patient.code))) == "AA-0001"
    assert mine.query(Patient).count() == 1
    assert mine.scalar(select(func.count()).select_from(select(Patient).subquery())) == 1


def test_a_key_of_another_centre_finds_nothing(mine, foreign):
    assert mine.get(Patient, foreign.id) is None
    with pytest.raises(NotThere):
        patient_of(mine, foreign.code)
    assert mine.query(Patient).filter_by(id=foreign.id).first() is None


def test_a_relationship_leads_to_no_other_centre(staffed, mine, foreign):
    with staffed.session(THE_STUDY, writes=True) as session, session.begin():  # as a bug might leave it
        own = session.scalars(select(Patient).where(Patient.code == "AA-0001")).one()
        session.add(
            Visit(patient_id=own.id, centre_id=foreign.centre_id, uploader_id=foreign.uploader_id, kind="first",
                  date=own.created_at.date())
        )  # fmt: skip
    assert mine.scalars(select(Patient)).one().visits == []
    loaded = mine.scalars(select(Patient).options(selectinload(Patient.visits))).unique().one()
    assert loaded.visits == []


def test_jobs_of_the_study_are_seen_by_all_and_those_of_others_by_nobody(staffed, mine, foreign):
    assert {job.kind for job in mine.scalars(select(Job))} == {"visit", "statistics"}
    with staffed.session(THE_STUDY) as session:
        other = session.scalars(select(Job).where(Job.patient_id == foreign.id)).one()
    with pytest.raises(NotThere):
        job_of(mine, other.id)


def test_what_only_the_study_reads_is_read_by_no_person(mine):
    assert mine.scalars(select(SignIn)).all() == []
    assert mine.get(StoredObject, "0" * 64) is None


@pytest.mark.parametrize(
    "statement",
    [
        text("SELECT code FROM patient"),
        select(literal_column("code")).select_from(text("patient")),
        select(Patient).from_statement(text("SELECT * FROM patient")),
        select(Patient.code, text("(SELECT max(code) FROM patient)")),
        select(Patient.code, literal_column("(SELECT max(code) FROM patient)")),
        select(Centre).where(text("(SELECT count(*) FROM patient) > 1")),
        select(Centre.code, Patient.__table__.c.code),
        select(Centre).join(Patient.__table__, Patient.__table__.c.centre_id == Centre.id),
        select(Centre.code, Patient.__table__.alias().c.code),
        select(Patient.__table__),
        select(func.count()).select_from(Patient.__table__),
        select(Centre.code, select(func.count()).select_from(Patient.__table__).scalar_subquery()),
        select(Centre.code, select(func.count()).select_from(Patient.__table__.alias()).scalar_subquery()),
        select(Centre.code).where(select(func.count()).select_from(Patient.__table__).scalar_subquery() > 2),
        select(func.count(Centre.id)).join(Patient.__table__, literal(1) == 1),
        union_all(select(Patient.__table__.c.code), select(Centre.__table__.c.code)),
        delete(Patient.__table__),
        update(Patient.__table__).values(sex="U"),
        insert(Patient.__table__),
    ],
)
def test_a_statement_that_bypasses_the_mapped_classes_is_refused(writing, statement):
    with pytest.raises(Refused, match="bypasses"):
        writing.execute(statement)


def test_rows_are_not_added_in_bulk(writing, foreign):
    with pytest.raises(Refused):
        writing.execute(insert(Patient), [{"code": "AA-0099", "centre_id": foreign.centre_id}])
    with pytest.raises(Refused):
        writing.execute(update(Patient), [{"id": foreign.id, "sex": "U"}])
    for bulk in (
        lambda: writing.bulk_insert_mappings(Patient, [{"code": "AA-0099"}]),
        lambda: writing.bulk_update_mappings(Patient, [{"id": foreign.id, "sex": "U"}]),
        lambda: writing.bulk_save_objects([Patient(code="AA-0099")]),
    ):
        with pytest.raises(Refused):
            bulk()


def test_no_person_gets_the_bare_connection(mine):
    with pytest.raises(Refused):
        mine.connection()


def test_changes_in_bulk_reach_own_rows_only(staffed, writing):
    with writing.begin():
        writing.execute(update(Patient).values(sex="U"))
    with staffed.session(THE_STUDY) as session:
        assert dict(session.execute(select(Patient.code, Patient.sex)).all()) == {"AA-0001": "U", "BB-0001": "F"}


def test_removals_in_bulk_reach_own_rows_only(staffed, writing):
    with writing.begin():
        writing.execute(delete(TraceEntry))
    with staffed.session(THE_STUDY) as session:
        assert session.scalar(select(func.count()).select_from(TraceEntry)) == 1


def test_a_row_is_not_given_to_another_centre_in_bulk(staffed, writing, foreign):
    with pytest.raises(Refused):
        writing.execute(update(Patient).values(centre_id=foreign.centre_id))
    with staffed.session(THE_STUDY) as session:
        assert session.scalar(select(func.count(Patient.centre_id.distinct()))) == 2


@pytest.mark.parametrize("act", ["add", "change", "give away", "remove"])
def test_a_row_of_another_centre_is_not_written(writing, foreign, act):
    if act == "add":
        writing.add(Patient(code="BB-0002", sex="F", centre_id=foreign.centre_id, uploader_id=foreign.uploader_id))
    elif act == "give away":
        writing.scalars(select(Patient)).one().centre_id = foreign.centre_id
    else:
        writing.add(foreign)
        if act == "change":
            foreign.sex = "U"
        else:
            writing.delete(foreign)
    with pytest.raises(Refused, match="another centre"):
        writing.flush()


def test_an_open_row_is_not_changed_by_a_person(writing):
    writing.scalars(select(Centre)).first().name = "Mine"
    with pytest.raises(Refused, match="study itself"):
        writing.flush()


def test_a_session_that_reads_writes_nothing(mine, staffed, askers):
    mine.scalars(select(Patient)).one().sex = "U"
    with pytest.raises(Refused, match="only reads"):
        mine.flush()
    mine.rollback()
    with staffed.session(askers["AA"]) as session, pytest.raises(Refused, match="only reads"):
        session.execute(update(Patient).values(sex="U"))


def test_no_session_is_made_without_an_asker(staffed):
    with pytest.raises(TypeError):
        StudySession(staffed.engine)  # type: ignore[call-arg]
