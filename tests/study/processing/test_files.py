"""Files of a result: what each is, and a preview small enough for the first look."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import cohortex as cx
from cohortex.study.processing.files import described, keep_files

VISITS = {"baseline": "v-1", "follow_up": "v-2"}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "made"
    made.mkdir()
    return made


def scan(shape: tuple[int, int, int], *, spacing_mm: float, rng: np.random.Generator) -> cx.Image:
    grid = cx.Grid.from_parts(shape, spacing_mm=(spacing_mm,) * 3, origin_mm=(-50.0, -60.0, -40.0))
    smooth = np.linalg.norm(grid.world_points(), axis=-1)
    return cx.Image((smooth + rng.normal(0, 2.0, shape)).astype(np.float32), grid)


def preview_of(study, kept):
    path = study.objects.address(kept["preview"]["sha256"])
    copy = path.parent.parent / "preview.nii.gz"
    copy.write_bytes(path.read_bytes())
    return cx.read_image(copy)


@pytest.mark.parametrize("spacing_mm", [1.0, 2.5])
def test_a_large_picture_gets_a_preview_of_the_same_place_and_nearly_the_same_values(study, folder, rng, spacing_mm):
    image = scan((90, 80, 70), spacing_mm=spacing_mm, rng=rng)
    cx.write_image(image, folder / "FLAIR_corrected.nii.gz")
    kept = keep_files(study, folder, visits={"": "v-1"})["FLAIR_corrected.nii.gz"]
    assert kept["preview"]["size"] < 0.5 * kept["size"]
    preview = preview_of(study, kept)
    assert min(preview.grid.spacing_mm) >= 2.0
    again = cx.resample(preview, onto=image.grid)
    middle = (slice(5, -5),) * 3  # beyond the outermost centres of the coarser grid is nothing
    difference = again.values[middle] - image.values[middle]
    assert_allclose(np.median(difference), 0, atol=0.3)  # half a level of 256 over some 100
    assert np.abs(difference).mean() < 3.0  # the noise of 2 is averaged away by the coarser voxels


def test_a_small_picture_labels_and_maps_are_their_own_preview(study, folder, rng):
    small = scan((20, 20, 20), spacing_mm=1.0, rng=rng)
    large = scan((90, 80, 70), spacing_mm=1.0, rng=rng)
    cx.write_image(small, folder / "T1_corrected.nii.gz")
    cx.write_image(large, folder / "difference.nii.gz")
    cx.write_image(cx.Labels((large.values > 60).astype(np.uint8), large.grid), folder / "lesions.nii.gz")
    kept = keep_files(study, folder, visits={"": "v-1"})
    assert {name: file["preview"] for name, file in kept.items()} == dict.fromkeys(kept)


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_a_picture_of_one_value_breaks_no_preview(study, folder, value, rng, monkeypatch):
    monkeypatch.setattr("cohortex.study.processing.files._FROM_BYTES", 0)
    image = scan((30, 30, 30), spacing_mm=1.0, rng=rng)
    cx.write_image(image.with_values(np.full_like(image.values, value)), folder / "T1_corrected.nii.gz")
    assert keep_files(study, folder, visits={"": "v-1"})["T1_corrected.nii.gz"]["kind"] == "image"


@pytest.mark.parametrize(
    ("name", "kind", "space", "visit"),
    [
        ("baseline_common.nii.gz", "image", "midway", "v-1"),
        ("follow_up_common.nii.gz", "image", "midway", "v-2"),
        ("change_common.nii.gz", "labels", "midway", None),
        ("change_baseline.nii.gz", "labels", "native", "v-1"),
        ("follow_up_lesions.nii.gz", "labels", "native", "v-2"),
        ("transforms/baseline_template_from_visit.nii.gz", "transform", "native", "v-1"),
        ("report.html", "report", "native", None),
        ("images/AX_FLAIR.json", "record", "native", None),
    ],
)
def test_a_file_of_a_comparison_knows_its_space_and_visit(name, kind, space, visit):
    found = described(name, visits=VISITS)
    assert (found["kind"], found["space"], found["visit"]) == (kind, space, visit)
