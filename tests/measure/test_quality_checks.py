"""Planted faults are found, clean scans are left alone, and each finding says what to do."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from cohortex import phantoms
from cohortex.geometry import Grid, rotation_about_axis
from cohortex.image import Image, Labels
from cohortex.measure import QualityFlag, check_quality
from cohortex.transform import Rigid

CONTRASTS = phantoms.CONTRASTS


@cache
def a_head() -> phantoms.Head:
    return phantoms.head(spacing_mm=3.0, rng=np.random.default_rng(7), deformation_mm=2.0)


@cache
def clean_scan(seed: int) -> Image:
    """A scan as a centre would send it: any contrast, vendor, plane, thickness and head position."""
    rng = np.random.default_rng(seed)
    scanner = phantoms.draw_scanner(rng, list(phantoms.SCANNERS)[seed % 3])
    turn = Rigid.from_vectors(
        rotation_vector_rad=rng.normal(scale=0.05, size=3), translation_mm=rng.normal(scale=3, size=3)
    )
    return phantoms.scan(
        a_head(),
        CONTRASTS[seed % len(CONTRASTS)],
        spacing_mm=2.4,
        slice_thickness_mm=(2.4, 3.0, 4.0, 4.9)[seed % 4],
        orientation=("axial", "sagittal", "coronal")[seed % 3],
        scanner=scanner,
        scanner_from_head=turn,
        rng=rng,
    )


def flags(image: Image, **options) -> dict[str, QualityFlag]:
    return {flag.check: flag for flag in check_quality(image, **options)}


def found(image: Image, *checks: str, level: str | None = None) -> bool:
    raised = {name: flag for name, flag in flags(image).items() if flag.level != "pass"}
    return any(check in raised and (level is None or raised[check].level == level) for check in checks)


def edited(image: Image, change) -> Image:
    values = image.values.copy()
    return image.with_values(change(values))


@pytest.mark.parametrize("seed", range(10))
def test_a_clean_scan_passes_every_check(seed):
    raised = [(flag.check, flag.message) for flag in check_quality(clean_scan(seed)) if flag.level != "pass"]
    assert raised == []


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kept", [0.45, 0.75])
def test_a_file_that_was_cut_short_is_found(seed, kept):
    """Bytes that never arrived read as 0; voxels lie in the file with the first index running fastest."""
    image = clean_scan(seed)
    stream = image.values.ravel(order="F").copy()
    stream[int(kept * stream.size) :] = 0
    assert found(image.with_values(stream.reshape(image.grid.shape, order="F")), "missing slices", "truncation")


@pytest.mark.parametrize("seed", range(3))
def test_a_single_nan_or_infinity_in_the_head_fails(seed):
    rng = np.random.default_rng(seed)
    image = clean_scan(seed)
    index = tuple(int(n * rng.uniform(0.3, 0.7)) for n in image.grid.shape)
    for bad in (np.nan, np.inf):

        def spoil(values, bad=bad):
            values[index] = bad
            return values

        assert found(edited(image, spoil), "values", level="fail")


def test_nan_around_a_resampled_image_is_only_a_warning():
    def rim(values):
        values[:2] = np.nan
        return values

    assert flags(edited(clean_scan(0), rim))["values"].level == "warn"


@pytest.mark.parametrize("seed", range(4))
def test_a_blank_slice_in_the_head_fails(seed):
    image = clean_scan(seed)
    k = int(image.grid.shape[2] * np.random.default_rng(seed).uniform(0.3, 0.7))
    for filling in (0, np.nan):

        def blank(values, filling=filling):
            values[:, :, k] = filling
            return values

        flag = flags(edited(image, blank))["missing slices"]
        assert flag.level == "fail"
        assert f"{k + 1}" in flag.message


@pytest.mark.parametrize("seed", range(4))
def test_a_repeated_slice_in_the_head_fails(seed):
    image = clean_scan(seed)
    k = image.grid.shape[2] // 2

    def repeat(values):
        values[:, :, k] = values[:, :, k - 1]
        return values

    flag = flags(edited(image, repeat))["missing slices"]
    assert flag.level == "fail"
    assert f"Slice {k + 1} repeats" in flag.message


def test_a_slice_that_lost_its_signal_is_a_warning():
    def darker(values):
        values[:, :, values.shape[2] // 2] *= 0.3
        return values

    flag = flags(edited(clean_scan(0), darker))["missing slices"]
    assert flag.level == "warn"
    assert "half as bright" in flag.message


def test_an_image_enlarged_by_repeating_slices_is_a_warning():
    image = clean_scan(0)
    grid = image.grid.with_spacing((*image.grid.spacing_mm[:2], image.grid.spacing_mm[2] / 2), keep="extent")
    flag = flags(Image(np.repeat(image.values, 2, axis=2), grid))["missing slices"]
    assert flag.level == "warn"
    assert "enlarged" in flag.message


@pytest.mark.parametrize("text", ["1 slice missing between z = 10 and 16 mm", "slices are not evenly spaced"])
def test_what_the_reader_warned_of_is_passed_on(text):
    flag = flags(clean_scan(0).with_metadata(warnings=[text]))["missing slices"]
    assert flag.level == "warn"
    assert text in flag.message


@pytest.mark.parametrize("seed", [0, 3, 6])
def test_a_field_of_view_that_loses_the_top_of_the_brain_is_found(seed):
    image = clean_scan(seed)
    kept = int(image.grid.shape[2] * 0.62)
    cut = Image(image.values[:, :, :kept], image.grid.cropped((0, 0, 0), (*image.grid.shape[:2], kept)), image.unit)
    flag = flags(cut)["truncation"]
    assert flag.level in ("warn", "fail")
    assert "top" in flag.message


def test_with_a_brain_mask_only_the_brain_can_fail():
    image = clean_scan(0)
    points = image.grid.world_points()
    brain = Labels(np.linalg.norm((points - image.grid.center_mm) / (1, 1.2, 1), axis=-1) < 62, image.grid)
    inside = np.argwhere(brain.mask)[:, 2]
    assert flags(image, brain=brain)["truncation"].level == "pass"
    kept = int(inside.max()) - 6
    grid = image.grid.cropped((0, 0, 0), (*image.grid.shape[:2], kept))
    cut = Image(image.values[:, :, :kept], grid)
    flag = flags(cut, brain=Labels(brain.values[:, :, :kept], grid))["truncation"]
    assert flag.level == "fail"
    assert "brain is cut by the field of view at the top" in flag.message


def test_a_lower_end_above_the_cerebellum_is_a_warning():
    image = clean_scan(0)
    first = int(image.grid.shape[2] * 0.6)
    cut = Image(image.values[:, :, first:], image.grid.cropped((0, 0, first), image.grid.shape))
    assert "from top to bottom" in flags(cut)["truncation"].message


def test_a_head_without_air_around_it_is_not_judged_but_said():
    image = Image(
        np.random.default_rng(0).uniform(40, 60, (40, 40, 40)),
        Grid.from_parts((40, 40, 40), spacing_mm=(4, 4, 4)),
        "HU",
    )
    assert "No outline" in flags(image)["truncation"].message


@pytest.mark.parametrize("value", [0, 7, np.nan])
def test_a_constant_image_fails(value):
    assert found(edited(clean_scan(0), lambda v: np.full_like(v, value)), "constant", level="fail")


def test_a_mask_sent_as_a_scan_is_noticed():
    assert found(edited(clean_scan(0), lambda v: (v > v.mean()).astype(np.float32)), "constant", level="warn")


@pytest.mark.parametrize(
    ("spacing_mm", "metadata", "level", "words"),
    [
        ((1, 1, 6), {}, "warn", "6 mm apart"),
        ((3, 3, 3), {}, "warn", "3 mm wide"),
        ((12, 12, 12), {}, "fail", "12×12×12"),
        ((1, 1, 4.5), {"slice_thickness_mm": 2.0}, "warn", "between is not seen"),
        ((0.9, 0.9, 0.05), {}, "fail", "0.05"),
        ((1, 1, 5), {"slice_thickness_mm": 4.0}, "pass", "Voxels of 1×1×5 mm"),
    ],
)
def test_spacing_is_judged(spacing_mm, metadata, level, words):
    values = np.random.default_rng(0).normal(size=(120, 120, 30))
    flag = flags(Image(values, Grid.from_parts(values.shape, spacing_mm=spacing_mm), metadata=metadata))["spacing"]
    assert flag.level == level
    assert words in flag.message


def test_a_header_in_metres_is_noticed():
    values = np.random.default_rng(0).normal(size=(60, 60, 30))
    assert (
        "fits no head"
        in flags(Image(values, Grid.from_parts(values.shape, spacing_mm=(0.3, 0.3, 0.3))))["spacing"].message
    )


def test_a_tilted_gantry_is_a_warning():
    matrix = np.diag([2.0, 2, 4, 1])
    matrix[1, 2] = 1.0
    values = np.random.default_rng(0).normal(size=(80, 80, 30))
    assert "right angles" in flags(Image(values, Grid(values.shape, matrix)))["spacing"].message


@pytest.mark.parametrize(("count", "level"), [(1, "fail"), (4, "fail"), (8, "warn"), (30, "pass")])
def test_few_slices_are_noticed(count, level):
    values = np.random.default_rng(0).normal(size=(60, 60, count))
    assert flags(Image(values, Grid.from_parts(values.shape, spacing_mm=(3, 3, 5))))["slices"].level == level


def test_an_unknown_orientation_fails_and_a_left_handed_one_passes():
    image = clean_scan(0)
    unknown = Image(image.values, replace(image.grid, orientation_known=False))
    assert flags(unknown)["orientation"].level == "fail"
    mirrored = Grid(image.grid.shape, image.grid.world_from_index @ np.diag([-1.0, 1, 1, 1]))
    assert flags(Image(image.values, mirrored))["orientation"].level == "pass"
    assert "left-handed" in flags(Image(image.values, mirrored))["orientation"].message


def test_noise_as_strong_as_the_signal_fails_and_strong_noise_warns():
    image = clean_scan(0)
    rng = np.random.default_rng(5)
    bright = np.median(image.values[image.values > image.values.mean()])
    for share, level in ((0.25, "warn"), (0.6, "fail")):
        noisy = np.hypot(
            image.values + rng.normal(scale=share * bright, size=image.grid.shape),
            rng.normal(scale=share * bright, size=image.grid.shape),
        )
        assert flags(image.with_values(noisy))["signal-to-noise"].level == level


def test_saturated_tissue_is_a_warning():
    image = clean_scan(0)
    assert flags(edited(image, lambda v: np.minimum(v, np.quantile(v, 0.97))))["clipping"].level == "warn"


@pytest.mark.parametrize(
    ("offset", "unit", "level"), [(0, "HU", "pass"), (1024, "HU", "warn"), (0, "arbitrary", "warn")]
)
def test_implausible_hounsfield_units_are_a_warning(offset, unit, level):
    scan = clean_scan(CONTRASTS.index("CT"))
    assert scan.unit == "HU"
    image = Image(scan.values + offset, scan.grid, unit, {"modality": "CT"})
    assert flags(image)["unit"].level == level


def test_each_check_speaks_once_in_a_fixed_order():
    names = [flag.check for flag in check_quality(clean_scan(0))]
    assert names == [
        "values",
        "constant",
        "spacing",
        "slices",
        "orientation",
        "missing slices",
        "truncation",
        "signal-to-noise",
        "clipping",
        "unit",
    ]


def test_the_first_volume_of_a_series_is_judged_and_all_are_searched_for_nan():
    image = clean_scan(0)
    series = np.stack([image.values, image.values], axis=-1)
    series[20, 20, 20, 1] = np.nan
    result = flags(Image(series, image.grid, extra_axes=("time",)))
    assert result["values"].level == "fail"
    assert result["truncation"].level == "pass"


def test_a_picture_is_judged_without_the_checks_of_a_volume():
    picture = Image(np.random.default_rng(0).normal(size=(64, 64)), Grid.from_parts((64, 64), spacing_mm=(4, 4)))
    result = flags(picture)
    assert result["slices"].level == "fail"
    assert "truncation" not in result


def test_an_oblique_head_is_judged_like_a_straight_one():
    image = clean_scan(0)
    turned = np.eye(4)
    turned[:3, :3] = rotation_about_axis(0, 20)
    assert flags(Image(image.values, image.grid.moved(turned)))["truncation"].level == "pass"


def test_what_is_no_scan_is_refused():
    grid = Grid.from_parts((6, 6, 6))
    for image in (
        Labels(np.ones(grid.shape, int), grid),
        Image(np.ones((*grid.shape, 3)), grid, extra_axes=("vector",)),
        Image(np.ones(grid.shape, complex), grid),
    ):
        with pytest.raises(ValueError, match="quality is checked on scans"):
            check_quality(image)
    with pytest.raises(ValueError, match="another grid"):
        check_quality(clean_scan(0), brain=Labels(np.ones(grid.shape, int), grid))
