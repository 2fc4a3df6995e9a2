"""An upload moved to the visit it belongs to, or withdrawn: what it leaves, what it becomes, who did it and why."""

from __future__ import annotations

from datetime import date

import pytest

from cohortex.errors import Refused
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Result
from cohortex.study.jobs import work
from cohortex.study.jobs.queue import release_of
from cohortex.study.processing.checking import check
from cohortex.study.uploads import wipe_decided

DAY = date(2024, 1, 15)


def test_a_half_held_upload_moved_to_another_patient_is_judged_anew_and_leaves_nothing_behind(
    desk, anna, bruno, visit, person, archive_of, second_series_shows_text
):
    code, key = visit
    upload = anna.send(key, archive_of(person, contrasts=("T1", "FLAIR"), change=second_series_shows_text))
    desk.settle()
    other = anna.patient()
    theirs = anna.visit(other, DAY)
    bruno.move(upload, theirs)
    desk.settle()
    row = desk.upload(upload)
    assert (row.state, row.question) == ("held", "burned-in")
    assert {v["contrast"]: v["verdict"] for v in row.verdicts} == {"T1": "accepted", "FLAIR": "held"}
    [kept] = desk.series(upload)
    assert (kept.visit_id, kept.contrast) == (theirs, "T1")
    assert {d.PatientID for d in desk.datasets(kept)} == {other}
    assert upload in desk.study.intake.uploads()
    assert desk.patient(code).patient_hash is None


def test_a_committed_upload_moves_between_the_visits_of_a_patient(desk, anna, bruno, visit, person, archive_of):
    code, key = visit
    upload = anna.send(key, archive_of(person))
    follow_up = anna.visit(code, date(2024, 2, 20))
    desk.settle()
    [before] = desk.series(upload)
    result = keep_result_of(desk, key)
    bruno.move(upload, follow_up, reason="of the second visit")
    desk.settle()
    [after] = desk.series(upload)
    assert (after.id, after.visit_id) == (before.id, follow_up)
    assert [i.sha256 for i in after.instances] == [i.sha256 for i in before.instances]
    assert desk.processed[-1:] == [follow_up]
    assert is_stale(desk, result)
    assert desk.trace(code)[-2:] == [
        ("bruno", "upload moved away", f"to {code}, visit 2: of the second visit"),
        ("bruno", "upload moved here", f"from {code}, visit 1: of the second visit"),
    ]


def test_a_committed_upload_moved_to_another_patient_is_rewritten_under_their_code_and_days(
    desk, anna, bruno, visit, person, archive_of
):
    code, key = visit
    upload = anna.send(key, archive_of(person))
    other = anna.patient()
    theirs = anna.visit(other, DAY)
    desk.settle()
    [before] = desk.series(upload)
    bruno.move(upload, theirs)
    desk.settle()
    row = desk.upload(upload)
    assert (row.state, row.visit_id) == ("committed", theirs)
    [after] = desk.series(upload)
    [gone] = desk.series(upload, withdrawn=True)
    assert (gone.id, after.visit_id) == (before.id, theirs)
    difference = desk.day_shift(other) - desk.day_shift(code)
    old, new = desk.datasets(before), desk.datasets(after)
    assert len(old) == len(new)
    for one, two in zip(old, new, strict=True):
        assert (str(two.PatientID), str(two.PatientName)) == (other, other)
        assert (day_of(two.StudyDate) - day_of(one.StudyDate)).days == difference
        assert two.PixelData == one.PixelData
        same = {"SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"}
        assert all(one[name] == two[name] for name in same)
    assert desk.patient(code).patient_hash is None
    assert desk.patient(other).patient_hash == row.patient_hash
    bruno.move(upload, key, reason="it was right after all")
    desk.settle()
    [back] = desk.series(upload)
    assert [i.sha256 for i in back.instances] == [i.sha256 for i in before.instances]  # bit for bit


