"""The addresses of the pages; each asks the API for what it shows, and draws it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from cohortex.server.catalogue import LANGUAGES, catalogue
from cohortex.server.pages.answers import Unanswered, address_of, client_of
from cohortex.server.pages.patient_page import chosen_results, patient_context
from cohortex.server.pages.replies import (
    HOME,
    PageRoute,
    answer_unknown_addresses,
    answers_for,
    chosen_language,
    own_path,
    page,
    remember_language,
)
from cohortex.server.pages.study_page import study_context
from cohortex.server.pages.visit_page import visit_context

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_WHO = "/api/session"
_DIAGNOSIS = "leukaemia_type"
Key = Annotated[str, Path(pattern=r"^[\w-]{1,64}$")]
Word = Annotated[str, Query(max_length=100)]


def serve_pages(app: FastAPI) -> None:
    """Serve the pages of an application that serves the API."""
    app.state.pages_client = client_of(app)
    answer_unknown_addresses(app)
    app.include_router(router)


@router.get("/")
async def open_home() -> Response:
    """Go to the list of patients, which sends to the sign-in whom it does not know."""
    return RedirectResponse(HOME, status_code=303)


@router.get("/sign-in")
async def show_sign_in(
    request: Request, after: Annotated[str, Query(alias="next", max_length=2000)] = "", language: Word = ""
) -> Response:
    """Show the sign-in; somebody who is signed in goes on."""
    go_on = own_path(after)
    try:
        await answers_for(request).get(_WHO)
    except Unanswered as refused:
        if refused.status != 401:
            raise
    else:
        return RedirectResponse(go_on, status_code=303)
    shown = await page(request, "sign-in.html", None, page="", after=go_on)
    if language in LANGUAGES:
        remember_language(request, shown, chosen_language(request))
    return shown


@router.get("/patients")
async def show_patients(request: Request, search: Word = "", status: Word = "") -> Response:
    """Show the patients of the centre."""
    answers = answers_for(request)
    who = await answers.get(_WHO)
    found = (await answers.get("/api/patients", search=search, status=status))["patients"]
    total = len((await answers.get("/api/patients"))["patients"]) if search or status else len(found)
    return await page(
        request, "patients.html", who, page="patients", patients=found, total=total, search=search, status=status,
        address=_address(request),
    )  # fmt: skip


@router.get("/patients/new")
async def show_new_patient(request: Request) -> Response:
    """Show the form for a new patient."""
    return await page(request, "patient-new.html", await answers_for(request).get(_WHO), page="patients")


@router.get("/patients/{code}")
async def show_patient(request: Request, code: Key) -> Response:
    """Show one patient."""
    answers = answers_for(request)
    asked = await answers.all(
        who=_WHO, patient=address_of("patients", code), template="/api/study/template", visits="/api/visits"
    )
    who, patient = asked["who"], asked["patient"]
    details = {key: address_of("results", key) for key in chosen_results(patient)}
    records = {"record": address_of("visits", patient["visits"][0]["id"], "record")} if patient["visits"] else {}
    found = await answers.each({**details, **records})
    record = found.pop("record", {"values": {}})
    versions = {version["version"]: version for version in asked["template"]["versions"]}
    context = patient_context(patient, found, versions.get(asked["template"]["current"]), catalogue(who["language"]))
    diagnosis = record["values"].get(_DIAGNOSIS)
    return await page(
        request, "patient.html", who, page="patients", diagnosis=diagnosis["label"] if diagnosis else None,
        all_visits=asked["visits"]["visits"], **context,
    )  # fmt: skip


@router.get("/visits/{visit_id}")
async def show_visit(request: Request, visit_id: Key) -> Response:
    """Show one visit with its uploads and its record."""
    asked = await answers_for(request).all(
        who=_WHO,
        visit=address_of("visits", visit_id),
        record=address_of("visits", visit_id, "record"),
        fields="/api/fields",
        visits="/api/visits",
    )
    context = visit_context(asked["visit"], asked["visits"]["visits"], asked["fields"], asked["record"])
    return await page(request, "visit.html", asked["who"], page="patients", **context)


@router.get("/upload")
async def show_upload(request: Request, patient: Word = "", visit: Word = "") -> Response:
    """Show the shortcut to an upload: whose examination, then the file."""
    answers = answers_for(request)
    asked = await answers.all(who=_WHO, patients="/api/patients")
    known = {one["code"] for one in asked["patients"]["patients"]}
    chosen = await answers.get(address_of("patients", patient)) if patient in known else None
    visits = chosen["visits"] if chosen else []
    shown = next((one for one in visits if one["id"] == visit), visits[-1] if visits else None)
    return await page(
        request, "upload.html", asked["who"], page="", patients=asked["patients"]["patients"], patient=chosen,
        visit=shown,
    )  # fmt: skip


@router.get("/study")
async def show_study(request: Request, version: Word = "") -> Response:
    """Show what every centre sees."""
    asked = await answers_for(request).all(
        who=_WHO,
        study="/api/study",
        template="/api/study/template",
        study_map="/api/study/map",
        statistics="/api/study/statistics",
        contributions="/api/study/contributions",
    )
    who = asked.pop("who")
    number = int(version) if version.isascii() and version.isdigit() else None
    context = study_context(**asked, version=number, words=catalogue(who["language"]))
    return await page(request, "study.html", who, page="study", **context)


@router.get("/jobs")
async def show_jobs(request: Request, state: Word = "") -> Response:
    """Show work in progress and what failed."""
    answers = answers_for(request)
    asked = await answers.all(who=_WHO, health="/api/health")
    jobs = await answers.get("/api/jobs", state=state)
    return await page(
        request, "jobs.html", asked["who"], page="jobs", jobs=jobs["jobs"], counts=jobs["counts"], state=state,
        workers=asked["health"]["workers"], address=_address(request),
    )  # fmt: skip


def _address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
