"""Scales made comparable: one image against its own white matter, two visits against each other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cohortex.image import Image, Labels

_PURE = 0.9
_LEAST_VOXELS = 50
_ROUNDS = 20
_TUKEY = 4.685  # of robust standard deviations
_MAD_TO_SD = 1.4826
_SAMPLES = 300_000


@dataclass(frozen=True, kw_only=True)
class MatchedScales:
    """Two visits on one scale, halfway between their own.

    Attributes
    ----------
    baseline, follow_up : Image
        The visits, float32, on the grid they came on.
    gain, offset : float
        What was found: follow-up value = gain × baseline value + offset.
    """

    baseline: Image
    follow_up: Image
    gain: float
    offset: float


def standardise(image: Image, *, mask: Labels, white: Image | None = None) -> Image:
    """Divide an image by the typical value of its white matter, or of its brain.

    Parameters
    ----------
    image : Image
        Scalar image, shading taken off; NaN stays NaN and takes no part.
    mask : Labels
        Brain mask on the grid of the image.
    white : Image, optional
        Fraction of white matter on the same grid. Without it the median of the mask is the reference: less steady,
        since it moves with the field of view.

    Returns
    -------
    Image
        float32, unit "white matter = 1" or "brain median = 1"; the metadata entries "intensity_scale" (what the values
        were divided by) and "intensity_reference" undo it. An image in HU comes back as it is: its scale means
        something already.

    Raises
    ------
    ValueError
        If the grids differ, fewer than 50 voxels serve as reference, or their median is not positive.
    """
    if image.unit == "HU":
        return image
    where = _inside(image, mask)
    reference = "brain median"
    if white is not None:
        if not white.grid.same_as(image.grid):
            raise ValueError("white lies on another grid than the image; bring it over first.")
        where = where & (np.asarray(white.values) >= _PURE)
        reference = "white matter"
    if np.count_nonzero(where) < _LEAST_VOXELS:
        raise ValueError(f"{np.count_nonzero(where)} voxels of {reference} in the mask; {_LEAST_VOXELS} are needed.")
    scale = float(np.median(image.values[where]))
    if not scale > 0:
        raise ValueError(f"the {reference} of the image is {scale:g}; only a positive value can be a scale.")
    values = np.asarray(image.values, dtype=np.float32) / np.float32(scale)
    return image.with_values(values, unit=f"{reference} = 1").with_metadata(
        intensity_scale=scale, intensity_reference=reference
    )


def match_to(baseline: Image, follow_up: Image, *, mask: Labels) -> MatchedScales:
    """Bring two visits to one scale by a robust line that favours neither.

    Parameters
    ----------
    baseline, follow_up : Image
        One contrast of two visits on one grid (the midway grid), shading taken off.
    mask : Labels
        Brain of both, on that grid.

    Returns
    -------
    MatchedScales
        Both visits halfway between their scales; where follow-up = gain × baseline + offset holds, they are equal. The
        gain is the ratio of standard deviations (reduced major axis [1]_) of what is left when Tukey's biweight has
        taken weight from voxels that do not fit, such as changed lesions. Swapping the visits swaps the answer to the
        last bit. Images in HU come back as they are, gain 1 and offset 0.

    Raises
    ------
    ValueError
        If grids or units differ, fewer than 50 voxels are finite in both, or either visit is constant.

    References
    ----------
    .. [1] Smith, *Use and misuse of the reduced major axis for line-fitting*, American Journal of Physical
       Anthropology 140, 2009, 10.1002/ajpa.21090.
    """
    if not baseline.grid.same_as(follow_up.grid):
        raise ValueError("the visits lie on different grids; bring both onto the midway grid first.")
    if (baseline.unit == "HU") != (follow_up.unit == "HU"):
        raise ValueError(f"the visits are in {baseline.unit} and {follow_up.unit}; only like can be matched with like.")
    if baseline.unit == "HU":
        return MatchedScales(baseline=baseline, follow_up=follow_up, gain=1.0, offset=0.0)
    where = _inside(baseline, mask) & np.isfinite(follow_up.values)
    if np.count_nonzero(where) < _LEAST_VOXELS:
        raise ValueError(f"{np.count_nonzero(where)} voxels in both visits and the mask; {_LEAST_VOXELS} are needed.")
    a = np.asarray(baseline.values[where], dtype=np.float64)
    b = np.asarray(follow_up.values[where], dtype=np.float64)
    step = max(1, len(a) // _SAMPLES)
    a, b = a[::step], b[::step]
    swapped = _digest(b) < _digest(a)
    root, shift = _halfway_line(b, a) if swapped else _halfway_line(a, b)
    if swapped:  # a = root² b + 2 root shift, turned round
        ahead, behind = _on_line(follow_up, root, shift), _on_line(baseline, 1 / root, -shift)
        return MatchedScales(baseline=behind, follow_up=ahead, gain=1 / root**2, offset=-2 * shift / root)
    ahead, behind = _on_line(baseline, root, shift), _on_line(follow_up, 1 / root, -shift)
    return MatchedScales(baseline=ahead, follow_up=behind, gain=root**2, offset=2 * shift * root)


def _halfway_line(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float]:
    """Fit b = g a + o; give √g and o / (2 √g), so that √g a + shift and b / √g - shift meet in the middle."""
    weight = np.ones(len(a))
    root, shift = 1.0, 0.0
    for _ in range(_ROUNDS):
        total = float(weight.sum())
        mean_a, mean_b = float(weight @ a) / total, float(weight @ b) / total
        power_a, power_b = float(weight @ (a - mean_a) ** 2), float(weight @ (b - mean_b) ** 2)
        if not (power_a > 0 and power_b > 0):
            raise ValueError("a visit is constant inside the mask; there is no scale to match.")
        root = float((power_b / power_a) ** 0.25)
        shift = (mean_b / root - root * mean_a) / 2
        residual = (root * a + shift) - (b / root - shift)
        middle = float(np.median(residual))
        limit = _TUKEY * _MAD_TO_SD * float(np.median(np.abs(residual - middle)))
        if limit == 0:
            break
        weight = np.clip(1 - ((residual - middle) / limit) ** 2, 0, None) ** 2
    return root, shift


def _on_line(image: Image, gain: float, offset: float) -> Image:
    return image.with_values(np.asarray(gain * np.asarray(image.values, dtype=np.float64) + offset, dtype=np.float32))


def _inside(image: Image, mask: Labels) -> NDArray[np.bool_]:
    if not mask.grid.same_as(image.grid):
        raise ValueError("the mask lies on another grid than the image; bring it over first.")
    return np.asarray(mask.mask & np.isfinite(image.values))


def _digest(samples: NDArray[np.float64]) -> bytes:
    return hashlib.sha256(samples.tobytes()).digest()
