"""The folder of a report: another visit does not get in, a rerun leaves nothing outdated, and all else stays."""

import json
from pathlib import Path

import example_steps
import numpy as np
import pytest

from cohortex.errors import StepFailed, TargetExists, UnwritableOutput, VisitProblem
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.pipeline import VisitSource, compare_visits, process_visit
from cohortex.pipeline import visit_steps as steps
from cohortex.pipeline.output_folder import (
    RECORD,
    folder_for_output,
    folder_for_run,
    refuse_other_visits,
    remove_outdated,
)
from cohortex.pipeline.runner import Runner


def report(folder: Path, *, files: dict[str, str] | None = None, **entries: object) -> Path:
    record = {"schema": "cohortex.visit-report/2", "study_code": "p01", "visit": "week 4", "files": files or {}}
    folder.mkdir(exist_ok=True)
    (folder / RECORD).write_text(json.dumps(record | entries))
    return folder


def comparison(folder: Path) -> Path:
    return report(
        folder,
        schema="cohortex.comparison-report/2",
        baseline={"visit": "week 0"},
        follow_up={"visit": "week 4"},
    )


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def left_in(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()} - {RECORD}


@pytest.mark.parametrize(("study_code", "visit"), [("p01", "week 8"), ("p02", "week 4")])
def test_another_visit_or_patient_is_refused_with_both_and_the_remedy(tmp_path, study_code, visit):
    folder = report(tmp_path / "out")
    with pytest.raises(TargetExists, match=f"^out: .*p01 week 4.*{study_code} {visit}.*Give another folder"):
        refuse_other_visits(folder, study_code=study_code, visits=[visit])


def test_a_comparison_and_a_visit_do_not_share_a_folder(tmp_path):
    with pytest.raises(TargetExists, match="p01 week 4; that of p01 week 0 → week 4"):
        refuse_other_visits(report(tmp_path / "out"), study_code="p01", visits=["week 0", "week 4"])
    with pytest.raises(TargetExists, match="p01 week 0 → week 4; that of p01 week 4"):
        refuse_other_visits(comparison(tmp_path / "two"), study_code="p01", visits=["week 4"])


def test_the_same_visits_again_are_welcome(tmp_path):
    refuse_other_visits(tmp_path / "not there", study_code="p01", visits=["week 4"])
    refuse_other_visits(tmp_path, study_code="p01", visits=["week 4"])
    refuse_other_visits(report(tmp_path / "out"), study_code="p01", visits=["week 4"])
    refuse_other_visits(comparison(tmp_path / "two"), study_code="p01", visits=["week 0", "week 4"])


def test_a_report_of_an_earlier_schema_is_known_for_whose_it_is(tmp_path):
    folder = report(tmp_path)
    (folder / RECORD).write_text((folder / RECORD).read_text().replace("visit-report/2", "visit-report/1"))
    refuse_other_visits(folder, study_code="p01", visits=["week 4"])
    with pytest.raises(TargetExists, match="p01 week 4"):
        refuse_other_visits(folder, study_code="p01", visits=["week 8"])


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": "of another program"}', "{}", "\udcff"])
def test_a_report_of_another_program_is_not_replaced(tmp_path, content):
    (tmp_path / RECORD).write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(TargetExists, match=r"no report of cohortex.*Give another folder"):
        refuse_other_visits(tmp_path, study_code="p01", visits=["week 4"])


def test_processing_refuses_before_anything_is_written(tmp_path):
    folder = report(tmp_path / "out")
    before = (folder / RECORD).read_bytes()
    other = VisitSource(study_code="p01", visit="week 8", paths=(tmp_path / "nowhere.zip",), reason="named")
    with pytest.raises(TargetExists, match="p01 week 8"):
        process_visit(other, folder, workers=0)
    assert [file.name for file in folder.iterdir()] == [RECORD]
    assert (folder / RECORD).read_bytes() == before


def test_comparing_refuses_before_anything_is_written(tmp_path):
    folder = comparison(tmp_path / "out")
    pair = [
        VisitSource(study_code="p01", visit=visit, paths=(tmp_path / f"{visit}.nii",), reason="named")
        for visit in ("week 4", "week 8")
    ]
    with pytest.raises(TargetExists, match="p01 week 0 → week 4; that of p01 week 4 → week 8"):
        compare_visits(*pair, folder, workers=0)
    assert [file.name for file in folder.iterdir()] == [RECORD]


