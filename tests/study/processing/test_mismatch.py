"""A scan whose headers disagree with what was entered of patient and visit: held until a person says it is right."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date

import pytest
from pydicom.dataset import Dataset

DAY, BORN = date(2024, 1, 15), date(1961, 4, 13)
NAMED = {"date": "the day of the scan", "sex": "the sex", "birth-date": "the birth date"}


def saying(**elements: str) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)

    return change


def true_days(day: date) -> tuple[str, str]:
    return f"{day:%Y%m%d}", day.isoformat()


@pytest.mark.parametrize(
    ("elements", "fact", "values"),
    [
        ({"StudyDate": "20231204"}, "date", true_days(date(2023, 12, 4))),
        ({"PatientSex": "M"}, "sex", ()),
        ({"PatientBirthDate": "19490609"}, "birth-date", true_days(date(1949, 6, 9))),
    ],
    ids=["date", "sex", "birth date"],
)
def test_a_first_scan_that_disagrees_in_one_fact_is_held_and_told_which_without_its_value(
    desk, anna, visit, person, archive_of, caplog, elements, fact, values
):
    code, key = visit
    objects = desk.objects_on_disk()
    with caplog.at_level(logging.DEBUG):
        upload = anna.send(key, archive_of(person, change=saying(**elements)))
        desk.settle()
    row = desk.upload(upload)
    assert (row.state, row.question, row.suspected_patient_id) == ("held", "mismatch", None)
    assert row.reason == f"the headers disagree with what was entered for {code}, visit 1: {NAMED[fact]}."
    assert "accept it with a reason if the header is wrong" in row.remedy
    assert not desk.series(upload)
    assert desk.objects_on_disk() == objects
    assert upload in desk.study.intake.uploads()
    assert desk.trace(code)[-1] == ("anna", "upload held", row.reason)
    written = f"{row.reason} {row.remedy} {row.verdicts} {desk.trace(code)} {caplog.text}"
    assert not any(day in written for day in (*values, *true_days(DAY), *true_days(BORN)))


def test_a_man_scanned_long_ago_does_not_become_a_woman_scanned_later(desk, anna, bruno, person, archive_of):
    code = anna.patient(born=date(1990, 3, 2))
    upload = anna.send(
        anna.visit(code, date(2025, 10, 1)),
        archive_of(person, change=saying(PatientSex="M", PatientBirthDate="19490609")),
    )
    desk.settle()
    row = desk.upload(upload)
    assert (row.state, row.question) == ("held", "mismatch")
    assert row.reason.endswith("visit 1: the day of the scan, the sex, the birth date.")
    bruno.decide(upload, accept=False, reason="of another person")
    row = desk.upload(upload)
    assert (row.state, row.question) == ("refused", None)
    assert not desk.series(upload)


def test_a_person_lets_it_in_with_a_reason(desk, anna, bruno, visit, person, archive_of):
    code, key = visit
    upload = anna.send(key, archive_of(person, change=saying(PatientSex="M")))
    desk.settle()
    bruno.decide(upload, accept=True, reason="the scanner was told the wrong sex")
    desk.settle()
    row = desk.upload(upload)
    assert (row.state, row.question, row.reason) == ("committed", None, "")
    assert len(desk.series(upload)) == 1
    assert desk.patient(code).patient_hash == row.patient_hash is not None
    assert desk.trace(code)[-2:] == [
        ("bruno", "upload let in", "the scanner was told the wrong sex"),
        ("anna", "upload committed", "1 series"),
    ]


def test_sent_to_the_wrong_visit_it_is_accepted_once_moved_to_the_right_one(
    desk, anna, bruno, visit, person, archive_of
):
    code, key = visit
    right = anna.visit(code, date(2024, 3, 1))
    upload = anna.send(key, archive_of(person, on=date(2024, 3, 1)))
    desk.settle()
    assert desk.upload(upload).question == "mismatch"
    bruno.move(upload, right)
    desk.settle()
    row = desk.upload(upload)
    assert (row.state, row.question, row.reason) == ("committed", None, "")
    assert {series.visit_id for series in desk.series(upload)} == {right}


@pytest.mark.parametrize(
    "elements",
    [
        {"StudyDate": "20240116", "SeriesDate": "20240116", "AcquisitionDate": "20240116"},
        {"StudyDate": "", "SeriesDate": "", "AcquisitionDate": "", "PatientSex": "", "PatientBirthDate": ""},
        {"StudyDate": "19000101", "SeriesDate": "", "AcquisitionDate": "", "PatientBirthDate": "19000101"},
    ],
    ids=["after midnight", "missing", "placeholders"],
)
def test_a_night_and_what_is_missing_or_a_placeholder_hold_nothing(desk, anna, visit, person, archive_of, elements):
    upload = anna.send(visit[1], archive_of(person, change=saying(**elements)))
    desk.settle()
    row = desk.upload(upload)
    assert (row.state, row.question) == ("committed", None)


def test_an_examination_over_midnight_is_kept_with_all_its_series(desk, anna, visit, person, archive_of):
    def second_after_midnight(dataset: Dataset) -> None:
        if dataset.SeriesNumber == 2:
            dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = "20240116"

    upload = anna.send(visit[1], archive_of(person, contrasts=("T1", "FLAIR"), change=second_after_midnight))
    desk.settle()
    assert desk.upload(upload).state == "committed"
    assert len(desk.series(upload)) == 2


def test_one_series_of_another_day_holds_the_whole_upload(desk, anna, visit, person, archive_of):
    def second_of_an_earlier_visit(dataset: Dataset) -> None:
        if dataset.SeriesNumber == 2:
            dataset.StudyDate = "20231204"

    upload = anna.send(visit[1], archive_of(person, contrasts=("T1", "FLAIR"), change=second_of_an_earlier_visit))
    desk.settle()
    row = desk.upload(upload)
    assert (row.state, row.question) == ("held", "mismatch")
    assert not desk.series(upload)


@pytest.mark.parametrize("sex", ["U", "O"])
def test_a_patient_of_unknown_sex_and_birth_is_compared_by_the_day_alone(desk, anna, person, archive_of, sex):
    change = saying(PatientSex="M", PatientBirthDate="19490609")
    uploads = [
        anna.send(anna.visit(anna.patient(sex=sex), day), archive_of(person, scan=n, change=change))
        for n, day in enumerate((DAY, date(2024, 3, 1)))
    ]
    desk.settle()
    assert desk.upload(uploads[0]).state == "committed"
    later = desk.upload(uploads[1])
    assert later.question == "known-patient"  # whose it is is asked first
    assert later.reason.endswith("visit 1: the day of the scan.")


def test_with_a_mismatch_it_is_told_that_a_picture_may_show_a_name(desk, anna, visit, person, archive_of):
    change = saying(PatientSex="M", BurnedInAnnotation="YES")
    upload = anna.send(visit[1], archive_of(person, change=change))
    desk.settle()
    row = desk.upload(upload)
    assert row.question == "mismatch"
    assert row.reason.endswith("Some series may show a name or a face in the picture itself.")
    assert [entry["verdict"] for entry in row.verdicts] == ["held"]


def test_the_same_archive_for_another_visit_is_a_duplicate_not_a_mismatch(desk, anna, visit, person, archive_of):
    code, key = visit
    anna.send(key, archive_of(person))
    desk.settle()
    again = anna.send(anna.visit(code, date(2024, 3, 1)), archive_of(person))
    desk.settle()
    assert (desk.upload(again).state, desk.upload(again).question) == ("refused", None)
