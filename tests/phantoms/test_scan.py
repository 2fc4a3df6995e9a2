from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage

from cohortex import Grid, phantoms
from cohortex.image import sample_at_points
from cohortex.phantoms.acquisition import shading, with_rician_noise
from cohortex.transform import Rigid

QUIET = phantoms.IDEAL_SCANNER


def plain(head, contrast, **options):
    return phantoms.scan(head, contrast, texture=False, **options)


def pure(head, tissue):
    return head.tissues[tissue] == 255


@pytest.mark.parametrize("contrast", phantoms.CONTRASTS)
def test_pure_tissue_has_the_value_of_the_table(plain_head, contrast):
    grid = plain_head.grid
    image = plain(plain_head, contrast, grid=grid)
    table = phantoms.tissue_values(contrast)
    for tissue in ("white", "eye", "muscle", "fat"):
        inside = pure(plain_head, tissue)
        inside[..., :3] = False
        assert image.values[inside].mean() == pytest.approx(table[tissue], rel=1e-3, abs=1e-5), tissue


@pytest.mark.parametrize(
    ("contrast", "order"),
    [
        ("T1", ["csf", "grey", "white", "fat"]),
        ("T1c", ["csf", "grey", "white", "blood"]),
        ("T2", ["blood", "white", "grey", "csf"]),
        ("FLAIR", ["csf", "white", "grey", "fat"]),
        ("ADC", ["white", "grey", "csf"]),
        ("CT", ["air", "fat", "csf", "white", "grey", "blood", "bone"]),
    ],
)
def test_tissues_are_ordered_as_readers_know_them(contrast, order):
    table = phantoms.tissue_values(contrast)
    assert [table[t] for t in order] == sorted(table[t] for t in order)


def test_adc_is_the_logarithm_of_b0_over_trace(plain_head):
    b0, trace, adc = (plain(plain_head, c).values for c in ("b0", "trace", "ADC"))
    inside = pure(plain_head, "white") | pure(plain_head, "grey")
    there = phantoms.scan_grid(plain_head.grid, in_plane_mm=3.0, slice_spacing_mm=3.0)
    assert there.same_as(plain_head.grid)
    assert_allclose(np.log(b0[inside] / trace[inside]) / 1000, adc[inside], rtol=1e-3)


def test_noise_has_the_stated_sd_and_rician_mean_in_air(plain_head):
    clean = plain(plain_head, "T1")
    noisy = plain(plain_head, "T1", scanner=replace(QUIET, noise_sd=4.0), rng=np.random.default_rng(0))
    white = pure(plain_head, "white")
    assert (noisy.values - clean.values)[white].std() == pytest.approx(4.0, rel=0.03)
    air = ndimage.binary_erosion(plain_head.tissues["air"] == 255, iterations=2)
    assert noisy.values[air].mean() == pytest.approx(4.0 * np.sqrt(np.pi / 2), rel=0.01)


def test_rician_noise_raises_the_mean_square_by_twice_the_variance():
    values = np.full((60, 60, 60), 5.0, dtype=np.float32)
    noisy = with_rician_noise(values, np.random.default_rng(1), sd=3.0)
    assert np.mean(noisy.astype(float) ** 2) == pytest.approx(25 + 2 * 9, rel=0.01)  # E[M²] = A² + 2 sd²


def test_gain_scales_signal_and_noise(plain_head):
    quiet = plain(plain_head, "T2", scanner=replace(QUIET, noise_sd=4.0), rng=np.random.default_rng(0))
    loud = plain(plain_head, "T2", scanner=replace(QUIET, noise_sd=4.0, gain=7.0), rng=np.random.default_rng(0))
    assert_allclose(loud.values, 7 * quiet.values, rtol=1e-5)


def test_ct_noise_is_gaussian_about_the_true_hu(plain_head):
    image = plain(plain_head, "CT", scanner=replace(QUIET, noise_sd_hu=5.0), rng=np.random.default_rng(0))
    air = ndimage.binary_erosion(plain_head.tissues["air"] == 255, iterations=2)
    assert image.unit == "HU"
    assert image.values[air].mean() == pytest.approx(-1000, abs=0.1)
    assert image.values[air].std() == pytest.approx(5.0, rel=0.02)


def test_shading_is_smooth_and_reaches_no_further_than_stated():
    grid = Grid.from_parts((40, 50, 30), spacing_mm=(4, 4, 6))
    field = shading(grid, np.random.default_rng(3), largest=0.2)
    assert field.max() <= 1.2 + 1e-6
    assert field.min() >= 1 / 1.2 - 1e-6
    assert max(field.max() - 1, 1 - field.min()) > 0.1
    assert max(np.abs(np.diff(field, axis=n)).max() for n in range(3)) < 0.05


def test_shading_multiplies_the_picture(plain_head):
    flat = plain(plain_head, "T1")
    shaded = plain(plain_head, "T1", scanner=replace(QUIET, bias=0.2), rng=np.random.default_rng(5))
    field = shading(flat.grid, np.random.default_rng(5), largest=0.2)
    assert_allclose(shaded.values, flat.values * field, rtol=1e-4, atol=1e-3)