def test_what_is_no_longer_written_goes_and_all_else_stays(tmp_path):
    files = {
        "old": "T2_corrected.nii.gz",
        "series": "images/AX_T2.nii.gz",
        "motion": "transforms/old.tfm",
        "kept": "b.nii.gz",
    }
    folder = report(tmp_path / "out", files=files)
    touched(folder, *files.values(), "images/AX_T2.json", "notes.txt", "images/own.nii.gz", "images/own.json")
    remove_outdated(folder, {"b.nii.gz", "FLAIR_corrected.nii.gz"})
    assert left_in(folder) == {"b.nii.gz", "notes.txt", "images/own.nii.gz", "images/own.json"}
    remove_outdated(folder, {"b.nii.gz"})  # again, after an interruption: they are gone already
    assert "b.nii.gz" in left_in(folder)


def test_nothing_outside_the_folder_is_removed_whatever_the_record_says(tmp_path):
    touched(tmp_path, "beside.nii.gz", "elsewhere/scan.nii.gz")
    names = ["../beside.nii.gz", str(tmp_path / "elsewhere" / "scan.nii.gz"), "link/scan.nii.gz", "thesis.docx", "sub"]
    folder = touched(report(tmp_path / "out", files={str(n): name for n, name in enumerate(names)}), "thesis.docx")
    (folder / "sub").mkdir()
    (folder / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    remove_outdated(folder, set())
    assert left_in(tmp_path) >= {"beside.nii.gz", "elsewhere/scan.nii.gz", "out/thesis.docx"}
    assert (folder / "sub").is_dir()


def test_a_file_known_by_two_names_stays(tmp_path):
    """As on a disk that does not tell capitals from small letters."""
    folder = touched(report(tmp_path / "out", files={"map": "Map.nii.gz"}), "map.nii.gz")
    (folder / "Map.nii.gz").hardlink_to(folder / "map.nii.gz")
    remove_outdated(folder, {"map.nii.gz"})
    assert "map.nii.gz" in left_in(folder)
    assert "Map.nii.gz" in left_in(folder)


@pytest.mark.parametrize("files", [None, [], "a.nii.gz"])
def test_a_record_without_files_removes_nothing(tmp_path, files):
    folder = touched(report(tmp_path / "out"), "a.nii.gz")
    (folder / RECORD).write_text(json.dumps({"files": files}))
    remove_outdated(folder, set())
    remove_outdated(tmp_path / "nowhere", set())
    assert left_in(folder) == {"a.nii.gz"}


def test_a_folder_without_the_right_to_write_is_refused_as_the_output(tmp_path, monkeypatch):
    def denied(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("cohortex.pipeline.output_folder.tempfile.TemporaryFile", denied)  # root may write anywhere
    with (
        pytest.raises(UnwritableOutput, match=r"^out: the output cannot be written there \(Permission denied\)\. Give"),
        folder_for_output(tmp_path / "a" / "out"),
    ):
        pass
    assert not (tmp_path / "a").exists()


def test_a_folder_that_was_there_or_holds_something_stays_after_a_failure(tmp_path):
    def fail() -> None:
        touched(tmp_path / "made", "kept.nii.gz")
        raise VisitProblem("nothing")

    (tmp_path / "mine").mkdir()
    for folder in (tmp_path / "mine", tmp_path / "made"):
        with pytest.raises(VisitProblem), folder_for_output(folder):
            fail()
    assert (tmp_path / "mine").is_dir()
    assert left_in(tmp_path / "made") == {"kept.nii.gz"}


@pytest.mark.parametrize("long_step", [False, True])
def test_finished_steps_are_kept_and_told_and_what_was_only_read_is_not(tmp_path, long_step):
    output, store = tmp_path / "out", tmp_path / "out" / ".cohortex"
    image = Image(np.ones((2, 2, 2), np.float32), Grid.from_parts((2, 2, 2)))

    def run_and_fail() -> None:
        with Runner(store, workers=0) as runner:
            runner.run([example_steps.double(image) if long_step else steps.look_at(image, chosen={})])
        raise StepFailed("t1.nii: find the brain failed: noise.", step="find the brain", reason="noise.")

    with pytest.raises(StepFailed) as caught, folder_for_run(output, store):
        run_and_fail()
    assert output.exists() == store.exists() == long_step
    assert ("kept in .cohortex, and the next run goes on from there" in str(caught.value)) == long_step
    assert caught.value.reason == "noise."
