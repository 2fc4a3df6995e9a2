"""Which values become black and white."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from cohortex.image import Image, Labels

_PERCENTILES = (0.5, 75.0, 99.7)  # inside the brain: darkest, most tissue, bright lesion without the hottest voxels
_HEADROOM = 1.2  # bright lesions keep their texture
_MOST = 1.8  # times most tissue: scalp or fluid in the mask must not darken the brain
_SAMPLE = 400_000  # values looked at; percentiles of more change nothing visible


@dataclass(frozen=True, kw_only=True)
class Window:
    """Values shown as black (`low` and below) and white (`high` and above)."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.high > self.low:
            raise ValueError(f"the window {self.low:g} to {self.high:g} is empty; high must exceed low.")

    def grey(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """Grey levels 0 to 1, same shape; what is not a number is black."""
        scaled = (np.asarray(values, dtype=np.float64) - self.low) / (self.high - self.low)
        return np.clip(np.nan_to_num(scaled, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)


WINDOWS_HU: Mapping[str, Window] = MappingProxyType(
    {
        "brain": Window(low=0.0, high=80.0),
        "subdural": Window(low=-50.0, high=150.0),
        "bone": Window(low=-450.0, high=1050.0),
    }
)
"""Customary CT windows, HU."""


def window_for(*images: Image, brain: Labels | None = None) -> Window:
    """Choose one window for images that share a scale: HU windows for CT, robust percentiles for the rest.

    Parameters
    ----------
    *images : Image
        Scalar images whose values may be compared, at least one.
    brain : Labels, optional
        Where to look, on the grid of the images; without it, voxels above the mean of the positive ones.

    Returns
    -------
    Window
        0 to 80 HU for CT; else from the percentile 0.5 of the finite values inside the brain to a fifth of the way
        beyond the percentile 99.7, at most 1.8 times the way to the percentile 75.
    """
    if not images:
        raise ValueError("give at least one image to choose a window for.")
    if all(image.unit == "HU" for image in images):
        return WINDOWS_HU["brain"]
    looked_at = np.concatenate([_inside(image, brain) for image in images])
    if not looked_at.size:
        return Window(low=0.0, high=1.0)
    low, most, high = (float(value) for value in np.percentile(looked_at, _PERCENTILES))
    width = _HEADROOM * (high - low)
    if most > low:
        width = min(width, _MOST * (most - low))
    return Window(low=low, high=low + width if width > 0 else low + 1.0)


def _inside(image: Image, brain: Labels | None) -> NDArray[np.float64]:
    if brain is not None and brain.mask.any():
        chosen = image.values[brain.mask]
    else:
        positive = image.values[np.isfinite(image.values) & (image.values > 0)]
        chosen = positive[positive >= positive.mean() / 2] if positive.size else image.values.ravel()
    finite = np.asarray(chosen[np.isfinite(chosen)], dtype=np.float64)
    return finite[:: max(1, finite.size // _SAMPLE)]
