"""The smaller pieces of the method, each against a formula or a law."""

from __future__ import annotations

import numpy as np
import pytest

from cohortex.lesions import LesionParameters, measure_lesions, outline_lesions
from cohortex.lesions.detection import lesion_extent
from cohortex.lesions.expectation import expect_healthy, local_spread, without_lesions
from cohortex.lesions.lining import ventricular_lining
from cohortex.lesions.noise import measure_noise
from cohortex.lesions.smoothing import blurred, blurred_within, near, spread_of
from cohortex.transform import Rigid

SPACING = (1.0, 1.0, 1.0)


def expectation_of(scene, parameters=None):
    fractions = np.stack([scene.tissue[name].values for name in ("white", "grey", "csf")])
    return expect_healthy(
        [scene.images["FLAIR"].values, scene.images["T1"].values],
        brain=scene.brain.mask,
        fractions=fractions,
        spacing_mm=scene.brain.grid.spacing_mm,
        parameters=parameters or LesionParameters(),
    )


def test_tissue_levels_are_those_of_the_phantom(make_scene):
    levels = expectation_of(make_scene()).levels
    assert levels[0] == pytest.approx(100, abs=3)
    assert levels[1] == pytest.approx(122, abs=6)
    assert levels[2] == pytest.approx(18, abs=12)  # the blurred template has little pure csf


def test_healthy_tissue_strays_as_much_as_said(make_scene):
    scene = make_scene()
    healthy = expectation_of(scene)
    said = np.hypot(np.float32(healthy.noise), healthy.doubt)
    score = ((scene.images["FLAIR"].values - healthy.expected) / said)[scene.brain.mask]
    assert 0.6 < spread_of(score.astype(np.float32)) < 1.4


def test_tissue_beneath_a_lesion_is_guessed_from_around_it(make_scene, make_ball):
    scene = make_scene([(make_ball((14, 0, 0), 400), 1.0)])
    healthy = expectation_of(scene)
    support = near(scene.truth.values > 0, SPACING, distance_mm=2)
    filled = without_lesions(healthy, support, brain=scene.brain.mask, spacing_mm=SPACING)
    lesion = scene.truth.values > 0.9
    assert filled[lesion].mean() == pytest.approx(100, abs=3)
    np.testing.assert_array_equal(filled[~support], healthy.whole[~support])


def test_white_noise_is_measured_and_does_not_grow():
    rng = np.random.default_rng(3)
    noise = measure_noise(rng.normal(0, 5, (60, 60, 60)).astype(np.float32), np.ones((60, 60, 60), bool), SPACING)
    assert noise.voxel == pytest.approx(5, rel=0.03)
    assert noise.growth == pytest.approx(1, abs=0.08)
    assert noise.background < 0.3


def test_smooth_noise_grows_in_sums():
    rng = np.random.default_rng(4)
    smooth = blurred(rng.normal(0, 5, (60, 60, 60)).astype(np.float32), SPACING, sigma_mm=0.8)
    assert measure_noise(smooth, np.ones(smooth.shape, bool), SPACING).growth > 1.5


def test_too_little_quiet_tissue_gives_no_noise():
    assert measure_noise(np.ones((5, 5, 5), np.float32), np.zeros((5, 5, 5), bool), SPACING).voxel == 0


def test_the_lining_of_the_ventricles_is_measured_and_bounded():
    index = np.indices((60, 60, 60)) - 29.5
    radius = np.linalg.norm(index, axis=0)
    csf = (radius < 8).astype(np.float32)
    brain = radius < 29
    white = (brain & (radius >= 8)).astype(np.float32)
    excess = (10 * np.exp(-(radius - 8) / 2) * white).astype(np.float32)
    lining = ventricular_lining(excess, white=white, csf=csf, brain=brain, spacing_mm=SPACING, most=6.0)
    rim = (radius > 9.5) & (radius < 10.5)
    assert lining[rim].mean() == pytest.approx(excess[rim].mean(), abs=1.5)
    assert lining.max() <= 6.0
    assert lining[radius > 16].max() == 0
    assert not ventricular_lining(
        excess, white=white, csf=np.zeros_like(csf), brain=brain, spacing_mm=SPACING, most=6.0
    ).any()


