"""Whether the server is well, for whoever watches over it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from cohortex import __version__
from cohortex.server.api.shapes import HealthShape
from cohortex.server.asking import TheStudy
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import StudyInfo

router = APIRouter(tags=["health"])


@router.get("/health")
def tell_health(request: Request, study: TheStudy) -> HealthShape:
    """Tell whether database and workers answer; needs no sign-in and names nobody."""
    try:
        with study.session(THE_STUDY) as session:
            session.scalar(select(StudyInfo.id))
        well = True
    except SQLAlchemyError:
        well = False
    return HealthShape(
        status="ok" if well else "degraded",
        version=__version__,
        database="ok" if well else "unreachable",
        workers=request.app.state.workers_alive(),
    )
