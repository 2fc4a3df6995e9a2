"""What an aligner looks at: an image with its range tamed, at a coarser spacing, with where it counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.image import Image, Labels, resample

_HU_WINDOW = (-200.0, 300.0)  # air and fat, fluid, brain and bone each keep bins of their own
_TAILS_PERCENT = (0.05, 99.9)  # a few hot voxels must not squeeze all tissue into one bin
_RATIO_SLACK = 1e-3
_PERCENTILE_SAMPLES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class WorkingImage:
    """Values, grid, and a mask of the voxels that count, all at one spacing."""

    values: NDArray[np.float32]  # (I, J, K)
    grid: Grid
    mask: NDArray[np.bool_]  # (I, J, K)

    @property
    def image(self) -> Image:
        """The values as an image."""
        return Image(self.values, self.grid)


def working_image(image: Image, mask: Labels | None, *, name: str, finest_mm: float = 0.0) -> WorkingImage:
    """Prepare an image for alignment.

    Parameters
    ----------
    image : Image
        Scalar, three axes, at least two voxels along each.
    mask : Labels or None
        Where the image counts, on any grid of the same space; everywhere when None.
    name : str
        "fixed" or "moving", for messages.
    finest_mm : float
        Whole voxels are averaged until the spacing is close to this, mm; 0 keeps them all.

    Returns
    -------
    WorkingImage
        Range cut to the window of soft tissue and bone (HU) or to the 0.05 to 99.9 percentiles, NaN filled with the
        lowest value and left out of the mask; a sheared grid replaced by an orthogonal one.

    Raises
    ------
    ValueError
        If the image is not scalar and three-dimensional, is constant, or the mask is empty.
    """
    if image.grid.ndim != 3 or not image.is_scalar:
        raise ValueError(f"the {name} image is {image!r}; alignment needs one scalar image of three axes.")
    if min(image.grid.shape) < 2:
        raise ValueError(f"the {name} image has shape {image.grid.shape}; alignment needs two voxels along each axis.")
    values = np.asarray(image.values, dtype=np.float32)
    finite = np.isfinite(values)
    if not finite.any():
        raise ValueError(f"the {name} image holds no finite value.")
    low, high = _HU_WINDOW if image.unit == "HU" else _tails(values[finite])
    if not high > low:
        low, high = float(values[finite].min()), float(values[finite].max())
    if not high > low:
        raise ValueError(f"the {name} image is constant ({low:g}); there is nothing to align.")
    values = np.clip(np.where(finite, values, low), low, high).astype(np.float32)
    if mask is not None:
        inside = mask.mask if mask.grid.same_as(image.grid) else resample(mask, onto=image.grid).values != 0
        if not inside.any():
            raise ValueError(f"the {name} mask is empty on the {name} image; give a mask that overlaps it.")
        finite = finite & inside
        if not finite.any():
            raise ValueError(f"the {name} image has no finite value inside the {name} mask.")
    work = coarser(WorkingImage(values=values, grid=image.grid, mask=finite), finest_mm)
    if work.grid.is_orthogonal:
        return work
    grid = _upright(work.grid)
    return WorkingImage(
        values=np.asarray(resample(work.image, onto=grid, outside=float(low)).values, dtype=np.float32),
        grid=grid,
        mask=resample(Labels(work.mask, work.grid), onto=grid).values != 0,
    )


def _tails(values: NDArray[np.float32]) -> tuple[float, float]:
    """Give the percentiles between which the values are kept, from a million voxels evenly chosen."""
    low, high = np.percentile(values[:: max(1, len(values) // _PERCENTILE_SAMPLES)], _TAILS_PERCENT)
    return float(low), float(high)


def coarser(image: WorkingImage, spacing_mm: float) -> WorkingImage:
    """Average whole voxels until the spacing is close to, and not beyond, `spacing_mm`."""
    factors = [
        max(1, min(n // 2, int(np.floor(spacing_mm / s + _RATIO_SLACK))))
        for s, n in zip(image.grid.spacing_mm, image.grid.shape, strict=True)
    ]
    if max(factors) == 1:
        return image
    return WorkingImage(
        values=_block_means(image.values, factors),
        grid=_block_grid(image.grid, factors),
        mask=_coarser_mask(image.mask, factors),
    )


def blurred(image: WorkingImage, fwhm_mm: float) -> WorkingImage:
    """Blur the values with a Gaussian, wider than the voxel only."""
    sigma = [fwhm_mm / 2.355 / s for s in image.grid.spacing_mm]
    return WorkingImage(values=ndimage.gaussian_filter(image.values, sigma), grid=image.grid, mask=image.mask)


def cropped_to_mask(image: WorkingImage, margin_mm: float) -> WorkingImage:
    """Cut away what lies further than `margin_mm` from the mask: it cannot matter and costs time."""
    if not image.mask.any():
        return image
    margin = np.ceil(margin_mm / np.asarray(image.grid.spacing_mm)).astype(int)
    box = ndimage.find_objects(image.mask.astype(np.uint8))[0]
    start = [max(0, s.start - m) for s, m in zip(box, margin, strict=True)]
    stop = [min(n, s.stop + m) for s, m, n in zip(box, margin, image.grid.shape, strict=True)]
    cut = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    return WorkingImage(values=image.values[cut], grid=image.grid.cropped(start, stop), mask=image.mask[cut])


def _coarser_mask(mask: NDArray[np.bool_], factors: list[int]) -> NDArray[np.bool_]:
    if mask.all():
        return np.ones([n // f for n, f in zip(mask.shape, factors, strict=True)], dtype=bool)
    return _block_means(mask.astype(np.float32), factors) >= 0.5


def _block_means(values: NDArray[np.float32], factors: list[int]) -> NDArray[np.float32]:
    for axis, factor in enumerate(factors):
        if factor == 1:
            continue
        count = values.shape[axis] // factor
        kept = np.take(values, range(count * factor), axis=axis) if values.shape[axis] % factor else values
        shape = (*kept.shape[:axis], count, factor, *kept.shape[axis + 1 :])
        values = kept.reshape(shape).mean(axis=axis + 1, dtype=np.float32)
    return values


def _block_grid(grid: Grid, factors: list[int]) -> Grid:
    """Compute the grid of the averages of whole blocks of voxels; the outer edge of the first one stays."""
    old = np.asarray(grid.spacing_mm)
    block = grid.with_spacing((old * factors).tolist(), keep="extent")
    return block.cropped((0, 0, 0), [n // f for n, f in zip(grid.shape, factors, strict=True)])


def _upright(grid: Grid) -> Grid:
    """Compute the orthogonal grid along the world axes that covers a sheared one, at its finest spacings."""
    corners = grid.corners_mm()
    low, high = corners.min(axis=0), corners.max(axis=0)
    spacing = np.array([min(grid.spacing_mm), min(grid.spacing_mm), max(grid.spacing_mm)])
    shape = np.ceil((high - low) / spacing).astype(int) + 1
    return Grid.from_parts(
        tuple(shape), spacing_mm=spacing.tolist(), origin_mm=low, frame_of_reference=grid.frame_of_reference
    )
