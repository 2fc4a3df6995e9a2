"""`cohortex process`: what it refuses, with file, reason and remedy, and what it leaves behind then."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.io import write_image


@pytest.fixture
def scan(tmp_path) -> Path:
    """A readable NIfTI file whose every voxel is the same: quality `fail`."""
    path = tmp_path / "flat_T1w.nii.gz"
    write_image(Image(np.full((20, 20, 20), 7, np.int16), Grid.from_parts((20, 20, 20)), "arbitrary"), path)
    return path


def cut_zip(folder: Path, uploads: Path) -> Path:
    path = folder / "cut.zip"
    path.write_bytes((uploads / "p01_visit-1.zip").read_bytes()[:60_000])
    return path


def corrupt_zip(folder: Path, uploads: Path) -> Path:
    """Bytes flipped through the middle, as a bad disk leaves them: the archive opens, half of its files do not."""
    content = bytearray((uploads / "p01_visit-1.zip").read_bytes())
    for place in range(len(content) // 4, len(content) * 3 // 4, 997):
        content[place] ^= 0xFF
    path = folder / "corrupt.zip"
    path.write_bytes(content)
    return path


def notes_zip(folder: Path, _: Path) -> Path:
    path = folder / "notes.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "no scan")
        archive.writestr("b.txt", "no scan")
    return path


def hollow_zip(folder: Path, _: Path) -> Path:
    path = folder / "hollow.zip"
    zipfile.ZipFile(path, "w").close()
    return path


def empty_zip(folder: Path, _: Path) -> Path:
    return _file(folder / "empty.zip", b"")


def cut_nifti(folder: Path, _: Path) -> Path:
    whole = folder / "whole_T1w.nii.gz"
    values = np.random.default_rng(0).integers(0, 900, (20, 20, 20)).astype(np.int16)
    write_image(Image(values, Grid.from_parts((20, 20, 20)), "arbitrary"), whole)
    return _file(folder / "cut_T1w.nii.gz", whole.read_bytes()[:5000])


def corrupt_nifti(folder: Path, uploads: Path) -> Path:
    content = bytearray(cut_nifti(folder, uploads).with_name("whole_T1w.nii.gz").read_bytes())
    content[len(content) // 2 : len(content) // 2 + 400] = bytes(400)
    return _file(folder / "corrupt_T1w.nii.gz", bytes(content))


def text_nifti(folder: Path, _: Path) -> Path:
    return _file(folder / "text.nii.gz", b"this is no image at all")


def empty_nifti(folder: Path, _: Path) -> Path:
    return _file(folder / "empty.nii.gz", b"")


def noise_file(folder: Path, _: Path) -> Path:
    return _file(folder / "noise.dcm", bytes(range(255, -1, -1)) * 40)


def cut_folder(folder: Path, uploads: Path) -> Path:
    """Every slice cut to half."""
    with zipfile.ZipFile(uploads / "p01_visit-1.zip") as archive:
        for number, name in enumerate(archive.namelist()):
            content = archive.read(name)
            _file(folder / "cut_folder" / f"{number:03d}.dcm", content[: len(content) // 2])
    return folder / "cut_folder"


def notes_folder(folder: Path, _: Path) -> Path:
    return _file(folder / "notes_folder" / "letter.txt", b"no scan").parent


def empty_folder(folder: Path, _: Path) -> Path:
    (folder / "empty_folder").mkdir()
    return folder / "empty_folder"


def folder_of_empty_slices(folder: Path, _: Path) -> Path:
    return _file(folder / "empty_slices" / "1.dcm", b"").parent


def _file(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("made", "reason", "remedy"),
    [
        (cut_zip, "truncated or broken", "send it again"),
        (corrupt_zip, "could not be read", "Send the series again"),
        (notes_zip, "no DICOM, NIfTI", "Give the archive or folder"),
        (hollow_zip, "the archive is empty", "send it again"),
        (empty_zip, "0 bytes", "Send it again"),
        (cut_nifti, "breaks off", "Send it again"),
        (corrupt_nifti, "checksum does not match", "Send it again"),
        (text_nifti, "not a NIfTI file", "Check that the right file was sent"),
        (empty_nifti, "0 bytes", "Send it again"),
        (noise_file, "no format read here", "Give DICOM"),
        (cut_folder, "truncated", "Send it again"),
        (notes_folder, "no archive, DICOM or NIfTI", "Give the folder"),
        (empty_folder, "no archive, DICOM or NIfTI", "Give the folder"),
        (folder_of_empty_slices, "no archive, DICOM or NIfTI", "Give the folder"),
    ],
)
def test_what_is_no_scan_is_refused_with_file_reason_and_remedy(cohortex, uploads, tmp_path, made, reason, remedy):
    (tmp_path / "in").mkdir()
    path = made(tmp_path / "in", uploads)
    said = cohortex("process", path, "-o", tmp_path / "out", "--workers", 0)
    assert said.code == 1
    assert path.name in said.err
    assert reason in said.err
    assert remedy in said.err
    assert "Traceback" not in said.err
    assert "cohortex: " in said.err  # no name of a class
    assert not re.search("UnreadableFile|VisitProblem|UnknownFormat", said.err)
    assert left_behind(tmp_path / "out") == []
    assert not (tmp_path / "out").exists()
    if made is not corrupt_zip:  # some of it could be read
        assert "done: read the files" not in said.err


def left_behind(folder: Path) -> list[str]:
    """What an earlier or failed run leaves that looks like a result."""
    if not folder.exists():
        return []
    files = [file.relative_to(folder) for file in folder.rglob("*") if file.is_file()]
    return [file.as_posix() for file in files if file.parts[0] != ".cohortex"]


def test_a_visit_whose_every_series_fails_the_quality_check_is_refused(cohortex, scan, tmp_path):
    said = cohortex("process", scan, "-o", tmp_path / "out", "--workers", 0)
    assert said.code == 1
    assert "flat_T1w.nii.gz: no usable" in said.err
    assert "--t1" in said.err
    assert not (tmp_path / "out").exists()


def test_a_file_in_place_of_the_output_folder_is_told(cohortex, scan, tmp_path):
    place = _file(tmp_path / "out", b"mine")
    for command in (("process", scan, "-o", place), ("process", scan, "-o", place / "below")):
        said = cohortex(*command, "--workers", 0)
        assert said.code == 1
        assert "the output cannot be written there: it is a file, or lies below one. Give a folder." in said.err
    assert place.read_bytes() == b"mine"


def test_another_visit_in_the_folder_of_a_report_is_refused_with_both(cohortex, scan, tmp_path):
    record = {"schema": "cohortex.visit-report/2", "study_code": "p01", "visit": "week 4", "files": {}}
    _file(tmp_path / "out" / "report.json", json.dumps(record).encode())
    words = ("process", scan, "-o", tmp_path / "out", "--study-code", "p01", "--workers", 0)
    said = cohortex(*words, "--visit", "week 8")
    assert said.code == 1
    assert "out: it holds the report of p01 week 4; that of p01 week 8 and its images would be mixed" in said.err
    assert "Give another folder" in said.err
    assert left_behind(tmp_path / "out") == ["report.json"]
    assert not (tmp_path / "out" / ".cohortex").exists()
    assert "no usable" in cohortex(*words, "--visit", "week 4").err  # the same visit again is read


def test_a_series_name_that_is_not_there_is_refused_with_the_names_that_are(cohortex, uploads, tmp_path):
    said = cohortex(
        "process", uploads / "p01_visit-1.zip", "-o", tmp_path / "out", "--workers", 0, "--flair", "AX NOTHING"
    )
    assert said.code == 1
    assert "no series is called 'AX NOTHING'; there are" in said.err
    assert "flair" in said.err.lower().replace("--flair", "")


def test_a_bids_folder_runs_as_a_batch_that_goes_on_and_says_what_failed(cohortex, scan, tmp_path):
    for person in ("01", "02"):
        for session in ("1", "2"):
            name = f"sub-{person}/ses-{session}/anat/sub-{person}_ses-{session}_T1w.nii.gz"
            _file(tmp_path / "bids" / name, scan.read_bytes())
    _file(tmp_path / "bids" / "derivatives" / "sub-01" / "mask.nii.gz", scan.read_bytes())
    said = cohortex("process", tmp_path / "bids", "-o", tmp_path / "out", "--workers", 0, "--json")
    assert said.code == 1
    outcome = json.loads(said.out)
    assert (outcome["visits"], outcome["succeeded"], outcome["failed"]) == (4, 0, 4)
    assert {(row["study_code"], row["visit"]) for row in outcome["rows"]} == {
        (person, f"ses-{session}") for person in ("01", "02") for session in ("1", "2")
    }
    assert all("same value" in row["reason"] or "no usable" in row["reason"] for row in outcome["rows"])


def test_a_batch_ends_with_a_table_of_what_failed_and_why(cohortex, scan, tmp_path):
    for name in ("p01_visit-1", "p01_visit-2"):
        _file(tmp_path / "visits" / name / "flat_T1w.nii.gz", scan.read_bytes())
    said = cohortex("process", tmp_path / "visits", "-o", tmp_path / "out", "--workers", 0)
    assert said.code == 1
    assert said.out.count("failed") == 2
    assert "p01" in said.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "Study code p07 (from names of files and folders; --study-code gives another), week-4"),
        (("--study-code", "A-17", "--visit", "week 4"), "Study code A-17, week 4"),
    ],
)
def test_the_code_taken_from_a_folder_is_said_before_anything_is_read(cohortex, tmp_path, options, words):
    said = cohortex("process", _file(tmp_path / "p07" / "week-4.zip", b""), "-o", tmp_path / "out", *options)
    assert said.err.startswith(words)


def test_a_name_that_is_not_shown_is_told_by_its_code(cohortex, tmp_path):
    said = cohortex("process", _file(tmp_path / "rossi.zip", b""), "-o", tmp_path / "out")
    assert said.err.startswith("Study code person-")
    assert "in place of a name that is not shown" in said.err


def test_the_code_of_every_visit_of_a_folder_is_said_before_anything_is_read(cohortex, tmp_path):
    for name in ("p01_visit-1.zip", "p01_visit-2.zip", "rossi.zip"):
        _file(tmp_path / "visits" / name, b"")
    said = cohortex("process", tmp_path / "visits", "-o", tmp_path / "out", "--workers", 0)
    names, hidden = "(from names of files and folders)", "(in place of a name that is not shown, or of none)"
    for line in (f"Study code p01 {names}, visit-1", f"Study code p01 {names}, visit-2", f"{hidden}, visit-1"):
        assert line in said.err
    assert "--study-code" not in said.err  # it stands for one person only


@pytest.mark.parametrize("other", ["flat_T1w.nii.gz", "./../{folder}/flat_T1w.nii.gz"])
def test_one_file_is_not_taken_for_two_contrasts(cohortex, scan, tmp_path, other):
    again = f"{tmp_path}/{other.format(folder=tmp_path.name)}"
    said = cohortex("process", scan, "--t1", scan, "--flair", again, "-o", tmp_path / "out")
    assert said.code == 2
    assert "given both as T1 and as FLAIR" in re.sub(r"[│ ]+", " ", said.err)
    assert not (tmp_path / "out").exists()


def test_contrasts_of_one_visit_cannot_be_given_for_a_batch(cohortex, scan, tmp_path):
    for name in ("p01_visit-1", "p01_visit-2"):
        _file(tmp_path / "visits" / name / "flat_T1w.nii.gz", scan.read_bytes())
    assert cohortex("process", tmp_path / "visits", "-o", tmp_path / "out", "--visit", "week 4").code == 2


@pytest.mark.parametrize("command", ["process", "compare", "demo", "convert", "info"])
def test_every_command_explains_itself(cohortex, command):
    said = cohortex(command, "--help")
    assert said.code == 0
    assert "Usage" in said.out
    assert command in said.out


@pytest.mark.parametrize(
    "words", [("process",), ("process", "nowhere.zip", "-o", "x"), ("nonsense",), ("compare", "-o")]
)
def test_misuse_is_exit_code_2(cohortex, words):
    said = cohortex(*words)
    assert said.code == 2
    assert "Traceback" not in said.err


def test_the_installed_program_speaks_through_its_exit_code(tmp_path):
    """The real program in its own process: the others here call its entry point."""
    _file(tmp_path / "empty.zip", b"")
    environment = {name: value for name, value in os.environ.items() if name != "COHORTEX_TRACEBACK"}
    done = subprocess.run(
        [sys.executable, "-m", "cohortex", "process", "empty.zip", "-o", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    assert "empty.zip: the file is empty (0 bytes). Send it again." in done.stderr
    assert "Traceback" not in done.stderr
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
