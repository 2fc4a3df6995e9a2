"""Phantom scans small enough to be aligned in seconds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cohortex import phantoms
from cohortex.image import Image, Labels
from cohortex.phantoms import Head
from cohortex.templates import Template, mni152
from cohortex.transform import Rigid, Transform, warp


@pytest.fixture(scope="session")
def coarse_head() -> Head:
    """The undeformed phantom head at 3 mm."""
    return phantoms.head(spacing_mm=3.0)


@pytest.fixture(scope="session")
def coarse_template() -> Template:
    """MNI152 at 3 mm."""
    return mni152(spacing_mm=3.0)


@pytest.fixture(scope="session")
def brain_points(coarse_head: Head) -> NDArray[np.float64]:
    """Points all over the brain, mm."""
    return coarse_head.grid.world_of(np.argwhere(coarse_head.brain.mask)[::97])


@pytest.fixture(scope="session")
def random_motion() -> Callable[[int], Rigid]:
    """Motions of up to 20 degrees about any axis and 30 mm."""

    def motion(seed: int) -> Rigid:
        rng = np.random.default_rng(seed)
        axis, way = rng.normal(size=3), rng.normal(size=3)
        return Rigid.from_vectors(
            rotation_vector_rad=axis / np.linalg.norm(axis) * np.deg2rad(rng.uniform(0, 20)),
            translation_mm=way / np.linalg.norm(way) * rng.uniform(0, 30),
        )

    return motion


@pytest.fixture(scope="session")
def error_mm(brain_points: NDArray[np.float64]) -> Callable[[Transform, Transform], float]:
    """Mean distance between where two transforms take the brain, mm."""

    def error(found: Transform, true: Transform) -> float:
        return float(np.linalg.norm(found(brain_points) - true(brain_points), axis=1).mean())

    return error


@pytest.fixture(scope="session")
def moved_brain(coarse_head: Head) -> Callable[[Rigid, Image], Labels]:
    """The true brain mask of a head in another position, on the grid of its scan."""

    def mask(scan_from_head: Rigid, scan: Image) -> Labels:
        brain = warp(coarse_head.brain, scan_from_head.inverse(), onto=scan.grid)
        return Labels(brain.values, scan.grid)

    return mask
