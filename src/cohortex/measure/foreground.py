"""Which voxels show the head (or another object) rather than the air around it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu

from cohortex.image import Image

_BODY_HU = -300.0  # between air (-1000) and fat (-100)
_MOST_VOXELS = 2_000_000  # Otsu's threshold is found on a regular sample of this size


def foreground_mask(image: Image) -> NDArray[np.bool_]:
    """Separate the largest object from the air around it.

    Parameters
    ----------
    image : Image
        Scalar image of three axes; values that are not finite count as air.

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
    finite = np.isfinite(values)
    threshold = _BODY_HU if image.unit == "HU" else _threshold(values[finite])
    if threshold is None:
        return np.zeros(values.shape, dtype=bool)
    above = finite & (np.where(finite, values, 0) > threshold)
    opened = ndimage.binary_opening(above) if min(values.shape) >= 3 else above  # specks and a wire of the coil
    parts, count = ndimage.label(opened)
    if count == 0:
        return above
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(parts == int(np.argmax(sizes)))


def _threshold(values: NDArray[Any]) -> float | None:
    sample = values[:: max(1, values.size // _MOST_VOXELS)].astype(np.float64)
    if sample.size == 0 or sample.min() == sample.max():
        return None
    dark, bright = np.percentile(sample, (1, 99.8))
    if dark == bright:  # a small object in a large field: no percentile tells them apart
        dark, bright = float(sample.min()), float(sample.max())
    otsu = threshold_otsu(np.clip(sample, dark, bright))
    return float(dark + (otsu - dark) / 2)
