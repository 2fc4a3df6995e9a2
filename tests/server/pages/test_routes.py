"""Every page answers for who may see it, in their language; whom nobody knows signs in first and comes back."""

from __future__ import annotations

import re
from functools import partial

import pytest
from fastapi.testclient import TestClient

from cohortex.server import app as application
from cohortex.server.app import create_app
from cohortex.server.assets import STATIC
from cohortex.server.catalogue import catalogue
from cohortex.server.pages.replies import own_path

FIXED = ("/patients", "/patients/new", "/upload", "/study", "/jobs")


@pytest.fixture
def stranger(study):
    """Somebody who has not signed in, before the pages."""
    if not (STATIC / "vendor" / "versions.json").is_file():
        pytest.skip("the browser libraries are not here; run: make install")
    with TestClient(
        create_app(study), headers={"X-Cohortex": "1"}, raise_server_exceptions=False, follow_redirects=False
    ) as client:
        yield client


@pytest.fixture
def person_of(stranger, password):
    """Sign a person of a centre in, on a browser of their own that follows no redirect."""

    def sign_in(centre):
        client = TestClient(
            stranger.app, headers={"X-Cohortex": "1"}, raise_server_exceptions=False, follow_redirects=False
        )
        reply = client.post("/api/session", json={"login": f"anna.{centre.lower()}", "password": password})
        assert reply.status_code == 200, reply.text
        return client

    return sign_in


@pytest.fixture
def patient(anna):
    return anna.post("/api/patients", json={"sex": "F", "birth_date": "1990-05-04"}).json()["code"]


@pytest.fixture
def visit(anna, patient):
    return anna.post(f"/api/patients/{patient}/visits", json={"date": "2024-03-01"}).json()["id"]


def test_every_page_answers_with_the_strict_policy_and_is_kept_by_no_cache(anna, patient, visit):
    for address in (*FIXED, f"/patients/{patient}", f"/visits/{visit}", f"/upload?patient={patient}&visit={visit}"):
        reply = anna.get(address)
        assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8"), address
        assert "script-src 'self' 'wasm-unsafe-eval';" in reply.headers["content-security-policy"]
        assert reply.headers["cache-control"] == "no-store"


def test_whom_nobody_knows_signs_in_first_and_comes_back(stranger):
    for address in (*FIXED, "/patients/AA-0001", "/visits/1"):
        reply = stranger.get(address)
        assert reply.status_code == 303
        assert reply.headers["location"] == ("/sign-in" if address == "/patients" else f"/sign-in?next={address}")
    assert stranger.get("/jobs?state=failed").headers["location"] == "/sign-in?next=/jobs%3Fstate%3Dfailed"
    assert 'data-then="/jobs?state=failed"' in stranger.get("/sign-in?next=/jobs%3Fstate%3Dfailed").text


def test_a_part_of_a_page_that_refreshes_after_the_session_ended_leads_to_the_sign_in(stranger):
    seen = {"HX-Request": "true", "HX-Current-URL": "http://testserver/study?version=2"}
    reply = stranger.get("/study?version=2", headers=seen)
    assert (reply.status_code, reply.headers["hx-redirect"]) == (401, "/sign-in?next=/study%3Fversion%3D2")


def test_who_is_signed_in_goes_on_from_the_sign_in(anna):
    assert anna.get("/sign-in?next=/jobs").headers["location"] == "/jobs"
    assert anna.get("/").headers["location"] == "/patients"


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:alert(1)", "",
     "/api/session", "/sign-in?next=/jobs", "/a b"],
)  # fmt: skip
def test_the_way_back_never_leads_elsewhere(elsewhere):
    assert own_path(elsewhere) == "/patients"


def test_the_language_is_chosen_before_the_sign_in_and_kept(stranger):
    assert '<html lang="it">' in stranger.get("/sign-in", headers={"Accept-Language": "fr,it;q=0.8"}).text
    assert '<html lang="en">' in stranger.get("/sign-in").text
    assert '<html lang="it">' in stranger.get("/sign-in?language=it").text
    assert '<html lang="it">' in stranger.get("/sign-in").text
    assert '<html lang="it">' in stranger.get("/sign-in?language=fr").text


