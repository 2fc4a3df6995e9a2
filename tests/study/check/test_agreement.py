"""A header compared with what was entered: what disagrees is named, what is missing or a placeholder is no evidence."""

from __future__ import annotations

from datetime import date

import pytest
from pydicom.dataset import Dataset

from cohortex.study.check import EnteredFacts
from cohortex.study.check.agreement import disagreements

ENTERED = EnteredFacts(day=date(2024, 1, 15), sex="F", birth_date=date(1961, 4, 13))
AGREEING = {"StudyDate": "20240115", "PatientSex": "F", "PatientBirthDate": "19610413"}


def header(**elements: str) -> Dataset:
    dataset = Dataset()
    for keyword, value in (AGREEING | elements).items():
        setattr(dataset, keyword, value)
    return dataset


def test_a_header_that_says_what_was_entered_disagrees_in_nothing():
    assert disagreements(header(), ENTERED) == set()


@pytest.mark.parametrize(
    ("elements", "facts"),
    [
        ({"StudyDate": "20240113"}, {"date"}),
        ({"StudyDate": "20240117"}, {"date"}),
        ({"StudyDate": "2024.03.01"}, {"date"}),
        ({"StudyDate": "", "AcquisitionDate": "20240301"}, {"date"}),
        ({"StudyDate": "", "AcquisitionDateTime": "20240301081500.5"}, {"date"}),
        ({"StudyDate": "", "SeriesDate": "20240301"}, {"date"}),
        ({"StudyDate": "19000101", "SeriesDate": "20240301"}, {"date"}),
        ({"PatientSex": "M"}, {"sex"}),
        ({"PatientSex": "m "}, {"sex"}),
        ({"PatientBirthDate": "19610414"}, {"birth-date"}),
        ({"PatientBirthDate": "19620101"}, {"birth-date"}),
        ({"StudyDate": "20261001", "PatientSex": "M", "PatientBirthDate": "19490609"}, {"date", "sex", "birth-date"}),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_each_fact_that_the_header_says_otherwise_is_named(elements, facts):
    assert disagreements(header(**elements), ENTERED) == facts


@pytest.mark.parametrize(
    "elements",
    [
        {"StudyDate": "20240114"},
        {"StudyDate": "20240116"},
        {"StudyDate": "20240115", "SeriesDate": "20240301"},
        {"StudyDate": ""},
        {"StudyDate": "2024"},
        {"StudyDate": "19000101"},
        {"StudyDate": "20240230"},
        {"StudyDate": "99991231"},
        {"PatientSex": ""},
        {"PatientSex": "O"},
        {"PatientBirthDate": ""},
        {"PatientBirthDate": "1949"},
        {"PatientBirthDate": "194906"},
        {"PatientBirthDate": "19490000"},
        {"PatientBirthDate": "19000101"},
        {"PatientBirthDate": "19700101"},
        {"PatientBirthDate": "99991231"},
        {"PatientBirthDate": "19610101"},
        {"PatientBirthDate": "ANONYMOUS"},
        {
            "LongitudinalTemporalInformationModified": "MODIFIED",
            "StudyDate": "20190301",
            "PatientBirthDate": "19560528",
        },
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_days_beside_midnight_and_what_is_missing_or_a_placeholder_disagree_with_nothing(elements):
    assert disagreements(header(**elements), ENTERED) == set()


@pytest.mark.parametrize("sex", ["O", "U", ""])
def test_what_was_not_entered_is_not_compared(sex):
    unlike = header(StudyDate="20200202", PatientSex="M", PatientBirthDate="19490609")
    assert disagreements(unlike, EnteredFacts(sex=sex)) == set()


def test_of_a_birthday_entered_as_the_first_of_january_only_the_year_counts():
    entered = EnteredFacts(birth_date=date(1961, 1, 1))
    assert disagreements(header(), entered) == set()
    assert disagreements(header(PatientBirthDate="19600413"), entered) == {"birth-date"}


def test_a_damaged_element_is_no_evidence():
    class Damaged(Dataset):
        def get(self, *_):
            raise ValueError("damaged")

    assert disagreements(Damaged(), ENTERED) == set()


def test_what_was_entered_stands_in_no_message():
    assert repr(ENTERED) == str(ENTERED) == "EnteredFacts(kept)"
    assert EnteredFacts.from_entries(ENTERED.as_entries()) == ENTERED
    assert EnteredFacts.from_entries(EnteredFacts().as_entries()) == EnteredFacts()
