"""Uploads: tus 1.0 as its clients speak it, and what a person decides."""

from __future__ import annotations

import asyncio
import base64
import random
import threading

import httpx
import pytest

from cohortex.server import tus
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Job, Upload
from cohortex.study.intake import FRAME_BYTES
from cohortex.study.uploads import MOST_BYTES

SPOKEN = {"Tus-Resumable": "1.0.0"}
CONTENT = random.Random(1).randbytes(2 * FRAME_BYTES + 12_345)


@pytest.fixture
def visit(anna) -> str:
    code = anna.post("/api/patients", json={"sex": "F"}).json()["code"]
    return str(anna.post(f"/api/patients/{code}/visits", json={"date": "2024-03-01"}).json()["id"])


def metadata(**words: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in words.items())


def begun(client, visit: str, *, size: int = len(CONTENT), name: str = "ROSSI_MARIO.zip") -> str:
    words = metadata(visit_id=visit, filename=name)
    reply = client.post("/api/uploads", headers={**SPOKEN, "Upload-Length": str(size), "Upload-Metadata": words})
    assert reply.status_code == 201, reply.text
    return str(reply.headers["location"])


def added(client, url: str, content: bytes, *, offset: int, **headers: str):
    sent = {**SPOKEN, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream", **headers}
    return client.patch(url, content=content, headers=sent)


def offset(client, url: str) -> int:
    return int(client.head(url, headers=SPOKEN).headers["upload-offset"])


def test_a_file_arrives_in_pieces_and_gets_its_receipt(anna, visit, study):
    url = begun(anna, visit)
    assert offset(anna, url) == 0
    half = len(CONTENT) // 2
    first = added(anna, url, CONTENT[:half], offset=0)
    assert (first.status_code, first.headers["upload-offset"]) == (204, str(half))
    assert offset(anna, url) == half
    added(anna, url, CONTENT[half:], offset=half)
    found = anna.get(url).json()
    assert (found["state"], found["offset"], found["size"]) == ("received", len(CONTENT), len(CONTENT))
    assert len(found["receipt"]) == 64
    assert b"".join(study.intake.pieces(found["id"])) == CONTENT
    with study.session(THE_STUDY) as session:
        (job,) = session.query(Job)
        assert (job.kind, job.upload_id) == ("check", found["id"])


def test_of_the_file_name_only_the_ending_is_kept(anna, visit, study):
    url = begun(anna, visit)
    with study.session(THE_STUDY) as session:
        assert session.query(Upload).one().ending == ".zip"
    assert "ROSSI" not in anna.get(url).text


def test_the_server_says_what_it_speaks(stranger):
    for path in ("/api/uploads", "/api/uploads/anything"):
        reply = stranger.options(path)
        assert reply.status_code == 204
        assert reply.headers["tus-version"] == "1.0.0"
        assert reply.headers["tus-extension"] == "creation,termination"
        assert int(reply.headers["tus-max-size"]) == MOST_BYTES


def test_a_piece_that_breaks_off_keeps_what_arrived(anna, visit, study, monkeypatch):
    url = begun(anna, visit)
    monkeypatch.setattr(tus, "_SILENCE_S", 0.2)
    key = url.rsplit("/", 1)[-1]
    sent = len(CONTENT) - 5_000

    async def send() -> list[dict]:
        pieces = [CONTENT[:sent]]
        answered: list[dict] = []
        cookie = f"cohortex_session={anna.cookies['cohortex_session']}"

        async def receive() -> dict:
            if pieces:
                return {"type": "http.request", "body": pieces.pop(), "more_body": True}
            return {"type": "http.disconnect"}

        async def answer(message: dict) -> None:
            answered.append(message)

        headers = {**SPOKEN, "Upload-Offset": "0", "Content-Type": tus.PIECE, "X-Cohortex": "1", "Cookie": cookie}
        scope = {
            "type": "http", "method": "PATCH", "path": url, "raw_path": url.encode(), "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "scheme": "http", "server": ("testserver", 80), "client": ("127.0.0.1", 1), "http_version": "1.1",
            "root_path": "", "app": anna.app, "asgi": {"version": "3.0"},
        }  # fmt: skip
        await anna.app(scope, receive, answer)
        return answered

    asyncio.run(send())
    assert offset(anna, url) == sent
    assert study.intake.received(key) == sent
    added(anna, url, CONTENT[sent:], offset=sent)
    assert anna.get(url).json()["state"] == "received"


def test_a_silent_sender_is_taken_for_gone_and_another_goes_on(anna, visit, monkeypatch):
    url = begun(anna, visit)
    monkeypatch.setattr(tus, "_SILENCE_S", 0.3)
    ended = threading.Event()

    async def silent() -> None:
        transport = httpx.ASGITransport(anna.app)
        headers = {**SPOKEN, "Upload-Offset": "0", "Content-Type": tus.PIECE, "X-Cohortex": "1"}

        async def content():
            yield CONTENT[:1000]
            await asyncio.sleep(5)
            yield CONTENT[1000:]

        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            client.cookies.update(dict(anna.cookies))
            reply = await client.patch(url, content=content(), headers=headers)
            assert reply.headers["upload-offset"] == "1000"
        ended.set()

    asyncio.run(silent())
    assert ended.is_set()
    assert offset(anna, url) == 1000


def test_only_one_request_at_a_time_adds_to_an_upload(anna, visit):
    url = begun(anna, visit)
    with anna.app.state.one_sender.alone(url.rsplit("/", 1)[-1]):
        reply = added(anna, url, b"x", offset=0)
    assert reply.status_code == 423
    assert added(anna, url, b"x", offset=0).status_code == 204


def test_a_piece_from_elsewhere_than_where_it_stands_is_refused(anna, visit):
    url = begun(anna, visit)
    added(anna, url, CONTENT[:100], offset=0)
    reply = added(anna, url, CONTENT[50:], offset=50)
    assert reply.status_code == 409
    assert "byte 100" in reply.json()["error"]["message"]
    assert offset(anna, url) == 100


def test_more_than_was_announced_is_refused(anna, visit):
    url = begun(anna, visit, size=10)
    assert added(anna, url, b"x" * 11, offset=0).status_code == 409
    assert anna.get(url).json()["state"] == "receiving"


def test_nothing_is_added_to_an_upload_that_is_complete(anna, visit):
    url = begun(anna, visit, size=3)
    added(anna, url, b"abc", offset=0)
    assert added(anna, url, b"", offset=3).status_code == 409


def test_a_last_byte_that_came_before_a_crash_gets_its_receipt_when_asked_about(anna, visit, study):
    url = begun(anna, visit, size=3)
    appending = study.intake.append(url.rsplit("/", 1)[-1], offset=0, most=3)
    appending.write(b"abc")
    appending.close()
    assert anna.get(url).json()["state"] == "receiving"
    assert offset(anna, url) == 3
    assert anna.get(url).json()["state"] == "received"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Upload-Length": "many"}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": str(MOST_BYTES + 1)}, 413),
        ({"Upload-Length": "0"}, 409),
        ({"Upload-Metadata": "visit_id ???"}, 400),
        ({"Upload-Metadata": ""}, 404),
    ],
)
def test_an_announcement_that_cannot_be_is_refused(anna, visit, headers, status):
    sent = {**SPOKEN, "Upload-Length": "3", "Upload-Metadata": metadata(visit_id=visit), **headers}
    reply = anna.post("/api/uploads", headers=sent)
    assert reply.status_code == status
    assert reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Content-Type": "text/plain"}, 415), ({"Upload-Offset": "x"}, 400), ({"Tus-Resumable": "2.0.0"}, 412)],
)
def test_a_piece_that_cannot_be_is_refused(anna, visit, headers, status):
    assert added(anna, begun(anna, visit), b"abc", offset=0, **headers).status_code == status


