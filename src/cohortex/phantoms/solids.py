"""Solids with a formula: signed distances from which the built parts of the head are made.

Each function takes world coordinates (any shapes that broadcast together, mm) and gives the signed distance to the
surface in mm, negative inside. For ellipsoids it is the usual first-order approximation, exact on the surface.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Distance = Callable[[Field, Field, Field], Field]


@dataclass(frozen=True, kw_only=True)
class Solid:
    """A signed distance and the box outside which it need not be evaluated.

    Attributes
    ----------
    distance : callable
        From x, y, z in mm to signed distance in mm.
    low_mm, high_mm : tuple of float
        Corners of a box around the solid, world mm.
    """

    distance: Distance
    low_mm: tuple[float, ...]
    high_mm: tuple[float, ...]


def ellipsoid(center_mm: Sequence[float], radii_mm: Sequence[float], *, pitch_deg: float = 0.0) -> Solid:
    """Ellipsoid, turned by `pitch_deg` about the left-right axis (positive lifts the back)."""
    center, radii = np.asarray(center_mm, dtype=float), np.asarray(radii_mm, dtype=float)
    c, s = np.cos(np.radians(pitch_deg)), np.sin(np.radians(pitch_deg))

    def distance(x: Field, y: Field, z: Field) -> Field:
        u, v, w = x - center[0], y - center[1], z - center[2]
        if pitch_deg:
            v, w = c * v + s * w, c * w - s * v
        near = np.sqrt((u / radii[0]) ** 2 + (v / radii[1]) ** 2 + (w / radii[2]) ** 2)
        steep = np.sqrt((u / radii[0] ** 2) ** 2 + (v / radii[1] ** 2) ** 2 + (w / radii[2] ** 2) ** 2)
        return np.asarray(near * (near - 1) / np.maximum(steep, 1e-6), dtype=np.float32)

    reach = radii if not pitch_deg else np.array([radii[0], max(radii[1:]), max(radii[1:])])
    return Solid(distance=distance, low_mm=tuple(center - reach), high_mm=tuple(center + reach))


def tube(points_mm: Sequence[Sequence[float]], radius_mm: float | Sequence[float]) -> Solid:
    """Round tube along straight pieces between points; the radius may change from point to point."""
    points = np.asarray(points_mm, dtype=float)
    radii = np.broadcast_to(np.asarray(radius_mm, dtype=float), (len(points),))

    def distance(x: Field, y: Field, z: Field) -> Field:
        best: Field | None = None
        for a, b, ra, rb in zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True):
            along = b - a
            t = ((x - a[0]) * along[0] + (y - a[1]) * along[1] + (z - a[2]) * along[2]) / float(along @ along)
            t = np.clip(t, 0, 1)
            near = np.sqrt(
                (x - a[0] - t * along[0]) ** 2 + (y - a[1] - t * along[1]) ** 2 + (z - a[2] - t * along[2]) ** 2
            )
            near = near - (ra + t * (rb - ra))
            best = near if best is None else np.minimum(best, near)
        return np.asarray(best, dtype=np.float32)

    reach = float(radii.max())
    return Solid(distance=distance, low_mm=tuple(points.min(axis=0) - reach), high_mm=tuple(points.max(axis=0) + reach))


def arch(
    center_mm: Sequence[float], radii_mm: Sequence[float], tube_radius_mm: Sequence[float], *, back_mm: float
) -> Solid:
    """Horseshoe open to the back, for jaw and teeth: an elliptic ring in the axial plane, cut at y = `back_mm`.

    `tube_radius_mm` is the half-width across the ring and the half-height.
    """
    center = np.asarray(center_mm, dtype=float)
    a, b = radii_mm
    width, height = tube_radius_mm

    def distance(x: Field, y: Field, z: Field) -> Field:
        u, v = x - center[0], y - center[1]
        near = np.sqrt((u / a) ** 2 + (v / b) ** 2)
        steep = np.sqrt((u / a**2) ** 2 + (v / b**2) ** 2)
        across = near * (near - 1) / np.maximum(steep, 1e-6)
        ring = (np.sqrt((across / width) ** 2 + ((z - center[2]) / height) ** 2) - 1) * min(width, height)
        return np.asarray(np.maximum(ring, y - back_mm), dtype=np.float32)

    low = (center[0] - a - width, center[1] - b - width, center[2] - height)
    high = (center[0] + a + width, back_mm, center[2] + height)
    return Solid(distance=distance, low_mm=low, high_mm=high)


def smooth_union(a: Field, b: Field, *, blend_mm: float) -> Field:
    """Join two signed distances with a rounded seam of about `blend_mm`."""
    h = np.clip(0.5 + 0.5 * (b - a) / blend_mm, 0, 1)
    return np.asarray(b + (a - b) * h - blend_mm * h * (1 - h), dtype=np.float32)


def coverage(distance_mm: Field, spacing_mm: float) -> Field:
    """Share of a voxel inside a surface at a signed distance from its centre: a ramp one voxel wide."""
    return np.asarray(np.clip(0.5 - distance_mm / spacing_mm, 0, 1), dtype=np.float32)
