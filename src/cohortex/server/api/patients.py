"""Patients of the asker's centre."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import func, select

from cohortex.server.api.shapes import (
    CentreShape,
    Change,
    Coded,
    LesionTotals,
    PatientLine,
    PatientLines,
    PatientMade,
    PatientSent,
    PatientShape,
    PersonShape,
    TraceShape,
    VisitSent,
    VisitShape,
)
from cohortex.server.api.showing import language_of, result_brief, visit_shown, visits_shown
from cohortex.server.asking import Database, OwnPatient, SignedIn, TheStudy
from cohortex.server.catalogue import reason_in_words
from cohortex.study import patient_list
from cohortex.study.database import Asker, StudySession
from cohortex.study.database.tables import BY_THE_STUDY, Centre, Patient, Result, TemplateMember, TraceEntry
from cohortex.study.patient_list import ListedPatient
from cohortex.study.patients import add_patient, add_visit, age_at
from cohortex.study.records import Language, field
from cohortex.study.standing import Standing, standings

router = APIRouter(tags=["patients"])
_CHANGES = ("new", "gone", "grown", "shrunk")


@router.get("/patients")
def list_patients(
    session: Database,
    asker: SignedIn,
    search: Annotated[str, Query(max_length=100)] = "",
    status: Standing | None = None,
) -> PatientLines:
    """List the patients of the centre."""
    return PatientLines(
        patients=[_line(found, asker) for found in patient_list.list_patients(session, search=search, standing=status)]
    )


@router.post("/patients", status_code=201)
def make_patient(sent: PatientSent, study: TheStudy, session: Database) -> PatientMade:
    """Add a patient; the study code comes back."""
    patient = add_patient(study, session, sex=sent.sex, birth_date=sent.birth_date)
    return PatientMade.model_validate(patient)


@router.get("/patients/{code}")
def show_patient(patient: OwnPatient, study: TheStudy, session: Database) -> PatientShape:
    """Show a patient with visits, results and what was done about them."""
    results = session.scalars(
        select(Result).where(Result.patient_id == patient.id).order_by(Result.made_at.desc(), Result.id)
    ).all()
    deviations = sorted((r for r in results if r.kind == "deviation"), key=lambda r: r.stale_at is not None)
    trace = session.scalars(
        select(TraceEntry).where(TraceEntry.patient_id == patient.id).order_by(TraceEntry.id.desc())
    )
    days = [visit.date for visit in patient.visits]
    stands = standings(session, patient=patient.id)
    return PatientShape(
        code=patient.code,
        sex=patient.sex,
        age_at_first=age_at(patient, min(days)) if days else None,
        status=stands.patients.get(patient.id, "empty"),
        centre=CentreShape.model_validate(session.get_one(Centre, patient.centre_id)),
        uploader=PersonShape(name=patient.uploader.name),
        visits=visits_shown(study, session, sorted(patient.visits, key=lambda visit: visit.date), stands=stands.visits),
        comparisons=[result_brief(result) for result in results if result.kind == "comparison"],
        deviation=result_brief(deviations[0]) if deviations else None,
        template_version=_version(session, patient),
        trace=[
            TraceShape(
                at=entry.at,
                who=entry.uploader.name,
                by_the_study=entry.action in BY_THE_STUDY,
                action=entry.action,
                detail=reason_in_words(entry.detail, language_of(session)),
            )
            for entry in trace
        ],
    )


@router.post("/patients/{code}/visits", status_code=201)
def make_visit(sent: VisitSent, patient: OwnPatient, study: TheStudy, session: Database) -> VisitShape:
    """Add a visit: the first examination, or a follow-up."""
    return visit_shown(study, session, add_visit(study, session, patient, on=sent.date))


def _line(found: ListedPatient, asker: Asker) -> PatientLine:
    return PatientLine(
        code=found.patient.code,
        sex=found.patient.sex,
        birth_year_shifted=found.patient.birth_date.year if found.patient.birth_date else None,
        age_at_first=found.age_at_first,
        diagnosis=_coded("leukaemia_type", found.diagnosis, asker),
        phase=_coded("treatment_phase", found.phase, asker),
        visits=found.visits,
        last_visit=found.last_visit,
        lesions=LesionTotals(count=found.lesions["lesion_count"], volume_ml=found.lesions["lesion_volume_ml"])
        if found.lesions
        else None,
        change=Change(**{kind: found.event_counts.get(kind) for kind in _CHANGES}) if found.event_counts else None,
        status=found.standing,
        created_at=found.patient.created_at,
    )


def _coded(name: str, value: str, asker: Asker) -> Coded | None:
    language: Language = "it" if asker.language == "it" else "en"
    return Coded(value=value, label=field(name).choice(value).label.in_language(language)) if value else None


def _version(session: StudySession, patient: Patient) -> int | None:
    return session.scalar(select(func.max(TemplateMember.version)).where(TemplateMember.patient_id == patient.id))
