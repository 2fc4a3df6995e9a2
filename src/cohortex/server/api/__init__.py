"""The JSON API, by topic."""

from fastapi import APIRouter, Depends

from cohortex.server.api import (
    events,
    health,
    jobs,
    patients,
    records,
    results,
    session,
    study,
    template,
    uploads,
    visits,
)
from cohortex.server.asking import sent_by_our_pages

API = "/api"


def api_routes() -> APIRouter:
    """Gather the routes of the API; every one that changes something asks for the header of our own pages."""
    router = APIRouter(prefix=API, dependencies=[Depends(sent_by_our_pages)])
    for topic in (health, session, patients, visits, records, uploads, results, study, template, jobs, events):
        router.include_router(topic.router)
    return router
