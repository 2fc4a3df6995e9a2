from __future__ import annotations

import csv
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohortex.study.records import table
from cohortex.study.records.fields import all_fields
from cohortex.study.records.table import RecordRow, read_records, template_csv, write_records
from cohortex.study.records.value import ClinicalValue


def clinical_values(known):
    missing = st.sampled_from(known.missing).map(lambda reason: ClinicalValue(field=known.name, missing=reason))
    if known.kind == "choice":
        there = st.sampled_from([choice.value for choice in known.choices])
    elif known.kind == "yes-no":
        there = st.booleans()
    elif known.kind == "day":
        there = st.integers(int(known.limits.low), int(known.limits.high))
    else:
        there = st.floats(known.limits.low, known.limits.high, allow_subnormal=False).map(abs)
    comparators = st.sampled_from(["", ">"]) if known.comparators else st.just("")
    return missing | st.builds(
        ClinicalValue, field=st.just(known.name), value=there, unit=st.just(known.unit), comparator=comparators
    )


RECORDS = st.fixed_dictionaries({}, optional={known.name: clinical_values(known) for known in all_fields()})
ROWS = st.lists(
    st.builds(RecordRow, patient=st.from_regex(r"C[1-9]-[0-9]{4}", fullmatch=True), visit=st.dates(), values=RECORDS),
    max_size=4,
    unique_by=lambda row: (row.patient, row.visit),
)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, delimiter=st.sampled_from(",;\t"), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_what_is_exported_is_imported_the_same(rows, delimiter, encoding):
    cells = list(csv.reader(write_records(rows).splitlines()))
    text = "\r\n".join(delimiter.join(line) for line in cells)
    found = read_records(text.encode(encoding))
    assert found.problems == ()
    assert found.writable
    assert found.row_count == len(rows)
    assert list(found.rows) == rows


def test_the_empty_table_has_a_column_for_every_field_and_is_in_order(tmp_path):
    (tmp_path / "records.csv").write_text(template_csv(), encoding="utf-8")
    found = read_records(tmp_path / "records.csv")
    assert (found.rows, found.row_count, found.problems) == ((), 0, ())
    header = template_csv().strip().split(",")
    assert header[:2] == ["patient", "visit"]
    assert len(header) == 2 + len(all_fields())
    assert "crp [mg/L]" in header


def test_a_table_of_an_italian_spreadsheet_is_read():
    text = (
        "patient;visit;CRP [mg/dL];neutrophils;alive;cause\r\n"
        'C1-0007;2024-03-01;"0,7";480/µL;sì;Più organismi\r\n'
        ";;;;;\r\n"
        "C1-0007;2024-04-02;<0,6;non eseguito;;\r\n"
    )
    for encoding in ("latin-1", "utf-8-sig"):
        found = read_records(text.encode(encoding))
        assert found.problems == ()
        first, second = found.rows
        assert first.visit == date(2024, 3, 1)
        assert first.values["crp"].value == 7.0
        assert first.values["neutrophils"].value == 0.48
        assert first.values["alive"].value is True
        assert first.values["cause"].value == "mixed"
        assert second.values["crp"].comparator == "<"
        assert second.values["neutrophils"].missing == "not_done"
        assert "alive" not in second.values


def test_a_date_of_an_event_counts_from_the_first_examination():
    text = b"patient,visit,transplant_day\nC1-0007,2024-03-01,2023-01-31\n"
    (row,) = read_records(text, first_examinations={"C1-0007": date(2024, 3, 6)}).rows
    assert row.values["transplant_day"].value == -400
    (problem,) = read_records(text).problems
    assert "not known here" in problem.message.en


def visits(*dates):
    rows = "".join(f"C1-{number:04d};{text}\n" for number, text in enumerate(dates))
    return read_records(f"patient;visit\n{rows}".encode())


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("31/01/2024", "02/03/2024", date(2024, 3, 2)),
        ("01/31/2024", "02/03/2024", date(2024, 2, 3)),
        ("31.1.2024", "2.3.2024", date(2024, 3, 2)),
        ("2024-01-31", "03-03-2024", date(2024, 3, 3)),
    ],
)
def test_dates_that_a_spreadsheet_rewrote_are_read_where_the_column_shows_the_order(first, second, expected):
    found = visits(first, second)
    assert found.problems == ()
    assert [row.visit for row in found.rows] == [date(2024, 1, 31), expected]


@pytest.mark.parametrize("dates", [("01/02/2024", "03/04/2024"), ("31/01/2024", "01/31/2024")])
def test_dates_that_may_be_two_are_refused(dates):
    found = visits(*dates)
    assert ["day or the month comes first" in problem.message.en for problem in found.problems] == [True, True]


