"""A code for a person comes from names of files, and no person's name gets through."""

from __future__ import annotations

import re

import pytest

from cohortex.pipeline.study_code import study_code_from, visit_from


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("sub-07_ses-2_T1w.nii.gz", "07"),
        ("sub-A17", "A17"),
        ("patient-03-visit-2.zip", "patient-03"),
        ("phantom_2_baseline.zip", "phantom-2"),
        ("P012_week-6.tar.gz", "P012"),
        ("case 4", "case-4"),
    ],
)
def test_plain_words_and_codes_stay(name, code):
    assert study_code_from(name) == code


@pytest.mark.parametrize(
    "name",
    ["MUELLER^HANS.zip", "Hans1975", "patient_Rossi", "19751203.zip", "031275_T1.nii", "Ägidius", "^^", "patient-Li"],
)
def test_a_name_or_a_birth_date_becomes_a_neutral_code(name):
    code = study_code_from(name)
    assert re.fullmatch(r"person-[0-9a-f]{10}", code)
    assert study_code_from(name) == code


def test_among_many_names_no_two_share_a_code():
    names = [f"Family{first}-{second}" for first in range(60) for second in range(60)]
    assert len({study_code_from(name) for name in names}) == len(names)


def test_both_visits_of_a_person_get_one_code():
    assert (
        study_code_from("rossi_visit-1.zip")
        == study_code_from("rossi_visit-2.zip")
        != study_code_from("bianchi_visit-1.zip")
    )


@pytest.mark.parametrize(
    ("name", "visit"),
    [
        ("study1_FLAIR.nii.gz", "study1"),
        ("sub-1_ses-post_T1w.nii.gz", "ses-post"),
        ("patient-03-visit-2.zip", "visit-2"),
        ("Follow up 2", "follow-up-2"),
        ("baseline", "baseline"),
        ("chris_t1.nii.gz", None),
        ("restudy12.nii.gz", None),
    ],
)
def test_visits_are_read_from_names(name, visit):
    assert visit_from(name) == visit
