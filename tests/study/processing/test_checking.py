"""What becomes of an upload, from its last byte to rows and objects, and what a person may decide on it."""

from __future__ import annotations

import hashlib
import zipfile
from collections import Counter
from datetime import date

import pytest
from sqlalchemy import func, select

from cohortex.errors import Refused
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Instance, StoredObject
from cohortex.study.jobs import work
from cohortex.study.jobs.queue import release_of
from cohortex.study.patients import age_at
from cohortex.study.processing.checking import check
from cohortex.study.uploads import wipe_decided

DAY = date(2024, 1, 15)
BORN = date(1961, 4, 13)


def test_an_accepted_upload_becomes_rows_and_objects_and_starts_its_visit(desk, anna, visit, person, archive_of):
    code, key = visit
    archive = archive_of(person, contrasts=("FLAIR", "T1"))
    upload = anna.send(key, archive)
    desk.settle()
    row = desk.upload(upload)
    assert (row.state, row.reason, row.question) == ("committed", "", None)
    assert Counter((v["contrast"], v["verdict"]) for v in row.verdicts) == {
        ("FLAIR", "accepted"): 1,
        ("T1", "accepted"): 1,
    }
    with zipfile.ZipFile(archive) as sent:
        count = len(sent.namelist())
    series = desk.series(upload)
    instances = [instance for one in series for instance in one.instances]
    assert len(instances) == count == sum(v["instances"] for v in row.verdicts)
    assert {one.visit_id for one in series} == {key}
    assert {one.uploader_id for one in (*series, *instances)} == {anna.asker.uploader_id}
    with desk.study.session(THE_STUDY) as session:
        for instance in instances:
            data = desk.study.objects.read(instance.sha256)
            assert hashlib.sha256(data).hexdigest() == instance.sha256
            assert session.get_one(StoredObject, instance.sha256).size == instance.size == len(data)
    assert row.receipt
    assert upload not in desk.study.intake.uploads()
    assert not list(desk.study.settings.work.iterdir())
    [check_job, visit_job] = desk.jobs(visit=key)
    assert (check_job.kind, visit_job.kind, visit_job.cause, visit_job.state) == ("check", "visit", "upload", "done")
    assert desk.processed.count(key) == 1
    assert desk.patient(code).patient_hash == row.patient_hash
    assert [entry[:2] for entry in desk.trace(code)] == [
        ("anna", "patient added"),
        ("anna", "visit added"),
        ("anna", "upload received"),
        ("anna", "upload committed"),
    ]


def test_the_same_archive_again_is_refused_as_known_and_changes_nothing(desk, anna, visit, person, archive_of):
    _, key = visit
    anna.send(key, archive_of(person))
    desk.settle()
    objects, runs = desk.objects_on_disk(), len(desk.processed)
    again = anna.send(key, archive_of(person))
    desk.settle()
    row = desk.upload(again)
    assert row.state == "refused"
    assert "stored already" in row.reason
    assert row.remedy == "Nothing needs to be done."
    assert [v["verdict"] for v in row.verdicts] == ["duplicate"]
    assert not desk.series(again)
    assert (desk.objects_on_disk(), len(desk.processed)) == (objects, runs)
    assert again not in desk.study.intake.uploads()


def test_the_same_archive_for_another_visit_is_refused_and_told_where_it_lies(desk, anna, visit, person, archive_of):
    code, key = visit
    anna.send(key, archive_of(person))
    desk.settle()
    again = anna.send(anna.visit(code, date(2024, 3, 1)), archive_of(person))
    desk.settle()
    row = desk.upload(again)
    assert (row.state, row.reason, row.remedy) == (
        "refused",
        f"everything in it is stored already, for {code}, visit 1.",
        "If it belongs here, move that upload to this visit.",
    )


def test_a_number_a_person_vouched_for_leads_to_the_patient_it_was_vouched_for(
    desk, anna, bruno, visit, person, archive_of, new_person
):
    code, key = visit
    anna.send(key, archive_of(person))
    second_number = new_person()
    desk.settle()
    vouched = anna.send(anna.visit(code, date(2024, 3, 1)), archive_of(second_number))
    desk.settle()
    bruno.decide(vouched, accept=True, reason="admitted under a new number")
    desk.settle()
    elsewhere = anna.send(anna.visit(anna.patient(), DAY), archive_of(second_number, scan=1))
    desk.settle()
    row = desk.upload(elsewhere)
    assert (row.state, row.question, row.suspected_patient_id) == ("held", "known-patient", desk.patient(code).id)


