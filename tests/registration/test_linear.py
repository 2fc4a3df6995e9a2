"""Rigid and affine alignment of phantom heads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from cohortex import phantoms
from cohortex.errors import AlignmentFailure
from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.phantoms import SCANNERS, Head
from cohortex.progress import Progress
from cohortex.registration import align_affine, align_rigid, correlation
from cohortex.templates import Template
from cohortex.transform import Affine, Rigid, Transform, warp

ErrorMm = Callable[[Transform, Transform], float]
Motion = Callable[[int], Rigid]


@pytest.mark.parametrize(("seed", "contrast", "slice_mm"), [(1, "T1", 3.0), (2, "FLAIR", 4.5), (3, "T2", 3.0)])
def test_a_rigid_motion_is_found_to_half_a_millimetre(
    coarse_head: Head, random_motion: Motion, error_mm: ErrorMm, seed: int, contrast: phantoms.Contrast, slice_mm: float
) -> None:
    rng = np.random.default_rng(seed)
    true = random_motion(seed)
    fixed = phantoms.scan(coarse_head, "T1", scanner=SCANNERS["siemens-like"], rng=rng)
    moving = phantoms.scan(
        coarse_head,
        contrast,
        slice_thickness_mm=slice_mm,
        scanner=SCANNERS["ge-like"],
        scanner_from_head=true,
        rng=rng,
    )
    aligned = align_rigid(fixed, moving)
    assert isinstance(aligned.moving_from_fixed, Rigid)
    assert aligned.converged
    assert error_mm(aligned.moving_from_fixed, true) <= 0.5
    assert error_mm(aligned.fixed_from_moving @ aligned.moving_from_fixed, Rigid.identity()) < 1e-9


def test_an_affine_map_is_found(coarse_template: Template) -> None:
    true = Affine([[1.08, 0.04, 0, 5], [0, 0.95, 0.05, -8], [0.03, 0, 1.03, 4], [0, 0, 0, 1]])
    moving = warp(coarse_template.t1, true.inverse(), onto=coarse_template.grid.padded(4))
    aligned = align_affine(coarse_template.t1, moving, similarity=correlation, finest_mm=3.0)
    points = coarse_template.grid.world_of(np.argwhere(coarse_template.brain.mask)[::97])
    error = np.linalg.norm(aligned.moving_from_fixed(points) - true(points), axis=1)
    assert error.mean() <= 0.3  # a tenth of a voxel
    assert aligned.converged


def test_what_lies_outside_the_masks_does_not_count(coarse_template: Template) -> None:
    true = Rigid.from_vectors(translation_mm=(6, -4, 5), rotation_vector_rad=(0.1, 0, 0.05))
    grid = coarse_template.grid.padded(6)
    moving = warp(coarse_template.t1, true.inverse(), onto=grid)
    brain = warp(coarse_template.brain, true.inverse(), onto=grid)
    box = np.zeros(grid.shape, dtype=np.float32)
    box[:, :8] = 3.0  # brighter than any tissue, and not where the fixed image has it
    fixed_values = coarse_template.t1.values + 0
    fixed_values[:6] = 3.0
    points = coarse_template.grid.world_of(np.argwhere(coarse_template.brain.mask)[::97])
    aligned = align_rigid(
        coarse_template.t1.with_values(fixed_values),
        moving.with_values(moving.values + box),
        fixed_mask=coarse_template.brain,
        moving_mask=Labels(brain.values, grid),
        similarity=correlation,
        finest_mm=3.0,
    )
    assert np.linalg.norm(aligned.moving_from_fixed(points) - true(points), axis=1).mean() <= 0.5


def test_nan_and_a_sheared_grid_are_ordinary(coarse_template: Template) -> None:
    shear = np.eye(4)
    shear[1, 2] = 0.3
    tilted = Grid(coarse_template.grid.shape, shear @ coarse_template.grid.world_from_index)
    moving = warp(coarse_template.t1, Rigid.identity(), onto=tilted.padded(10))
    values = moving.values + 0
    values[:, :, :3] = np.nan
    aligned = align_rigid(coarse_template.t1, moving.with_values(values), finest_mm=3.0)
    points = coarse_template.grid.world_of(np.argwhere(coarse_template.brain.mask)[::97])
    assert np.linalg.norm(aligned.moving_from_fixed(points) - points, axis=1).mean() <= 0.5


def test_images_that_share_nothing_are_refused(coarse_template: Template) -> None:
    noise = np.random.default_rng(0).normal(size=coarse_template.grid.shape)
    other = np.random.default_rng(1).normal(size=coarse_template.grid.shape)
    with pytest.raises(AlignmentFailure, match="share next to nothing"):
        align_rigid(Image(noise, coarse_template.grid), Image(other, coarse_template.grid), finest_mm=4.0)


def test_images_that_do_not_overlap_are_refused(coarse_template: Template) -> None:
    far = Rigid.from_vectors(translation_mm=(900, 0, 0))
    with pytest.raises(AlignmentFailure, match="do not overlap enough"):
        align_rigid(coarse_template.t1, coarse_template.t1, start=far, finest_mm=4.0)


def test_an_alignment_stuck_far_from_home_has_not_converged(coarse_template: Template) -> None:
    upside_down = Rigid.from_vectors(rotation_vector_rad=(np.pi / 2, 0, 0), center_mm=coarse_template.grid.center_mm)
    stuck = align_rigid(coarse_template.t1, coarse_template.t1, start=upside_down, finest_mm=8.0)
    home = align_rigid(coarse_template.t1, coarse_template.t1, finest_mm=8.0)
    assert home.converged
    assert stuck.similarity < home.similarity


def flat(grid: Grid, value: float) -> Image:
    return Image(np.full(grid.shape, value, dtype=np.float32), grid)


def test_a_constant_image_is_refused_by_name(coarse_template: Template) -> None:
    with pytest.raises(ValueError, match=r"moving image is constant \(4\)"):
        align_rigid(coarse_template.t1, flat(coarse_template.grid, 4))


def test_an_image_without_a_number_is_refused(coarse_template: Template) -> None:
    with pytest.raises(ValueError, match="no finite value"):
        align_rigid(flat(coarse_template.grid, np.nan), coarse_template.t1)


def test_an_empty_mask_is_refused(coarse_template: Template) -> None:
    nothing = Labels(np.zeros(coarse_template.grid.shape, dtype=bool), coarse_template.grid)
    with pytest.raises(ValueError, match="fixed mask is empty"):
        align_rigid(coarse_template.t1, coarse_template.t1, fixed_mask=nothing)


def test_two_dimensions_and_one_slice_are_refused(coarse_template: Template) -> None:
    with pytest.raises(ValueError, match="three axes"):
        align_rigid(Image(np.eye(5), Grid((5, 5), np.eye(3))), coarse_template.t1)
    with pytest.raises(ValueError, match="two voxels along each axis"):
        align_rigid(Image(np.zeros((5, 5, 1)), Grid((5, 5, 1), np.eye(4))), coarse_template.t1)


def test_an_unknown_similarity_and_a_spacing_of_nothing_are_refused(coarse_template: Template) -> None:
    def guess(fixed_samples: object, moving_samples: object) -> float:  # noqa: ARG001
        return 1.0

    with pytest.raises(ValueError, match="mutual_information, correlation"):
        align_rigid(coarse_template.t1, coarse_template.t1, similarity=guess, start=Rigid.identity())
    with pytest.raises(ValueError, match="finest_mm"):
        align_rigid(coarse_template.t1, coarse_template.t1, finest_mm=float("nan"))


def test_progress_ends_at_its_total_and_can_stop_the_work(coarse_template: Template) -> None:
    told: list[Progress] = []
    align_rigid(coarse_template.t1, coarse_template.t1, finest_mm=8.0, progress=told.append)
    assert told[-1].done == told[-1].total

    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        align_rigid(coarse_template.t1, coarse_template.t1, finest_mm=8.0, progress=stop)


_SCRIPT = """
import numpy as np
from cohortex.registration import align_rigid
from cohortex.templates import mni152
from cohortex.transform import Rigid, warp
t1 = mni152(spacing_mm=4.0).t1
moving = warp(t1, Rigid.from_vectors(translation_mm=(5, 3, -7), rotation_vector_rad=(0.1, 0.05, 0)), onto=t1.grid)
print(align_rigid(t1, moving, finest_mm=4.0).moving_from_fixed.matrix.tobytes().hex())
"""


def test_two_processes_find_the_same_bits() -> None:
    found = {subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(found) == 1
    assert len(next(iter(found)).strip()) == 2 * 8 * 16


def test_a_moving_image_that_holds_a_corner_of_the_fixed_one_is_refused(coarse_template: Template) -> None:
    corner = warp(coarse_template.t1, Rigid.identity(), onto=coarse_template.grid.cropped((0, 0, 0), (14, 77, 63)))
    with pytest.raises(AlignmentFailure):
        align_rigid(coarse_template.t1, corner, start=Rigid.identity(), finest_mm=4.0)
