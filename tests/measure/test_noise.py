"""Signal-to-noise against noise we put in ourselves."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from cohortex import phantoms
from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.measure import signal_to_noise
from cohortex.templates import mni152


@lru_cache
def clean_head() -> Image:
    template = mni152(spacing_mm=2.0)
    signal = 600 * template.grey.values + 800 * template.white.values + 200 * template.csf.values
    return Image(signal, template.grid)


def rician(image: Image, sd: float, seed: int = 0) -> Image:
    rng = np.random.default_rng(seed)
    shape = image.grid.shape
    return image.with_values(np.hypot(image.values + sd * rng.normal(size=shape), sd * rng.normal(size=shape)))


@pytest.mark.parametrize("sd", [35, 60, 100, 250])
def test_the_noise_and_ratio_of_a_known_head_are_met_within_five_percent(sd):
    clean = clean_head()
    brain = Labels(clean.values > 150, clean.grid)
    found = signal_to_noise(rician(clean, sd), brain)
    assert found.noise_sd == pytest.approx(sd, rel=0.05)
    assert found.background_noise_sd == pytest.approx(sd, rel=0.05)
    assert found.ratio == pytest.approx(np.median(clean.values[brain.mask]) / sd, rel=0.05)
    assert found.ratio_interval[0] < found.ratio < found.ratio_interval[1]


def test_without_a_mask_the_head_is_found_first():
    found = signal_to_noise(rician(clean_head(), 40))
    assert found.noise_sd == pytest.approx(40, rel=0.05)


def test_the_noise_of_a_phantom_scan_is_found_whatever_the_gain():
    head = phantoms.head(spacing_mm=3.0)
    for gain in (1.0, 20.0):
        scanner = replace(phantoms.IDEAL_SCANNER, noise_sd=5.0, gain=gain)
        image = phantoms.scan(head, "T1", spacing_mm=2.0, scanner=scanner, rng=np.random.default_rng(1))
        assert signal_to_noise(image).noise_sd == pytest.approx(5.0 * gain, rel=0.05)


def test_ct_noise_is_measured_against_the_attenuation_above_air():
    rng = np.random.default_rng(2)
    values = np.where(clean_head().values > 0, 35.0, -1000.0) + rng.normal(scale=10, size=clean_head().grid.shape)
    found = signal_to_noise(Image(values, clean_head().grid, "HU"))
    assert found.noise_sd == pytest.approx(10, rel=0.05)
    assert found.ratio == pytest.approx(103.5, rel=0.05)
    assert found.background_noise_sd is None


def test_thick_slices_are_judged_within_each_slice():
    grid = Grid.from_parts((120, 120, 6), spacing_mm=(1, 1, 5))
    steps = 400 + 100 * np.arange(6)  # slices differ; only in-plane differences see pure noise
    values = np.broadcast_to(steps, grid.shape) + np.random.default_rng(3).normal(scale=20, size=grid.shape)
    assert signal_to_noise(Image(values, grid), Labels(np.ones(grid.shape, int), grid)).noise_sd == pytest.approx(
        20, rel=0.05
    )


def test_a_shaded_field_and_a_few_bright_spikes_do_not_count_as_noise():
    grid = Grid.from_parts((60, 60, 60))
    rng = np.random.default_rng(4)
    values = (
        500 + 3 * grid.world_points()[..., 0] + 2 * grid.world_points()[..., 2] + rng.normal(scale=15, size=grid.shape)
    )
    values[rng.random(grid.shape) < 0.005] += 2000
    found = signal_to_noise(Image(values, grid), Labels(np.ones(grid.shape, int), grid))
    assert found.noise_sd == pytest.approx(15, rel=0.05)


def test_an_image_without_noise_has_an_infinite_ratio():
    assert signal_to_noise(Image(clean_head().values.round(-2), clean_head().grid)).ratio == np.inf


def test_cleared_air_gives_no_second_opinion():
    head = rician(clean_head(), 40)
    cleared = head.with_values(np.where(clean_head().values > 0, head.values, 0))
    assert signal_to_noise(cleared).background_noise_sd is None


def test_pure_noise_has_no_signal():
    grid = Grid.from_parts((40, 40, 40))
    found = signal_to_noise(rician(Image(np.zeros(grid.shape), grid), 30), Labels(np.ones(grid.shape, np.uint8), grid))
    assert found.ratio < 1  # the correction has little to hold on to where there is no signal


def test_what_cannot_be_measured_is_refused():
    image = clean_head()
    with pytest.raises(ValueError, match="three axes"):
        signal_to_noise(Image(np.zeros((4, 4)), Grid.from_parts((4, 4))))
    with pytest.raises(ValueError, match="three axes"):
        signal_to_noise(Image(np.zeros((4, 4, 4, 2)), Grid.from_parts((4, 4, 4)), extra_axes=("time",)))
    with pytest.raises(ValueError, match="another grid"):
        signal_to_noise(image, Labels(np.ones((3, 3, 3), int), Grid.from_parts((3, 3, 3))))
    with pytest.raises(ValueError, match="only 0 even blocks"):
        signal_to_noise(image, Labels(np.zeros(image.grid.shape, int), image.grid))