def test_an_abandoned_upload_leaves_no_byte(anna, visit, study):
    url = begun(anna, visit)
    added(anna, url, CONTENT[:100], offset=0)
    assert anna.delete(url, headers=SPOKEN).status_code == 204
    assert study.intake.uploads() == []
    assert anna.head(url, headers=SPOKEN).status_code == 410
    assert anna.get(url).json()["state"] == "withdrawn"


def test_a_complete_upload_is_withdrawn_not_abandoned(anna, visit):
    url = begun(anna, visit, size=3)
    added(anna, url, b"abc", offset=0)
    assert anna.delete(url, headers=SPOKEN).status_code == 409


def test_a_held_upload_is_let_in_or_refused_with_a_reason(anna, filled):
    rows, study = filled.centres["AA"], filled.study
    url = f"/api/uploads/{rows.uploads['held']}"
    assert anna.get(url).json()["suspected_patient"] == rows.patient
    assert anna.post(f"{url}/decision", json={"decision": "accept", "reason": " "}).status_code == 422
    assert anna.post(f"{url}/decision", json={"decision": "perhaps", "reason": "x"}).status_code == 422
    found = anna.post(f"{url}/decision", json={"decision": "refuse", "reason": "a name is in the picture"}).json()
    assert found["state"] == "refused"
    assert rows.uploads["held"] not in study.intake.uploads()
    assert anna.post(f"{url}/decision", json={"decision": "accept", "reason": "x"}).status_code == 409
    trace = anna.get(f"/api/patients/{rows.patient}").json()["trace"]
    assert (trace[0]["action"], trace[0]["by_the_study"]) == ("upload refused", False)
    assert trace[0]["detail"] == "a name is in the picture"