def test_the_scan_of_somebody_else_is_held_and_nothing_of_it_is_stored(
    desk, anna, bruno, visit, person, archive_of, new_person
):
    code, key = visit
    anna.send(key, archive_of(person))
    desk.settle()
    objects = desk.objects_on_disk()
    wrong = anna.send(key, archive_of(new_person()))
    desk.settle()
    row = desk.upload(wrong)
    assert (row.state, row.question, row.suspected_patient_id) == ("held", "other-patient", None)
    assert code in row.reason
    assert "move it" in row.remedy
    assert not desk.series(wrong)
    assert desk.objects_on_disk() == objects
    assert wrong in desk.study.intake.uploads()
    bruno.decide(wrong, accept=False, reason="of another patient")
    row = desk.upload(wrong)
    assert (row.state, row.question) == ("refused", None)
    assert wrong in wipe_decided(desk.study)
    assert wrong not in desk.study.intake.uploads()
    assert desk.trace(code)[-1] == ("bruno", "upload refused", "of another patient")


def test_a_held_scan_of_a_known_patient_names_him_and_is_let_in_once_moved_there(
    desk, anna, bruno, visit, person, archive_of, new_person
):
    code, key = visit
    anna.send(key, archive_of(person))
    other = anna.patient()
    theirs = anna.visit(other, DAY)
    somebody = new_person()
    anna.send(theirs, archive_of(somebody))
    desk.settle()
    follow_up = anna.visit(other, date(2024, 3, 1))
    wrong = anna.send(key, archive_of(somebody, scan=1, on=date(2024, 3, 1)))
    desk.settle()
    row = desk.upload(wrong)
    assert (row.state, row.question, row.suspected_patient_id) == ("held", "other-patient", desk.patient(other).id)
    assert row.reason.endswith(f"The headers disagree with what was entered for {code}, visit 1: the day of the scan.")
    bruno.move(wrong, follow_up)
    desk.settle()
    row = desk.upload(wrong)
    assert (row.state, row.question, row.reason) == ("committed", None, "")
    assert {series.visit_id for series in desk.series(wrong)} == {follow_up}
    assert {d.PatientID for series in desk.series(wrong) for d in desk.datasets(series)} == {other}
    assert desk.processed.count(key) == desk.processed.count(follow_up) == 1
    assert ("bruno", "upload moved away") in [entry[:2] for entry in desk.trace(code)]
    assert ("bruno", "upload moved here") in [entry[:2] for entry in desk.trace(other)]


def test_a_known_patient_under_a_new_code_is_held_until_somebody_says_it_is_right(
    desk, anna, bruno, visit, person, archive_of
):
    known, key = visit
    anna.send(key, archive_of(person))
    desk.settle()
    code = anna.patient()
    second = anna.visit(code, DAY)
    upload = anna.send(second, archive_of(person, scan=1))
    desk.settle()
    row = desk.upload(upload)
    assert (row.state, row.question, row.suspected_patient_id) == ("held", "known-patient", desk.patient(known).id)
    assert known in row.reason
    bruno.decide(upload, accept=True, reason="two codes, one person; the coordinator knows")
    desk.settle()
    row = desk.upload(upload)
    assert (row.state, row.released, row.question) == ("committed", True, None)
    assert len(desk.series(upload)) == 1
    assert desk.trace(code)[-2:] == [
        ("bruno", "upload let in", "two codes, one person; the coordinator knows"),
        ("anna", "upload committed", "1 series"),
    ]
    assert desk.patient(known).patient_hash is not None
    assert desk.patient(code).patient_hash is None  # one number stands for one code
    third = anna.send(second, archive_of(person, scan=2))
    desk.settle()
    assert desk.upload(third).state == "committed"  # what was vouched for once is not asked again


def test_the_same_hospital_number_in_another_centre_is_another_person(desk, anna, person_of, visit, person, archive_of):
    _, key = visit
    anna.send(key, archive_of(person))
    carla = person_of(desk.study, "carla")
    theirs = carla.send(carla.visit(carla.patient(), DAY), archive_of(person, scan=1))
    desk.settle()
    assert desk.upload(theirs).state == "committed"


def test_two_patients_in_one_archive_are_held_and_cannot_be_let_in(
    desk, anna, bruno, visit, person, archive_of, new_person, tmp_path
):
    _, key = visit
    both = tmp_path / "both.zip"
    with zipfile.ZipFile(both, "w", zipfile.ZIP_DEFLATED) as target:
        for who in (person, new_person()):
            with zipfile.ZipFile(archive_of(who)) as archive:
                for name in archive.namelist():
                    target.writestr(f"{who}/{name}", archive.read(name))
    upload = anna.send(key, both)
    desk.settle()
    row = desk.upload(upload)
    assert (row.state, row.question) == ("held", "two-patients")
    assert not desk.series(upload)
    with pytest.raises(Refused, match="two patients cannot be kept under one code"):
        bruno.decide(upload, accept=True)
    bruno.decide(upload, accept=False)
    assert desk.upload(upload).state == "refused"


