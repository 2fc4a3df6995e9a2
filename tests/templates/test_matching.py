"""Colours planted on the tissue maps are found again, outliers or not."""

from __future__ import annotations

import numpy as np
import pytest

from cohortex.image import Image, Labels
from cohortex.templates import matched_to, mni152, tissue_colours
from cohortex.transform import Rigid

TEMPLATE = mni152(spacing_mm=3.0)
FRACTIONS = {name: np.asarray(map_.values) for name, map_ in TEMPLATE.tissues.items()}
BRAIN = TEMPLATE.brain.mask
CONTRASTS = {
    "T1": {"grey": 70.0, "white": 100.0, "csf": 25.0},
    "T2": {"grey": 90.0, "white": 60.0, "csf": 200.0},
    "FLAIR": {"grey": 80.0, "white": 60.0, "csf": 10.0},
    "CT": {"grey": 37.0, "white": 29.0, "csf": 8.0},
}


def planted(colours: dict[str, float], *, noise_sd: float = 2.0, outliers: float = 0.1, brighter: float = 1.0) -> Image:
    """The mixture on the template grid, with lesions and misfits `brighter` by so many times the brightest tissue."""
    rng = np.random.default_rng(2)
    values = sum(colours[name] * FRACTIONS[name] for name in colours) + rng.normal(scale=noise_sd, size=BRAIN.shape)
    values = np.where(rng.uniform(size=BRAIN.shape) < outliers, values + brighter * max(colours.values()), values)
    return Image(values.astype(np.float32), TEMPLATE.grid, "arbitrary")


@pytest.mark.parametrize("contrast", list(CONTRASTS))
def test_planted_colours_are_found_with_a_tenth_of_outliers(contrast: str) -> None:
    true = CONTRASTS[contrast]
    found = tissue_colours(planted(true).values, FRACTIONS, BRAIN)
    for name, value in true.items():
        assert found.values[name] == pytest.approx(value, abs=0.5)  # a quarter of the noise
        assert found.spreads[name] == pytest.approx(2.0, rel=0.25)  # outliers widen the median deviation by a seventh
    assert found.mixed_spread < 2.0  # nothing but noise was planted where tissues meet


def test_a_tenth_of_outliers_of_twice_the_brightest_tissue_does_no_harm() -> None:
    found = tissue_colours(planted(CONTRASTS["T2"], brighter=2.0).values, FRACTIONS, BRAIN)
    for name, value in CONTRASTS["T2"].items():
        assert found.values[name] == pytest.approx(value, abs=0.5)


def test_expected_values_and_spread_mix_by_fraction() -> None:
    found = tissue_colours(planted(CONTRASTS["T1"], outliers=0).values, FRACTIONS, BRAIN)
    half = {"grey": np.float32([0.5]), "white": np.float32([0.5]), "csf": np.float32([0.0])}
    assert found.expected(half)[0] == pytest.approx((found.values["grey"] + found.values["white"]) / 2)
    variance = (found.spreads["grey"] ** 2 + found.spreads["white"] ** 2) / 2 + found.mixed_spread**2 / 2
    assert found.spread(half)[0] == pytest.approx(np.sqrt(variance), rel=1e-5)


def test_the_template_takes_the_contrast_of_an_image_in_another_place() -> None:
    motion = Rigid.from_vectors(rotation_vector_rad=(0.1, 0, -0.2), translation_mm=(20, -10, 5))
    image = planted(CONTRASTS["FLAIR"])
    moved = Image(image.values, image.grid.moved(motion.matrix), image.unit)
    matched = matched_to(TEMPLATE, moved, image_from_template=motion, mask=Labels(TEMPLATE.brain.values, moved.grid))
    assert matched.expected.grid == TEMPLATE.grid
    assert matched.expected.unit == "arbitrary"
    truth = sum(CONTRASTS["FLAIR"][name] * FRACTIONS[name] for name in FRACTIONS)
    np.testing.assert_allclose(matched.expected.values[BRAIN], truth[BRAIN], atol=1.0)
    assert np.median(matched.spread.values[BRAIN]) == pytest.approx(2.0, rel=0.4)


def test_what_the_mask_leaves_out_has_no_say() -> None:
    image = planted(CONTRASTS["T1"], outliers=0)
    right = TEMPLATE.grid.world_points()[..., 0] < 0
    spoilt = image.with_values(np.where(right, 500, image.values).astype(np.float32))
    trusted = Labels(BRAIN & ~right, TEMPLATE.grid)
    matched = matched_to(TEMPLATE, spoilt, image_from_template=Rigid.identity(), mask=trusted)
    for name, value in CONTRASTS["T1"].items():
        assert matched.colours.values[name] == pytest.approx(value, abs=0.5)


def test_too_little_brain_is_refused() -> None:
    image = planted(CONTRASTS["T1"])
    with pytest.raises(ValueError, match="0 voxels of brain"):
        matched_to(TEMPLATE, image, image_from_template=Rigid.from_vectors(translation_mm=(999, 0, 0)))
    nothing = Labels(np.zeros(BRAIN.shape, dtype=bool), TEMPLATE.grid)
    with pytest.raises(ValueError, match="0 voxels of brain"):
        matched_to(TEMPLATE, image, image_from_template=Rigid.identity(), mask=nothing)
