"""The thin bright lining of the ventricles that healthy brains show on FLAIR and T2, measured in each visit.

Caps and rims of a few millimetres along the ventricles are normal (Fazekas et al., Neurology 43, 1993,
10.1212/WNL.43.9.1683: smooth halo). The median excess of white matter by distance from the ventricles is taken for
healthy, never more than a lesion must exceed; what sticks out of it may be a lesion.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

_REACH_MM = 6.0
_STEP_MM = 1.0
_DEPTH_MM = 15.0  # csf deeper than this below the surface of the brain, and …
_LEAST_MM3 = 1000.0  # … of this volume is a ventricle or a cistern
_ENOUGH = 60  # voxels for a median


def ventricular_lining(
    excess: Array,
    *,
    white: Array,
    csf: Array,
    brain: Mask,
    spacing_mm: Sequence[float],
    most: float,
) -> Array:
    """Healthy excess of white matter near the ventricles.

    Parameters
    ----------
    excess : ndarray, shape (I, J, K)
        Observed minus expected intensity, in the unit of the image.
    white, csf : ndarray
        Fractions of the voxel.
    brain : ndarray of bool
        Brain mask.
    spacing_mm : sequence of float
        Voxel spacing, mm.
    most : float
        Largest excess taken for healthy, in the unit of the image.

    Returns
    -------
    ndarray of float32
        What to add to the expectation, 0 or more; falls with the distance and with the share of white matter.
    """
    lining = np.zeros(brain.shape, dtype=np.float32)
    ventricles = _ventricles(csf, brain, spacing_mm)
    if not ventricles.any():
        return lining
    reach = [int(np.ceil(_REACH_MM / s)) + 1 for s in spacing_mm]
    found = ndimage.find_objects(ventricles.astype(np.uint8))[0]
    box = tuple(
        slice(max(0, s.start - r), min(n, s.stop + r)) for s, r, n in zip(found, reach, brain.shape, strict=True)
    )
    distance = ndimage.distance_transform_edt(~ventricles[box], sampling=spacing_mm)
    middles, heights = [], []
    for low in np.arange(0.0, _REACH_MM, _STEP_MM):
        there = (distance > low) & (distance <= low + _STEP_MM) & (white[box] > 0.7) & brain[box]
        if np.count_nonzero(there) >= _ENOUGH:
            middles.append(low + _STEP_MM / 2)
            heights.append(float(np.clip(np.median(excess[box][there]), 0, most)))
    if not middles:
        return lining
    falling = np.minimum.accumulate(np.array(heights))
    height = np.interp(distance, [*middles, _REACH_MM + _STEP_MM], [*falling, 0.0])
    lining[box] = (height * white[box] * (distance > 0)).astype(np.float32)
    return lining


def _ventricles(csf: Array, brain: Mask, spacing_mm: Sequence[float]) -> Mask:
    """Deep csf in pieces large enough."""
    depth = ndimage.distance_transform_edt(brain, sampling=spacing_mm)
    labels, _ = ndimage.label((csf > 0.5) & (depth > _DEPTH_MM))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray((sizes * np.prod(spacing_mm) >= _LEAST_MM3)[labels])