@pytest.mark.parametrize("text", ["2024-13-01", "32/01/2024", "31/02/2024", "2024", "1/3-2024", "31/01/24"])
def test_what_is_no_date_is_refused(text):
    (problem,) = visits("31/01/2024", text).problems
    assert (problem.row, problem.column) == (3, "visit")
    assert "2024-03-01" in problem.remedy.en


def test_everything_wrong_is_listed_by_row_and_column_at_once():
    text = (
        "patient,visit,crp [mg/L],cause,platelets\n"
        "C1-0001,2024-03-01,1200,aspergillus,\n"
        "Mario Rossi,12/03/1985,12,Bianchi Anna,100 10*9/L\n"
        "C1-0002,2024-03-01,12,,100\n"
        "C1-0003,2024-02-30,12\n"
        "C1-0004,2024-03-01,12,,,,0.5\n"
        "C1-0005,2024-03-01,12,,\n"
        "C1-0005,2024-03-01,13,,\n"
    )
    found = read_records(text.encode())
    assert [(problem.row, problem.column) for problem in found.problems] == [
        (2, "crp"),
        (3, "patient"),
        (3, "visit"),
        (3, "cause"),
        (4, "platelets"),
        (5, "visit"),
        (6, ""),
        (8, "visit"),
    ]
    assert not found.writable
    assert found.row_count == 7
    assert [row.patient for row in found.rows] == ["C1-0005"]
    said = " ".join(
        f"{text['message']} {text['remedy']}"
        for problem in found.problems
        for text in (problem.to_json("en"), problem.to_json("it"))
    )
    for secret in ("Mario", "Rossi", "1985", "Bianchi", "Anna"):
        assert secret not in said
    assert all(problem.remedy.en.strip() and problem.remedy.it.strip() for problem in found.problems)
    assert "row 7" in found.problems[-1].message.en


@pytest.mark.parametrize(
    "header",
    ["name", "Surname", "Cognome", "Nome e cognome", "birth_date", "Data di nascita", "MRN", "Codice fiscale",
     "patient name", "Patient ID (hospital)", "Città", "e-mail"],
)  # fmt: skip
def test_a_column_that_speaks_of_identity_is_refused_by_name(header):
    found = read_records(f"patient,visit,{header},crp [mg/L]\nC1-0001,2024-03-01,Rossi,3\n".encode())
    (problem,) = found.problems
    assert (problem.row, problem.column) == (1, "C")
    assert "may identify people" in problem.message.en
    assert "Remove the column" in problem.remedy.en
    assert "Rossi" not in str(found)
    assert found.rows == ()


def test_no_field_of_ours_speaks_of_identity():
    assert not [column for column in template_csv().strip().split(",") if table.words_of_identity(column)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("patient,visit,glucose\n", "No field has this header"),
        ("patient,visit,crp [mmol/L]\n", "unit in this header"),
        ("patient [kg],visit\n", "unit in this header"),
        ("patient,visit,[crp\n", "No field has this header"),
        ("patient,visit,crp [mg/L],crp [mg/dL]\n", "crp is there twice"),
        ("visit,crp [mg/L]\n", "patient is not there"),
        ("patient,crp [mg/L]\n", "visit is not there"),
        ('patient,visit\n"C1-0001,2024-03-01\n', "table is broken"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(text, message):
    found = read_records(text.encode())
    assert message in found.problems[0].message.en
    assert found.rows == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"PK\x03\x04rest", "spreadsheet"), (b"\xd0\xcf\x11\xe0rest", "spreadsheet"), (b"a\0b", "no text")],
)
def test_a_file_of_another_kind_is_refused(content, message):
    (problem,) = read_records(content).problems
    assert (problem.row, problem.column) == (0, "")
    assert message in problem.message.en


def test_a_file_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(table, "LARGEST_BYTES", 10)
    (problem,) = read_records(template_csv().encode()).problems
    assert "20 MB" in problem.message.en


def test_a_table_without_a_header_does_not_show_its_people():
    found = read_records(b"Rossi;Mario;1985-03-12\nBianchi;Anna;1990-01-01\n")
    said = str([problem.to_json() for problem in found.problems])
    assert found.problems
    assert not any(secret in said for secret in ("Rossi", "Mario", "1985"))


def test_columns_are_named_as_a_spreadsheet_names_them():
    header = ",".join(["patient", "visit", *["crp [mg/L]"] * 26])
    problems = read_records(f"{header}\n".encode()).problems
    assert [problem.column for problem in problems][-2:] == ["AA", "AB"]
