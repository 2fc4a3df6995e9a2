"""Two visits are put in order where that is evident, refused where not, and what is doubtful about them is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cohortex.errors import VisitProblem
from cohortex.pipeline import find_visit_pair
from cohortex.pipeline.visits import doubts_about, find_visits, refuse_two_persons


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


@pytest.fixture
def make_visit(make_dicom) -> Callable[..., Path]:
    """A folder of one file: `make_visit(folder, date, PatientID="M-042")`."""
    return lambda folder, date, **entries: make_dicom(folder / "1.dcm", StudyDate=date, **entries).parent


def names(*paths: Path) -> list[str]:
    return [visit.name for visit in find_visit_pair(*paths)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("visit-2", "visit-10"),
        ("w96", "w144"),
        ("pre", "post"),
        ("before", "after"),
        ("baseline", "follow-up"),
        ("screening", "baseline"),
    ],
)
def test_a_folder_of_two_is_put_in_the_order_of_the_names(folder, first, second):
    make(folder, f"{first}.zip", f"{second}.zip")
    assert names(folder) == [f"patient-9 {first}", f"patient-9 {second}"]


def test_sessions_of_a_bids_person_are_put_in_order(folder):
    make(folder, "sub-1/ses-post/anat/sub-1_ses-post_T1w.nii", "sub-1/ses-pre/anat/sub-1_ses-pre_T1w.nii")
    assert names(folder / "sub-1") == ["1 ses-pre", "1 ses-post"]


def test_study_dates_say_more_than_names(folder, make_visit):
    make_visit(folder / "visit-1", "20240415")
    make_visit(folder / "visit-2", "20240115")
    pair = find_visit_pair(folder)
    assert [visit.visit for visit in pair] == ["visit-2", "visit-1"]
    (doubt,) = doubts_about(*pair)
    assert doubt.level == "warn"
    assert "By their names the follow-up (visit-1) came before the baseline (visit-2)" in doubt.message
    assert "dates in their headers say the order used here" in doubt.message


def test_dates_order_visits_whose_names_do_not(folder, make_visit):
    make_visit(folder / "week-6", "20240415")
    make_visit(folder / "visit-1", "20240115")
    assert names(folder) == ["patient-9 visit-1", "patient-9 week-6"]
    assert doubts_about(*find_visit_pair(folder)) == ()


def test_a_folder_of_two_whose_order_is_not_evident_is_refused(folder):
    make(folder, "week-6.zip", "visit-1.zip")
    with pytest.raises(VisitProblem, match="give them in order: cohortex compare FIRST SECOND") as refusal:
        find_visit_pair(folder)
    assert "week-6 (week-6.zip) or visit-1 (visit-1.zip)" in str(refusal.value)
    assert names(folder / "week-6.zip", folder / "visit-1.zip") == ["patient-9 week-6", "patient-9 visit-1"]


def test_a_folder_of_two_persons_is_refused(folder):
    make(folder, "case-1_visit-1.zip", "case-2_visit-2.zip")
    with pytest.raises(VisitProblem, match=r"two persons.*case-1.*case-2.*Give a folder of one person"):
        find_visit_pair(folder)


def test_the_same_visit_twice_is_refused(folder):
    make(folder, "case-1/visit-1.zip")
    (folder / "link.zip").symlink_to(folder / "case-1" / "visit-1.zip")
    file = folder / "case-1" / "visit-1.zip"
    for other in (file, folder / "case-1", folder / "link.zip", folder / ".." / "patient-9" / "case-1" / "visit-1.zip"):
        with pytest.raises(VisitProblem, match="the same visit, or one holds the other"):
            find_visit_pair(file, other)


def test_a_copy_of_a_visit_is_refused(folder):
    make(folder, "visit-1.zip")
    (folder / "visit-2.zip").write_bytes((folder / "visit-1.zip").read_bytes())
    for given in ((folder,), (folder / "visit-1.zip", folder / "visit-2.zip")):
        with pytest.raises(VisitProblem, match=r"visit-1\.zip and visit-2\.zip are the same, byte for byte"):
            find_visit_pair(*given)


def test_another_number_of_visits_is_refused(folder):
    make(folder, "visit-1.zip", "visit-2.zip", "visit-3.zip")
    with pytest.raises(VisitProblem, match=r"holds 3 visits.*give two, or a folder of two"):
        find_visit_pair(folder)
    with pytest.raises(VisitProblem, match=r"holds 3 visits.*give one of them"):
        find_visit_pair(folder, folder / "visit-1.zip")


def test_two_visits_of_one_name_are_baseline_and_follow_up(folder):
    make(folder, "a/P1.zip", "b/P1.zip")
    assert names(folder / "a" / "P1.zip", folder / "b" / "P1.zip") == ["P1 baseline", "P1 follow-up"]
    make(folder, "c/t1.nii", "d/flair.nii")
    assert [name.split()[1] for name in names(folder / "c" / "t1.nii", folder / "d" / "flair.nii")] == [
        "baseline",
        "follow-up",
    ]
    make(folder, "e/follow-up.zip", "e/follow-up-2.zip")
    assert names(folder / "e") == ["e follow-up", "e follow-up-2"]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("case-1.zip", "rossi_2.zip", "case-1"),
        ("rossi_1.zip", "case-1.zip", "case-1"),
        ("rossi1.zip", "rossi2.zip", ""),
    ],
)
def test_a_pair_bears_one_code_where_one_name_hides_behind_a_neutral_one(folder, first, second, code):
    make(folder, first, second)
    pair = find_visit_pair(folder / first, folder / second)
    assert len({visit.study_code for visit in pair}) == 1
    assert code in pair[0].study_code
    assert doubts_about(*pair) == ()


def test_the_codes_of_two_persons_are_doubted(folder):
    make(folder, "case-1.zip", "case-2.zip")
    (doubt,) = doubts_about(*find_visit_pair(folder / "case-1.zip", folder / "case-2.zip"))
    assert doubt.level == "fail"
    assert "codes of two persons (case-1, case-2)" in doubt.message


def test_a_pair_given_against_its_dates_is_kept_and_doubted(folder, make_visit):
    later, earlier = make_visit(folder / "one", "20240415"), make_visit(folder / "two", "20240115")
    pair = find_visit_pair(later, earlier)
    assert [visit.paths for visit in pair] == [(later,), (earlier,)]
    (doubt,) = doubts_about(*pair)
    assert doubt.level == "warn"
    assert "was scanned before the baseline" in doubt.message
    assert "2024" not in doubt.message
    assert doubts_about(*find_visit_pair(earlier, later)) == ()


def test_a_pair_given_against_its_names_is_kept_and_doubted(folder):
    make(folder, "visit-10.zip", "visit-2.zip")
    pair = find_visit_pair(folder / "visit-10.zip", folder / "visit-2.zip")
    assert [visit.visit for visit in pair] == ["visit-10", "visit-2"]
    assert "By their names the follow-up (visit-2) came before" in doubts_about(*pair)[0].message


MARIA = {"PatientID": "M-0042", "PatientName": "PHANTOM^MARIA", "PatientBirthDate": "19610413"}
LUCA = {"PatientID": "M-0077", "PatientName": "PHANTOM^LUCA", "PatientBirthDate": "19550302"}


@pytest.fixture
def two_visits(folder, make_visit) -> Callable[..., tuple[Path, Path]]:
    """Two folders of names that read as the codes of two persons."""
    return lambda first, second: (
        make_visit(folder / "s1", "20240115", **first),
        make_visit(folder / "s2", "20240415", **second),
    )


def test_two_persons_by_their_headers_are_refused_without_naming_them(two_visits):
    paths = two_visits(MARIA, LUCA)
    with pytest.raises(VisitProblem, match=r"s1 and s2 are of two persons .*patient ID, name and birth date differ"):
        find_visit_pair(*paths)
    with pytest.raises(VisitProblem, match="say so with --same-person") as refusal:
        find_visit_pair(*paths, study_code="p01")
    assert not any(value in str(refusal.value) for value in (*MARIA.values(), *LUCA.values()))


def test_two_persons_are_named_as_they_were_given_however_deep_the_scans_lie(folder, make_visit, monkeypatch):
    make_visit(folder / "v1" / "DICOM", "20240115", **MARIA)
    make_visit(folder / "other", "20240415", **LUCA)
    with pytest.raises(VisitProblem, match=r"^v1 and other are of two persons"):
        find_visit_pair(folder / "v1", folder / "other")
    monkeypatch.chdir(folder / "v1")
    with pytest.raises(VisitProblem, match=r"^v1 and other are of two persons"):
        find_visit_pair(Path("."), Path("../other"))


def test_visits_that_were_not_found_as_a_pair_are_asked_too(two_visits):
    first, second = (find_visits(path)[0] for path in two_visits(MARIA, LUCA))
    with pytest.raises(VisitProblem, match="are of two persons"):
        refuse_two_persons(first, second)
    assert doubts_about(first, second)[0].check == "one person"


def test_what_the_headers_say_is_read_once_and_never_shown(two_visits):
    paths = two_visits(MARIA, LUCA)
    pair = find_visit_pair(*paths, same_person=True)
    assert "042" not in repr(pair)
    for path in paths:
        (path / "1.dcm").unlink()
    assert "may be of two persons (patient ID, name and birth date differ)" in doubts_about(*pair)[0].message


def test_a_person_may_vouch_for_two_persons_being_one_and_the_report_says_it(two_visits):
    pair = find_visit_pair(*two_visits(MARIA, LUCA), study_code="p01", same_person=True)
    assert {visit.study_code for visit in pair} == {"p01"}
    (doubt,) = doubts_about(*pair)
    assert doubt.check == "one person"
    assert "may be of two persons (patient ID, name and birth date differ)" in doubt.message


def test_one_person_by_the_headers_is_compared_and_names_of_two_are_told(folder, two_visits):
    pair = find_visit_pair(*two_visits(MARIA, MARIA | {"PatientName": "Maria^Phantom"}))
    assert [visit.study_code for visit in pair] == ["s1", "s1"]
    assert not pair[0].notes
    (note,) = pair[1].notes
    assert "Names and headers contradict each other: by their names the visits are of two persons (s1, s2)" in note
    assert doubts_about(*pair) == ()
    given = find_visit_pair(folder / "s1", folder / "s2", study_code="p01")
    assert not any(visit.notes for visit in given)
    assert [visit.study_code for visit in find_visit_pair(folder)] == ["s1", "s1"]


@pytest.mark.parametrize("entries", [{"PatientID": "H-1"}, {"PatientName": "ROSSI^MARIA"}])
def test_another_number_or_name_alone_makes_no_other_person(folder, entries, two_visits):
    refuse_two_persons(*find_visit_pair(*two_visits(MARIA, MARIA | entries)))
    assert doubts_about(*find_visit_pair(folder / "s1", folder / "s2")) == ()


def test_headers_that_contradict_themselves_are_doubted(two_visits):
    first, second = ({key: who[key] for key in ("PatientID", "PatientName")} for who in (MARIA, LUCA))
    pair = find_visit_pair(*two_visits(first, second | {"PatientID": "M-0042"}), study_code="p01")
    (doubt,) = doubts_about(*pair)
    assert "(name differs)" in doubt.message


@pytest.mark.parametrize("nobody", [{"PatientID": "ANONYMOUS", "PatientName": "Anon^Patient"}, {"PatientID": "000"}])
def test_identities_that_were_taken_out_say_nothing(nobody, two_visits):
    (doubt,) = doubts_about(*find_visit_pair(*two_visits(nobody, nobody)))
    assert "codes of two persons (s1, s2)" in doubt.message
    refuse_two_persons(*find_visit_pair(*two_visits(MARIA, nobody)))


def test_the_name_of_a_trial_in_place_of_the_patients_makes_no_one_person(two_visits):
    trial = {"PatientID": "", "PatientName": "MSTRIAL^BRAIN", "PatientBirthDate": ""}
    pair = find_visit_pair(*two_visits(trial, trial))
    assert [visit.study_code for visit in pair] == ["s1", "s2"]
    (doubt,) = doubts_about(*pair)
    assert "codes of two persons (s1, s2)" in doubt.message


def test_one_examination_in_two_packings_is_doubted(two_visits):
    pair = find_visit_pair(*two_visits(MARIA, MARIA | {"StudyInstanceUID": "1.2.3"}))
    assert doubts_about(*pair) == ()
    same = MARIA | {"StudyInstanceUID": "1.2.3"}
    (doubt,) = doubts_about(*find_visit_pair(*two_visits(same, same)))
    assert (doubt.check, doubt.level) == ("two examinations", "fail")


@pytest.mark.parametrize(("first", "second"), [("rossi1.zip", "rossi2.zip"), ("case-1.zip", "rossi_2.zip")])
def test_one_code_for_two_names_is_told_unless_it_was_given(folder, first, second):
    make(folder, first, second)
    paths = folder / first, folder / second
    pair = find_visit_pair(*paths)
    (note,) = pair[1].notes
    assert f"{pair[0].study_code} was taken as the code of both" in note
    assert "rossi" not in note
    assert not any(visit.notes for visit in find_visit_pair(*paths, study_code="p01"))


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("a/P1", "b/P1", "the follow-up was scanned before the baseline:"),
        ("follow-up", "baseline", "the follow-up (named baseline) was scanned before the baseline (named follow-up):"),
    ],
)
def test_a_role_is_not_said_twice(folder, first, second, words, make_visit):
    pair = find_visit_pair(make_visit(folder / first, "20240415"), make_visit(folder / second, "20240115"))
    assert words in doubts_about(*pair)[0].message
