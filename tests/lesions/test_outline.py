from __future__ import annotations

import numpy as np
import pytest

from cohortex.image import Image, Labels
from cohortex.lesions import choose_contrast, outline_lesions

SIZES_MM3 = (500, 250, 125, 40)
PLACES_MM = ((15, 0, 0), (0, 17, -3), (-15, 3, 2), (0, -17, 4))


def outlined(scene, **options):
    return outline_lesions(scene.images, brain=scene.brain, tissue=scene.tissue, **options)


@pytest.mark.parametrize("slice_mm", [1.0, 4.0])
def test_a_healthy_brain_shows_no_lesion(make_scene, slice_mm):
    for seed in range(2):
        assert outlined(make_scene(seed=seed, slice_mm=slice_mm)).measured == ()


@pytest.mark.parametrize("slice_mm", [1.0, 4.0])
def test_volumes_are_those_planted(make_scene, make_ball, slice_mm):
    lesions = [(make_ball(place, size), 1.0) for place, size in zip(PLACES_MM, SIZES_MM3, strict=True)]
    scene = make_scene(lesions, slice_mm=slice_mm)
    outline = outlined(scene)
    found = [m.volume_mm3 for m in outline.measured]
    assert len(found) == 4
    assert found[0] == pytest.approx(500, rel=0.05)
    assert found[1] == pytest.approx(250, rel=0.10)
    assert found[2] == pytest.approx(125, rel=0.15)
    assert found[3] == pytest.approx(40, rel=0.3)  # a few voxels at 4 mm
    for measured, size in zip(outline.measured, SIZES_MM3, strict=True):
        assert abs(measured.volume_mm3 - size) < 3.5 * measured.volume_sd_mm3


def test_each_lesion_is_outlined_where_it_lies(make_scene, make_ball):
    lesions = [(make_ball(place, size), 1.0) for place, size in zip(PLACES_MM, SIZES_MM3, strict=True)]
    outline = outlined(make_scene(lesions))
    for label, (shape, _) in enumerate(lesions, start=1):
        points = outline.labels.grid.world_of(np.argwhere(outline.labels.values == label))
        np.testing.assert_allclose(points.mean(axis=0), shape.center_mm, atol=0.5)


def test_partial_volume_follows_the_planted_share(make_scene, make_ball):
    scene = make_scene([(make_ball((15, 0, 0), 800), 1.0)], slice_mm=4.0, noise=1.0)
    fraction = outlined(scene).fraction.values
    assert fraction.min() >= 0
    assert fraction.max() <= 1
    touched = scene.truth.values > 0.02
    assert np.sqrt(np.mean((fraction - scene.truth.values)[touched] ** 2)) < 0.08


def test_a_speck_below_27_mm3_is_no_lesion(make_scene, make_ball):
    scene = make_scene([(make_ball((15, 0, 0), 10), 0.7), (make_ball((-15, 0, 0), 12), 0.7)])
    assert outlined(scene).measured == ()


def test_a_perivascular_space_is_no_lesion_on_flair(make_scene, make_ball):
    dark = make_ball((15, 0, 0), 60, (1, 1, 3))

    def filled_with_fluid(values, contrast):
        levels = {"FLAIR": 18.0, "T1": 24.0}
        grid = make_scene().brain.grid
        part = dark.fraction(grid)
        values[(*part.box, ...)] += part.share * (levels[contrast] - values[(*part.box, ...)])
        return values

    assert outlined(make_scene(extra=filled_with_fluid)).measured == ()


def test_flow_in_the_ventricle_is_no_lesion(make_scene, make_ball):
    cloud = make_ball((0, 2, 0), 90)

    def bright_flow(values, contrast):
        if contrast == "FLAIR":
            part = cloud.fraction(make_scene().brain.grid)
            values[part.box] = np.maximum(values[part.box], part.share * 105)
        return values

    assert outlined(make_scene(extra=bright_flow)).measured == ()


def test_two_lesions_that_touch_are_one_outline(make_scene, make_ball):
    first, second = make_ball((13, -3, 0), 250), make_ball((13, 3.6, 0), 250)
    outline = outlined(make_scene([(first, 1.0), (second, 1.0)]))
    assert len(outline.measured) == 1