def test_only_outlines_with_a_seed_are_kept():
    excess = np.zeros((30, 30, 30), dtype=np.float32)
    excess[5:10, 5:10, 5:10] = 50
    excess[18:23, 18:23, 18:23] = 50
    seeds = np.zeros(excess.shape, bool)
    seeds[7, 7, 7] = True
    labels = lesion_extent(
        excess,
        np.full(excess.shape, 5, np.float32),
        seeds,
        brain=np.ones(excess.shape, bool),
        spacing_mm=SPACING,
        least_contrast=15,
        parameters=LesionParameters(),
    )
    assert labels.max() == 1
    assert np.count_nonzero(labels) == pytest.approx(125, rel=0.15)
    assert labels[7, 7, 7] == 1
    assert labels[20, 20, 20] == 0


def test_a_lesion_does_not_hide_itself_in_the_spread():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (40, 40, 40)).astype(np.float32)
    brain = np.ones(values.shape, bool)
    before = local_spread(values, 1.0, brain, SPACING, sigma_mm=4.0)[20, 20, 20]
    values[14:26, 14:26, 14:26] += 6
    assert local_spread(values, 1.0, brain, SPACING, sigma_mm=4.0)[20, 20, 20] < 1.5 * before


def test_masked_averages_skip_what_does_not_count():
    values = np.ones((15, 15, 15), dtype=np.float32)
    values[7, 7, 7] = np.float32(1e6)
    weight = np.ones_like(values)
    weight[7, 7, 7] = 0
    np.testing.assert_allclose(blurred_within(values, weight, SPACING, sigma_mm=1.5), 1, rtol=1e-5)
    assert not blurred_within(values, np.zeros_like(values), SPACING, sigma_mm=1.5).any()


def test_nearness_is_measured_in_millimetres():
    mask = np.zeros((11, 11, 11), bool)
    mask[5, 5, 5] = True
    reached = near(mask, (1.0, 1.0, 4.0), distance_mm=3)
    assert reached[8, 5, 5]
    assert not reached[5, 5, 6]
    assert not near(np.zeros_like(mask), SPACING, distance_mm=3).any()


def test_the_table_gives_place_slice_and_diameters(make_scene, make_ball):
    shape = make_ball((14, 0, 4), 600, (1, 2, 1))
    scene = make_scene([(shape, 1.0)])
    outline = outline_lesions(scene.images, brain=scene.brain, tissue=scene.tissue)
    shift = Rigid.from_vectors(translation_mm=(5, 0, 0))
    numbers = list(range(100, 100 + scene.brain.grid.shape[2]))
    (lesion,) = measure_lesions(outline, template_from_visit=shift, describe=lambda _: "there", slice_numbers=numbers)
    np.testing.assert_allclose(lesion.centroid_mm, shape.center_mm, atol=0.4)
    np.testing.assert_allclose(lesion.template_mm, np.add(shape.center_mm, (5, 0, 0)), atol=0.4)
    assert lesion.place == "there"
    radii = shape.parts[0].radii_mm
    assert lesion.longest_diameter_mm == pytest.approx(2 * radii[1], abs=1.2)
    assert lesion.perpendicular_diameter_mm == pytest.approx(2 * radii[0], abs=1.2)
    assert lesion.slice_number == pytest.approx(100 + 28, abs=1)
    assert lesion.contrast_to_noise == pytest.approx(15, rel=0.15)
    assert lesion.kind == "FLAIR hyperintense"
    assert measure_lesions(outline)[0].place == ""
    assert measure_lesions(outline)[0].template_mm is None
