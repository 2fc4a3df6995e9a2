"""Every scanner's grey values reach one scale, and what is no such contrast is refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cohortex.templates import TISSUE_LEVELS, tissue_scale
from cohortex.templates.tissue_scale import tissue_medians

MIXES = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.3, 0.4, 0.3], [0, 0.5, 0.5]], np.float32)
SHARES = dict(zip(("csf", "grey", "white"), MIXES.T, strict=True))


@pytest.mark.parametrize("contrast", TISSUE_LEVELS)
@pytest.mark.parametrize("gain", [0.7, 21.0])
def test_each_tissue_and_mixture_reaches_its_level_at_any_gain(contrast, gain):
    levels = TISSUE_LEVELS[contrast]
    values = sum(levels[name] * share for name, share in SHARES.items())
    scale = tissue_scale({name: gain * level for name, level in levels.items()}, contrast=contrast)
    assert_allclose(scale((gain * values).astype(np.float32), fractions=SHARES), values, atol=1e-5)


def test_a_protocol_that_shifts_tissues_is_brought_back_by_their_share():
    found = {"csf": 31.0, "white": 100.0, "grey": 104.0}
    values = sum(found[name] * share for name, share in SHARES.items())
    there = tissue_scale(found, contrast="FLAIR")(values, fractions=SHARES)
    assert_allclose(there, sum(TISSUE_LEVELS["FLAIR"][name] * share for name, share in SHARES.items()), atol=1e-6)


def test_a_lesion_keeps_its_ratio_to_white_matter():
    scale = tissue_scale({"csf": 31.0, "white": 100.0, "grey": 104.0}, contrast="FLAIR")
    white = {"csf": np.float32(0), "grey": np.float32(0), "white": np.float32(1)}
    assert scale(np.float32(173), fractions=white) == pytest.approx(1.73)


def test_medians_are_taken_where_a_tissue_is_alone_and_outliers_do_not_count():
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, (12, 12, 12))
    fractions = {name: (kind == n).astype(np.float32) for n, name in enumerate(("csf", "grey", "white"))}
    values = np.array([20, 120, 100], np.float32)[kind] + rng.normal(0, 1, kind.shape).astype(np.float32)
    values[rng.random(kind.shape) < 0.1] = 500
    found = tissue_medians(values, fractions, np.ones(kind.shape, bool))
    assert found == pytest.approx({"csf": 20, "grey": 120, "white": 100}, abs=0.3)
    with pytest.raises(ValueError, match="0 voxels of fluid lie on the template and 50 are needed"):
        tissue_medians(values, fractions, kind > 0)


def test_a_contrast_without_a_scale_is_refused_by_name():
    with pytest.raises(ValueError, match=r"contrast is 'ADC'.*T1, T1c, T2, FLAIR, CT"):
        tissue_scale({"csf": 1.0, "grey": 2.0, "white": 3.0}, contrast="ADC")


@pytest.mark.parametrize("white", [21.0, 5.0])
def test_fluid_as_bright_as_white_matter_is_no_flair(white):
    with pytest.raises(ValueError, match="no FLAIR shows"):
        tissue_scale({"csf": 20.0, "grey": 30.0, "white": white}, contrast="FLAIR")
