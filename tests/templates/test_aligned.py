"""A visit in template space: values on the common scale, volumes and shape as the transform says, lesions apart."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cohortex.image import Image, Labels
from cohortex.templates import aligned_to_template, mni152
from cohortex.transform import Affine, Chain, Displacement, Rigid, displacement_of

SPACING_MM = 4.0
VALUES = {"csf": 300.0, "grey": 1800.0, "white": 1500.0}  # FLAIR, gain 15
GROWN = 1.1
MOVED = Rigid.from_vectors(rotation_vector_rad=(0.1, -0.05, 0.2), translation_mm=(8, -5, 12))


@pytest.fixture(scope="module")
def brain_image():
    """MNI152 itself as a FLAIR scan at 3 mm."""
    template = mni152(spacing_mm=3.0)
    values = sum(VALUES[name] * map_.values for name, map_ in template.tissues.items())
    return Image(values.astype(np.float32), template.grid), template.brain


def aligned(scan, transform=None, **options):
    image, brain = scan
    return aligned_to_template(
        image,
        brain=options.pop("brain", brain),
        visit_from_template=transform or Rigid.identity(),
        contrast=options.pop("contrast", "FLAIR"),
        spacing_mm=SPACING_MM,
        **options,
    )


def placed(scan, matrix):
    """The same head elsewhere: only the grid moves."""
    image, brain = scan
    grid = replace(image.grid, world_from_index=matrix @ image.grid.world_from_index)
    return Image(image.values, grid), Labels(brain.values, grid)


def test_tissues_reach_their_levels(brain_image):
    found = aligned(brain_image)
    tissues = mni152(spacing_mm=SPACING_MM).tissues
    for name, level in (("white", 1.0), ("grey", 1.2)):
        pure = found.brain.mask & (tissues[name].values > 0.95)
        assert np.median(found.image.values[pure]) == pytest.approx(level, abs=0.03)
    assert found.tissue_values["white"] == pytest.approx(1500, rel=0.02)
    assert np.all(found.image.values[~found.brain.mask] == 0)


def test_position_size_and_shear_change_neither_shape_nor_local_volume(brain_image):
    matrix = MOVED.matrix.copy()
    matrix[:3, :3] *= GROWN
    matrix[0, 1] += 0.05
    found, plain = aligned(placed(brain_image, matrix), Affine(matrix)), aligned(brain_image)
    assert found.size_ln == pytest.approx(np.log(np.linalg.det(matrix[:3, :3])), abs=1e-6)
    assert_allclose(found.log_jacobian.values, 0, atol=1e-4)
    assert_allclose(found.displacement.values, 0, atol=1e-3)
    both = found.brain.mask & plain.brain.mask
    assert np.percentile(np.abs(found.image.values - plain.image.values)[both], 95) < 0.02  # blur of a larger voxel


def test_a_planted_swelling_shows_its_volume_where_it_is(brain_image):
    """u = 0.1 r exp(-r^2 / 2 s^2): at its middle every length grows by a tenth."""
    middle = np.array([30.0, -10.0, 20.0])
    grid = mni152(spacing_mm=2.0).grid
    offset = grid.world_points() - middle
    bump = 0.1 * offset * np.exp(-np.sum(offset**2, axis=-1, keepdims=True) / (2 * 14**2))
    swelling = Displacement(Image(bump.astype(np.float32), grid, "mm", {}, ("vector",)))
    moved = placed(brain_image, MOVED.matrix)
    found = aligned(moved, Chain.of(MOVED, swelling))
    index = tuple(np.rint(found.grid.index_of(middle)).astype(int))
    assert found.log_jacobian.values[index] == pytest.approx(3 * np.log(1.1), abs=0.04)  # central differences over 8 mm
    far = np.linalg.norm(found.grid.world_points() - middle, axis=-1) > 70
    assert np.abs(found.log_jacobian.values[far & found.brain.mask]).max() < 0.03
    assert np.linalg.norm(found.displacement.values, axis=-1).max() == pytest.approx(0.1 * 14 * np.exp(-0.5), rel=0.15)


def test_the_shape_is_the_displacement_in_the_template_whichever_way_the_head_lies(brain_image):
    field = displacement_of(Rigid.identity(), mni152(spacing_mm=2.0).grid).field
    points = field.grid.world_points()
    wave = np.stack([2 * np.sin(points[..., 1] / 15), 0 * points[..., 0], np.cos(points[..., 0] / 12)], axis=-1)
    bend = Displacement(field.with_values(wave.astype(np.float32)))
    straight = aligned(brain_image, bend)
    turned = aligned(placed(brain_image, MOVED.matrix), Chain.of(MOVED, bend))
    assert_allclose(turned.displacement.values, straight.displacement.values, atol=1e-3)


def test_lesions_stay_in_the_image_and_leave_the_healthy_part_with_their_rim(brain_image):
    image, brain = brain_image
    center = np.array([30.0, -10.0, 25.0])
    lesion = np.linalg.norm(image.grid.world_points() - center, axis=-1) <= 9
    bright = Image(np.where(lesion, np.float32(2600), image.values), image.grid)
    found = aligned((bright, brain), lesions=Labels(lesion, image.grid))
    index = tuple(np.rint(found.grid.index_of(center)).astype(int))
    assert found.image.values[index] == pytest.approx(1 + 1100 / 1500, abs=0.1)
    assert found.brain.mask[index]
    healthy = found.healthy.mask
    distance = np.linalg.norm(found.grid.world_points() - center, axis=-1)
    assert not healthy[distance < 9].any()
    assert healthy[(distance > 20) & found.brain.mask].all()
    plain = aligned(brain_image)
    assert np.abs(found.image.values - plain.image.values)[healthy].max() < 0.05  # a trace of the rim may be left


def test_a_lesion_does_not_shift_the_scale(brain_image):
    image, brain = brain_image
    half = brain.mask & (image.grid.world_points()[..., 0] > 45)
    ill = Image(np.where(half, np.float32(2600), image.values), image.grid)
    found = aligned((ill, brain), lesions=Labels(half, image.grid))
    assert found.tissue_values["white"] == pytest.approx(aligned(brain_image).tissue_values["white"], rel=0.01)


def test_missing_values_count_as_no_brain(brain_image):
    image, brain = brain_image
    gone = image.grid.world_points()[..., 2] > 40
    found = aligned((Image(np.where(gone, np.float32(np.nan), image.values), image.grid), brain))
    assert not found.brain.mask[found.grid.world_points()[..., 2] > 46].any()
    assert np.all(np.isfinite(found.image.values))


def test_what_cannot_be_brought_over_is_refused_by_name(brain_image):
    image, brain = brain_image
    other = Labels(np.ones((3, 3, 3), bool), mni152(spacing_mm=SPACING_MM).grid.cropped((0, 0, 0), (3, 3, 3)))
    with pytest.raises(ValueError, match="brain mask lies on another grid"):
        aligned((image, other))
    with pytest.raises(ValueError, match="lesion outline lies on another grid"):
        aligned(brain_image, lesions=other)
    with pytest.raises(ValueError, match="not scalar"):
        aligned((Image(np.zeros((*image.grid.shape, 2)), image.grid, extra_axes=("time",)), brain))
    with pytest.raises(ValueError, match="no common scale"):
        aligned(brain_image, contrast="DWI")
    with pytest.raises(ValueError, match="0 voxels of grey matter"):
        aligned(brain_image, brain=Labels(np.zeros(image.grid.shape, bool), image.grid))
    with pytest.raises(ValueError, match="mirrors or flattens"):
        aligned(brain_image, Affine(np.diag([-1.0, 1, 1, 1])))
