"""Shading taken off the template, where it is known."""

from __future__ import annotations

import numpy as np
import pytest

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.intensity import bias_field, correct_bias
from cohortex.templates import Template, mni152


@pytest.fixture(scope="module")
def template() -> Template:
    return mni152(spacing_mm=3.0)


@pytest.fixture(scope="module")
def shading(template: Template) -> np.ndarray:
    x, y, z = np.moveaxis(template.grid.world_points() / 100, -1, 0)
    return np.exp(0.3 * x - 0.25 * y**2 + 0.2 * x * z).astype(np.float32)


@pytest.fixture(scope="module")
def shaded(template: Template, shading: np.ndarray) -> Image:
    noise = np.random.default_rng(0).normal(0, 2, shading.shape)
    return template.t1.with_values((100 * template.t1.values * shading + noise).astype(np.float32))


def variation(values: np.ndarray, template: Template) -> float:
    white = values[template.white.values > 0.95]
    return float(white.std() / white.mean())


def test_white_matter_becomes_even(template: Template, shaded: Image) -> None:
    corrected = correct_bias(shaded, mask=template.brain)
    assert variation(shaded.values, template) > 0.1
    assert variation(corrected.values, template) < 0.045  # 0.023 of it is the template's own


def test_the_field_resembles_the_shading_and_is_one_on_average(
    template: Template, shading: np.ndarray, shaded: Image
) -> None:
    field = bias_field(shaded, mask=template.brain)
    inside = template.brain.mask
    found, true = np.log(field.values[inside]), np.log(shading[inside])
    assert np.corrcoef(found, true)[0, 1] > 0.9
    assert found.mean() == pytest.approx(0, abs=0.01)
    assert field.grid == shaded.grid


def test_without_a_mask_the_foreground_serves(template: Template, shaded: Image) -> None:
    assert variation(correct_bias(shaded).values, template) < 0.07


def test_the_same_image_gives_the_same_bits_and_nan_stays_in_its_place(template: Template, shaded: Image) -> None:
    values = shaded.values + 0
    values[0, 0, 0] = np.nan
    holed = shaded.with_values(values)
    once, twice = (correct_bias(holed, mask=template.brain).values for _ in range(2))
    assert np.array_equal(once, twice, equal_nan=True)
    assert np.flatnonzero(np.isnan(once)).tolist() == [0]


def test_thick_slices_are_ordinary() -> None:
    grid = Grid.from_parts((40, 40, 6), spacing_mm=(4, 4, 20))
    ramp = np.exp(grid.world_points()[..., 0] / 300).astype(np.float32)
    corrected = correct_bias(Image(100 * ramp, grid), mask=Labels(np.ones(grid.shape, dtype=bool), grid))
    assert corrected.values.std() / corrected.values.mean() < ramp.std() / ramp.mean() / 3


def test_hounsfield_units_are_left_alone(template: Template) -> None:
    ct = Image(template.t1.values * 40, template.grid, "HU")
    assert correct_bias(ct, mask=template.brain) is ct


def test_nothing_to_fit_is_refused(template: Template) -> None:
    nothing = Labels(np.zeros(template.grid.shape, dtype=bool), template.grid)
    with pytest.raises(ValueError, match="nothing positive"):
        correct_bias(template.t1, mask=nothing)
    with pytest.raises(ValueError, match="nothing positive"):
        correct_bias(template.t1.with_values(-template.t1.values))


def test_a_vector_image_is_refused(template: Template) -> None:
    vectors = Image(np.zeros((*template.grid.shape, 3)), template.grid, extra_axes=("vector",))
    with pytest.raises(ValueError, match="one scalar image"):
        correct_bias(vectors)
