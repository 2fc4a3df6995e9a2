"""Blurring inside a mask: what lies outside counts for nothing, and the width is the one asked for."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cohortex.templates.blur import blurred_inside

INSIDE = np.zeros((21, 20, 19), dtype=bool)
INSIDE[3:18, 4:16, 3:16] = True


def test_an_even_value_stays_even_up_to_the_edge_whatever_is_outside():
    values = np.where(INSIDE, np.float32(7), np.float32(-1000))
    assert_allclose(blurred_inside(values, INSIDE, (2, 2, 2), fwhm_mm=8.0)[INSIDE], 7, rtol=1e-5)


def test_the_width_is_in_millimetres_along_every_axis():
    values = np.zeros((41, 41, 41), np.float32)
    values[20, 20, 20] = 1
    blurred = blurred_inside(values, np.ones(values.shape, bool), (1.0, 2.0, 4.0), fwhm_mm=10.0)
    for axis, spacing in enumerate((1.0, 2.0, 4.0)):
        profile = np.moveaxis(blurred, axis, 0)[:, 20, 20]
        place = spacing * (np.arange(41) - 20)
        sd = np.sqrt(np.sum(profile * place**2) / np.sum(profile))
        assert 2.3548 * sd == pytest.approx(10, rel=0.02)


def test_channels_are_blurred_alike_and_far_outside_is_0():
    values = np.random.default_rng(0).normal(size=(*INSIDE.shape, 2)).astype(np.float32)
    blurred = blurred_inside(values, INSIDE, (2, 2, 2), fwhm_mm=3.0)
    assert_allclose(blurred[..., 1], blurred_inside(values[..., 1], INSIDE, (2, 2, 2), fwhm_mm=3.0))
    assert np.all(blurred[0, 0] == 0)
