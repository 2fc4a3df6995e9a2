"""The brain of phantom heads at 3 mm, in three contrasts, with noise, shading, a face and another anatomy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cohortex import phantoms
from cohortex.errors import AlignmentFailure
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.phantoms import SCANNERS, Contrast, Head
from cohortex.segmentation import BrainExtraction, brain_mask
from cohortex.transform import Rigid, warp

POSITION = Rigid.from_vectors(rotation_vector_rad=(0.1, -0.06, 0.12), translation_mm=(6.0, -5.0, 4.0))


@pytest.fixture(scope="module")
def anatomy() -> Head:
    return phantoms.head(spacing_mm=3.0, rng=np.random.default_rng(7), deformation_mm=2.0)


def scanned(anatomy: Head, contrast: Contrast, slice_mm: float) -> tuple[Image, NDArray[np.bool_]]:
    """A scan in a turned position, and the true brain on its grid."""
    image = phantoms.scan(
        anatomy,
        contrast,
        slice_thickness_mm=slice_mm,
        scanner=SCANNERS["siemens-like"],
        scanner_from_head=POSITION,
        rng=np.random.default_rng(8),
    )
    return image, warp(anatomy.brain, POSITION.inverse(), onto=image.grid).values != 0


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return 2 * float(np.count_nonzero(a & b)) / float(np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize(("contrast", "slice_mm"), [("T1", 3.0), ("FLAIR", 4.5), ("CT", 4.5)])
def test_the_brain_of_a_head_is_outlined(anatomy: Head, contrast: Contrast, slice_mm: float) -> None:
    image, truth = scanned(anatomy, contrast, slice_mm)
    told: list[int] = []
    found = brain_mask(image, progress=lambda p: told.append(p.done))
    assert found.mask.grid == image.grid
    assert dice(found.mask.mask, truth) >= 0.97  # 0.98 reached at 3 mm; half a voxel all round would be 0.95
    assert found.volume_ml == pytest.approx(np.count_nonzero(truth) * image.grid.voxel_volume_mm3 / 1000, rel=0.06)
    assert not found.already_extracted
    assert found.overlap > 0.99
    assert_pose_is_near(found, anatomy)
    assert told == [1, 2, 3]


def assert_pose_is_near(found: BrainExtraction, anatomy: Head) -> None:
    """The affine pose cannot follow the deformation, so it is judged by what an affine leaves of it."""
    points = anatomy.grid.world_of(np.argwhere(anatomy.brain.mask)[::97])
    template_points = anatomy.template_from_head(points)
    error = np.linalg.norm(found.image_from_template(template_points) - POSITION(points), axis=1)
    assert error.mean() < 4.0  # 2 mm of it is the planted deformation


def test_a_brain_without_a_head_is_recognised_and_kept_as_it_is(anatomy: Head) -> None:
    image, truth = scanned(anatomy, "T1", 3.0)
    found = brain_mask(image.with_values(np.where(truth, np.maximum(image.values, 1), 0)))
    assert found.already_extracted
    assert dice(found.mask.mask, truth) > 0.999


def test_an_image_without_a_brain_is_refused() -> None:
    grid = Grid.from_parts((50, 60, 50), spacing_mm=(4.0, 4.0, 4.0), origin_mm=(-100.0, -120.0, -100.0))
    noise = np.random.default_rng(1).normal(100, 20, grid.shape).astype(np.float32)
    with pytest.raises(AlignmentFailure, match="nothing like a brain"):
        brain_mask(Image(noise, grid))


def test_a_constant_image_is_refused() -> None:
    grid = Grid.from_parts((20, 20, 20), spacing_mm=(8.0, 8.0, 8.0))
    with pytest.raises(ValueError, match="constant"):
        brain_mask(Image(np.full(grid.shape, 4, dtype=np.float32), grid))


def test_two_axes_are_refused() -> None:
    with pytest.raises(ValueError, match="three axes"):
        brain_mask(Image(np.zeros((5, 5)), Grid((5, 5), np.eye(3))))
