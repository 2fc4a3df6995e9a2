"""A mask grown by a margin in millimetres."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cohortex.image import Labels


def with_margin(mask: Labels, *, margin_mm: float) -> Labels:
    """Grow a mask by a margin.

    Parameters
    ----------
    mask : Labels
        Any label counts; shape (I, J, K).
    margin_mm : float
        How far beyond its outermost voxel centres, mm; 0 changes nothing.

    Returns
    -------
    Labels
        1 inside, on the same grid.

    Raises
    ------
    ValueError
        If `margin_mm` is negative or NaN.
    """
    if not margin_mm >= 0:
        raise ValueError(f"margin_mm is {margin_mm:g}; give 0 or more.")
    inside = mask.mask
    if not inside.any() or margin_mm == 0:
        return Labels(inside, mask.grid)
    spacing = np.asarray(mask.grid.spacing_mm)
    reach = np.ceil(margin_mm / spacing).astype(int) + 1
    box = ndimage.find_objects(inside.astype(np.uint8))[0]
    window = tuple(
        slice(max(0, s.start - r), min(n, s.stop + r)) for s, r, n in zip(box, reach, inside.shape, strict=True)
    )
    grown = np.zeros_like(inside)
    grown[window] = ndimage.distance_transform_edt(~inside[window], sampling=spacing) <= margin_mm
    return Labels(grown, mask.grid)
