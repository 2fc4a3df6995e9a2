"""Three centres, every route of the OpenAPI document, every kind of id: foreign is as absent as never there.

Each route has its row in `ROUTES`: what is asked of it with the ids of a centre. A route without a row fails.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from cohortex.server.api.events import Watch
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Base, OfCentre, OfCentreOrStudy

CENTRES = ("AA", "BB", "CC")
METHODS = {"get", "head", "options", "post", "put", "patch", "delete"}
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
REASON = {"reason": "looked at it"}
NOT_THERE = 404


@dataclass(frozen=True)
class Call:
    """One request: what fills the path, and the rest of it."""

    path: dict[str, Any] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)

    def made(self, client: TestClient, route: str) -> Any:
        method, path = route.split(" ")
        return client.request(method, path.replace(":path}", "}").format(**self.path), **self.rest)


@dataclass(frozen=True)
class Ids:
    """The ids of one centre, or of none."""

    patient: str
    visit: str
    later_visit: str
    series: str
    uploads: dict[str, str]
    results: dict[str, str]
    jobs: dict[str, str]


def announced(visit: str) -> dict[str, Any]:
    coded = base64.b64encode(visit.encode()).decode()
    return {"headers": {**TUS, "Upload-Length": "10", "Upload-Metadata": f"visit_id {coded}"}}


def json(**sent: Any) -> dict[str, Any]:
    return {"json": sent}


def table_of(ids: Ids) -> dict[str, Any]:
    text = f"patient,visit,outcome\n{ids.patient},2024-03-17,stable\n"
    return {"content": text.encode(), "headers": {"Content-Type": "text/csv"}}


FILES = (
    "report.json",
    "report.html",
    "FLAIR_corrected.nii.gz",
    "transforms/template_from_visit.nii.gz",
    "images/FLAIR.json",
)
POINT = {"x": 1, "y": 2, "z": 3}
SIGNED_IN_OR_NOT = {"GET /api/health", "POST /api/session", "DELETE /api/session", "OPTIONS /api/uploads",
                    "OPTIONS /api/uploads/{upload_id}"}  # fmt: skip
NAMES_NO_ROW: dict[str, list[Call]] = {
    "GET /api/health": [Call()],
    "GET /api/openapi.json": [Call()],
    "POST /api/session": [Call(rest=json(login="anna.bb", password="wrong"))],
    "GET /api/session": [Call()],
    "PATCH /api/session": [Call(rest=json(language="en"))],
    "DELETE /api/session": [Call()],
    "GET /api/patients": [Call(), *(Call(rest={"params": {"search": code}}) for code in CENTRES),
                          *(Call(rest={"params": {"status": s}}) for s in ("attention", "ready", "empty"))],
    "POST /api/patients": [Call(rest=json(sex="F"))],
    "GET /api/visits": [Call()],
    "GET /api/fields": [Call()],
    "GET /api/records/export": [Call()],
    "GET /api/records/template": [Call()],
    "GET /api/uploads": [Call()],
    "OPTIONS /api/uploads": [Call()],
    "GET /api/study": [Call()],
    "GET /api/study/template": [Call()],
    "POST /api/study/template": [Call(rest=json(**REASON))],
    "GET /api/study/template/{version}/files/{name}": [
        Call(path={"version": 1, "name": name}) for name in ("template_mean.nii.gz", "report.json")],
    "GET /api/study/map": [Call()],
    "GET /api/study/statistics": [Call()],
    "GET /api/study/contributions": [Call()],
    "GET /api/jobs": [Call(), *(Call(rest={"params": {"state": s}}) for s in ("queued", "failed"))],
}  # fmt: skip
STREAMED = {"GET /api/events"}
"""Never ends: what it tells is looked at where it is made."""

ROUTES: dict[str, Callable[[Ids], list[Call]]] = {
    "GET /api/patients/{code}": lambda i: [Call({"code": i.patient})],
    "POST /api/patients/{code}/visits": lambda i: [Call({"code": i.patient}, json(date="2024-08-01"))],
    "GET /api/visits/{visit_id}": lambda i: [Call({"visit_id": i.visit})],
    "GET /api/visits/{visit_id}/record": lambda i: [Call({"visit_id": i.visit})],
    "PUT /api/visits/{visit_id}/record": lambda i: [
        Call({"visit_id": i.visit}, json(values={"treatment_phase": "induction"})),
        Call({"visit_id": i.visit}, json(values={"crp": None})),
        Call({"visit_id": i.visit}, json(values={})),
    ],
    "POST /api/records/import": lambda i: [
        Call(rest={**table_of(i), "params": {"dry_run": dry}}) for dry in ("true", "false")
    ],
    "POST /api/uploads": lambda i: [Call(rest=announced(i.visit))],
    "GET /api/uploads/{upload_id}": lambda i: [Call({"upload_id": u}) for u in i.uploads.values()],
    "HEAD /api/uploads/{upload_id}": lambda i: [Call({"upload_id": u}, {"headers": TUS}) for u in i.uploads.values()],
    "OPTIONS /api/uploads/{upload_id}": lambda i: [Call({"upload_id": u}) for u in i.uploads.values()],
    "PATCH /api/uploads/{upload_id}": lambda i: [
        Call({"upload_id": u}, {"headers": PIECE, "content": b"abc"}) for u in i.uploads.values()
    ],
    "DELETE /api/uploads/{upload_id}": lambda i: [Call({"upload_id": u}, {"headers": TUS}) for u in i.uploads.values()],
    "POST /api/uploads/{upload_id}/decision": lambda i: [
        Call({"upload_id": u}, json(decision=decision, **REASON))
        for u in i.uploads.values()
        for decision in ("accept", "refuse")
    ],
    "POST /api/uploads/{upload_id}/move": lambda i: [
        Call({"upload_id": u}, json(visit=i.later_visit, **REASON)) for u in i.uploads.values()
    ],
    "POST /api/uploads/{upload_id}/withdraw": lambda i: [
        Call({"upload_id": u}, json(**REASON)) for u in i.uploads.values()
    ],
    "GET /api/results/{result_id}": lambda i: [Call({"result_id": r}) for r in i.results.values()],
    "GET /api/results/{result_id}/files/{name}": lambda i: [
        Call({"result_id": r, "name": name}, {"params": {"preview": preview}})
        for r in i.results.values()
        for name in FILES
        for preview in ("true", "false")
    ],
    "GET /api/results/{result_id}/report": lambda i: [Call({"result_id": r}) for r in i.results.values()],
    "GET /api/results/{result_id}/report.json": lambda i: [Call({"result_id": r}) for r in i.results.values()],
    "GET /api/results/{result_id}/value": lambda i: [
        Call({"result_id": r}, {"params": {"file": "FLAIR_corrected.nii.gz", **POINT}}) for r in i.results.values()
    ],
    "GET /api/results/{result_id}/place": lambda i: [
        Call({"result_id": r}, {"params": {"from": "native", **POINT, **visit}})
        for r in i.results.values()
        for visit in ({}, {"visit": i.visit})
    ],
    "GET /api/series/{series_id}/dicom": lambda i: [Call({"series_id": i.series})],
    "POST /api/jobs/{job_id}/retry": lambda i: [Call({"job_id": j}) for j in i.jobs.values()],
}  # fmt: skip

ABSENT = Ids(
    patient="ZZ-0001", visit="0" * 32, later_visit="0" * 32, series="987654321",
    uploads=dict.fromkeys(("receiving", "held", "committed"), "0" * 32),
    results=dict.fromkeys(("visit", "comparison", "deviation"), "0" * 32),
    jobs=dict.fromkeys(("queued", "failed"), "0" * 32),
)  # fmt: skip


def ids_of(rows: Any) -> Ids:
    return Ids(rows.patient, *rows.visits, str(rows.series), rows.uploads, rows.results, rows.jobs)


def routes_of(app: FastAPI) -> set[str]:
    paths = app.openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods.keys() & METHODS}


def secrets_of(filled, centre: str) -> set[str]:
    """Everything by which a row of a centre could be told: ids, codes, planted values, people, hashes of its files."""
    rows = filled.centres[centre]
    named = {rows.patient, rows.patient_id, *rows.visits, *rows.uploads.values(), *rows.results.values(),
             *rows.jobs.values(), *rows.planted, f"Anna of {centre}", f"anna.{centre.lower()}"}  # fmt: skip
    with filled.study.session(THE_STUDY) as session:
        for mapper in Base.registry.mappers:
            if issubclass(mapper.class_, OfCentre):
                for row in session.scalars(select(mapper.class_)):
                    if row.centre_id == centre_ids(filled)[centre]:
                        named |= {value for value in plain(row).values() if isinstance(value, str) and len(value) > 24}
    return named


def centre_ids(filled) -> dict[str, int]:
    return {code: number for number, code in enumerate(filled.centres, 1)}


def plain(row: Base) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__mapper__.column_attrs}


def told(reply: Any) -> str:
    return " ".join([reply.content.decode("utf-8", "replace"), *map(str, reply.headers.items())])


def assert_tells_nothing_of_others(filled, centre: str, words: str) -> None:
    for other in set(filled.centres) - {centre}:
        shared = secrets_of(filled, centre)
        found = {secret for secret in secrets_of(filled, other) - shared if secret in words}
        assert found == set(), f"{centre} was told of {other}"


def rows_of(filled, centre: str) -> dict[str, list[dict[str, Any]]]:
    with filled.study.session(THE_STUDY) as session:
        return {
            mapper.class_.__name__: sorted(
                (
                    plain(row)
                    for row in session.scalars(select(mapper.class_))
                    if row.centre_id == centre_ids(filled)[centre]
                ),
                key=repr,
            )
            for mapper in Base.registry.mappers
            if issubclass(mapper.class_, OfCentre | OfCentreOrStudy)
        }


def test_every_route_of_the_api_has_its_row(stranger):
    assert routes_of(stranger.app) == ROUTES.keys() | NAMES_NO_ROW.keys() | STREAMED


def test_no_route_hides_from_the_description(stranger):
    def walk(router: Any) -> Iterator[Any]:
        for route in router.routes:
            yield from walk(route.original_router) if hasattr(route, "original_router") else [route]

    served = list(walk(stranger.app.router))
    assert all(route.include_in_schema for route in served)
    assert sum(len(route.methods) for route in served) == len(routes_of(stranger.app))


@pytest.mark.parametrize("route", ROUTES)
def test_a_foreign_id_is_answered_exactly_like_an_absent_one(person_of, filled, route):
    people = {centre: person_of(centre) for centre in filled.centres}
    before = {centre: rows_of(filled, centre) for centre in filled.centres}
    tried = 0
    for centre, client in people.items():
        absent = [call.made(client, route) for call in ROUTES[route](ABSENT)]
        for other in set(filled.centres) - {centre}:
            foreign = [call.made(client, route) for call in ROUTES[route](ids_of(filled.centres[other]))]
            for reply, expected in zip(foreign, absent, strict=True):
                assert reply.status_code == expected.status_code, reply.text
                assert reply.content == expected.content
                if route not in SIGNED_IN_OR_NOT and route != "POST /api/records/import":
                    assert reply.status_code == NOT_THERE
                assert_tells_nothing_of_others(filled, centre, told(reply))
                tried += 1
    assert tried >= 6
    assert {centre: rows_of(filled, centre) for centre in filled.centres} == before


@pytest.mark.parametrize("route", ROUTES)
def test_the_own_id_is_answered_and_tells_nothing_of_others(person_of, filled, route):
    for centre in filled.centres:
        client = person_of(centre)
        replies = [call.made(client, route) for call in ROUTES[route](ids_of(filled.centres[centre]))]
        assert any(reply.status_code < 400 for reply in replies), [reply.text for reply in replies]
        for reply in replies:
            assert reply.status_code < 500, reply.text
            assert_tells_nothing_of_others(filled, centre, told(reply))


@pytest.mark.parametrize("route", NAMES_NO_ROW)
def test_a_list_holds_own_rows_only(person_of, filled, route):
    for centre in filled.centres:
        client = person_of(centre)
        for call in NAMES_NO_ROW[route]:
            reply = call.made(client, route)
            assert reply.status_code < 500, reply.text
            assert_tells_nothing_of_others(filled, centre, told(reply))


def test_live_events_tell_of_own_rows_only(filled, asker_of):
    for centre, rows in filled.centres.items():
        watch = Watch(filled.study, asker_of(filled.study, centre), since=datetime(2000, 1, 1, tzinfo=UTC))
        words = " ".join(f"{name} {data}" for name, data in watch.changes())
        assert rows.jobs["queued"] in words
        assert rows.uploads["held"] in words
        assert_tells_nothing_of_others(filled, centre, words)


@pytest.mark.parametrize("route", [*ROUTES, *NAMES_NO_ROW, *STREAMED])
def test_who_has_not_signed_in_is_told_that_and_nothing_else(stranger, filled, route):
    if route in SIGNED_IN_OR_NOT:
        pytest.skip("needs no sign-in and names no row")
    calls = NAMES_NO_ROW[route] if route in NAMES_NO_ROW else [Call()]
    if route in ROUTES:
        calls = [call for rows in filled.centres.values() for call in ROUTES[route](ids_of(rows))]
    for call in calls:
        reply = call.made(stranger, route)
        assert reply.status_code == 401
        assert reply.content in (b"", stranger.get("/api/session").content)


def moved(mine: Ids, visit: str) -> Call:
    return Call({"upload_id": mine.uploads["held"]}, json(visit=visit, **REASON))


def placed(mine: Ids, visit: str) -> Call:
    return Call({"result_id": mine.results["visit"]}, {"params": {"from": "native", **POINT, "visit": visit}})


@pytest.mark.parametrize(
    ("route", "call"),
    [("POST /api/uploads/{upload_id}/move", moved), ("GET /api/results/{result_id}/place", placed)],
)
def test_a_foreign_id_beside_an_own_one_is_as_absent(person_of, filled, route, call):
    client, mine = person_of("AA"), ids_of(filled.centres["AA"])
    absent = call(mine, ABSENT.visit).made(client, route)
    foreign = call(mine, filled.centres["BB"].visits[0]).made(client, route)
    assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content)
    assert foreign.status_code == NOT_THERE


def test_what_the_matrix_looks_for_would_be_found(person_of, filled):
    rows = filled.centres["BB"]
    secrets = secrets_of(filled, "BB")
    words = told(Call({"code": rows.patient}).made(person_of("BB"), "GET /api/patients/{code}"))
    assert {rows.patient, *rows.visits, *rows.planted[1:]} <= {secret for secret in secrets if secret in words}
    with pytest.raises(AssertionError, match="AA was told of BB"):
        assert_tells_nothing_of_others(filled, "AA", words)
