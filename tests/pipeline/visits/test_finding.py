"""A path is divided into the visits a person would see in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cohortex.errors import VisitProblem
from cohortex.pipeline.visits import find_visits
from cohortex.pipeline.visits.headers import read_visit_headers
from cohortex.pipeline.visits.study_code import is_neutral


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def found(path, **options) -> list[tuple[str, str, list[str]]]:
    root = path if isinstance(path, Path) else path[0].parent
    return [
        (visit.study_code, visit.visit, [p.relative_to(root).as_posix() if p != root else "." for p in visit.paths])
        for visit in find_visits(path, **options)
    ]


def test_files_given_together_are_one_visit(folder):
    make(folder, "study1_FLAIR.nii.gz", "study2_FLAIR.nii.gz")
    files = [folder / "study1_FLAIR.nii.gz", folder / "study2_FLAIR.nii.gz"]
    assert len(find_visits(files)) == 1
    assert find_visits(files)[0].paths == tuple(files)


def test_an_archive_is_one_visit(folder):
    make(folder, "case-04-visit-2.zip")
    (visit,) = find_visits(folder / "case-04-visit-2.zip")
    assert (visit.study_code, visit.visit, visit.reason) == ("case-04", "visit-2", "one file")


def test_an_archive_named_after_a_visit_only_belongs_to_its_folder(folder):
    make(folder, "baseline.zip", "follow-up.zip")
    assert found(folder) == [
        ("patient-9", "baseline", ["baseline.zip"]),
        ("patient-9", "follow-up", ["follow-up.zip"]),
    ]
    assert find_visits(folder / "baseline.zip")[0].study_code == "patient-9"


@pytest.mark.parametrize(
    ("files", "visits"),
    [
        (("before.zip", "after.zip"), ("before", "after")),
        (("visit1.zip", "visit2.zip"), ("visit1", "visit2")),
        (("pre/t1.nii.gz", "post/t1.nii.gz"), ("pre", "post")),
        (("visit1/DICOM/flair.nii.gz", "visit2/DICOM/flair.nii.gz"), ("visit1", "visit2")),
        (("t1.nii.gz", "flair.nii.gz"), ("visit-1", "visit-1")),
    ],
)
def test_paths_named_after_visits_and_contrasts_belong_to_the_person_of_the_folder(folder, files, visits):
    make(folder, *files)
    found_one_by_one = [find_visits(folder / file)[0] for file in files]
    assert [visit.study_code for visit in found_one_by_one] == ["patient-9", "patient-9"]
    assert tuple(visit.visit for visit in found_one_by_one) == visits


def bare(folder: Path, name: str, content: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """The code of a file given by its name alone, from within its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    monkeypatch.chdir(folder)
    return find_visits(Path(name))[0].study_code


@pytest.mark.parametrize("name", ["visit.zip", "baseline.zip", "t1.nii.gz"])
def test_the_folder_one_works_in_is_nobodys_name(tmp_path, name, monkeypatch):
    codes = [bare(tmp_path / "w", name, content, monkeypatch) for content in (b"one", b"other", b"one")]
    assert is_neutral(codes[0])
    assert codes[0] == codes[2] != codes[1]
    assert bare(tmp_path / "elsewhere", name, b"one", monkeypatch) == codes[0]
    assert find_visits(Path("..") / "w" / name)[0].study_code == "w"  # named in the path that was given
    assert find_visits(Path("..") / "w" / ".." / "w" / ".." / "elsewhere" / name)[0].study_code != "w"


def test_the_folder_given_is_named_whatever_its_path(folder, monkeypatch):
    make(folder, "visit-1.zip", "visit-2.zip")
    monkeypatch.chdir(folder)
    for given in (".", "../patient-9", "../../" + folder.parent.name + "/patient-9"):
        assert {visit.study_code for visit in find_visits(Path(given))} == {"patient-9"}


