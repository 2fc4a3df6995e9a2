"""The patients of the demo: dealt to three centres, half with two visits, with records that break no rule."""

from __future__ import annotations

import io
import zipfile
from collections import Counter

import pydicom
import pytest

from cohortex.server.rehearsal import CENTRES, drawn_record, passwords_of, rehearsed_patients, scan, staff
from cohortex.study import Study
from cohortex.study.people import sign_in
from cohortex.study.records import fields_for, parse_value
from cohortex.study.records.plausibility import RecordedVisit, judge_visits


def test_eight_patients_are_dealt_to_three_centres_and_half_have_two_visits():
    patients = rehearsed_patients()
    assert len(patients) == 8
    assert set(Counter(patient.centre for patient in patients)) == {code for code, *_ in CENTRES}
    assert sum(patient.visits == 2 for patient in patients) == 4
    assert len({patient.seed for patient in patients}) == 8


@pytest.mark.parametrize("patient", rehearsed_patients(24), ids=lambda patient: f"seed {patient.seed}")
def test_a_drawn_record_can_be_entered_and_breaks_no_rule(patient):
    visits = []
    for number in range(patient.visits):
        drawn = drawn_record(patient, number)
        asked = {field.name for field in fields_for("follow-up" if number else "first")}
        assert drawn.keys() <= asked
        values = {name: parse_value(name, raw) for name, raw in drawn.items()}
        visits.append(RecordedVisit(day=42 * number, values=values))
    errors = [f for findings in judge_visits(visits, age_years=50) for f in findings if f.level == "error"]
    assert errors == []
    assert drawn_record(patient, 0) == drawn_record(patient, 0)


def test_every_study_draws_passwords_of_its_own(tmp_path):
    drawn = []
    for name in ("a", "b"):
        study = Study.create(tmp_path / name, name="Demo")
        file = tmp_path / f"{name}.txt"
        drawn.append(staff(study, passwords=file))
        assert passwords_of(file) == drawn[-1]
        assert file.stat().st_mode & 0o077 == 0
        assert all(sign_in(study, login=login, password=word) for login, word in drawn[-1].items())
    assert not set(drawn[0].values()) & set(drawn[1].values())


def test_a_patient_is_scanned_once(tmp_path):
    [patient] = rehearsed_patients(2)[1:]
    [path] = scan(patient, tmp_path, spacing_mm=5)
    written = path.stat().st_mtime_ns
    assert scan(patient, tmp_path, spacing_mm=5) == [path]
    assert path.stat().st_mtime_ns == written


def test_the_scans_of_a_patient_bear_the_days_that_are_entered_for_the_visits(tmp_path):
    patient = rehearsed_patients(1)[0]
    days = []
    for path in scan(patient, tmp_path, spacing_mm=5):
        with zipfile.ZipFile(path) as archive:
            headers = [pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()]
        days.append({header[keyword].value for header in headers for keyword in ("StudyDate", "SeriesDate")})
    assert days == [{f"{patient.day(number):%Y%m%d}"} for number in (0, 1)]
