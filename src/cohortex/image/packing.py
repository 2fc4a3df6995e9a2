"""Storing values as small integers with a slope and an intercept, without loss nobody sees.

The rule is DICOM's and NIfTI's: value = slope * stored + intercept (DICOM PS3.3 C.11.1, Modality LUT).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


@dataclass(frozen=True, kw_only=True)
class Packing:
    """A way to store values in integers: value = slope * stored + intercept."""

    slope: float
    intercept: float
    dtype: np.dtype[Any]

    def __post_init__(self) -> None:
        if not np.isfinite([self.slope, self.intercept]).all() or self.slope == 0:
            raise ValueError(
                f"slope {self.slope:g} and intercept {self.intercept:g} store nothing; slope must not be 0."
            )
        object.__setattr__(self, "dtype", np.dtype(self.dtype))
        if not np.issubdtype(self.dtype, np.integer):
            raise ValueError(f"dtype is {self.dtype}; values are stored in an integer type.")

    def pack(self, values: ArrayLike) -> NDArray[Any]:
        """Store values; refuse what does not fit rather than let it wrap around.

        Raises
        ------
        OverflowError
            If a value is NaN, infinite, or falls outside the range of the integer type.
        """
        stored = np.rint((np.asarray(values, dtype=np.float64) - self.intercept) / self.slope)
        bounds = np.iinfo(self.dtype)
        if not np.all(np.isfinite(stored)):
            raise OverflowError(f"NaN or infinity cannot be stored as {self.dtype}; store float32 or fill them first.")
        if stored.size and (stored.min() < bounds.min or stored.max() > bounds.max):
            raise OverflowError(
                f"values {np.min(values):g} to {np.max(values):g} become {stored.min():g} to {stored.max():g} with "
                f"slope {self.slope:g} and intercept {self.intercept:g}; "
                f"{self.dtype} holds {bounds.min} to {bounds.max}."
            )
        return np.asarray(stored.astype(self.dtype))

    def unpack(self, stored: ArrayLike) -> NDArray[np.float64]:
        """Give back the values of stored integers."""
        return np.asarray(stored, dtype=np.float64) * self.slope + self.intercept


@dataclass(frozen=True, kw_only=True)
class PackingVerdict:
    """Whether a range of values survives a packing.

    Attributes
    ----------
    fits : bool
        Whether no stored value overflows.
    largest_stored : float
        The stored value furthest out that would be needed.
    largest_error : float
        Greatest rounding error of a value, half the slope; 0 where every integer value is met.
    """

    fits: bool
    largest_stored: float
    largest_error: float


def fewest_digits_packing(values: ArrayLike) -> Packing:
    """Find the packing of whole numbers, such as labels, in the smallest non-negative integers.

    Parameters
    ----------
    values : array_like
        Whole numbers, 0 for the background among them where it is to be stored.

    Returns
    -------
    Packing
        The greatest common divisor of all differences as slope, the smallest value as intercept, and the smallest
        unsigned type that holds the result; exact both ways.

    Raises
    ------
    ValueError
        If there is no value, or one that is not a whole number.
    """
    numbers = np.asarray(values, dtype=np.float64).ravel()
    if numbers.size == 0 or not np.all(np.isfinite(numbers)) or np.any(numbers != np.rint(numbers)):
        raise ValueError("give at least one value, and whole numbers only.")
    distinct = np.unique(numbers).astype(np.int64)
    slope = int(np.gcd.reduce(distinct - distinct[0])) or 1
    largest = int(distinct[-1] - distinct[0]) // slope
    return Packing(slope=float(slope), intercept=float(distinct[0]), dtype=np.min_scalar_type(largest))


def judge_packing(minimum: float, maximum: float, packing: Packing) -> PackingVerdict:
    """Judge a packing for integer values from `minimum` to `maximum`.

    Parameters
    ----------
    minimum, maximum : float
        Range of the values.
    packing : Packing
        Slope, intercept and integer type.

    Returns
    -------
    PackingVerdict
        Fit, the extreme stored value and the largest rounding error.
    """
    ends = (np.array([minimum, maximum], dtype=float) - packing.intercept) / packing.slope
    bounds = np.iinfo(packing.dtype)
    exact = (1 / packing.slope).is_integer() and (packing.intercept / packing.slope).is_integer()
    return PackingVerdict(
        fits=bool(np.rint(ends.min()) >= bounds.min and np.rint(ends.max()) <= bounds.max),
        largest_stored=float(ends[np.argmax(np.abs(ends))]),
        largest_error=0.0 if exact else abs(packing.slope) / 2,
    )


def lossless_packing(minimum: float, maximum: float, dtype: DTypeLike = np.int16) -> Packing | None:
    """Find slope 1 and the intercept that stores every integer from `minimum` to `maximum` exactly.

    Parameters
    ----------
    minimum, maximum : float
        Range of integer values.
    dtype : dtype
        Integer type to store in.

    Returns
    -------
    Packing or None
        Intercept 0 where that fits, else the smallest whole intercept that does; None where the range is
        wider than the type.
    """
    kind = np.dtype(dtype)
    bounds = np.iinfo(kind)
    if np.floor(maximum) - np.ceil(minimum) > int(bounds.max) - int(bounds.min):
        return None
    intercept = 0.0
    if maximum > bounds.max:
        intercept = float(np.ceil(maximum - bounds.max))
    elif minimum < bounds.min:
        intercept = float(np.floor(minimum - bounds.min))
    return Packing(slope=1.0, intercept=intercept, dtype=kind)
