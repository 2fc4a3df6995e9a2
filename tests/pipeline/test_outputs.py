"""Files beside the report: names that are safe, places that stay, transforms that read back as they were."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.io import read_image, read_transform
from cohortex.pipeline.outputs import safe_name, write_images, write_motions, write_series, write_transforms
from cohortex.transform import Rigid

GRID = Grid.from_parts((6, 7, 8), spacing_mm=(2, 2, 3), origin_mm=(-11, 5, 40))


def picture(offset: float = 0.0) -> Image:
    return Image(np.arange(6 * 7 * 8, dtype=np.float32).reshape(6, 7, 8) + np.float32(offset), GRID, "arbitrary")


def motion() -> Rigid:
    return Rigid.from_vectors(rotation_vector_rad=(0.05, -0.1, 0.02), translation_mm=(3, -2, 5), center_mm=(0, 0, 0))


def test_images_come_back_with_values_and_place(tmp_path):
    labels = Labels((picture().values > 100).astype(np.uint8), GRID)
    written = write_images({"lesions": labels, "brain": picture()}, tmp_path / "new" / "folder")
    assert written == {"lesions": "lesions.nii.gz", "brain": "brain.nii.gz"}
    for name, image in (("lesions", labels), ("brain", picture())):
        back = read_image(tmp_path / "new" / "folder" / written[name])
        assert_array_equal(back.values, image.values)
        assert back.grid.same_as(GRID, tolerance_mm=1e-4)


def test_a_second_run_replaces_the_files_of_the_first(tmp_path):
    write_images({"map": picture()}, tmp_path)
    write_images({"map": picture(5)}, tmp_path)
    assert read_image(tmp_path / "map.nii.gz").values.min() == 5


def test_series_whose_names_become_the_same_file_both_stay(tmp_path):
    files = write_series([("AX T1", picture()), ("AX/T1", picture(1)), ("AX T1_2", picture(2))], tmp_path)
    assert len(set(files.values())) == 3
    lowest = sorted(float(read_image(tmp_path / file).values.min()) for file in files.values())
    assert lowest == [0, 1, 2]
    for file in files.values():
        sidecar = json.loads((tmp_path / file.replace(".nii.gz", ".json")).read_text())
        assert isinstance(sidecar, dict)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AX T1 MPRAGE", "AX_T1_MPRAGE"),
        ("scan.nii.gz", "scan"),
        ("../../etc/passwd", "etc_passwd"),
        ("t1*<scan>|?", "t1_scan"),
        ("…", "series"),
        ("", "series"),
    ],
)
def test_a_series_name_becomes_a_safe_file_name(name, expected):
    assert safe_name(name) == expected


def test_motions_read_back_to_the_last_digit(tmp_path):
    files = write_motions({"baseline_from_midway": motion()}, tmp_path)
    assert files == {"transforms/baseline_from_midway": "transforms/baseline_from_midway.tfm"}
    back = read_transform(tmp_path / "transforms" / "baseline_from_midway.tfm")
    points = np.random.default_rng(0).uniform(-100, 100, (20, 3))
    assert_allclose(back(points), motion()(points), atol=1e-9)


def test_both_ways_to_the_template_read_back_and_cancel(tmp_path):
    files = write_transforms(
        template_from_visit=motion(), visit_from_template=motion().inverse(), visit_grid=GRID, output=tmp_path
    )
    there = read_transform(tmp_path / files["transforms/template_from_visit"])
    back = read_transform(tmp_path / files["transforms/visit_from_template"])
    points = GRID.world_of(np.random.default_rng(0).uniform(0.5, 5, (20, 3)))
    assert_allclose(there(points), motion()(points), atol=1e-3)  # stored in single precision
    assert_allclose(back(there(points)), points, atol=2e-3)