def test_scanner_gain_changes_no_volume(make_scene, make_ball):
    lesions = [(make_ball((15, 0, 0), 300), 1.0)]
    one, other = (outlined(make_scene(lesions, gain=gain)) for gain in (1.0, 17.0))
    assert other.measured[0].volume_mm3 == pytest.approx(one.measured[0].volume_mm3, rel=1e-3)
    assert other.white_level == pytest.approx(17 * one.white_level, rel=1e-3)


def test_flair_alone_suffices_in_white_matter(make_scene, make_ball):
    scene = make_scene([(make_ball((15, 0, 0), 300), 1.0)], contrasts=("FLAIR",))
    (lesion,) = outlined(scene).measured
    assert lesion.volume_mm3 == pytest.approx(300, rel=0.08)


@pytest.mark.parametrize(("contrast", "kind"), [("T2", "T2 hyperintense"), ("T1", "T1 hypointense")])
def test_another_contrast_is_outlined_where_flair_is_missing(make_scene, make_ball, contrast, kind):
    scene = make_scene([(make_ball((15, 0, 0), 900), 1.3)], contrasts=(contrast,), noise=3.0)
    outline = outlined(scene)
    assert outline.contrast == contrast
    assert outline.kinds == (kind,)
    inside = scene.truth.values > 0.5
    assert np.mean(outline.labels.values[inside] == 1) > 0.7


def test_the_same_images_give_the_same_bits(make_scene, make_ball):
    lesions = [(make_ball((15, 0, 0), 300), 1.0), (make_ball((-15, 0, 0), 60), 0.6)]
    one, other = (outlined(make_scene(lesions, slice_mm=4.0)) for _ in range(2))
    assert one.measured == other.measured
    np.testing.assert_array_equal(one.labels.values, other.labels.values)
    np.testing.assert_array_equal(one.fraction.values, other.fraction.values)


def test_labels_are_numbered_by_falling_volume(make_scene, make_ball):
    lesions = [(make_ball((15, 0, 0), 60), 1.0), (make_ball((-15, 0, 0), 400), 1.0)]
    volumes = [m.volume_mm3 for m in outlined(make_scene(lesions)).measured]
    assert volumes == sorted(volumes, reverse=True)
    assert len(volumes) == 2


def test_an_empty_brain_mask_gives_no_lesion(make_scene):
    scene = make_scene()
    empty = Labels(np.zeros(scene.brain.grid.shape, dtype=np.uint8), scene.brain.grid)
    outline = outline_lesions(scene.images, brain=empty, tissue=scene.tissue)
    assert outline.measured == ()
    assert not outline.labels.values.any()


def test_a_constant_image_and_nan_do_not_crash(make_scene):
    scene = make_scene()
    constant = Image(np.full(scene.brain.grid.shape, 7.0, dtype=np.float32), scene.brain.grid)
    assert outline_lesions({"FLAIR": constant}, brain=scene.brain, tissue=scene.tissue).measured == ()
    holed = scene.images["FLAIR"].values.copy()
    holed[30:33, 30:33, 20] = np.nan
    images = {**scene.images, "FLAIR": Image(holed, scene.brain.grid)}
    assert outline_lesions(images, brain=scene.brain, tissue=scene.tissue).measured == ()


def test_the_outlined_contrast_is_flair_then_t2():
    assert choose_contrast(["T1", "T2", "FLAIR"]) == "FLAIR"
    assert choose_contrast(["CT", "T2", "T1"]) == "T2"
    with pytest.raises(ValueError, match="lesions need one of them"):
        choose_contrast(["ADC"])


def test_a_contrast_that_is_not_there_is_refused(make_scene):
    with pytest.raises(ValueError, match="contrast is 'T2'"):
        outlined(make_scene(), contrast="T2")


def test_a_missing_tissue_is_refused(make_scene):
    scene = make_scene()
    with pytest.raises(ValueError, match="tissue lacks csf"):
        outline_lesions(scene.images, brain=scene.brain, tissue={k: scene.tissue[k] for k in ("grey", "white")})


def test_images_on_another_grid_are_refused(make_scene):
    scene, coarse = make_scene(), make_scene(slice_mm=4.0)
    with pytest.raises(ValueError, match="resample onto one grid"):
        outline_lesions({**scene.images, "T2": coarse.images["T1"]}, brain=scene.brain, tissue=scene.tissue)