def test_thick_slices_are_averages_of_thin_ones(plain_head):
    blob = phantoms.draw_blob(np.random.default_rng(0), center_mm=(25, 10, 30), volume_mm3=900)
    lesion = phantoms.Deposit(
        shape=phantoms.Shape(parts=(blob,)), look="plaque", strength=1.0, tissue_mix={"white": 1.0}
    )
    motion = Rigid.from_vectors(rotation_vector_rad=(0.1, 0, 0.05), translation_mm=(1, 2, 3))
    whole = phantoms.scan_grid(plain_head.grid, in_plane_mm=3.0, slice_spacing_mm=3.0)
    thin_grid = whole.cropped((0, 0, 0), (*whole.shape[:2], 76))
    world = thin_grid.world_from_index.copy()
    world[:3, 2] *= 2
    world[:3, 3] = thin_grid.world_of((0, 0, 0.5))
    thick_grid = Grid((*whole.shape[:2], 38), world)
    options = {"scanner_from_head": motion, "lesions": [lesion]}
    thin = plain(plain_head, "FLAIR", grid=thin_grid, **options).values
    thick = plain(plain_head, "FLAIR", grid=thick_grid, **options).values
    assert_allclose(thick, (thin[..., ::2] + thin[..., 1::2]) / 2, atol=0.02)


def test_gaps_are_not_seen(plain_head):
    grid = phantoms.scan_grid(plain_head.grid, in_plane_mm=3.0, slice_spacing_mm=9.0)
    gapped = plain(plain_head, "T1", grid=grid, slice_thickness_mm=3.0)
    alone = plain(plain_head, "T1", grid=grid.cropped((0, 0, 10), (*grid.shape[:2], 11)), slice_thickness_mm=3.0)
    full = plain(plain_head, "T1", grid=grid)
    assert_allclose(gapped.values[..., 10:11], alone.values, atol=1e-4)
    assert np.abs(gapped.values - full.values).mean() > 1
    assert gapped.metadata["slice_thickness_mm"] == 3.0


def test_a_landmark_moves_where_the_position_says(plain_head):
    motion = Rigid.from_vectors(rotation_vector_rad=(0.1, -0.05, 0.15), translation_mm=(4, -3, 5))
    blob = phantoms.Blob(center_mm=(25, 10, 30), radii_mm=(5, 5, 5), axes=np.eye(3))
    lesion = phantoms.Deposit(shape=phantoms.Shape(parts=(blob,)), look="plaque", strength=1, tissue_mix={"white": 1})
    with_it = plain(plain_head, "FLAIR", scanner_from_head=motion, lesions=[lesion])
    without = plain(plain_head, "FLAIR", scanner_from_head=motion)
    weight = (with_it.values - without.values).ravel().clip(0)
    center = np.average(with_it.grid.world_points().reshape(-1, 3), axis=0, weights=weight)
    assert np.linalg.norm(center - motion(np.array([25, 10, 30]))) < 0.6  # its rim mixes with cortex

    still = plain(plain_head, "T1")
    moved = plain(plain_head, "T1", scanner_from_head=motion)
    points = plain_head.grid.world_of(np.argwhere(pure(plain_head, "white"))[::7])
    assert np.abs(sample_at_points(moved, motion(points)) - sample_at_points(still, points)).mean() < 3


@pytest.mark.parametrize("orientation", ["axial", "sagittal", "coronal"])
def test_every_orientation_shows_the_same_anatomy(plain_head, orientation):
    straight = plain(plain_head, "T2")
    image = plain(plain_head, "T2", orientation=orientation)
    points = plain_head.grid.world_of(np.argwhere(plain_head.brain.mask)[::501])
    assert_allclose(sample_at_points(image, points), sample_at_points(straight, points), atol=1.0)
    assert image.grid.is_orthogonal
    assert np.linalg.det(image.grid.direction) == pytest.approx(1)


@pytest.mark.parametrize("contrast", ["FLAIR", "T2", "T1", "CT"])
def test_contrast_to_noise_in_the_scan_is_the_planted(plain_head, contrast):
    scanner = replace(QUIET, noise_sd=5.0, noise_sd_hu=3.0)
    blob = phantoms.Blob(center_mm=(26, 8, 28), radii_mm=(9, 9, 9), axes=np.eye(3))
    lesion = phantoms.Deposit(shape=phantoms.Shape(parts=(blob,)), look="plaque", strength=1.2, tissue_mix={"white": 1})
    image = plain(plain_head, contrast, scanner=scanner, lesions=[lesion], rng=np.random.default_rng(2))
    inside = blob.level(image.grid.world_points()) < 0.6
    white = pure(plain_head, "white") & (blob.level(image.grid.world_points()) > 1.5)
    noise = 3.0 if contrast == "CT" else 5.0
    measured = (image.values[inside].mean() - image.values[white].mean()) / noise
    assert measured == pytest.approx(lesion.contrast_to_noise(contrast, scanner), abs=0.25)


