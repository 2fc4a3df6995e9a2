"""Two visits brought halfway to each other, so that neither is privileged and exchanging them mirrors the answer."""

from __future__ import annotations

import hashlib

import numpy as np

from cohortex.geometry import Grid, closest_axes
from cohortex.image import Image, Labels
from cohortex.progress import Progress, ProgressCallback, silent
from cohortex.registration.alignment import MidwayAlignment
from cohortex.registration.linear import align_rigid
from cohortex.registration.similarity import correlation, mutual_information
from cohortex.transform import Rigid

_MARGIN_MM = 10.0


def align_midway(
    baseline: Image,
    follow_up: Image,
    *,
    baseline_mask: Labels | None = None,
    follow_up_mask: Labels | None = None,
    finest_mm: float = 1.0,
    progress: ProgressCallback = silent,
) -> MidwayAlignment:
    """Align two visits of one head rigidly to the space halfway between them.

    Parameters
    ----------
    baseline, follow_up : Image
        The same contrast at two visits, bias corrected; any spacings, scanners and head positions.
    baseline_mask, follow_up_mask : Labels, optional
        The brain of each on its own grid: scalp, eyes and jaw move against it.
    finest_mm : float
        Stop at this spacing, mm.
    progress : callable
        Told after each stage.

    Returns
    -------
    MidwayAlignment
        Exchanging the visits exchanges the answer bit for bit: the work is done in an order that depends on the images
        alone (the finer one is fixed; of two alike, the one whose content has the smaller hash).

    Raises
    ------
    ValueError, AlignmentFailure
        As `align_rigid`.
    """
    sides = [(baseline, baseline_mask), (follow_up, follow_up_mask)]
    exchanged = _rank(follow_up) < _rank(baseline)
    (fixed, fixed_mask), (moving, moving_mask) = reversed(sides) if exchanged else sides
    task = "midway alignment"
    rough = align_rigid(
        fixed, moving, fixed_mask=fixed_mask, similarity=mutual_information, finest_mm=max(2.0, finest_mm)
    )
    progress(Progress(task=task, done=1, total=2))
    fine = align_rigid(
        fixed,
        moving,
        start=Rigid(rough.moving_from_fixed.matrix),  # type: ignore[attr-defined]
        fixed_mask=fixed_mask,
        moving_mask=moving_mask,
        similarity=correlation,
        finest_mm=finest_mm,
    )
    progress(Progress(task=task, done=2, total=2))
    half = Rigid(fine.moving_from_fixed.matrix).half()  # type: ignore[attr-defined]
    fixed_from_midway, moving_from_midway = half.inverse(), half
    grid = _midway_grid(
        [(fixed, fixed_mask, fixed_from_midway), (moving, moving_mask, moving_from_midway)],
    )
    return MidwayAlignment(
        baseline_from_midway=moving_from_midway if exchanged else fixed_from_midway,
        follow_up_from_midway=fixed_from_midway if exchanged else moving_from_midway,
        grid=grid,
        similarity=fine.similarity,
        converged=rough.converged and fine.converged,
    )


def _rank(image: Image) -> tuple[float, str]:
    """Order images by voxel volume, then by content."""
    digest = hashlib.sha256(np.ascontiguousarray(image.values).tobytes() + image.grid.world_from_index.tobytes())
    return round(image.grid.voxel_volume_mm3, 3), digest.hexdigest()


def _midway_grid(sides: list[tuple[Image, Labels | None, Rigid]]) -> Grid:
    """Lay a grid along the axes of the first image, halfway, with the finer spacings, over both brains."""
    first, _, first_from_midway = sides[0]
    spacing_by_world = np.min([_spacing_by_world_axis(image.grid) for image, _, _ in sides], axis=0)
    spacing = spacing_by_world[closest_axes(first.grid)[:, 0]]
    # A tilted gantry has no right angles; the midway grid has.
    left, _, right = np.linalg.svd(first.grid.direction)
    direction = first_from_midway.inverse().rotation @ (left @ right)
    corners = (
        np.concatenate([from_midway.inverse()(_corners(image, mask)) for image, mask, from_midway in sides]) @ direction
    )
    low, high = corners.min(axis=0) - _MARGIN_MM, corners.max(axis=0) + _MARGIN_MM
    shape = np.ceil((high - low) / spacing).astype(int) + 1
    return Grid.from_parts(
        tuple(int(n) for n in shape),
        spacing_mm=tuple(spacing),
        origin_mm=tuple(direction @ low),
        direction=direction,
        frame_of_reference="midway",
    )


def _spacing_by_world_axis(grid: Grid) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    spacing = np.empty(3)
    spacing[closest_axes(grid)[:, 0]] = grid.spacing_mm
    return spacing


def _corners(image: Image, mask: Labels | None) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """World corners of the mask's box, or of the whole grid."""
    if mask is None or not mask.mask.any():
        return image.grid.corners_mm()
    index = np.argwhere(mask.mask)
    grid = mask.grid.cropped(index.min(axis=0), index.max(axis=0) + 1)
    return grid.corners_mm()
