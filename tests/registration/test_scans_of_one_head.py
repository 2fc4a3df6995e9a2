"""Scans of one phantom head at 3 mm with the motion known: one contrast, limits of the field of view, a given start."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cohortex import phantoms
from cohortex.errors import AlignmentFailure
from cohortex.image import Image, Labels
from cohortex.phantoms import SCANNERS, Head
from cohortex.registration import align_rigid, correlation
from cohortex.transform import Rigid, Transform


@pytest.fixture(scope="module")
def anatomy() -> Head:
    return phantoms.head(spacing_mm=3.0)


@pytest.fixture(scope="module")
def fixed(anatomy: Head) -> Image:
    return scanned(anatomy, Rigid.identity(), seed=0)


@pytest.fixture(scope="module")
def points(anatomy: Head) -> NDArray[np.float64]:
    return anatomy.grid.world_of(np.argwhere(anatomy.brain.mask)[::97])


def scanned(anatomy: Head, position: Rigid, *, seed: int) -> Image:
    rng = np.random.default_rng(seed)
    return phantoms.scan(anatomy, "T1", scanner=SCANNERS["siemens-like"], scanner_from_head=position, rng=rng)


def mean_error_mm(found: Transform, true: Transform, points: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(found(points) - true(points), axis=1).mean())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_contrast_is_aligned_by_correlation(
    anatomy: Head, fixed: Image, points: NDArray[np.float64], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    true = Rigid.from_vectors(rotation_vector_rad=rng.uniform(-0.15, 0.15, 3), translation_mm=rng.uniform(-12, 12, 3))
    aligned = align_rigid(fixed, scanned(anatomy, true, seed=seed), similarity=correlation, finest_mm=3.0)
    assert mean_error_mm(aligned.moving_from_fixed, true, points) <= 0.5
    assert aligned.converged


def test_a_start_reaches_what_the_search_does_not(anatomy: Head, fixed: Image, points: NDArray[np.float64]) -> None:
    true = Rigid.from_vectors(rotation_vector_rad=(0, 0, 1.75), center_mm=anatomy.grid.center_mm)  # 100 degrees
    near = Rigid.from_vectors(rotation_vector_rad=(0.05, 0, 1.7), translation_mm=(3, -2, 2), center_mm=(0, 20, 0))
    moving = scanned(anatomy, true, seed=4)
    masks = Labels(anatomy.brain.mask, fixed.grid)
    started = align_rigid(fixed, moving, start=near, fixed_mask=masks, similarity=correlation, finest_mm=3.0)
    assert mean_error_mm(started.moving_from_fixed, true, points) <= 0.5
    searched = align_rigid(fixed, moving, fixed_mask=masks, similarity=correlation, finest_mm=8.0)
    assert mean_error_mm(searched.moving_from_fixed, true, points) > 20


def test_half_a_head_is_aligned_but_not_vouched_for(anatomy: Head, fixed: Image, points: NDArray[np.float64]) -> None:
    true = Rigid.from_vectors(rotation_vector_rad=(0.03, 0, 0.05), translation_mm=(4, 0, -3))
    whole = scanned(anatomy, true, seed=5)
    shape = whole.grid.shape
    cut = int(0.48 * shape[2])
    half = Image(whole.values[:, :, cut:], whole.grid.cropped((0, 0, cut), shape))
    aligned = align_rigid(fixed, half, start=Rigid.identity(), similarity=correlation, finest_mm=3.0)
    assert not aligned.converged
    assert mean_error_mm(aligned.moving_from_fixed, true, points) <= 0.5


def test_a_slab_that_holds_little_of_the_head_is_refused(fixed: Image) -> None:
    shape = fixed.grid.shape
    slab = Image(fixed.values[:, :, 40:52], fixed.grid.cropped((0, 0, 40), (shape[0], shape[1], 52)))
    with pytest.raises(AlignmentFailure, match="less than 40 % in every starting pose"):
        align_rigid(fixed, slab, finest_mm=8.0)