def test_a_worker_that_dies_while_a_scan_is_rewritten_leaves_nothing_twice(desk, anna, visit, person, archive_of):
    _, key = visit
    upload = anna.send(key, archive_of(person))
    other = anna.patient()
    theirs = anna.visit(other, DAY)
    desk.settle()
    anna.move(upload, theirs)

    def dies(study, job, progress):
        check(study, job, progress)
        raise SystemExit

    with pytest.raises(SystemExit):
        work(desk.study, {"check": dies, "statistics": lambda *_: lambda _: None}, name="dead", until_idle=True)
    assert not desk.series(upload)
    with pytest.raises(Refused, match="just being checked"):
        anna.withdraw(upload)
    release_of(desk.study, "dead")
    desk.settle()
    [series] = desk.series(upload)
    assert series.visit_id == theirs
    assert len({instance.sop_uid for instance in series.instances}) == len(series.instances)


def test_a_withdrawn_upload_stays_in_the_trace_and_in_nothing_that_is_made(
    desk, anna, bruno, visit, person, archive_of
):
    code, key = visit
    upload = anna.send(key, archive_of(person))
    desk.settle()
    result = keep_result_of(desk, key)
    jobs = len(desk.jobs())
    bruno.withdraw(upload, reason="the patient left the study")
    row = desk.upload(upload)
    assert (row.state, row.reason) == ("withdrawn", "withdrawn: the patient left the study")
    assert not desk.series(upload)
    assert len(desk.series(upload, withdrawn=True)) == 1
    assert is_stale(desk, result)
    assert [job.kind for job in desk.jobs()[jobs:]] == ["statistics"]
    assert desk.patient(code).patient_hash is None
    assert desk.trace(code)[-1] == ("bruno", "upload withdrawn", "the patient left the study")
    desk.settle()
    with pytest.raises(Refused, match="withdrawn already"):
        bruno.withdraw(upload)
    again = anna.send(key, archive_of(person))
    desk.settle()
    assert desk.upload(again).state == "committed"  # what was withdrawn is no duplicate


def test_an_upload_withdrawn_before_its_check_is_not_checked(desk, anna, visit, person, archive_of):
    _, key = visit
    upload = anna.send(key, archive_of(person))
    anna.withdraw(upload)
    desk.settle()
    assert [job.state for job in desk.jobs(upload=upload)] == ["cancelled"]
    assert not desk.series(upload)
    assert upload in wipe_decided(desk.study)


def test_an_upload_damaged_in_the_intake_fails_its_check_and_can_be_withdrawn(desk, anna, visit, person, archive_of):
    _, key = visit
    upload = anna.send(key, archive_of(person))
    [sealed] = desk.study.settings.intake.glob(f"{upload}*")
    data = bytearray(sealed.read_bytes())
    data[5000] ^= 1
    sealed.write_bytes(data)
    desk.settle()
    [job] = desk.jobs(upload=upload)
    assert (job.state, "damaged" in job.reason, "Send it again" in job.reason) == ("failed", True, True)
    anna.withdraw(upload, reason="damaged")
    assert desk.upload(upload).state == "withdrawn"


def test_a_decision_without_a_reason_and_one_on_what_is_not_held_are_refused(desk, anna, visit, person, archive_of):
    code, key = visit
    upload = anna.send(key, archive_of(person))
    follow_up = anna.visit(code, date(2024, 2, 1))
    with pytest.raises(Refused, match="only a held one"):
        anna.decide(upload, accept=True)
    with pytest.raises(Refused, match="no reason"):
        anna.withdraw(upload, reason=" ")
    with pytest.raises(Refused, match="no reason"):
        anna.move(upload, follow_up, reason="")
    with pytest.raises(Refused, match="belongs to that visit already"):
        anna.move(upload, key)
    assert desk.upload(upload).state == "received"
    desk.settle()


def keep_result_of(desk, visit: str) -> str:
    """Write the row of a result, as if the visit had been processed."""
    with desk.study.session(THE_STUDY, writes=True) as session, session.begin():
        row = desk.visit(visit)
        result = Result(kind="visit", key=visit, patient_id=row.patient_id, visit_id=visit, centre_id=row.centre_id,
                        uploader_id=row.uploader_id, summary={}, record="0" * 64, files={})  # fmt: skip
        session.add(result)
        session.flush()
        return result.id


def is_stale(desk, result: str) -> bool:
    with desk.study.session(THE_STUDY) as session:
        return session.get_one(Result, result).stale_at is not None


def day_of(text: str) -> date:
    """Read a DICOM date."""
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))