def test_visits_that_nothing_names_are_one_persons_and_stay_it_when_one_is_added(folder, monkeypatch):
    make(folder, "data/visit-1.zip", "data/visit-2.zip")
    monkeypatch.chdir(folder)
    before = {visit.study_code for visit in find_visits(Path("data"))}
    assert len(before) == 1
    assert is_neutral(*before)
    make(folder, "data/visit-3.zip")
    assert {visit.study_code for visit in find_visits(Path("data"))} == before


def test_a_bids_session_belongs_to_the_person_it_lies_in(folder, monkeypatch):
    make(folder, "sub-07/ses-2/anat/sub-07_ses-2_T1w.nii")
    monkeypatch.chdir(folder / "sub-07")
    assert found(Path("ses-2")) == [("07", "ses-2", ["anat/sub-07_ses-2_T1w.nii"])]


def test_t1_before_and_after_the_agent_are_one_visit(folder):
    make(folder, "T1_pre.nii.gz", "T1_post.nii.gz")
    assert found(folder) == [("patient-9", "visit-1", ["T1_post.nii.gz", "T1_pre.nii.gz"])]


def test_visits_come_in_the_order_of_their_numbers_and_words(folder):
    names = ["screening", "baseline", "w96", "w144", "visit-2", "visit-10", "follow-up"]
    make(folder, *(f"{name}.zip" for name in names))
    assert [visit.visit for visit in find_visits(folder)] == names


def test_image_files_of_one_folder_are_one_visit(folder):
    make(folder, "T1.nii.gz", "T1.json", "FLAIR.nii.gz", "lesion.nii.gz", ".hidden.nii", "README.md")
    assert found(folder) == [("patient-9", "visit-1", ["FLAIR.nii.gz", "T1.nii.gz", "lesion.nii.gz"])]


def test_file_names_that_speak_of_two_visits_make_two(folder):
    make(folder, "study1_FLAIR.nii.gz", "study1_T1W.nii.gz", "study2_FLAIR.nii.gz", "gt.nii.gz", "brainmask.nii.gz")
    assert found(folder) == [
        ("patient-9", "study1", ["study1_FLAIR.nii.gz", "study1_T1W.nii.gz"]),
        ("patient-9", "study2", ["study2_FLAIR.nii.gz"]),
    ]
    assert "2 files name no visit and are left out" in find_visits(folder)[0].reason
    assert [visit.notes for visit in find_visits(folder)] == 2 * [
        (
            "2 images were left out, of no visit by name: brainmask.nii.gz, gt.nii.gz. Name the visit in the file name "
            "to use them.",
        )
    ]


def test_many_images_left_out_are_counted(folder):
    make(folder, "study1_T1.nii", "study2_T1.nii", *(f"scan{n}x.nii" for n in range(5)))
    assert "5 images were left out" in find_visits(folder)[0].notes[0]
    assert "scan2x.nii and 2 more." in find_visits(folder)[0].notes[0]


def test_file_names_that_speak_of_one_visit_make_one(folder):
    make(folder, "visit-3_FLAIR.nii.gz", "brain.nii.gz")
    assert found(folder) == [("patient-9", "visit-3", ["brain.nii.gz", "visit-3_FLAIR.nii.gz"])]


def test_bids_folders_are_read_by_person_and_session(folder):
    make(
        folder,
        "dataset_description.json",
        "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz",
        "sub-01/ses-b/anat/sub-01_ses-b_T1w.nii.gz",
        "sub-01/ses-b/dwi/sub-01_ses-b_dwi.nii.gz",
        "sub-01/ses-b/func/sub-01_ses-b_task-rest_bold.nii.gz",
        "sub-02/anat/sub-02_FLAIR.nii.gz",
        "sub-03/func/sub-03_task-rest_bold.nii.gz",
        "derivatives/sub-01/anat/sub-01_T1w.nii.gz",
    )
    everything = [
        ("01", "ses-a", ["sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz"]),
        ("01", "ses-b", ["sub-01/ses-b/anat/sub-01_ses-b_T1w.nii.gz", "sub-01/ses-b/dwi/sub-01_ses-b_dwi.nii.gz"]),
        ("02", "visit-1", ["sub-02/anat/sub-02_FLAIR.nii.gz"]),
    ]
    assert found(folder) == everything
    assert [len(visit.notes) for visit in find_visits(folder)] == [0, 1, 0]
    assert "1 image was left out, not in anat, dwi, perf, ct: sub-01_ses-b_task" in find_visits(folder)[1].notes[0]
    assert [visit[:2] for visit in found(folder / "sub-01")] == [("01", "ses-a"), ("01", "ses-b")]
    assert [visit[:2] for visit in found(folder / "sub-01" / "ses-b")] == [("01", "ses-b")]


