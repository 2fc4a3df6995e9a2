"""Two visits brought halfway to each other: neither is privileged, and swapping them mirrors the answer."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm, logm

from cohortex.geometry import Grid, reorient_grid
from cohortex.image import Image, Labels
from cohortex.progress import Progress, ProgressCallback, silent
from cohortex.registration.alignment import Alignment, MidwayAlignment
from cohortex.registration.linear import align_rigid
from cohortex.registration.similarity import Similarity, mutual_information
from cohortex.transform import Rigid

_GRID_SLACK = 1e-6


def align_midway(
    baseline: Image,
    follow_up: Image,
    *,
    baseline_mask: Labels | None = None,
    follow_up_mask: Labels | None = None,
    similarity: Similarity = mutual_information,
    finest_mm: float = 1.0,
    progress: ProgressCallback = silent,
) -> MidwayAlignment:
    """Find the rigid motion between two visits and split it in two equal halves.

    Parameters
    ----------
    baseline, follow_up : Image
        One contrast of the two visits, shading taken off, any spacings; scalar, three axes.
    baseline_mask, follow_up_mask : Labels, optional
        Brain masks: the scalp moves on its own. Each counts in its own image.
    similarity : callable
        `mutual_information` bears another scanner; `correlation` one scanner only.
    finest_mm : float
        Spacing of the last level, mm.
    progress : callable
        Told after each direction.

    Returns
    -------
    MidwayAlignment
        The mean, on the group of motions, of the alignments found in either direction. The visits are put in an order
        that depends on their content only, so that swapping them swaps the answer to the last bit.

    Raises
    ------
    ValueError
        As `align_rigid`.
    AlignmentFailure
        As `align_rigid`.
    """
    swapped = _content(follow_up) < _content(baseline)
    first, second = (follow_up, baseline) if swapped else (baseline, follow_up)
    first_mask, second_mask = (follow_up_mask, baseline_mask) if swapped else (baseline_mask, follow_up_mask)
    task = "alignment of the visits"
    there = align_rigid(
        first, second, fixed_mask=first_mask, moving_mask=second_mask, similarity=similarity, finest_mm=finest_mm
    )
    progress(Progress(task=task, done=1, total=2))
    back = align_rigid(
        second,
        first,
        start=_rigid(there.fixed_from_moving),
        fixed_mask=second_mask,
        moving_mask=first_mask,
        similarity=similarity,
        finest_mm=finest_mm,
    )
    progress(Progress(task=task, done=2, total=2))
    second_from_first = _mean(_rigid(there.moving_from_fixed), _rigid(back.fixed_from_moving))
    half = second_from_first.half()
    first_from_midway, second_from_midway = half.inverse(), half
    grid = _midway_grid(first.grid, second.grid, first_from_midway, second_from_midway)
    return _answer(there, back, first_from_midway, second_from_midway, grid, swapped=swapped)


def _answer(
    there: Alignment, back: Alignment, first: Rigid, second: Rigid, grid: Grid, *, swapped: bool
) -> MidwayAlignment:
    return MidwayAlignment(
        baseline_from_midway=second if swapped else first,
        follow_up_from_midway=first if swapped else second,
        grid=grid,
        similarity=(there.similarity + back.similarity) / 2,
        converged=there.converged and back.converged,
    )


def _content(image: Image) -> bytes:
    """Digest of the values and where they lie: an order that knows nothing of visits."""
    digest = hashlib.sha256(image.grid.world_from_index.tobytes())
    digest.update(repr((image.values.shape, image.values.dtype.str)).encode())
    digest.update(np.ascontiguousarray(image.values).tobytes())
    return digest.digest()


def _rigid(transform: object) -> Rigid:
    if not isinstance(transform, Rigid):
        raise TypeError(f"a rigid alignment gave {type(transform).__name__}.")
    return transform


def _mean(a: Rigid, b: Rigid) -> Rigid:
    """The motion halfway between two close ones."""
    difference = a.inverse().matrix @ b.matrix
    return Rigid(a.matrix @ np.real(expm(0.5 * np.real(logm(difference)))))


def _midway_grid(first: Grid, second: Grid, first_from_midway: Rigid, second_from_midway: Rigid) -> Grid:
    """Compute a grid between the two, along left, posterior, superior, finest spacings, that covers both."""
    moved = [
        _upright(grid).moved(motion.inverse().matrix)
        for grid, motion in ((first, first_from_midway), (second, second_from_midway))
    ]
    left, _, right = np.linalg.svd(moved[0].direction + moved[1].direction)
    direction = left @ right
    spacing = np.minimum(moved[0].spacing_mm, moved[1].spacing_mm)
    corners = np.concatenate([_outer_corners(grid) for grid in moved]) @ direction
    low, high = corners.min(axis=0), corners.max(axis=0)
    shape = np.ceil((high - low) / spacing - _GRID_SLACK).astype(int)
    origin = direction @ ((low + high) / 2 - (shape - 1) / 2 * spacing)
    return Grid.from_parts(shape.tolist(), spacing_mm=spacing.tolist(), origin_mm=origin.tolist(), direction=direction)


def _upright(grid: Grid) -> Grid:
    return reorient_grid(grid, "LPS")[0] if grid.orientation_known else grid


def _outer_corners(grid: Grid) -> NDArray[np.float64]:
    """World positions of the eight outer corners of the outermost voxels, (8, 3) mm."""
    ends = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in grid.shape], indexing="ij")).reshape(3, -1).T
    return grid.world_of(ends)
