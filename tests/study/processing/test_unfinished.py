"""Uploads whose sender went away before hearing that they came, or before they had."""

from __future__ import annotations

from cohortex.study import unfinished
from cohortex.study.starting import tidy
from cohortex.study.uploads import wipe_decided


def test_an_upload_that_came_whole_is_judged_though_its_sender_never_came_back(desk, anna, visit, person, archive_of):
    code, key = visit
    upload = anna.send_bytes(key, archive_of(person).read_bytes())
    tidy(desk.study)
    desk.settle()
    assert desk.upload(upload).state == "committed"
    assert ("anna", "upload received") in [entry[:2] for entry in desk.trace(code)]


def test_an_upload_that_is_still_coming_may_be_gone_on_with_after_a_start(desk, anna, visit):
    upload = anna.send_bytes(visit[1], b"half", missing=4)
    tidy(desk.study)
    assert desk.upload(upload).state == "receiving"
    assert desk.study.intake.received(upload) == 4


def test_an_upload_begun_too_long_ago_ends_with_reason_and_remedy_and_its_bytes_are_wiped(
    desk, anna, visit, monkeypatch
):
    code, key = visit
    upload = anna.send_bytes(key, b"half", missing=4)
    later = unfinished.now() + unfinished.RESUMABLE_FOR
    monkeypatch.setattr(unfinished, "now", lambda: later)
    tidy(desk.study)
    row = desk.upload(upload)
    assert (row.state, row.reason, row.remedy) == (
        "withdrawn",
        "not finished within 14 days.",
        "Send the file again.",
    )
    assert desk.trace(code)[-1] == ("anna", "upload ended", "visit 1: not finished within 14 days.")
    assert desk.study.intake.uploads() == []
    assert wipe_decided(desk.study) == []


def test_an_upload_that_was_damaged_ends_and_the_others_are_settled(desk, anna, visit, person, archive_of):
    damaged = anna.send_bytes(visit[1], b"every byte of it")
    whole = anna.send_bytes(visit[1], archive_of(person).read_bytes())
    [file] = [path for path in desk.study.settings.home.rglob(f"{damaged}*") if path.is_file()]
    file.write_bytes(file.read_bytes()[:-10] + bytes(10))
    tidy(desk.study)
    row = desk.upload(damaged)
    assert (row.state, row.reason, row.remedy) == (
        "withdrawn",
        "damaged while it was being sent.",
        "Send the file again.",
    )
    assert desk.upload(whole).state == "received"
