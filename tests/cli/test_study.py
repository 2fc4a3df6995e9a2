"""`cohortex study …` from an empty folder to tables for R."""

from __future__ import annotations

import csv
import json
from datetime import date

import pytest

from cohortex.study import Study
from cohortex.study.patients import add_patient, add_visit
from cohortex.study.people import asker_named, sign_in


@pytest.fixture
def home(cohortex, tmp_path):
    home = tmp_path / "lesions"
    assert cohortex("study", "init", home, "--name", "Lesions").code == 0
    assert cohortex("study", "add-centre", home, "NORD", "North Hospital", "--country", "it").code == 0
    return home


def test_a_study_is_made_and_staffed_with_a_password_that_works(cohortex, home):
    said = cohortex("study", "add-user", home, "anna", "--centre", "NORD", "--name", "Anna")
    password = said.out.rsplit("once: ", 1)[1].strip()
    assert sign_in(Study.open(home), login="anna", password=password)


def test_the_key_lies_where_only_its_owner_reads_it(home):
    assert (home / "keys" / "study.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("init", "{home}", "--name", "Again"), "not empty"),
        (("add-user", "{home}", "anna", "--centre", "SUD", "--name", "A"), "Give one of: NORD"),
        (("add-centre", "{home}", "NORD", "Twice"), "already"),
        (("status", "{home}-none"), "no study in this folder"),
        (("export", "{home}", "{home}"), "not empty"),
        (("export", "{home}", "{home}-out", "--centre", "SUD"), "no centre SUD"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(cohortex, home, words, said):
    found = cohortex("study", *(word.format(home=home) for word in words))
    assert found.code == 1
    assert said in found.err


def test_a_release_after_one_patient_cannot_be_asked_for(cohortex, tmp_path):
    assert cohortex("study", "init", tmp_path / "s", "--name", "S", "--rule-patients", 1).code == 2


def test_status_counts_for_people_and_for_machines(cohortex, home):
    assert "North Hospital" in cohortex("study", "status", home).out
    counted = json.loads(cohortex("study", "status", home, "--json").out)
    assert counted["centres"] == [{"code": "NORD", "name": "North Hospital", "patients": 0, "visits": 0, "series": 0}]
    assert counted["template"] is None


def test_processing_a_study_without_work_ends_at_once(cohortex, home):
    assert "0 jobs done" in cohortex("study", "process", home, "--workers", 1).out


@pytest.fixture
def visited(cohortex, home) -> tuple[str, Study]:
    cohortex("study", "add-user", home, "anna", "--centre", "NORD", "--name", "Anna")
    study = Study.open(home)
    with study.session(asker_named(study, "anna"), writes=True) as session, session.begin():
        patient = add_patient(study, session, sex="F", birth_date=date(1980, 3, 1))
        add_visit(study, session, patient, on=date(2024, 3, 1))
        add_visit(study, session, patient, on=date(2024, 4, 5))
        return patient.code, study


def rows_of(path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_table_is_entered_and_comes_out_again_with_true_days_and_ages(cohortex, home, visited, tmp_path):
    code, _ = visited
    table = tmp_path / "records.csv"
    table.write_text(f"patient,visit,crp [mg/L],leukaemia_type\n{code},2024-03-01,84,AML\n{code},2024-04-05,<5,\n")
    assert (
        "2 rows read, 3 values would be written"
        in cohortex("study", "import", home, table, "--as", "anna", "--dry-run").out
    )
    assert cohortex("study", "import", home, table, "--as", "anna").code == 0
    out = tmp_path / "out"
    assert cohortex("study", "export", home, out).code == 0
    visits = sorted(rows_of(out / "at_visits.csv"), key=lambda row: int(row["day"]))
    assert [(row["day"], row["crp"], row["crp_sign"]) for row in visits] == [("0", "84.0", ""), ("35", "5.0", "<")]
    assert visits[0]["leukaemia_type"] == "AML"
    assert float(visits[0]["age_years"]) == pytest.approx(44.0, abs=0.01)
    assert visits[0]["uploader"] == "anna"
    [patient] = rows_of(out / "at_patients.csv")
    assert patient["birth_date_shifted"] != "1980-03-01"
    assert len(rows_of(out / "ht_patients_primary.csv")) == len(rows_of(out / "ht_patients_followup.csv")) == 1


def test_a_table_with_a_mistake_is_not_entered_at_all(cohortex, home, visited, tmp_path):
    code, _ = visited
    table = tmp_path / "records.csv"
    table.write_text(f"patient,visit,crp [mg/L]\n{code},2024-03-01,84\n{code},2024-04-05,-3\n")
    said = cohortex("study", "import", home, table, "--as", "anna")
    assert said.code == 1
    assert "row 3" in said.err
    assert "nothing was written" in said.err
    cohortex("study", "export", home, tmp_path / "out")
    assert all(row["crp"] == "" for row in rows_of(tmp_path / "out" / "at_visits.csv"))


def test_nobody_enters_for_somebody_unknown(cohortex, home, tmp_path):
    table = tmp_path / "records.csv"
    table.write_text("patient,visit\n")
    assert "nobody signs in as bob" in cohortex("study", "import", home, table, "--as", "bob").err


def test_a_person_gets_another_password_and_is_locked_out(cohortex, home):
    cohortex("study", "init", home, "--name", "Lesions")
    cohortex("study", "add-centre", home, "NORD", "North Hospital")
    cohortex("study", "add-user", home, "anna", "--centre", "NORD", "--name", "Anna")
    said = cohortex("study", "set-password", home, "anna")
    password = said.out.split()[-1]
    study = Study.open(home)
    assert sign_in(study, login="anna", password=password)
    assert "no longer" in cohortex("study", "lock-user", home, "anna").out
    assert sign_in(study, login="anna", password=password) is None
    cohortex("study", "lock-user", home, "anna", "--undo")
    assert sign_in(study, login="anna", password=password)
    study.close()
