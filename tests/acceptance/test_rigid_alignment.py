"""Twenty-five random motions of phantom heads at 2 mm, each found to half a millimetre."""

from __future__ import annotations

import numpy as np
import pytest

from cohortex import phantoms
from cohortex.phantoms import SCANNERS, Contrast, Head
from cohortex.registration import align_rigid
from cohortex.transform import Rigid

pytestmark = pytest.mark.acceptance

MOVING: tuple[Contrast, ...] = ("T1", "FLAIR", "T2")
LARGEST_DEG, LARGEST_MM = 20.0, 30.0


@pytest.fixture(scope="module")
def anatomy() -> Head:
    return phantoms.head(spacing_mm=2.0, rng=np.random.default_rng(31), deformation_mm=2.0)


def random_motion(rng: np.random.Generator) -> Rigid:
    axis, way = rng.normal(size=3), rng.normal(size=3)
    return Rigid.from_vectors(
        rotation_vector_rad=axis / np.linalg.norm(axis) * np.deg2rad(rng.uniform(0, LARGEST_DEG)),
        translation_mm=way / np.linalg.norm(way) * rng.uniform(0, LARGEST_MM),
    )


@pytest.mark.parametrize("seed", range(25))
def test_a_random_motion_is_found_to_half_a_millimetre(anatomy: Head, seed: int) -> None:
    rng = np.random.default_rng([25, seed])
    true = random_motion(rng)
    fixed = phantoms.scan(anatomy, "T1", scanner=SCANNERS["siemens-like"], rng=rng)
    moving = phantoms.scan(
        anatomy,
        MOVING[seed % len(MOVING)],
        slice_thickness_mm=(2.0, 4.0)[seed % 2],
        scanner=SCANNERS["ge-like"],
        scanner_from_head=true,
        rng=rng,
    )
    aligned = align_rigid(fixed, moving)
    points = anatomy.grid.world_of(np.argwhere(anatomy.brain.mask)[::97])
    error = np.linalg.norm(aligned.moving_from_fixed(points) - true(points), axis=1)
    print(f"seed {seed}: mean {error.mean():.3f} mm, largest {error.max():.3f} mm")
    assert error.mean() <= 0.5  # a quarter of a voxel
    assert aligned.converged
