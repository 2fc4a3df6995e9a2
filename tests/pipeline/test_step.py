"""A call has a key that follows everything it depends on, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import example_steps
import numpy as np
import pytest

from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.pipeline import file_node, step, value_node

IMAGE = Image(np.arange(1000.0).reshape(10, 10, 10), Grid.from_parts((10, 10, 10)))


def test_a_step_keeps_its_docstring_and_its_function():
    assert example_steps.double.__doc__ == "Double an image."
    assert example_steps.double.name == "example_steps.double"
    assert example_steps.double.version == 1
    assert example_steps.double.function(IMAGE).values[0, 0, 1] == 2


def test_the_same_call_has_the_same_key_however_it_is_written():
    copy = Image(np.array(IMAGE.values), Grid.from_parts((10, 10, 10)))
    key = example_steps.double(IMAGE, offset=0.5).key
    assert example_steps.double(image=copy, offset=0.5).key == key
    assert example_steps.double(value_node(copy), offset=0.5).key == key
    assert example_steps.double(IMAGE).key == example_steps.double(IMAGE, offset=0.0).key


def test_the_key_follows_every_voxel_place_parameter_and_version():
    one_voxel = np.array(IMAGE.values)
    one_voxel[3, 3, 3] = np.nextafter(one_voxel[3, 3, 3], 9999)
    other_version = step(version=2)(example_steps.double.function)
    keys = {
        example_steps.double(IMAGE).key,
        example_steps.double(IMAGE.with_values(one_voxel)).key,
        example_steps.double(Image(IMAGE.values, Grid.from_parts((10, 10, 10), origin_mm=(0, 0, 1e-9)))).key,
        example_steps.double(IMAGE, offset=1e-300).key,
        example_steps.double(example_steps.double(IMAGE)).key,
        other_version(IMAGE).key,
        example_steps.split(IMAGE, log=Path("log"))["lower"].key,
        example_steps.split(IMAGE, log=Path("log"))["upper"].key,
    }
    assert len(keys) == 8


def test_the_key_is_the_same_in_another_process():
    code = (
        "import numpy as np, example_steps; from cohortex.geometry import Grid; from cohortex.image import Image;"
        "image = Image(np.arange(1000.0).reshape(10, 10, 10), Grid.from_parts((10, 10, 10)));"
        "print(example_steps.double({'a': image, 'b': (1.5, None)}, offset=0.1).key)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "PYTHONHASHSEED": "77"}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == example_steps.double({"a": IMAGE, "b": (1.5, None)}, offset=0.1).key


def test_the_progress_callback_is_no_part_of_the_key():
    assert example_steps.report_progress(3).key == example_steps.report_progress(3, progress=print).key


def test_a_file_is_known_by_its_content_not_by_its_place(tmp_path):
    for folder, text in (("a", "same"), ("b", "same"), ("c", "other")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "scan.v2.nii.gz").write_text(text)
    keys = [file_node(tmp_path / folder / "scan.v2.nii.gz").key for folder in "abc"]
    assert keys[0] == keys[1] != keys[2]
    (tmp_path / "b" / "scan.v2.json").write_text("{}")  # the sidecar belongs to it
    assert file_node(tmp_path / "b" / "scan.v2.nii.gz").key != keys[1]
    (tmp_path / "a" / "other.json").write_text("{}")
    assert file_node(tmp_path / "a" / "scan.v2.nii.gz").key == keys[0]


def test_a_folder_is_known_by_all_it_holds(tmp_path):
    (tmp_path / "series" / "deep").mkdir(parents=True)
    (tmp_path / "series" / "deep" / "1.dcm").write_text("1")
    before = file_node(tmp_path / "series").key
    assert file_node(tmp_path / "series").key == before
    (tmp_path / "series" / "2.dcm").write_text("2")
    assert file_node(tmp_path / "series").key != before


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.nii: no such file"):
        file_node(tmp_path / "gone.nii")


def test_inputs_and_parameters_are_told_apart():
    call = example_steps.add({"T1": IMAGE, "T2": example_steps.double(IMAGE)}, log=Path("/somewhere/log.txt")).source
    assert [place for place, _ in call.inputs] == ["images['T1']", "images['T2']"]
    assert call.parameters == {"log": "log.txt"}
    assert call.describe() == "images['T1'] from Image; images['T2'] from double; log = log.txt"


def test_a_node_cannot_be_unpacked_before_it_has_run():
    with pytest.raises(TypeError, match="before it has run"):
        _, _ = example_steps.double(IMAGE)


def test_a_step_with_nameless_arguments_is_refused():
    with pytest.raises(TypeError, match="name every one"):

        @step(version=1)
        def anything(*values: float) -> float:
            return sum(values)


def test_a_sentence_that_names_no_argument_is_refused():
    with pytest.raises(TypeError, match="names fwhm_mm, no argument"):
        step(version=1, sentence="Blurred with {fwhm_mm:g} mm.")(example_steps.double.function)


def test_a_call_with_wrong_arguments_fails_at_once():
    with pytest.raises(TypeError, match="fwhm"):
        example_steps.double(IMAGE, fwhm=3)