def test_a_person_reads_pages_in_their_own_language(person_of):
    carla = person_of("CC")
    assert '<html lang="it">' in carla.get("/patients").text
    carla.patch("/api/session", json={"language": "en"})
    assert '<html lang="en">' in carla.get("/patients").text


def test_a_foreign_patient_and_an_absent_one_look_alike(person_of, patient, visit):
    ben = person_of("BB")
    for foreign, absent in ((f"/patients/{patient}", "/patients/BB-0404"), (f"/visits/{visit}", "/visits/nothing")):
        one, other = ben.get(foreign), ben.get(absent)
        assert (one.status_code, one.text) == (404, other.text)
        assert patient not in one.text
    assert patient not in ben.get("/patients").text
    assert patient not in ben.get(f"/upload?patient={patient}").text.replace("?patient=", "")


@pytest.mark.parametrize("address", ["/nothing", "/patients/..", "/patients/a%20b", "/patients/x/y"])
def test_an_address_without_a_page_says_so_on_a_page(anna, stranger, address):
    for client in (anna, stranger):
        reply = client.get(address)
        if reply.status_code == 303:
            continue
        assert reply.status_code == 404
        assert catalogue("en")("error.404") in reply.text


def test_addresses_of_the_api_go_on_answering_in_json(anna):
    assert anna.get("/api/nothing").json()["error"]["message"] == "There is no such page."
    assert anna.get("/static/nothing.js").json()["error"]["message"] == "There is no such page."


def test_a_wrong_filter_is_refused_on_a_page(anna):
    assert anna.get("/patients?status=sideways").status_code == 422
    assert catalogue("en")("error.422") in anna.get("/jobs?state=sideways").text


def test_an_error_nobody_foresaw_has_its_number_and_no_words_of_its_own(anna, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError(" ".join(["somebody's", "name"]))

    monkeypatch.setattr("cohortex.server.pages.routes.study_context", broken)
    reply = anna.get("/study")
    assert reply.status_code == 500
    assert "somebody's name" not in reply.text + caplog.text
    number = re.search(r"<code>(\w+)</code>", reply.text)[1]
    assert number in caplog.text


def test_when_the_api_fails_the_page_says_what_it_said(anna, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("hidden")

    monkeypatch.setattr("cohortex.server.api.study.contributions", broken)
    reply = anna.get("/study")
    assert reply.status_code == 500
    assert "An error nobody foresaw (number " in reply.text


def test_pages_ask_with_the_cookie_of_whoever_asks_and_keep_none(anna, stranger, person_of, patient, password):
    assert patient in anna.get("/patients").text
    asking = stranger.app.state.pages_client
    signing_in = partial(
        asking.post, "/api/session", json={"login": "anna.aa", "password": password}, headers={"X-Cohortex": "1"}
    )
    assert "set-cookie" in stranger.portal.call(signing_in).headers
    assert list(asking.cookies.jar) == []
    assert patient not in person_of("BB").get("/patients").text
    assert stranger.get("/patients").status_code == 303


@pytest.mark.parametrize("token", ["x; cohortex_session=y", "a\u00e9", "x" * 500, ""])
def test_a_cookie_that_cannot_be_ours_is_nobody(stranger, token):
    reply = stranger.get("/patients", headers={"Cookie": f"cohortex_session={token}".encode()})
    assert reply.status_code == 303


def test_static_files_are_kept_for_good_under_their_hash_and_asked_again_elsewhere(stranger):
    address = re.search(r'href="(/static/(\w+)/app\.css)"', stranger.get("/sign-in").text)
    kept = stranger.get(address[1])
    assert (kept.status_code, kept.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    earlier = stranger.get(address[1].replace(address[2], "0123456789abcdef"))
    assert (earlier.text, earlier.headers["cache-control"]) == (kept.text, "no-cache")
    assert stranger.get("/static/app.css").headers["cache-control"] == "no-cache"
    assert stranger.get(f"/static/{address[2]}/../app.py").status_code == 404


def test_an_application_without_pages_has_none(study):
    with TestClient(application.create_app(study, pages=False)) as client:
        assert client.get("/sign-in").status_code == 404
