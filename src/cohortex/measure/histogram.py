"""Histograms as proportions: images of different sizes become comparable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortex.image import Image, Labels

_ONE_BIN_PER_INTEGER = 1024  # integers spanning no more than this get a bin each
_BINS = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class Histogram:
    """How the values of an image are spread.

    Attributes
    ----------
    edges : ndarray, shape (n + 1,)
        Borders of the bins, in the unit of the image; the last bin includes its upper border.
    proportions : ndarray, shape (n,)
        Share of the counted values in each bin; sums to 1.
    counted : int
        Number of values counted.
    left_out : int
        Number of values that are NaN, infinite or outside `value_range`.
    """

    edges: NDArray[np.float64]
    proportions: NDArray[np.float64]
    counted: int
    left_out: int

    @property
    def centers(self) -> NDArray[np.float64]:
        """Middle of each bin, shape (n,)."""
        return (self.edges[1:] + self.edges[:-1]) / 2


def histogram(
    image: Image,
    *,
    bins: int | None = None,
    value_range: tuple[float, float] | None = None,
    mask: Labels | None = None,
) -> Histogram:
    """Count the values of an image as proportions.

    Parameters
    ----------
    image : Image
        Any image; the values of all channels or times count alike.
    bins : int, optional
        Number of equal bins. When omitted, one bin around each integer for integers that span up to 1024,
        else 256.
    value_range : pair of float, optional
        Smallest and largest value counted; those of the image when omitted.
    mask : Labels, optional
        Count only where it is not 0; same grid as the image.

    Returns
    -------
    Histogram
        Proportions of the counted values, and how many were left out.

    Raises
    ------
    ValueError
        If `bins` is less than 1, the range is empty, the mask lies on another grid, or no value is left to count.
    """
    if bins is not None and bins < 1:
        raise ValueError(f"bins is {bins}; give 1 or more.")
    values = _inside(image, mask)
    finite = values[np.isfinite(values)]
    if value_range is not None:
        low, high = value_range
        if not low <= high:
            raise ValueError(f"value_range is {value_range}; give the smaller value first.")
        kept = finite[(finite >= low) & (finite <= high)]
    else:
        kept = finite
    if kept.size == 0:
        raise ValueError("no finite value to count: the image, mask or value_range holds none.")
    low, high = value_range if value_range is not None else (float(kept.min()), float(kept.max()))
    counts, edges = np.histogram(kept, _edges(low, high, bins, integers=np.issubdtype(image.dtype, np.integer)))
    return Histogram(
        edges=edges, proportions=counts / kept.size, counted=int(kept.size), left_out=int(values.size - kept.size)
    )


def _inside(image: Image, mask: Labels | None) -> NDArray[Any]:
    if mask is None:
        return np.asarray(image.values).ravel()
    if not mask.grid.same_as(image.grid):
        raise ValueError("the mask lies on another grid; resample it onto the image first.")
    return np.asarray(image.values[mask.mask]).ravel()


def _edges(low: float, high: float, bins: int | None, *, integers: bool) -> NDArray[np.float64]:
    if bins is None and integers and high - low < _ONE_BIN_PER_INTEGER:
        return np.arange(np.floor(low), np.ceil(high) + 2) - 0.5
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, (bins or _BINS) + 1)
