"""The average of a study: the plain mean of what is healthy, to the bit the same in any order."""

import importlib

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cohortex.image import Image
from cohortex.pipeline.codec import decode, encode
from cohortex.templates import average_brains
from cohortex.templates.study_template import blurred_maps


@pytest.fixture(scope="module")
def brains(make_brain):
    return [make_brain(seed) for seed in range(4)]


@pytest.fixture(scope="module")
def template(brains):
    return average_brains(brains)


def maps_of(template) -> dict[str, Image]:
    return {name: value for name, value in vars(template).items() if isinstance(value, Image)}


def test_it_is_mean_and_spread_of_the_brains(brains, template):
    inside = brains[0].brain.mask
    stacked = np.stack([brain.image.values for brain in brains])
    assert_allclose(template.image.values[inside], stacked.mean(axis=0)[inside], atol=2e-6)
    blurred = np.stack([blurred_maps(brain, fwhm_mm=4.0, lesions_too=False).grey for brain in brains])
    assert_allclose(template.mean.values[inside], blurred.mean(axis=0)[inside], atol=2e-6)
    assert_allclose(template.sd.values[inside], blurred.std(axis=0, ddof=1)[inside], atol=1e-5)
    volume = np.stack([blurred_maps(brain, fwhm_mm=4.0, lesions_too=False).volume for brain in brains])
    assert_allclose(template.log_jacobian.values[inside], volume.mean(axis=0)[inside], atol=2e-6)
    assert_allclose(template.log_jacobian_sd.values[inside], volume.std(axis=0, ddof=1)[inside], atol=1e-5)
    shape = np.stack([brain.displacement.values for brain in brains])
    assert_allclose(template.displacement.values, shape.mean(axis=0), atol=2e-6)
    assert (template.contrast, template.brains, template.image.unit) == ("FLAIR", 4, "white matter")
    assert np.all(template.count.values[inside] == 4)
    assert np.all(template.image.values[~inside] == 0)


@pytest.mark.parametrize("order", [[3, 1, 0, 2], [2, 3, 1, 0]])
def test_the_order_of_the_brains_changes_no_bit(brains, template, order):
    again = maps_of(average_brains(brains[n] for n in order))
    for name, image in maps_of(template).items():
        assert_array_equal(again[name].values, image.values)


def test_a_lesion_enters_nothing(make_brain, make_ball, brains):
    ill = make_ball((30, 0, 20), 12)
    with_lesion = make_brain(3, bright=np.where(ill, np.float32(5), np.float32(0)), ill=ill)
    template, without = average_brains([*brains[:3], with_lesion]), average_brains(brains[:3])
    assert np.all(template.count.values[ill & brains[0].brain.mask] == 3)
    for name, image in maps_of(template).items():
        if image.grid.same_as(template.grid) and name != "count":
            assert_allclose(image.values[ill], maps_of(without)[name].values[ill], atol=1e-6)
    assert template.image.values.max() < 2


def test_where_nobody_is_healthy_it_is_empty(make_brain, make_ball):
    ill = make_ball((30, 0, 20), 12)
    template = average_brains([make_brain(seed, ill=ill) for seed in range(2)])
    for name, image in maps_of(template).items():
        if name != "displacement":
            assert np.all(image.values[ill] == 0)


def test_a_brain_averaged_with_itself_has_no_spread(brains):
    twice = average_brains([brains[0], brains[0]])
    assert np.all(twice.sd.values == 0)
    assert_allclose(twice.image.values, brains[0].image.values, atol=1e-6)


def test_it_survives_the_store_bit_for_bit(template):
    encoded = encode(template)
    again = decode(encoded.document, array=lambda key, dtype, shape: encoded.arrays[key].astype(dtype).reshape(shape))
    assert encode(again).content_hash == encoded.content_hash


def test_what_cannot_be_averaged_is_refused(make_brain, brains):
    with pytest.raises(ValueError, match="0 brains to average"):
        average_brains([])
    with pytest.raises(ValueError, match="1 brain to average; a template needs at least 2"):
        average_brains(brains[:1])
    with pytest.raises(ValueError, match="FLAIR and of T1 cannot be averaged"):
        average_brains([brains[0], make_brain(1, contrast="T1")])
    with pytest.raises(ValueError, match="different grids"):
        average_brains([brains[0], make_brain(1, spacing_mm=5.0)])
    with pytest.raises(ValueError, match="fwhm_mm is nan"):
        average_brains(brains, fwhm_mm=float("nan"))


def test_more_brains_than_exact_sums_hold_are_refused(brains, monkeypatch):
    module = importlib.import_module("cohortex.templates.study_template")
    monkeypatch.setattr(module, "_MOST_BRAINS", 3)
    with pytest.raises(ValueError, match="more than 3 brains"):
        average_brains(brains)
