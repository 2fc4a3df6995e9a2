"""Deformable alignment: close, without folds, there and back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from cohortex.image import Image, Labels
from cohortex.registration import DeformableAlignment, align_deformable, correlation, mutual_information
from cohortex.registration.invertible import least_determinant
from cohortex.templates import Template
from cohortex.transform import Affine, Displacement, warp


@pytest.fixture(scope="module")
def true(coarse_template: Template) -> Displacement:
    """A smooth deformation of 4 mm on average."""
    rng = np.random.default_rng(3)
    grid = coarse_template.grid
    field = np.stack([ndimage.gaussian_filter(rng.normal(size=grid.shape), 6) for _ in range(3)], axis=-1)
    field *= 4 / np.linalg.norm(field, axis=-1).mean()
    return Displacement(Image(field.astype(np.float32), grid, "mm", {}, ("vector",)))


@pytest.fixture(scope="module")
def fixed(coarse_template: Template, true: Displacement) -> Image:
    noise = np.random.default_rng(4).normal(0, 0.01, coarse_template.grid.shape)
    image = warp(coarse_template.t1, true, onto=coarse_template.grid)
    return image.with_values((50 + 200 * (image.values + noise)).astype(np.float32))


@pytest.fixture(scope="module")
def aligned(coarse_template: Template, fixed: Image) -> DeformableAlignment:
    return align_deformable(
        fixed, coarse_template.t1, start=Affine.identity(), fixed_mask=coarse_template.brain, finest_mm=3.0
    )


def test_most_of_a_smooth_deformation_is_found(
    coarse_template: Template, true: Displacement, aligned: DeformableAlignment
) -> None:
    points = coarse_template.grid.world_of(np.argwhere(coarse_template.brain.mask)[::53])
    left = np.linalg.norm(aligned.moving_from_fixed(points) - true(points), axis=1).mean()
    assert left <= 1.5  # of 4 mm; half a voxel, and homogeneous white matter says nothing
    assert aligned.converged
    assert aligned.similarity > 0.95


def test_there_and_back_returns_within_the_promise(coarse_template: Template, aligned: DeformableAlignment) -> None:
    rng = np.random.default_rng(5)
    points = coarse_template.grid.world_of(rng.uniform(5, 40, size=(4000, 3)))
    back = aligned.fixed_from_moving(aligned.moving_from_fixed(points))
    assert np.percentile(np.linalg.norm(back - points, axis=1), 95) <= 0.05
    assert aligned.inverse_error_mm <= 0.05


def test_nothing_folds(aligned: DeformableAlignment) -> None:
    displacement = aligned.moving_from_fixed
    assert isinstance(displacement, Displacement) or hasattr(displacement, "parts")
    field = next(p for p in getattr(displacement, "parts", (displacement,)) if isinstance(p, Displacement)).field
    assert least_determinant(field).min() > 0
    assert aligned.folded_fraction == 0


def test_a_fold_is_seen_as_a_determinant_of_zero_or_less(coarse_template: Template) -> None:
    grid = coarse_template.grid
    x = grid.world_points()[..., 0]
    field = np.zeros((*grid.shape, 3), dtype=np.float32)
    field[..., 0] = -1.2 * np.clip(x, -20, 20)  # x + u turns round between -20 and 20 mm
    least = least_determinant(Image(field, grid, "mm", {}, ("vector",)))
    assert least.min() == pytest.approx(-0.2, abs=1e-5)
    assert least[0, 0, 0] == pytest.approx(1)


def test_a_masked_lesion_is_not_warped_away(coarse_template: Template) -> None:
    grid = coarse_template.grid
    center = np.array([30.0, 10.0, 25.0])  # white matter
    lesion = np.linalg.norm(grid.world_points() - center, axis=-1) <= 8
    values = np.where(lesion, 0.3, coarse_template.t1.values).astype(np.float32)
    with_lesion = coarse_template.t1.with_values(values)
    aligned = align_deformable(
        coarse_template.t1,
        with_lesion,
        start=Affine.identity(),
        moving_mask=Labels(~lesion, grid),
        fixed_mask=coarse_template.brain,
        finest_mm=3.0,
    )
    there = warp(with_lesion, aligned.moving_from_fixed, onto=grid)
    planted = (values - coarse_template.t1.values)[lesion].sum()
    kept = (there.values - coarse_template.t1.values)[ndimage.binary_dilation(lesion, iterations=2)].sum()
    assert kept / planted >= 0.8


def test_another_contrast_is_matched_through_mutual_information(
    coarse_template: Template, true: Displacement, fixed: Image
) -> None:
    inverted = coarse_template.t1.with_values(np.where(coarse_template.brain.mask, 1.2 - coarse_template.t1.values, 0))
    brain = Labels(warp(coarse_template.brain, true, onto=fixed.grid).values, fixed.grid)
    aligned = align_deformable(
        fixed, inverted, start=Affine.identity(), similarity=mutual_information, fixed_mask=brain, finest_mm=4.0
    )
    points = fixed.grid.world_of(np.argwhere(brain.mask)[::53])
    left = np.linalg.norm(aligned.moving_from_fixed(points) - true(points), axis=1).mean()
    assert left <= 2.0  # of 4 mm
    assert aligned.converged


def test_nonsense_is_refused(coarse_template: Template) -> None:
    t1 = coarse_template.t1
    with pytest.raises(ValueError, match="not known to this engine"):
        align_deformable(t1, t1, similarity=lambda a, b: 1.0)  # noqa: ARG005
    with pytest.raises(ValueError, match="smoothing_mm"):
        align_deformable(t1, t1, smoothing_mm=0, similarity=correlation)
