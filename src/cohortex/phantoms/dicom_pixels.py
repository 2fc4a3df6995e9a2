"""How scanners store values as integers, and the numbers that undo it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortex.image import Image
from cohortex.image.packing import Packing
from cohortex.phantoms.scanner import Vendor

_TWELVE_BITS = 4095
_CT_OFFSET = 1024


@dataclass(frozen=True, kw_only=True)
class StoredPixels:
    """Integers as they go into the file.

    Attributes
    ----------
    values : ndarray, shape (I, J, K)
        uint16, or int16 where `signed`.
    bits_stored : int
        12 or 16.
    signed : bool
        Pixel representation.
    slope, intercept : float or None
        Rescale tags; None where such a scanner writes none.
    """

    values: NDArray[Any]
    bits_stored: int
    signed: bool
    slope: float | None
    intercept: float | None


def stored_pixels(image: Image, vendor: Vendor) -> StoredPixels:
    """Store an image the way such a scanner does.

    Parameters
    ----------
    image : Image
        MR, ADC (mm²/s) or CT (HU).
    vendor : {"siemens-like", "ge-like", "philips-like"}
        Siemens- and GE-like MR is rounded to whole numbers without rescale tags; Philips-like fills 12 bits and
        writes a slope.

    Returns
    -------
    StoredPixels
        Whatever the habit, no value wraps around.

    Raises
    ------
    OverflowError
        If a value does not fit, or is NaN or infinite.
    """
    if image.unit == "HU":
        cut = np.clip(image.values, -_CT_OFFSET, _TWELVE_BITS - _CT_OFFSET)
        packing = Packing(slope=1.0, intercept=-_CT_OFFSET, dtype=np.dtype(np.uint16))
        return StoredPixels(values=packing.pack(cut), bits_stored=12, signed=False, slope=1.0, intercept=-_CT_OFFSET)
    values = np.asarray(image.values, dtype=np.float64)
    is_adc = image.unit == "mm²/s"
    if vendor == "philips-like":
        values = values * 1e3 if is_adc else values
        slope = float(f"{max(float(values.max()), 1e-6) / _TWELVE_BITS:.9g}")
        slope = slope if values.max() / slope <= _TWELVE_BITS + 0.49 else slope * (1 + 1e-6)
        stored = Packing(slope=slope, intercept=0.0, dtype=np.dtype(np.uint16)).pack(values)
        return StoredPixels(values=stored, bits_stored=12, signed=False, slope=slope, intercept=0.0)
    values = values * 1e6 if is_adc else values
    signed = vendor == "ge-like"
    kind = np.dtype(np.int16 if signed else np.uint16)
    stored = Packing(slope=1.0, intercept=0.0, dtype=kind).pack(values)
    bits = 16 if signed or stored.max() > _TWELVE_BITS else 12
    return StoredPixels(values=stored, bits_stored=bits, signed=signed, slope=None, intercept=None)