def test_reasons_are_told_in_the_language_of_whoever_asks(anna, filled):
    rows = filled.centres["AA"]
    url = f"/api/uploads/{rows.uploads['held']}"
    anna.post(f"{url}/decision", json={"decision": "refuse", "reason": "visit 2 has it"})
    assert anna.get(url).json()["reason"] == "refused by a person."
    anna.patch("/api/session", json={"language": "it"})
    assert anna.get(url).json()["reason"] == "rifiutato da una persona."


def test_a_held_upload_that_is_let_in_is_checked_again(anna, filled):
    rows = filled.centres["AA"]
    url = f"/api/uploads/{rows.uploads['held']}/decision"
    assert anna.post(url, json={"decision": "accept", "reason": "looked at it"}).json()["state"] == "received"
    kinds = [(job["kind"], job["cause"]) for job in anna.get("/api/jobs?state=queued").json()["jobs"]]
    assert ("check", "decision") in kinds
    assert rows.uploads["held"] in filled.study.intake.uploads()


def test_an_upload_is_moved_to_the_visit_it_belongs_to(anna, filled):
    rows = filled.centres["AA"]
    url = f"/api/uploads/{rows.uploads['committed']}/move"
    assert anna.post(url, json={"visit": rows.visits[1], "reason": ""}).status_code == 422
    found = anna.post(url, json={"visit": rows.visits[1], "reason": "wrong visit"}).json()
    assert found["visit"] == rows.visits[1]
    assert not anna.get(f"/api/results/{rows.results['visit']}").json()["current"]
    assert anna.get(f"/api/visits/{rows.visits[1]}").json()["series"][0]["id"] == rows.series
    assert anna.post(url, json={"visit": rows.visits[1], "reason": "again"}).status_code == 422


def test_a_withdrawn_upload_takes_its_series_and_results_with_it(anna, filled):
    rows = filled.centres["AA"]
    url = f"/api/uploads/{rows.uploads['committed']}/withdraw"
    found = anna.post(url, json={"reason": "wrong patient"}).json()
    assert (found["state"], found["verdicts"][0]["series"]) == ("withdrawn", None)
    assert anna.get(f"/api/visits/{rows.visits[0]}").json()["series"] == []
    assert not anna.get(f"/api/results/{rows.results['visit']}").json()["current"]
    assert anna.post(url, json={"reason": "again"}).status_code == 409


def test_uploads_are_listed_the_latest_first(anna, filled):
    found = anna.get("/api/uploads").json()["uploads"]
    assert {upload["id"] for upload in found} == set(filled.centres["AA"].uploads.values())
    assert found == sorted(found, key=lambda upload: upload["created_at"], reverse=True)
    committed = next(upload for upload in found if upload["state"] == "committed")
    assert committed["verdicts"][0]["series"] == filled.centres["AA"].series