def test_a_ring_enhances_at_its_rim_only(plain_head):
    blob = phantoms.Blob(center_mm=(26, 8, 28), radii_mm=(12, 12, 12), axes=np.eye(3))
    lesion = phantoms.Deposit(shape=phantoms.Shape(parts=(blob,)), look="ring", strength=1.0, tissue_mix={"white": 1})
    image = plain(plain_head, "T1c", lesions=[lesion])
    level = blob.level(image.grid.world_points())
    assert image.values[level < 0.5].mean() < 80
    assert image.values[(level > 0.8) & (level < 0.9)].mean() > 140
    flair = plain(plain_head, "FLAIR", lesions=[lesion])
    assert flair.values[level < 0.5].mean() == pytest.approx(flair.values[(level > 0.8) & (level < 0.88)].mean(), abs=8)


def test_oedema_fades_beyond_the_surface_and_is_not_in_the_volume(plain_head):
    blob = phantoms.Blob(center_mm=(26, 8, 28), radii_mm=(6, 6, 6), axes=np.eye(3))
    shape = phantoms.Shape(parts=(blob,))
    bare = phantoms.Deposit(shape=shape, look="plaque", strength=1.0, tissue_mix={"white": 1})
    swollen = replace(bare, oedema_mm=6.0)
    assert swollen.shape.volume_mm3 == bare.shape.volume_mm3
    difference = (
        plain(plain_head, "FLAIR", lesions=[swollen]).values - plain(plain_head, "FLAIR", lesions=[bare]).values
    )
    level = blob.level(plain_head.grid.world_points())
    near, far = difference[(level > 1.25) & (level < 1.4)].mean(), difference[(level > 1.7) & (level < 1.9)].mean()
    assert near > far > 0
    assert difference[level > 2.4].max() == pytest.approx(0, abs=1e-3)


def test_distractors_are_small_and_dark_where_readers_expect(plain_head):
    rng = np.random.default_rng(4)
    planted = phantoms.draw_distractors(plain_head, rng)
    specks = [d for d in planted.deposits if d.look in ("perivascular space", "speck")]
    assert max(d.shape.volume_mm3 for d in specks) < 27
    assert {d.look for d in planted.deposits} == {"perivascular space", "speck", "choroid plexus", "marrow"}
    space = next(d for d in planted.deposits if d.look == "perivascular space")
    for contrast, sign in (("T2", 1), ("FLAIR", -1), ("T1", -1)):
        core, _, healthy = space.values(contrast, QUIET)
        assert np.sign(core - healthy) == sign
    wall = ndimage.binary_dilation(np.isin(plain_head.labels.values, (1, 2))) & (plain_head.tissues["white"] > 128)
    lining = plain(plain_head, "FLAIR", distractors=replace(planted, deposits=())).values
    bare = plain(plain_head, "FLAIR").values
    assert 1 < (lining - bare)[wall].mean() < 15


def test_flow_artefacts_stay_in_the_ventricles_and_on_flair(plain_head):
    flow = phantoms.draw_flow(plain_head, np.random.default_rng(0))
    planted = phantoms.Distractors(flow=flow)
    difference = plain(plain_head, "FLAIR", distractors=planted).values - plain(plain_head, "FLAIR").values
    assert difference.max() > 20
    assert (plain_head.regions.values[difference > 1] > 0).all()
    assert_array_equal(plain(plain_head, "T2", distractors=planted).values, plain(plain_head, "T2").values)


def test_texture_belongs_to_the_anatomy_and_is_slight(varied_head):
    first = phantoms.scan(varied_head, "T1").values
    assert_array_equal(first, phantoms.scan(varied_head, "T1").values)
    white = varied_head.tissues["white"] > 250
    assert 0.005 < first[white].std() / first[white].mean() < 0.03


def test_metadata_is_what_a_reader_would_find(plain_head):
    image = phantoms.scan(plain_head, "FLAIR", slice_thickness_mm=4.0, slice_gap_mm=1.0)
    assert image.metadata["series_description"] == "t2_tirm_tra_dark-fluid"
    assert image.metadata["inversion_time_s"] == 2.5
    assert image.metadata["slice_thickness_mm"] == 4.0
    assert image.grid.spacing_mm[2] == pytest.approx(5.0)
    enhanced = phantoms.scan(plain_head, "T1c", scanner=phantoms.SCANNERS["ge-like"], rng=np.random.default_rng(0))
    assert enhanced.metadata["series_description"] == "AX T1 BRAVO +C"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scanner": phantoms.SCANNERS["ge-like"]}, "give rng"),
        ({"grid": Grid.from_parts((4, 4, 4)), "spacing_mm": 2.0}, "not both"),
    ],
)
def test_scans_that_cannot_be_taken_are_refused(plain_head, options, message):
    with pytest.raises(ValueError, match=message):
        phantoms.scan(plain_head, "T1", **options)


def test_an_unknown_contrast_is_refused(plain_head):
    with pytest.raises(ValueError, match="contrast is 'PET'"):
        phantoms.scan(plain_head, "PET")
