"""The two commands for scans: what they write, what they say, and their exit codes."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from cohortex.cli.convert import convert
from cohortex.cli.info import info
from cohortex.errors import SeveralImages, TargetExists, UnwritableOutput
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.io import read_image, write_image

app = typer.Typer()
app.command()(convert)
app.command()(info)


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def scan(tmp_path) -> Path:
    grid = Grid.from_parts((4, 5, 6), spacing_mm=(1, 2, 3), origin_mm=(-7, 8, 9))
    path = tmp_path / "scan.nii.gz"
    write_image(Image(np.arange(120, dtype=np.int16).reshape(4, 5, 6), grid, "HU"), path)
    return path


@pytest.fixture
def folder(tmp_path, scan) -> Path:
    """Two images, a text and a broken file."""
    folder = tmp_path / "upload"
    folder.mkdir()
    for name in ("one.nii.gz", "two.nii.gz"):
        (folder / name).write_bytes(scan.read_bytes())
    (folder / "note.txt").write_text("text")
    (folder / "cut.nii").write_bytes(b"1234")
    return folder


@pytest.mark.parametrize("ending", [".nii", ".nrrd", ".mha"])
def test_a_file_is_converted_with_values_place_and_unit(scan, tmp_path, ending):
    outcome = run("convert", scan, tmp_path / f"made{ending}")
    assert outcome.exit_code == 0, outcome.output
    assert f"✓ made{ending}  4×5×6, 1 × 2 × 3 mm, LPS" in outcome.output
    made, original = read_image(tmp_path / f"made{ending}"), read_image(scan)
    np.testing.assert_array_equal(made.values, original.values)
    assert made.grid.same_as(original.grid, tolerance_mm=1e-4)
    assert made.unit == "HU"
    assert json.loads((tmp_path / "made.json").read_text())["Units"] == "HU"


def test_a_folder_becomes_one_file_per_image_and_the_broken_one_is_named(folder, tmp_path):
    outcome = run("convert", folder, tmp_path / "made")
    assert outcome.exit_code == 1
    assert sorted(file.name for file in (tmp_path / "made").iterdir()) == [
        "acq-one_ct.json", "acq-one_ct.nii.gz", "acq-two_ct.json", "acq-two_ct.nii.gz",
    ]  # fmt: skip
    assert "✗ cut.nii: " in outcome.output
    assert "left out: note.txt" in outcome.output


def test_nothing_is_overwritten(scan, tmp_path):
    assert run("convert", scan, tmp_path / "made").exit_code == 0
    before = {file: file.read_bytes() for file in (tmp_path / "made").iterdir()}
    outcome = run("convert", scan, tmp_path / "made")
    assert outcome.exit_code == 1
    assert isinstance(outcome.exception, TargetExists)
    assert str(outcome.exception).startswith("made: it holds acq-scan_ct.nii.gz already")
    assert {file: file.read_bytes() for file in (tmp_path / "made").iterdir()} == before


def test_nothing_is_written_where_a_later_file_is_there_already(folder, tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "acq-two_ct.json").write_text("{}")
    outcome = run("convert", folder, tmp_path / "made")
    assert isinstance(outcome.exception, TargetExists)
    assert [file.name for file in (tmp_path / "made").iterdir()] == ["acq-two_ct.json"]


def test_several_images_do_not_go_into_one_file(folder, tmp_path):
    (folder / "cut.nii").unlink()
    outcome = run("convert", folder, tmp_path / "made.nii.gz")
    assert outcome.exit_code == 1
    assert isinstance(outcome.exception, SeveralImages)
    assert str(outcome.exception).endswith("Give a folder as target: it gets one file for each.")
    assert "read_series" not in str(outcome.exception)


def test_an_ending_that_cannot_be_written_is_misuse(scan, tmp_path):
    assert run("convert", scan, tmp_path / "made", "--format", ".xyz").exit_code == 2


@pytest.mark.parametrize("name", ["f.dcm", "f.xyz", "f.nii.zip"])
def test_a_file_type_that_cannot_be_written_is_misuse_and_no_folder(scan, tmp_path, name):
    outcome = run("convert", scan, tmp_path / name)
    assert outcome.exit_code == 2
    said = re.sub(r"[│\s]+", " ", outcome.output)
    assert f"{name}: {Path(name).suffix} cannot be written" in said
    assert ".nii, .nii.gz, .nrrd, .mha, .png" in said
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["converted", "release-1.5", "made.dcm"])
def test_a_folder_with_a_dot_in_its_name_is_a_folder(scan, tmp_path, name):
    if name == "made.dcm":
        (tmp_path / name).mkdir()
    assert run("convert", scan, tmp_path / name).exit_code == 0
    assert list((tmp_path / name).glob("*.nii.gz"))


def test_a_conversion_of_nothing_leaves_no_folder(tmp_path):
    (tmp_path / "cut.nii").write_bytes(b"1234")
    assert run("convert", tmp_path / "cut.nii", tmp_path / "made" / "here").exit_code == 1
    assert not (tmp_path / "made").exists()


def test_a_conversion_that_fails_while_writing_leaves_no_folder(scan, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cohortex.cli.convert.write_image", full)
    assert run("convert", scan, tmp_path / "made" / "here").exit_code == 1
    assert not (tmp_path / "made").exists()


def test_a_file_in_place_of_the_target_folder_is_told(scan, tmp_path):
    (tmp_path / "made").write_text("mine")
    outcome = run("convert", scan, tmp_path / "made")
    assert isinstance(outcome.exception, UnwritableOutput)
    assert str(outcome.exception).startswith("made: the output cannot be written there")


def test_a_source_that_is_not_there_is_misuse(tmp_path):
    assert run("convert", tmp_path / "gone", tmp_path / "made").exit_code == 2
    assert run("info", tmp_path / "gone").exit_code == 2


def test_json_for_machines(folder, tmp_path):
    outcome = run("convert", folder, tmp_path / "made", "--json")
    said = json.loads(outcome.stdout)
    assert [entry["file"] for entry in said["written"]] == ["acq-one_ct.nii.gz", "acq-two_ct.nii.gz"]
    assert said["problems"][0]["file"] == "cut.nii"


def test_info_says_geometry_unit_and_what_looks_wrong(folder):
    values = np.full((3, 3, 3), 7.0, np.float32)
    matrix = np.eye(4)
    matrix[0, 1] = 0.4
    write_image(Image(values, Grid((3, 3, 3), matrix)), folder / "three.nii")
    outcome = run("info", folder, "--json")
    assert outcome.exit_code == 0
    said = json.loads(outcome.stdout)
    one, odd = said["images"][0], next(entry for entry in said["images"] if entry["source"] == "three.nii")
    assert (one["shape"], one["spacing_mm"], one["unit"], one["orientation"]) == ([4, 5, 6], [1, 2, 3], "HU", "LPS")
    assert one["wrong"] == []
    assert any("same value" in text for text in odd["wrong"])
    assert any("sheared" in text for text in odd["wrong"])
    assert said["problems"][0]["file"] == "cut.nii"


def test_info_draws_a_table(folder):
    outcome = run("info", folder)
    assert "4×5×6" in outcome.output
    assert "LPS" in outcome.output
    assert "cut.nii" in outcome.output


def test_info_says_the_contrast_and_how_it_is_known(scan):
    (image,) = json.loads(run("info", scan, "--json").stdout)["images"]
    assert (image["contrast"], image["contrast_reason"]) == ("CT", "its unit is HU")


@pytest.fixture
def long_named(tmp_path) -> Path:
    """A scan whose sidecar has a long series name and the times of a FLAIR."""
    write_image(Image(np.ones((4, 5, 6), np.int16), Grid.from_parts((4, 5, 6))), tmp_path / "scan.nii.gz")
    sidecar = {"SeriesDescription": LONG_NAME, "EchoTime": 0.094, "RepetitionTime": 9.0, "InversionTime": 2.5}
    (tmp_path / "scan.json").write_text(json.dumps(sidecar))
    return tmp_path / "scan.nii.gz"


LONG_NAME = "t2_space_dark-fluid_sag_p2_iso_0.9mm_before_and_after_MOTION_CORRECTION"


def test_info_shows_whole_names_contrasts_and_times_with_their_units(long_named):
    lines = run("info", long_named).output.splitlines()
    assert any(LONG_NAME in line and "FLAIR" in line for line in lines)
    assert any("TE 94 ms, TR 9000 ms, TI 2500 ms" in line for line in lines)


def test_info_cuts_no_name_on_a_narrow_terminal(long_named, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr("cohortex.cli.info.console", Console(file=screen, width=80, force_terminal=True, no_color=True))
    run("info", long_named)
    lines = [line.split("│") for line in re.sub(r"\x1b\[[0-9;?]*\w", "", screen.getvalue()).splitlines()]
    assert LONG_NAME in "".join(line[1].strip() for line in lines if len(line) > 2)
    assert all(len(line) == 7 for line in lines if len(line) > 1)  # the right border is there


def test_info_fails_where_nothing_is_an_image(tmp_path):
    (tmp_path / "note.txt").write_text("text")
    assert run("info", tmp_path / "note.txt").exit_code == 1


def test_info_counts_values_that_are_no_numbers(tmp_path):
    values = np.ones((2, 2, 2), np.float32)
    values[0, 0, 0], values[1, 1, 1] = np.nan, np.inf
    write_image(Image(values, Grid.from_parts((2, 2, 2))), tmp_path / "scan.nii")
    said = json.loads(run("info", tmp_path / "scan.nii", "--json").stdout)
    assert any("2 values are NaN or infinite" in text for text in said["images"][0]["wrong"])


def test_a_file_that_could_not_be_read_is_not_told_as_done(tmp_path):
    write_image(Image(np.ones((20, 20, 20), np.int16), Grid.from_parts((20, 20, 20))), tmp_path / "scan.nii.gz")
    content = bytearray((tmp_path / "scan.nii.gz").read_bytes())
    content[-8] ^= 0xFF  # the checksum
    (tmp_path / "scan.nii.gz").write_bytes(content)
    outcome = run("info", tmp_path / "scan.nii.gz")
    assert "checksum does not match" in outcome.output
    assert "done" not in outcome.output