@pytest.mark.parametrize("accept", [True, False])
def test_of_pictures_that_may_show_a_name_a_person_decides_and_the_others_are_kept_at_once(
    desk, anna, bruno, visit, person, archive_of, second_series_shows_text, accept
):
    _, key = visit
    upload = anna.send(key, archive_of(person, contrasts=("T1", "FLAIR"), change=second_series_shows_text))
    desk.settle()
    row = desk.upload(upload)
    assert (row.state, row.question) == ("held", "burned-in")
    assert {v["contrast"]: v["verdict"] for v in row.verdicts} == {"T1": "accepted", "FLAIR": "held"}
    assert [series.contrast for series in desk.series(upload)] == ["T1"]
    assert desk.processed.count(key) == 1
    bruno.decide(upload, accept=accept)
    desk.settle()
    wipe_decided(desk.study)
    assert upload not in desk.study.intake.uploads()
    row = desk.upload(upload)
    assert row.state == "committed"
    kept = {series.contrast for series in desk.series(upload)}
    assert kept == ({"T1", "FLAIR"} if accept else {"T1"})
    shown = {v["contrast"]: v["verdict"] for v in row.verdicts}
    assert shown == {"T1": "accepted", "FLAIR": "accepted" if accept else "refused"}
    assert desk.processed.count(key) == (2 if accept else 1)
    assert desk.patient(visit[0]).patient_hash == row.patient_hash is not None


def test_an_unreadable_archive_is_refused_with_reason_and_remedy(desk, anna, visit, tmp_path):
    code, key = visit
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\3\4" + bytes(range(256)) * 40)
    upload = anna.send(key, broken)
    desk.settle()
    row = desk.upload(upload)
    assert row.state == "refused"
    assert row.reason
    assert row.remedy
    assert desk.trace(code)[-1] == ("anna", "upload not taken", row.reason)
    assert [job.state for job in desk.jobs(upload=upload)] == ["done"]
    assert upload not in desk.study.intake.uploads()


def test_a_worker_that_dies_before_the_commit_leaves_nothing_twice(desk, anna, visit, person, archive_of):
    _, key = visit
    before = desk.objects_on_disk()
    upload = anna.send(key, archive_of(person))

    def dies(study, job, progress):
        finish = check(study, job, progress)

        def killed(session):
            finish(session)
            raise SystemExit

        return killed

    with pytest.raises(SystemExit):
        work(desk.study, {"check": dies}, name="dead", until_idle=True)
    assert desk.upload(upload).state == "checking"
    assert not desk.series(upload)
    written = desk.objects_on_disk() - before
    assert written
    assert upload in desk.study.intake.uploads()
    release_of(desk.study, "dead")
    desk.settle()
    [series] = desk.series(upload)
    assert desk.objects_on_disk() - before == written == {instance.sha256 for instance in series.instances}
    with desk.study.session(THE_STUDY) as session:
        twice = select(Instance.sop_uid).where(Instance.series_id == series.id).group_by(Instance.sop_uid)
        assert not session.scalars(twice.having(func.count() > 1)).all()
        stored = select(func.count()).select_from(StoredObject).where(StoredObject.sha256.in_(written))
        assert session.scalar(stored) == len(written)
    assert [job.kind for job in desk.jobs(visit=key)] == ["check", "visit"]
    assert desk.processed.count(key) == 1


def test_days_between_visits_and_ages_stay_exact_and_no_true_day_is_kept(desk, anna, visit, person, archive_of):
    code, first = visit
    later = date(2024, 3, 8)
    second = anna.visit(code, later)
    uploads = [anna.send(first, archive_of(person)), anna.send(second, archive_of(person, scan=1, on=later))]
    desk.settle()
    patient, visits = desk.patient(code), [desk.visit(first), desk.visit(second)]
    assert (visits[1].date - visits[0].date) == later - DAY
    assert age_at(patient, visits[0].date) == pytest.approx((DAY - BORN).days / 365.2425, abs=1e-12)
    assert {patient.birth_date, *(v.date for v in visits)}.isdisjoint({BORN, DAY, later})
    for upload, kept in zip(uploads, visits, strict=True):
        [series] = desk.series(upload)
        for dataset in desk.datasets(series):
            assert day_of(dataset.StudyDate) == kept.date  # the scan was made on the day of the visit
            assert not dataset.PatientBirthDate


def test_what_was_decided_is_wiped_at_the_next_start_and_what_waits_is_kept(
    desk, anna, visit, person, archive_of, new_person
):
    _, key = visit
    anna.send(key, archive_of(person))
    desk.settle()
    held = anna.send(key, archive_of(new_person()))
    desk.settle()
    desk.study.intake.begin("unknown0")
    waiting = anna.send(key, archive_of(person, scan=1))
    gone = wipe_decided(desk.study)
    assert "unknown0" in gone
    assert {held, waiting} <= set(desk.study.intake.uploads())
    assert {held, waiting}.isdisjoint(gone)
    desk.settle()


def day_of(text: str) -> date:
    """Read a DICOM date."""
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))
