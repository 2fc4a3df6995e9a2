from __future__ import annotations

import numpy as np
import pytest

from cohortex import Grid, Image, Labels
from cohortex.templates import difference_to_template, log_jacobian, mni152, tissue_on
from cohortex.transform import Affine, Rigid, warp

TEMPLATE = mni152(spacing_mm=3.0)
COLOURS = {"grey": 80.0, "white": 60.0, "csf": 15.0}  # FLAIR-like


def flair_like(noise_sd: float = 3.0) -> Image:
    values = sum(COLOURS[name] * map_.values for name, map_ in TEMPLATE.tissues.items())
    noise = np.random.default_rng(4).normal(scale=noise_sd, size=TEMPLATE.grid.shape)
    return Image((values + noise).astype(np.float32), TEMPLATE.grid)


def test_tissue_fractions_follow_the_brain_to_where_it_lies():
    motion = Rigid.from_vectors(
        rotation_vector_rad=(0.1, -0.05, 0.2), translation_mm=(12, -7, 4)
    )  # visit_from_template
    grid = TEMPLATE.grid.moved(motion.matrix)
    brain = Labels(TEMPLATE.brain.values, grid)
    tissue = tissue_on(grid, template_from_image=motion.inverse(), brain=brain, template=TEMPLATE)
    for name, map_ in TEMPLATE.tissues.items():
        np.testing.assert_allclose(tissue[name].values[brain.mask], map_.values[brain.mask], atol=1e-5)


def test_tissue_fractions_refuse_a_mask_of_another_grid():
    with pytest.raises(ValueError, match="another grid"):
        tissue_on(
            Grid.from_parts((4, 4, 4)), template_from_image=Affine.identity(), brain=TEMPLATE.brain, template=TEMPLATE
        )


def test_a_planted_bright_spot_stands_out_and_healthy_tissue_does_not():
    image = flair_like()
    spot = np.linalg.norm(image.grid.world_points() - (-28, 20, 28), axis=-1) < 7
    bright = image.with_values(np.where(spot, 120, image.values).astype(np.float32))
    z = difference_to_template(bright, brain=TEMPLATE.brain, tissue=TEMPLATE.tissues).values
    assert np.median(z[spot]) > 6
    healthy = TEMPLATE.brain.mask & ~spot & (z != 0)
    assert np.std(z[healthy]) == pytest.approx(1, abs=0.35)  # mixed voxels are given a wider spread than they need
    assert abs(np.median(z[healthy])) < 0.2


def test_the_difference_does_not_depend_on_gain_and_offset():
    image = flair_like()
    z = difference_to_template(image, brain=TEMPLATE.brain, tissue=TEMPLATE.tissues).values
    again = difference_to_template(
        image.with_values(7 * image.values), brain=TEMPLATE.brain, tissue=TEMPLATE.tissues
    ).values
    np.testing.assert_allclose(again, z, atol=0.02)


def test_a_uniform_change_of_size_is_no_local_change():
    larger = Affine(np.diag([1.2, 1.2, 1.2, 1]))
    np.testing.assert_allclose(log_jacobian(larger, brain=TEMPLATE.brain).values, 0, atol=1e-4)


class _Swollen:
    """template_from_visit of a visit whose left half is 10 % longer along x."""

    def __call__(self, points_mm):
        points = np.array(points_mm, dtype=float)
        points[..., 0] = np.where(points[..., 0] > 0, points[..., 0] / 1.1, points[..., 0])
        return points


def test_a_swollen_half_is_larger_than_the_other_by_the_planted_share():
    brain = TEMPLATE.brain
    log_j = log_jacobian(_Swollen(), brain=brain).values  # type: ignore[arg-type]
    x = brain.grid.world_points()[..., 0]
    left, right = log_j[brain.mask & (x > 8)], log_j[brain.mask & (x < -8)]
    assert np.median(left) - np.median(right) == pytest.approx(np.log(1.1), abs=0.005)


def test_a_warp_by_both_directions_brings_the_image_back():
    motion = Rigid.from_vectors(rotation_vector_rad=(0, 0, 0.1), translation_mm=(3, 0, 0))
    image = TEMPLATE.white
    there = warp(image, motion, onto=image.grid)
    back = warp(there, motion.inverse(), onto=image.grid)
    inner = TEMPLATE.brain.mask
    assert np.corrcoef(back.values[inner], image.values[inner])[0, 1] > 0.95
