"""Slope and intercept applied to stored values, exactly and in the narrowest type that holds the result."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SCALED_AT_ONCE = 1 << 22  # values; bounds the memory of the float64 arithmetic
_INTEGER_TYPES: tuple[type[np.integer[Any]], ...] = (np.int16, np.uint16, np.int32, np.int64)


def rescaled(stored: NDArray[Any], slope: float, intercept: float) -> NDArray[Any]:
    """Compute slope * stored + intercept without loss: integers stay integers where they can.

    Parameters
    ----------
    stored : ndarray
        Stored values.
    slope, intercept : float
        Of the header.

    Returns
    -------
    ndarray
        The stored type for slope 1 and intercept 0; the narrowest integer type that holds the result (at least
        16 bits) for slope 1 and a whole intercept; else float32, or float64 from 32-bit integers up.
    """
    if slope == 1 and intercept == 0:
        return stored
    if np.issubdtype(stored.dtype, np.integer) and slope == 1 and float(intercept).is_integer():
        low, high = (int(stored.min()) + int(intercept), int(stored.max()) + int(intercept)) if stored.size else (0, 0)
        for narrow in _INTEGER_TYPES:
            if np.iinfo(narrow).min <= low and high <= np.iinfo(narrow).max:
                # sums wrap modulo 2ⁿ and the result fits, so it is exact
                return np.asarray(stored.astype(narrow, order="K") + np.asarray(int(intercept)).astype(narrow))
    wide = stored.dtype.itemsize > 4 or stored.dtype in (np.int32, np.uint32)
    result = np.empty_like(stored, dtype=np.float64 if wide else np.float32)
    source, target = stored.ravel(order="K"), result.ravel(order="K")
    for start in range(0, source.size, _SCALED_AT_ONCE):
        block = slice(start, start + _SCALED_AT_ONCE)
        target[block] = source[block].astype(np.float64) * slope + intercept
    return result
