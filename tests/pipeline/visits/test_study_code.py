"""A code for a person comes from names of files, and no person's name gets through."""

from __future__ import annotations

import re

import pytest

from cohortex.pipeline.visits.study_code import (
    is_neutral,
    names_no_person,
    study_code_from,
    study_code_from_content,
    visit_from,
)


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
        ("before.zip", "before"),
        ("patient-07_after.zip", "after"),
        ("patient-07_pre.zip", "pre"),
        ("chris_t1.nii.gz", None),
        ("restudy12.nii.gz", None),
    ],
)
def test_visits_are_read_from_names(name, visit):
    assert visit_from(name) == visit


def test_pre_and_post_in_names_of_images_speak_of_the_agent():
    assert visit_from("T1_post.nii.gz", of_image=True) is None
    assert visit_from("before_T1_post.nii.gz", of_image=True) == "before"


@pytest.mark.parametrize(
    "name", ["before.zip", "after", "Follow-up.zip", "visit1", "t1.nii.gz", "FLAIR", "DICOM", "pre"]
)
def test_words_of_visits_times_and_contrasts_name_no_person(name):
    assert names_no_person(name)


@pytest.mark.parametrize("name", ["patient-07", "case-1_flair.nii.gz", "P012_visit-1.zip", "rossi", "07", "Ägidius"])
def test_other_names_may_name_a_person(name):
    assert not names_no_person(name)


def test_a_neutral_code_is_known_as_one():
    assert is_neutral(study_code_from("rossi"))
    assert not any(map(is_neutral, ("person-7", "case-1", "")))


@pytest.mark.parametrize("visit", ["before", "after", "pre", "post", "visit1", "baseline"])
def test_the_visit_is_no_part_of_the_code(visit):
    assert study_code_from(f"patient-07_{visit}.zip") == "patient-07"


def test_a_code_from_content_does_not_ask_what_systems_hide_in_folders(tmp_path):
    (tmp_path / "visit1").mkdir()
    (tmp_path / "visit1" / "scan.dcm").write_bytes(b"scan")
    code = study_code_from_content([tmp_path / "visit1"])
    (tmp_path / "visit1" / ".DS_Store").write_bytes(b"seen")
    (tmp_path / "visit1" / "__MACOSX").mkdir()
    (tmp_path / "visit1" / "__MACOSX" / "._scan.dcm").write_bytes(b"seen")
    assert study_code_from_content([tmp_path / "visit1"]) == code
    (tmp_path / "visit1" / "more.dcm").write_bytes(b"scan")
    assert study_code_from_content([tmp_path / "visit1"]) != code
