"""Brains in template space from formulas: the tissues of MNI152 at 4 mm, smooth variation, and what is planted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.templates import AlignedBrain, mni152
from cohortex.templates.tissue_scale import TISSUE_LEVELS

SPACING_MM = 4.0
SPREAD = 0.05  # between brains, of the level of white matter
SPREAD_LN = 0.1
SHAPE_MM = 1.0


@pytest.fixture(scope="session")
def make_brain() -> Callable[..., AlignedBrain]:
    """A brain drawn by its seed: `bright` and `larger` are added at voxels, `ill` marks lesions."""
    return _brain


def smooth_noise(rng: np.random.Generator, grid: Grid, *, sigma_voxels: float = 1.5) -> NDArray[np.float32]:
    """Noise of standard deviation 1."""
    noise = ndimage.gaussian_filter(rng.standard_normal(grid.shape), sigma_voxels, mode="wrap")
    return (noise / noise.std()).astype(np.float32)


def _brain(
    seed: int,
    *,
    contrast: str = "FLAIR",
    spacing_mm: float = SPACING_MM,
    bright: NDArray[np.float32] | float = 0.0,
    larger: NDArray[np.float32] | float = 0.0,
    ill: NDArray[np.bool_] | None = None,
) -> AlignedBrain:
    rng = np.random.default_rng(seed)
    template = mni152(spacing_mm=spacing_mm)
    grid, inside = template.grid, template.brain.mask
    expected = sum(TISSUE_LEVELS[contrast][name] * map_.values for name, map_ in template.tissues.items())
    grey = expected + SPREAD * smooth_noise(rng, grid) + bright
    volume = SPREAD_LN * smooth_noise(rng, grid) + larger
    coarse = grid.with_spacing([2 * s for s in grid.spacing_mm])
    shape = SHAPE_MM * np.stack([smooth_noise(rng, coarse) for _ in range(3)], axis=-1)
    healthy = inside if ill is None else inside & ~ill
    return AlignedBrain(
        contrast=contrast,
        image=Image(np.where(inside, grey, 0).astype(np.float32), grid, "white matter"),
        log_jacobian=Image(np.where(inside, volume, 0).astype(np.float32), grid, "ln"),
        displacement=Image(shape.astype(np.float32), coarse, "mm", extra_axes=("vector",)),
        brain=template.brain,
        healthy=Labels(healthy, grid),
        size_ln=0.0,
        tissue_values={"csf": 20.0, "grey": 120.0, "white": 100.0},
    )


@pytest.fixture(scope="session")
def make_ball() -> Callable[..., NDArray[np.bool_]]:
    """Voxels of the template within a radius of a point."""

    def ball(center_mm: tuple[float, float, float], radius_mm: float) -> NDArray[np.bool_]:
        points = mni152(spacing_mm=SPACING_MM).grid.world_points()
        return np.asarray(np.linalg.norm(points - center_mm, axis=-1) <= radius_mm)

    return ball
