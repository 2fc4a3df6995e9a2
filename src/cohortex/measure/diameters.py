"""The two diameters a radiologist draws: the longest in a slice, and the longest across it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from cohortex.geometry import Grid
from cohortex.image import Labels
from cohortex.measure.slice_axis import slice_axis as slice_axis_of

Point = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Diameters:
    """Two diameters of a structure in one slice.

    Attributes
    ----------
    longest_mm : float
        Greatest distance between two points of the outline in the slice where that is greatest, mm.
    perpendicular_mm : float
        Longest line across it at a right angle, in the same slice, mm.
    slice_index : int
        That slice, along `slice_axis`, counted from 0.
    slice_axis : int
        The voxel axis that runs from slice to slice.
    endpoints : tuple of two pairs of points
        Ends of the longest and of the perpendicular diameter, LPS mm.
    """

    longest_mm: float
    perpendicular_mm: float
    slice_index: int
    slice_axis: int
    endpoints: tuple[tuple[Point, Point], tuple[Point, Point]]


def diameters(labels: Labels, label: int | None = None, *, slice_axis: int | None = None) -> Diameters | None:
    """Measure the longest diameter of a structure in its slices, and the longest across it.

    The outline runs through the middles of the voxels' outer edges, so n voxels in a row measure n spacings and
    one voxel measures one spacing. Of all slices the one with the longest diameter counts; in it the
    perpendicular is the longest line at a right angle within the convex hull of the outline (the two diameters of
    the RANO criteria [1]_). Parts of one label in a slice are taken together.

    Parameters
    ----------
    labels : Labels
        Labels of three axes; the grid may be oblique or sheared.
    label : int, optional
        The label to measure; all that are not 0 when omitted.
    slice_axis : int, optional
        Voxel axis from slice to slice; when omitted the last, unless another is at least 1.5 times
        coarser than both others.

    Returns
    -------
    Diameters or None
        Exact for the outline described; None where there is no such voxel. Of slices with equal diameters
        the first.

    Raises
    ------
    ValueError
        If the grid has two axes, or `slice_axis` is not 0, 1 or 2.

    References
    ----------
    .. [1] Wen et al., *Updated response assessment criteria for high-grade gliomas (RANO)*,
       Journal of Clinical Oncology 28, 2010, 10.1200/JCO.2009.26.3541.
    """
    if labels.grid.ndim != 3:
        raise ValueError(f"the labels have {labels.grid.ndim} axes; diameters in slices need 3.")
    axis = slice_axis_of(labels.grid) if slice_axis is None else slice_axis
    if axis not in (0, 1, 2):
        raise ValueError(f"slice_axis is {slice_axis}; give 0, 1 or 2.")
    region = labels.mask if label is None else np.asarray(labels.values == label)
    in_plane = [a for a in range(3) if a != axis]
    plane_from_index = _plane_from_index(labels.grid, in_plane)
    best: tuple[float, int, NDArray[np.float64], tuple[int, int]] | None = None
    for k in np.flatnonzero(region.any(axis=tuple(in_plane))):
        hull = _hull(_outline(np.take(region, k, axis=axis)) @ plane_from_index.T)
        length, ends = _longest(hull)
        if best is None or length > best[0] * (1 + 1e-12):
            best = length, int(k), hull, ends
    if best is None:
        return None
    length, slice_index, hull, (first, second) = best
    across = _longest_across(hull, hull[second] - hull[first])
    ends_in_plane = np.array([[hull[first], hull[second]], across])  # (2, 2, 2) mm
    index = np.full((2, 2, 3), float(slice_index))
    index[..., in_plane] = ends_in_plane @ np.linalg.inv(plane_from_index).T
    world = labels.grid.world_of(index)
    segments = [(_point(start), _point(stop)) for start, stop in world]
    return Diameters(
        longest_mm=length,
        perpendicular_mm=float(np.linalg.norm(across[1] - across[0])),
        slice_index=slice_index,
        slice_axis=axis,
        endpoints=(segments[0], segments[1]),
    )


def _plane_from_index(grid: Grid, in_plane: list[int]) -> NDArray[np.float64]:
    """Lengths and angles of two voxel axes in the plane they span, shape (2, 2), mm per voxel."""
    return np.asarray(np.linalg.qr(grid.world_from_index[:3, in_plane])[1])


def _outline(region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Middles of the edges of the outermost voxels of each line along both axes, shape (n, 2), voxels."""
    ends = []
    for flipped in (region, region.T):
        rows = np.flatnonzero(flipped.any(axis=1))
        first = flipped[rows].argmax(axis=1)
        last = flipped.shape[1] - 1 - flipped[rows, ::-1].argmax(axis=1)
        low, high = np.stack([rows, first - 0.5], axis=1), np.stack([rows, last + 0.5], axis=1)
        pair = np.concatenate([low, high])
        ends.append(pair if flipped is region else pair[:, ::-1])
    return np.concatenate(ends)


def _hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners of the convex hull in order around it, shape (n, 2)."""
    return np.asarray(points[ConvexHull(points).vertices])


def _longest(hull: NDArray[np.float64]) -> tuple[float, tuple[int, int]]:
    """Greatest distance between two corners: where that of any two points of the hull is reached."""
    distance = np.linalg.norm(hull[:, None] - hull[None], axis=-1)
    first, second = np.unravel_index(int(np.argmax(distance)), distance.shape)
    return float(distance[first, second]), (int(first), int(second))


def _longest_across(hull: NDArray[np.float64], along: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ends, shape (2, 2), of the longest line of the hull at a right angle to `along`.

    The width of a convex polygon along a direction is concave and piecewise linear, so its greatest value lies
    at a corner.
    """
    unit = along / np.linalg.norm(along)
    normal = np.array([-unit[1], unit[0]])
    turned = hull @ np.stack([unit, normal], axis=1)  # columns: along, across
    low, high = _border(turned, upper=False), _border(turned, upper=True)
    at = turned[:, 0]
    bottom, top = np.interp(at, *low.T), np.interp(at, *high.T)
    widest = int(np.argmax(top - bottom))
    return np.array([at[widest] * unit + side[widest] * normal for side in (bottom, top)])


def _border(polygon: NDArray[np.float64], *, upper: bool) -> NDArray[np.float64]:
    """The upper or lower border of a convex polygon as a function: corners by growing first coordinate."""
    left = np.lexsort((polygon[:, 1] if not upper else -polygon[:, 1], polygon[:, 0]))[0]
    right = np.lexsort((-polygon[:, 1] if not upper else polygon[:, 1], polygon[:, 0]))[-1]
    step = -1 if upper else 1  # ConvexHull lists corners counter-clockwise
    count = len(polygon)
    path = [int(left)]
    while path[-1] != right:
        path.append((path[-1] + step) % count)
    return polygon[path]


def _point(world: NDArray[np.float64]) -> Point:
    return float(world[0]), float(world[1]), float(world[2])
