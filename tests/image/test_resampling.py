"""Resampling: anatomy stays where it is, labels stay in their set, other programs agree."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal

from cohortex.geometry import Grid, rotation_about_axis, rotation_from_vector
from cohortex.image import Image, Labels, reorient, resample, sample_at_points
from cohortex.transform import Rigid, warp


def oblique(shape, spacing_mm, vector=(0.2, -0.4, 0.7), origin_mm=(-12, 5, 30)) -> Grid:
    return Grid.from_parts(shape, spacing_mm=spacing_mm, origin_mm=origin_mm, direction=rotation_from_vector(vector))


def world_ramp(grid: Grid, weights=(1.0, -2.0, 0.5)) -> Image:
    return Image(grid.world_points() @ np.asarray(weights), grid, "mm")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_resampling_moves_no_anatomy(axis):
    ramp = world_ramp(oblique((20, 18, 12), (1, 1.2, 3)), np.eye(3)[axis])
    other = resample(ramp, spacing_mm=(2.0, 3.0, 1.5))
    inside = np.all(ramp.grid.index_of(other.grid.world_points()) <= np.array(ramp.grid.shape) - 1, axis=-1)
    assert inside.mean() > 0.7
    assert_allclose(other.values[inside], other.grid.world_points()[inside][:, axis], atol=1e-6)  # exact under linear


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_a_linear_ramp_is_read_exactly_between_voxels(interpolation):
    ramp = world_ramp(oblique((24, 24, 24), (1, 1.2, 2)))
    index = np.random.default_rng(3).uniform(9, 14, (200, 3))  # far from the border, where splines bend
    points = ramp.grid.world_of(index)
    read = sample_at_points(ramp, points, interpolation=interpolation)
    tolerance = 1e-6 if interpolation == "linear" else 1e-4  # the border's bend decays by 0.27 per voxel
    assert_allclose(read, points @ (1.0, -2.0, 0.5), atol=tolerance)


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
def test_every_interpolation_gives_back_the_voxels_themselves(interpolation):
    grid = oblique((7, 6, 5), (1, 1, 2))
    image = Image(np.random.default_rng(0).normal(size=grid.shape), grid)
    assert_allclose(resample(image, onto=grid, interpolation=interpolation).values, image.values, atol=1e-9)


def as_sitk(image: Image) -> sitk.Image:
    result = sitk.GetImageFromArray(image.values.transpose(2, 1, 0))
    result.SetSpacing(image.grid.spacing_mm)
    result.SetOrigin(image.grid.origin_mm)
    result.SetDirection(image.grid.direction.ravel())
    return result


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("interpolation", "theirs"), [("linear", sitk.sitkLinear), ("nearest", sitk.sitkNearestNeighbor)]
)
def test_simpleitk_agrees_on_random_oblique_grids_edges_included(seed, interpolation, theirs):
    rng = np.random.default_rng(seed)
    source = oblique((17, 14, 9), rng.uniform(0.7, 3, 3), rng.normal(scale=0.5, size=3), rng.normal(scale=5, size=3))
    image = Image(rng.normal(size=source.shape), source)
    target = oblique((15, 16, 13), rng.uniform(0.7, 3, 3), rng.normal(scale=0.5, size=3), (0, 0, 0))
    shift = target.world_from_index.copy()
    shift[:3, 3] = source.center_mm - shift[:3, :3] @ (np.array(target.shape) / 2)  # overlapping, sticking out
    target = Grid(target.shape, shift)
    frame = as_sitk(Image(np.zeros(target.shape), target))
    expected = sitk.GetArrayFromImage(sitk.Resample(as_sitk(image), frame, sitk.Transform(), theirs, -7.0))
    ours = resample(image, onto=target, interpolation=interpolation, outside=-7.0).values.transpose(2, 1, 0)
    assert 0.05 < np.mean(expected == -7) < 0.95
    assert_allclose(ours, expected, atol=1e-5)


def test_simpleitk_agrees_at_the_half_voxel_rim():
    grid = Grid.from_parts((4, 4, 4))
    image = Image(np.random.default_rng(1).normal(size=grid.shape), grid)
    rim = Grid.from_parts((2, 4, 4), spacing_mm=(3.8, 1, 1), origin_mm=(-0.4, 0, 0))
    frame = as_sitk(Image(np.zeros(rim.shape), rim))
    expected = sitk.GetArrayFromImage(sitk.Resample(as_sitk(image), frame, sitk.Transform(), sitk.sitkLinear, 9.0))
    ours = resample(image, onto=rim, outside=9.0).values
    assert_allclose(ours.transpose(2, 1, 0), expected, atol=1e-6)
    assert_allclose(ours, image.values[[0, 3]], atol=1e-6)  # half a voxel beyond the centre the edge repeats


def test_beyond_the_outer_edge_the_outside_value_stands():
    image = Image(np.ones((3, 3, 3)), Grid.from_parts((3, 3, 3)))
    assert_array_equal(
        sample_at_points(image, [(-0.49, 1, 1), (-0.51, 1, 1), (2.49, 1, 1), (2.51, 1, 1)], outside=-3), [1, -3, 1, -3]
    )


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
def test_labels_stay_in_their_set(interpolation):
    grid = oblique((12, 12, 12), (1, 1, 1))
    labels = Labels(np.random.default_rng(2).choice([0, 7, 300], size=grid.shape).astype(np.int16), grid)
    result = resample(labels, spacing_mm=(0.7, 1.3, 2.1), interpolation=interpolation)
    assert isinstance(result, Labels)
    assert result.dtype == np.int16
    assert set(np.unique(result.values)) == {0, 7, 300}


def test_a_tie_between_two_labels_takes_the_lower_index():
    labels = Labels(np.array([[1, 2, 3]], np.uint8).T.reshape(3, 1), Grid.from_parts((3, 1)))
    assert_array_equal(resample(labels, onto=Grid.from_parts((2, 1), origin_mm=(0.5, 0))).values.ravel(), [1, 2])


@pytest.mark.parametrize("interpolation", ["nearest", "linear"])
def test_four_quarter_turns_are_no_turn(interpolation):
    grid = Grid.from_parts((9, 9, 5), spacing_mm=(1, 1, 2), origin_mm=(-3, 8, 1))
    image = Image(np.random.default_rng(4).normal(size=grid.shape), grid)
    labels = Labels(np.random.default_rng(5).integers(0, 4, grid.shape), grid)
    quarter = Rigid.from_vectors(rotation_vector_rad=(0, 0, np.pi / 2), center_mm=grid.center_mm)
    turned, turned_labels = image, labels
    for _ in range(4):
        turned = warp(turned, quarter, onto=grid, interpolation=interpolation)
        turned_labels = warp(turned_labels, quarter, onto=grid)
    assert_allclose(turned.values, image.values, atol=1e-9)
    assert_array_equal(turned_labels.values, labels.values)
    once = warp(image, quarter, onto=grid, interpolation=interpolation)
    assert_allclose(once.values, np.rot90(image.values, -1), atol=1e-9)


@pytest.mark.parametrize("radii_mm", [(14, 14, 14), (12, 20, 16)])
@pytest.mark.parametrize("turned", [0.0, 0.3])
def test_a_lesion_keeps_its_volume_between_thin_and_thick_slices(radii_mm, turned):
    thin = Grid.from_parts((96, 96, 84), spacing_mm=(0.5, 0.5, 0.6))
    thick = Grid.from_parts((96, 96, 11), spacing_mm=(0.5, 0.5, 4.4), origin_mm=(0, 0, 1.9))  # the same outer edges

    def lesion(grid):
        points = (grid.world_points() - thin.center_mm - 0.17) @ rotation_about_axis(0, np.rad2deg(turned))
        return np.sum((points / radii_mm) ** 2, axis=-1) <= 1

    truth_mm3 = 4 / 3 * np.pi * np.prod(radii_mm)
    assert lesion(thick).any(axis=(0, 1)).sum() >= 5
    for source, target in ((thin, thick), (thick, thin)):
        labels = Labels(lesion(source).astype(np.uint8) * 7, source)
        nearest = resample(labels, onto=target)
        assert set(np.unique(nearest.values)) == {0, 7}
        own_mm3 = labels.mask.sum() * source.voxel_volume_mm3
        assert nearest.mask.sum() * target.voxel_volume_mm3 == pytest.approx(own_mm3, rel=0.03)
        fraction = resample(Image(labels.mask.astype(np.float32), source), onto=target)
        assert fraction.values.sum() * target.voxel_volume_mm3 == pytest.approx(own_mm3, rel=0.03)
        assert own_mm3 == pytest.approx(truth_mm3, rel=0.03)


def test_reorienting_leaves_every_value_at_its_place():
    grid = oblique((4, 5, 6), (1, 2, 3))
    image = Image(np.random.default_rng(6).normal(size=(*grid.shape, 2)), grid, extra_axes=("time",))
    turned = reorient(image, "SAR")
    assert turned.values.shape == (*turned.grid.shape, 2)
    read = sample_at_points(image, turned.grid.world_points(), interpolation="nearest")
    assert_array_equal(turned.values, read)
    assert_array_equal(reorient(turned, "LPS").values, reorient(image, "LPS").values)


def test_each_channel_is_sampled_alike():
    grid = Grid.from_parts((5, 5, 5))
    values = np.random.default_rng(7).normal(size=(5, 5, 5, 3))
    target = grid.with_spacing(0.8)
    colours = resample(Image(values, grid, extra_axes=("channel",)), onto=target)
    for c in range(3):
        assert_array_equal(colours.values[..., c], resample(Image(values[..., c], grid), onto=target).values)


@pytest.mark.parametrize(
    ("dtype", "interpolation", "expected"),
    [
        (np.int16, "linear", np.float32),
        (np.int16, "nearest", np.int16),
        (np.float64, "linear", np.float64),
        (np.uint8, "cubic", np.float32),
    ],
)
def test_numbers_keep_their_type_unless_they_fall_between(dtype, interpolation, expected):
    image = Image(np.arange(27, dtype=dtype).reshape(3, 3, 3), Grid.from_parts((3, 3, 3)), "HU")
    result = resample(image, spacing_mm=0.5, interpolation=interpolation)
    assert result.dtype == expected
    assert result.unit == "HU"


def test_a_large_image_is_read_in_slabs_without_seams(monkeypatch):
    grid = oblique((20, 15, 10), (1, 1, 2))
    image = Image(np.random.default_rng(8).normal(size=grid.shape), grid)
    target = grid.with_spacing(0.9)
    whole = resample(image, onto=target).values
    monkeypatch.setattr("cohortex.image.resampling._SLAB_POINTS", 500)
    assert_array_equal(resample(image, onto=target).values, whole)


def test_pictures_and_single_slices_resample():
    picture = resample(Image(np.ones((6, 4)), Grid.from_parts((6, 4))), spacing_mm=2)
    assert picture.values.shape == (3, 2)
    slab = resample(Image(np.ones((6, 4, 1)), Grid.from_parts((6, 4, 1), spacing_mm=(1, 1, 5))), spacing_mm=(2, 2, 5))
    assert_array_equal(slab.values, np.ones((3, 2, 1)))


def test_nan_spreads_no_further_than_its_neighbours():
    values = np.ones((7, 7, 7))
    values[3, 3, 3] = np.nan
    result = resample(Image(values, Grid.from_parts((7, 7, 7))), onto=Grid.from_parts((6, 6, 6), origin_mm=(0.5,) * 3))
    assert np.isnan(result.values).sum() == 8


def test_misuse_is_refused():
    image = Image(np.ones((3, 3, 3)), Grid.from_parts((3, 3, 3)))
    with pytest.raises(ValueError, match="either"):
        resample(image)
    with pytest.raises(ValueError, match="either"):
        resample(image, spacing_mm=2, onto=image.grid)
    with pytest.raises(ValueError, match="spatial axes"):
        resample(image, onto=Grid.from_parts((3, 3)))
    with pytest.raises(ValueError, match="interpolation"):
        resample(image, spacing_mm=2, interpolation="quintic")