def test_folders_of_persons_and_visits_are_searched(folder):
    make(folder, "case-1/visit-1/T1.nii", "case-1/visit-2/T1.nii", "case-2/T1.nii", "case-3.zip")
    assert [visit[:2] for visit in found(folder)] == [
        ("case-1", "visit-1"),
        ("case-1", "visit-2"),
        ("case-2", "visit-1"),
        ("case-3", "visit-1"),
    ]


def test_dicom_of_one_examination_is_one_visit_named_after_the_folder_not_the_patient(folder, make_dicom):
    make_dicom(folder / "t1" / "1", StudyInstanceUID="1.2.3")
    make_dicom(folder / "flair" / "deep" / "1.dcm", StudyInstanceUID="1.2.3")
    make(folder, "flair/deep/notes.txt")
    assert found(folder) == [("patient-9", "visit-1", ["."])]


def test_dicom_of_several_examinations_is_several_visits(folder, make_dicom):
    for visit, series in (("visit-1", "t1"), ("visit-1", "t2"), ("visit-2", "t1")):
        make_dicom(folder / "case-1" / visit / series / "1", StudyInstanceUID=f"1.2.{visit[-1]}")
    make_dicom(folder / "case-2" / "1", StudyInstanceUID="1.2.9")
    assert found(folder) == [
        ("case-1", "visit-1", ["case-1/visit-1"]),
        ("case-1", "visit-2", ["case-1/visit-2/t1"]),
        ("case-2", "visit-1", ["case-2"]),
    ]


def test_what_stands_in_place_of_an_examination_is_never_printed(folder, make_dicom, capfd, caplog, recwarn):
    file = make_dicom(folder / "1.dcm", StudyInstanceUID="1.2.3.4.5.6")
    file.write_bytes(file.read_bytes().replace(b"1.2.3.4.5.6", b"M-042 MARIA"))
    assert found(folder) == [("patient-9", "visit-1", ["."])]
    assert read_visit_headers([folder]).examinations == {"M-042 MARIA"}
    assert "MARIA" not in "".join(capfd.readouterr()) + caplog.text
    assert [str(warning.message) for warning in recwarn] == []


def test_examinations_whose_folders_are_mixed_are_told_apart(folder, make_dicom):
    for series, examination in (("a", "1.2.1"), ("b", "1.2.2"), ("c", "1.2.1")):
        make_dicom(folder / series / "1", StudyInstanceUID=examination)
    assert sorted(paths for _, _, paths in found(folder)) == [["a", "c"], ["b"]]


def test_visits_never_bear_the_same_name(folder):
    make(folder, "case-1.zip", "case-1/T1.nii")
    assert sorted(visit[:2] for visit in found(folder)) == [("case-1", "visit-1"), ("case-1", "visit-1-2")]


def test_a_study_code_can_be_given_for_one_person_only(folder):
    make(folder, "case-1/visit-1/T1.nii", "case-1/visit-2/T1.nii", "case-2/T1.nii")
    assert {visit[0] for visit in found(folder / "case-1", study_code="X7")} == {"X7"}
    with pytest.raises(VisitProblem, match="2 persons"):
        find_visits(folder, study_code="X7")


def test_an_empty_folder_is_refused(folder):
    make(folder, "README.md")
    with pytest.raises(VisitProblem, match="patient-9: no archive, DICOM or NIfTI"):
        find_visits(folder)
    with pytest.raises(VisitProblem, match="no file was given"):
        find_visits([])


def test_a_path_with_nothing_there_is_refused(folder):
    with pytest.raises(FileNotFoundError, match="gone"):
        find_visits(folder / "gone")
