"""How well any method could measure the volume of a small lesion: the Cramér–Rao bound, for slices of 1 and 4 mm.

A ball in noise, seen through voxels of 1 mm in the plane. Unknown are background, contrast and size; in the last column
also its place and its three axes, as for an ellipsoid.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_STEP = 1e-3
_PLACES = 6
_EDGE_MM = 0.4


def share(
    center: NDArray[np.float64], axes: NDArray[np.float64], shape: Sequence[int], spacing: Sequence[float]
) -> NDArray[np.float64]:
    """Share of each voxel inside an ellipsoid, from points 0.5 mm apart with a soft step."""
    squares = []
    for n, s, c, a in zip(shape, spacing, center, axes, strict=True):
        count = max(1, int(np.ceil(2 * s)))
        points = np.add.outer(np.arange(n) * s, ((np.arange(count) + 0.5) / count - 0.5) * s)
        squares.append(((points - c) / a) ** 2)
    x, y, z = squares
    radius = np.sqrt(
        x[:, :, None, None, None, None] + y[None, None, :, :, None, None] + z[None, None, None, None, :, :]
    )
    return np.asarray(np.clip(0.5 - (radius - 1) * axes.mean() / _EDGE_MM, 0, 1).mean(axis=(1, 3, 5)))


def bounds(volume_mm3: float, slice_mm: float, contrast_to_noise: float) -> tuple[float, float]:
    """Relative standard deviation of the volume: shape known, and axes unknown; mean over places within the voxel."""
    rng = np.random.default_rng(0)
    radius = float(np.cbrt(0.75 / np.pi * volume_mm3))
    spacing = (1.0, 1.0, slice_mm)
    shape = [int(np.ceil((2 * radius + 8) / s)) for s in spacing]
    found = []
    for _ in range(_PLACES):
        center = np.array([(n - 1) / 2 * s + rng.uniform(-0.5, 0.5) * s for n, s in zip(shape, spacing, strict=True)])

        def seen(p: NDArray[np.float64], center: NDArray[np.float64] = center) -> NDArray[np.float64]:
            # log axes (3), background, log contrast, place (3)
            return np.exp(p[4]) * share(center + p[5:8], radius * np.exp(p[:3]), shape, spacing) + p[3]

        around = share(center, np.full(3, radius + 3), shape, spacing) > 0
        steps = _STEP * np.eye(8)
        jacobian = np.stack([((seen(d) - seen(-d)) / (2 * _STEP))[around] for d in steps], axis=1)
        information = (contrast_to_noise * jacobian).T @ (contrast_to_noise * jacobian)
        size = np.zeros((8, 3))
        size[:3, 0], size[3, 1], size[4, 2] = 1 / 3, 1, 1
        known = np.linalg.inv(size.T @ information @ size)[0, 0]
        of_volume = np.array([1, 1, 1, 0, 0, 0, 0, 0])
        found.append((np.sqrt(known), np.sqrt(of_volume @ np.linalg.inv(information) @ of_volume)))
    shape_known, axes_unknown = np.mean(found, axis=0)
    return float(shape_known), float(axes_unknown)


def main() -> None:
    """Print the table."""
    rows = [
        "| slices, mm | volume, mm³ | contrast-to-noise | shape known, % | axes unknown, % |",
        "|--:|--:|--:|--:|--:|",
    ]
    for slice_mm in (1.0, 4.0):
        for volume in (125.0, 500.0, 1500.0):
            for ratio in (3.0, 5.0, 10.0):
                known, unknown = bounds(volume, slice_mm, ratio)
                rows.append(f"| {slice_mm:g} | {volume:g} | {ratio:g} | {100 * known:.1f} | {100 * unknown:.1f} |")
    sys.stdout.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
