"""What each file of a result is, and that a preview shows the same values at the same places."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.io import read_image, write_image
from cohortex.study.processing.files import described, keep_files, receipts_of

VISIT, EARLIER, LATER = "v" * 32, "e" * 32, "l" * 32
OBLIQUE = Grid.from_parts(
    (96, 90, 60),
    spacing_mm=(1.0, 1.0, 1.2),
    origin_mm=(-20.0, 7.0, 3.0),
    direction=Rotation.from_euler("xyz", (0.1, -0.15, 0.2)).as_matrix(),
)


@pytest.mark.parametrize(
    ("name", "title", "kind", "space"),
    [
        ("images/AX_FLAIR.nii.gz", "AX_FLAIR, as sent", "image", "native"),
        ("images/AX_FLAIR.json", "Record", "record", "native"),
        ("FLAIR_corrected.nii.gz", "FLAIR, shading taken off", "image", "native"),
        ("brain.nii.gz", "Brain", "labels", "native"),
        ("lesions.nii.gz", "Lesions", "labels", "native"),
        ("lesions_template.nii.gz", "Lesions in template space", "labels", "template"),
        ("brain_template.nii.gz", "Brain in template space", "image", "template"),
        ("transforms/visit_from_template.nii.gz", "Template to visit", "transform", "template"),
        ("transforms/template_from_visit.nii.gz", "Visit to template", "transform", "native"),
        ("difference.nii.gz", "Difference to the template (z)", "map", "native"),
        ("deviation_volume.nii.gz", "Deviation from the study, local volume (z)", "map", "template"),
        ("template_sd.nii.gz", "Spread between patients", "map", "template"),
        ("report.html", "Report", "report", "native"),
        ("report.json", "Record", "record", "native"),
    ],
)
def test_a_file_is_told_by_its_name(name, title, kind, space):
    about = described(name, visits={"": VISIT})
    assert (about["title"], about["kind"], about["space"], about["visit"]) == (title, kind, space, VISIT)


@pytest.mark.parametrize(
    ("name", "kind", "space", "visit"),
    [
        ("baseline_lesions.nii.gz", "labels", "native", EARLIER),
        ("follow_up_lesions.nii.gz", "labels", "native", LATER),
        ("change_baseline.nii.gz", "labels", "native", EARLIER),
        ("change_common.nii.gz", "labels", "midway", None),
        ("transforms/follow_up_from_midway.tfm", "transform", "midway", LATER),
        ("transforms/baseline_visit_from_template.nii.gz", "transform", "template", EARLIER),
        ("report.json", "record", "native", None),
    ],
)
def test_a_file_of_a_comparison_belongs_to_its_visit(name, kind, space, visit):
    about = described(name, visits={"baseline": EARLIER, "follow_up": LATER})
    assert (about["kind"], about["space"], about["visit"]) == (kind, space, visit)


@pytest.fixture
def preview_of(study, tmp_path):
    """Keep an image as a file of a result, and read back its preview."""

    def kept(image: Image, name: str):
        folder = tmp_path / "result"
        folder.mkdir()
        write_image(image, folder / name)
        files = keep_files(study, folder, visits={"": VISIT})
        assert set(files) == {name}
        assert receipts_of(files.values()).keys() <= {path.name for path in study.objects.path.glob("??/??/*")}
        assert [path.name for path in folder.iterdir()] == [name]
        preview = files[name]["preview"]
        if preview is None:
            return None, files[name]
        study.objects.copy_to(preview["sha256"], tmp_path / "preview.nii.gz")
        return read_image(tmp_path / "preview.nii.gz"), files[name]

    return kept


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_in_a_preview_every_value_stays_at_its_place(preview_of, axis):
    ramp = Image(OBLIQUE.world_points()[..., axis].astype(np.float32), OBLIQUE)
    small, about = preview_of(ramp, "FLAIR_corrected.nii.gz")
    assert small.grid.spacing_mm == pytest.approx((2.0, 2.0, 2.0))
    assert about["preview"]["size"] < about["size"] / 2
    inner = (slice(1, -1),) * 3  # at the border the nearest voxel repeats
    step = float(np.ptp(ramp.values)) / 255
    places = np.minimum(small.grid.world_points()[inner][..., axis], small.values.max())  # the brightest is cut
    np.testing.assert_allclose(small.values[inner], places, atol=0.51 * step)
    assert about["range"] == pytest.approx(np.percentile(ramp.values[ramp.values != 0], (1, 99.8)), abs=step)


@pytest.mark.parametrize("name", ["lesions.nii.gz", "difference.nii.gz"])
def test_labels_and_maps_are_shown_as_they_are(preview_of, name):
    values = np.random.default_rng(1).integers(1, 300, OBLIQUE.shape).astype(np.uint16)
    small, about = preview_of(Labels(values, OBLIQUE) if name == "lesions.nii.gz" else Image(values, OBLIQUE), name)
    assert small is None
    assert about["size"] > 200_000


def test_a_map_of_both_signs_is_shown_evenly_around_zero(preview_of):
    ramp = OBLIQUE.world_points()[..., 0]
    _, about = preview_of(Image((ramp / 10).astype(np.float32), OBLIQUE, "z"), "difference.nii.gz")
    low, high = about["range"]
    assert about["unit"] == "z"
    assert low == -high < 0


def test_what_is_small_is_its_own_preview(preview_of):
    coarse = Image(np.ones((8, 8, 8), np.float32), Grid.from_parts((8, 8, 8), spacing_mm=(3.0, 3.0, 3.0)))
    small, _ = preview_of(coarse, "brain_template.nii.gz")
    assert small is None


def test_an_empty_image_has_a_range_and_fails_nothing(preview_of):
    _, about = preview_of(Image(np.zeros(OBLIQUE.shape, np.float32), OBLIQUE), "FLAIR_corrected.nii.gz")
    assert about["range"] == [0.0, 1.0]
