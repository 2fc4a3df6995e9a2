"""One visit of a patient of the asker's centre."""

from __future__ import annotations

from fastapi import APIRouter

from cohortex.server.api.shapes import VisitShape
from cohortex.server.api.showing import visit_shown
from cohortex.server.asking import Database, OwnVisit, TheStudy

router = APIRouter(tags=["visits"])


@router.get("/visits/{visit_id}")
def show_visit(visit: OwnVisit, study: TheStudy, session: Database) -> VisitShape:
    """Show a visit with its uploads, series and results."""
    return visit_shown(study, session, visit)
