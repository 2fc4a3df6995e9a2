"""Visits of the patients of the asker's centre: all in a list, or one with everything about it."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from cohortex.server.api.shapes import VisitLine, VisitLines, VisitShape
from cohortex.server.api.showing import visit_shown
from cohortex.server.asking import Database, OwnVisit, TheStudy
from cohortex.study.database.tables import Patient

router = APIRouter(tags=["visits"])


@router.get("/visits")
def list_visits(session: Database) -> VisitLines:
    """List the visits of the centre by patient and day."""
    patients = session.scalars(select(Patient).order_by(Patient.code).options(selectinload(Patient.visits)))
    return VisitLines(
        visits=[
            VisitLine(
                id=visit.id,
                patient=patient.code,
                number=number,
                kind=visit.kind,
                date=visit.date,
                day=(visit.date - patient.visits[0].date).days,
            )
            for patient in patients
            for number, visit in enumerate(patient.visits, 1)
        ]
    )


@router.get("/visits/{visit_id}")
def show_visit(visit: OwnVisit, study: TheStudy, session: Database) -> VisitShape:
    """Show a visit with its uploads, series and results."""
    return visit_shown(study, session, visit)
