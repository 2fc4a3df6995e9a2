"""Signing in and out."""

from __future__ import annotations

import pytest

from cohortex.server.throttle import Throttle
from cohortex.study.people import sign_in


def test_a_person_signs_in_and_is_told_who_they_are(stranger, password):
    reply = stranger.post("/api/session", json={"login": "anna.cc", "password": password})
    assert reply.status_code == 200
    who = reply.json()
    assert who["login"] == "anna.cc"
    assert who["centre"] == {"code": "CC", "name": "Centre CC", "country": "IT"}
    assert who["study"]["name"] == "Lesions"
    assert stranger.get("/api/session").json() == who


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger, password):
    reply = stranger.post("/api/session", json={"login": "anna.aa", "password": password})
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie  # plain http on this machine only


def test_over_https_the_cookie_never_travels_in_the_clear(stranger, password):
    stranger.base_url = "https://127.0.0.1"
    reply = stranger.post("/api/session", json={"login": "anna.aa", "password": password})
    assert "secure" in reply.headers["set-cookie"].lower()


@pytest.mark.parametrize("login", ["anna.aa", "nobody"])
def test_a_wrong_login_and_a_wrong_password_sound_alike(stranger, login):
    reply = stranger.post("/api/session", json={"login": login, "password": "wrong"})
    assert reply.status_code == 401
    assert reply.json()["error"]["message"] == "Login or password is wrong."


def test_many_wrong_passwords_make_one_wait(stranger, password):
    for _ in range(5):
        assert stranger.post("/api/session", json={"login": "anna.aa", "password": "wrong"}).status_code == 401
    reply = stranger.post("/api/session", json={"login": "anna.aa", "password": password})
    assert reply.status_code == 429
    assert int(reply.headers["retry-after"]) >= 1


def test_waiting_doubles_ends_and_is_forgotten():
    clock = [0.0]
    throttle = Throttle(lambda: clock[0])
    who = {"login": "anna", "address": "127.0.0.1"}
    waits = []
    for _ in range(8):
        throttle.failed(**who)
        waits.append(throttle.seconds_to_wait(**who))
    assert waits == [0, 0, 0, 0, 2, 4, 8, 16]
    clock[0] = 17.0
    assert throttle.seconds_to_wait(**who) == 0
    clock[0] = 16.0 + 3601
    throttle.failed(login="ben", address="127.0.0.2")
    assert throttle.seconds_to_wait(**who) == 0


def test_a_right_password_clears_the_login_and_not_the_address():
    clock = [0.0]
    throttle = Throttle(lambda: clock[0])
    for _ in range(6):
        throttle.failed(login="anna", address="127.0.0.1")
    throttle.succeeded(login="Anna ")
    assert throttle.seconds_to_wait(login="anna", address="127.0.0.2") == 0
    assert throttle.seconds_to_wait(login="anna", address="127.0.0.1") > 0


def test_who_signed_out_is_nobody(anna):
    assert anna.delete("/api/session").status_code == 204
    assert anna.get("/api/session").status_code == 401


def test_a_sign_out_ends_the_sign_in_itself_not_only_the_cookie(study, stranger, password):
    token = sign_in(study, login="anna.aa", password=password)
    stranger.cookies.set("cohortex_session", token)
    assert stranger.get("/api/session").status_code == 200
    stranger.delete("/api/session")
    stranger.cookies.set("cohortex_session", token)
    assert stranger.get("/api/session").status_code == 401


def test_a_person_chooses_the_language_of_the_pages(anna):
    assert anna.patch("/api/session", json={"language": "it"}).json()["language"] == "it"
    assert anna.get("/api/session").json()["language"] == "it"
    assert anna.patch("/api/session", json={"language": "xx"}).status_code == 409


def test_a_change_without_the_header_of_our_pages_is_refused(anna):
    del anna.headers["X-Cohortex"]
    assert anna.get("/api/session").status_code == 200
    reply = anna.patch("/api/session", json={"language": "it"})
    assert reply.status_code == 403
    assert "X-Cohortex" in reply.json()["error"]["message"]


def test_an_entry_the_api_does_not_know_is_named(stranger, password):
    reply = stranger.post("/api/session", json={"login": "anna.aa", "password": password, "admin": True})
    assert reply.status_code == 422
    assert set(reply.json()["error"]["fields"]) == {"admin"}
