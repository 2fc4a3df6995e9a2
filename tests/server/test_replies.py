"""What all replies share: headers of safety, the form of errors, nothing told of what nobody foresaw."""

from __future__ import annotations

import errno
import logging

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from cohortex.errors import DamagedResult, StudyProblem
from cohortex.server.app import create_app
from cohortex.server.assets import serve_assets
from cohortex.server.headers import MOST_BODY_BYTES


@pytest.mark.parametrize("path", ["/api/session", "/api/health", "/api/nothing", "/nothing", "/api/patients"])
def test_every_reply_tells_the_browser_to_be_careful(anna, path):
    headers = anna.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "unsafe-eval'" not in policy.replace("wasm-unsafe-eval'", "")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/api/nothing", 404), ("PUT", "/api/session", 405)])
def test_an_address_that_is_not_there_is_answered_in_the_form_of_the_api(anna, method, path, status):
    reply = anna.request(method, path)
    assert reply.status_code == status
    assert set(reply.json()["error"]) == {"message", "remedy", "fields"}


def failing(stranger: TestClient, error: Exception) -> TestClient:
    app = stranger.app
    assert isinstance(app, FastAPI)

    def fail() -> None:
        raise error

    app.add_api_route("/api/failing", fail)
    return stranger


def test_an_error_nobody_foresaw_tells_a_number_and_nothing_else(stranger, caplog):
    with caplog.at_level(logging.ERROR):
        reply = failing(stranger, KeyError("ROSSI^MARIO")).get("/api/failing")
    assert reply.status_code == 500
    assert "ROSSI" not in reply.text + caplog.text
    number = reply.json()["error"]["message"].split("number ")[1].rstrip(").")
    assert number in caplog.text
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (DamagedResult("object abc is not in the store."), 503, "not in the store"),
        (OperationalError("SELECT ROSSI", {}, Exception("database is locked")), 503, "did not answer"),
        (OSError(errno.ENOSPC, "no space"), 503, "disk is full"),
        (OSError(errno.EIO, "/home/somebody/ROSSI"), 500, "nobody foresaw"),
    ],
)
def test_an_error_of_the_machine_is_said_in_words(stranger, error, status, words):
    reply = failing(stranger, error).get("/api/failing")
    assert reply.status_code == status
    assert words in reply.json()["error"]["message"]
    assert "ROSSI" not in reply.text


def test_a_body_larger_than_any_table_is_refused_before_it_is_read(anna):
    reply = anna.post("/api/records/import", content=b"x" * (MOST_BODY_BYTES + 1), headers={"Content-Type": "text/csv"})
    assert reply.status_code == 413


def test_a_body_that_hides_its_size_is_cut_off_too(anna):
    def endless():
        for _ in range(MOST_BODY_BYTES // 1_000_000 + 2):
            yield b"x" * 1_000_000

    reply = anna.post("/api/records/import", content=endless(), headers={"Content-Type": "text/csv"})
    assert reply.status_code == 413


def test_a_server_without_its_browser_libraries_says_how_to_get_them(tmp_path):
    with pytest.raises(StudyProblem, match="make install"):
        serve_assets(FastAPI(), static=tmp_path)


def test_static_files_are_asked_about_again_before_they_are_used(tmp_path):
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "versions.json").write_text("{}")
    app = FastAPI()
    serve_assets(app, static=tmp_path)
    assert TestClient(app).get("/static/vendor/versions.json").headers["cache-control"] == "no-cache"


def test_health_needs_no_sign_in_and_names_nobody(stranger):
    reply = stranger.get("/api/health").json()
    assert set(reply) == {"status", "version", "database", "workers"}
    assert (reply["status"], reply["database"], reply["workers"]) == ("ok", "ok", 0)


def test_the_description_of_the_api_is_for_people_of_the_study(stranger, anna):
    assert stranger.get("/api/openapi.json").status_code == 401
    assert "/api/patients/{code}" in anna.get("/api/openapi.json").json()["paths"]


def test_a_study_that_is_served_stays_open_when_the_server_ends(study):
    with TestClient(create_app(study, pages=False)) as client:
        assert client.get("/api/health").json()["status"] == "ok"
    assert study.info.name == "Lesions"
