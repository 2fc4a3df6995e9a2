"""Which voxels show the head (or another object) rather than the air around it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu

from cohortex.image import Image

_AIR_HU = -1000.0
_BODY_HU = -300.0  # between air and fat (-100)
_CLEARED_SHARE = 0.25
_MOST_VOXELS = 500_000  # the threshold is found on a regular sample of this size


def foreground_mask(image: Image) -> NDArray[np.bool_]:
    """Separate the largest object from the air around it.

    Parameters
    ----------
    image : Image
        Scalar image of three axes; values that are not finite count as air, and so does a single value that a
        quarter of the voxels have (a background that was set to 0).

    Returns
    -------
    ndarray of bool, shape (I, J, K)
        The largest connected part above the threshold: -300 HU where the unit is HU, else Otsu's threshold
        lowered to half its height above the darkest percent, so that dark tissue stays; holes are not filled.
        All False where the image is constant.

    References
    ----------
    .. [1] Otsu, *A threshold selection method from gray-level histograms*, IEEE Transactions on Systems, Man,
       and Cybernetics 9, 1979, 10.1109/TSMC.1979.4310076.
    """
    values = np.asarray(image.values)
    content = np.isfinite(values)
    cleared = _cleared_value(values[content])
    if cleared is not None:
        content &= values != cleared
    if image.unit == "HU":
        above = content & (np.where(content, values, _AIR_HU) > _BODY_HU)
    elif cleared is not None and np.any(values[content] < cleared):
        above = content  # a map of both signs around a background that was set
    else:
        threshold = _threshold(values[np.isfinite(values)])
        if threshold is None:
            return np.zeros(values.shape, dtype=bool)
        above = content & (np.where(content, values, 0) > threshold)
    opened = ndimage.binary_opening(above) if min(values.shape) >= 3 else above  # specks and a wire of the coil
    parts, count = ndimage.label(opened)
    if count == 0:
        return above
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(parts == int(np.argmax(sizes)))


def _cleared_value(values: NDArray[Any]) -> float | None:
    """The one value that a quarter of the image or more has: a background that was set, or rounded away."""
    if values.size == 0:
        return None
    distinct, counts = np.unique(_sample(values), return_counts=True)
    commonest = int(np.argmax(counts))
    return float(distinct[commonest]) if counts[commonest] >= _CLEARED_SHARE * counts.sum() else None


def _sample(values: NDArray[Any]) -> NDArray[Any]:
    return values[:: max(1, values.size // _MOST_VOXELS)]


def _threshold(values: NDArray[Any]) -> float | None:
    sample = _sample(values).astype(np.float64)
    if sample.size == 0 or sample.min() == sample.max():
        return None
    dark, bright = np.percentile(sample, (1, 99.8))
    if dark == bright:  # a small object in a large field: no percentile tells them apart
        dark, bright = float(sample.min()), float(sample.max())
    otsu = threshold_otsu(np.clip(sample, dark, bright))
    return float(dark + (otsu - dark) / 2)
