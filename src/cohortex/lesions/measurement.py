"""The table of a visit's lesions: volume, diameters, place, slice and contrast of each outline."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.image import Labels
from cohortex.lesions.lesion import Lesion
from cohortex.lesions.outline import LesionOutline
from cohortex.measure import diameters
from cohortex.transform import Transform

Describe = Callable[[NDArray[np.float64]], str]
"""From template world points of shape (n, 3), LPS mm, to the place in words."""


def measure_lesions(
    outline: LesionOutline,
    *,
    template_from_visit: Transform | None = None,
    describe: Describe | None = None,
    slice_numbers: Sequence[int] | None = None,
) -> tuple[Lesion, ...]:
    """Measure every lesion of an outline.

    Parameters
    ----------
    outline : LesionOutline
        The visit's lesions.
    template_from_visit : Transform, optional
        Takes world mm of the outlined image to template world mm; without it no template place is known.
    describe : callable, optional
        Names the place of template points, shape (n, 3), LPS mm; "" is reported without it.
    slice_numbers : sequence of int, optional
        Number in the original series, from 1, of each slice of the outlined image along its third axis; index + 1 when
        omitted, or where the slices lie along another axis.

    Returns
    -------
    tuple of Lesion
        By label, from 1. The contrast-to-noise ratio is that of the pure lesion to the noise of a voxel.
    """
    if not outline.measured:
        return ()
    values = np.asarray(outline.labels.values).astype(np.int32)
    boxes = ndimage.find_objects(values)
    grid = outline.labels.grid
    lesions = []
    for measured, kind in zip(outline.measured, outline.kinds, strict=True):
        box = boxes[measured.label - 1]
        inside = values[box] == measured.label
        start = np.array([s.start for s in box])
        part = Labels(inside.astype(np.uint8), grid.cropped([s.start for s in box], [s.stop for s in box]))
        size = diameters(part)
        assert size is not None  # every measured label has voxels
        points = grid.world_of(np.argwhere(inside) + start)
        center = points.mean(axis=0)
        template_points = template_from_visit(points) if template_from_visit is not None else None
        template_mm = None if template_points is None else _triple(np.asarray(template_from_visit(center[None]))[0])  # type: ignore[misc]
        slice_index = size.slice_index + int(start[size.slice_axis])
        lesions.append(
            Lesion(
                label=measured.label,
                volume_ml=measured.volume_mm3 / 1000,
                volume_sd_ml=measured.volume_sd_mm3 / 1000,
                longest_diameter_mm=size.longest_mm,
                perpendicular_diameter_mm=size.perpendicular_mm,
                centroid_mm=_triple(center),
                template_mm=template_mm,
                place=describe(template_points) if describe is not None and template_points is not None else "",
                slice_number=slice_numbers[slice_index] if slice_numbers and size.slice_axis == 2 else slice_index + 1,
                contrast_to_noise=measured.contrast / outline.noise.voxel if outline.noise.voxel > 0 else 0.0,
                kind=kind,
            )
        )
    return tuple(lesions)


def _triple(point: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(point[0]), float(point[1]), float(point[2])
