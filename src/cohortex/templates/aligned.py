"""A visit in template space on a scale shared by all scanners: its grey values, its local volume, its shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.image import Image, Labels, sample_at_points
from cohortex.templates.mni152 import Template, mni152
from cohortex.templates.tissue_scale import tissue_medians, tissue_scale
from cohortex.transform import Affine, Transform

_HU_SOFT = (0.0, 100.0)  # fluid, brain and blood
_LEAST_SHARE = 0.5  # of a voxel that must be brain
_LESION_SHARE = 0.02  # of a blurred voxel: its neighbours are left out too, for an outline ends at half contrast
_VOXEL_SIGMA = 0.42  # of a voxel: a Gaussian as wide as the voxel at half maximum
_LEAST_DETERMINANT = 1e-3
SHAPE_STEP = 2
"""Voxel of the grid of shapes over that of the template."""


@dataclass(frozen=True, kw_only=True)
class AlignedBrain:
    """One brain in template space.

    Attributes
    ----------
    contrast : str
        Contrast of the image.
    image : Image
        Grey values in units of healthy white matter of the visit, fluid and grey matter brought to the levels of
        `TISSUE_LEVELS`; unit "white matter", 0 outside the brain.
    log_jacobian : Image
        Natural logarithm of local volume, visit over template, less that of the brain as a whole; unit "ln",
        0 outside the template's brain.
    displacement : Image
        Where the anatomy of the template lies in this brain, less position, orientation, size and shear: world mm of
        the template, on a grid twice as coarse, shape (I, J, K, 3). 0 outside the template's brain.
    brain : Labels
        1 where the template's brain is brain of the visit.
    healthy : Labels
        The same without lesions and their rims: nothing else enters a template.
    size_ln : float
        Natural logarithm of the brain's overall volume over the template's.
    tissue_values : mapping of str to float
        What fluid, grey and white matter were worth in the visit, in the unit of its image.
    """

    contrast: str
    image: Image
    log_jacobian: Image
    displacement: Image
    brain: Labels
    healthy: Labels
    size_ln: float
    tissue_values: Mapping[str, float]

    @property
    def grid(self) -> Grid:
        """The grid of image and local volume, in template space."""
        return self.image.grid


def aligned_to_template(
    image: Image,
    *,
    brain: Labels,
    visit_from_template: Transform,
    contrast: str,
    lesions: Labels | None = None,
    spacing_mm: float = 2.0,
) -> AlignedBrain:
    """Bring a visit into template space, sampled once, in units that do not depend on the scanner.

    Parameters
    ----------
    image : Image
        Scalar image of three axes, bias corrected.
    brain : Labels
        Brain mask on its grid.
    visit_from_template : Transform
        Takes a point of MNI152 to the visit, world mm.
    contrast : str
        Key of `TISSUE_LEVELS`: "T1", "T1c", "T2", "FLAIR" or "CT".
    lesions : Labels, optional
        Outlines on the grid of the image; they are kept in `image` and left out of `healthy`.
    spacing_mm : float
        Spacing of the template grid, mm, 1 or more. A finer image is blurred to it first.

    Returns
    -------
    AlignedBrain
        On the grid of `mni152(spacing_mm=spacing_mm)`.

    Raises
    ------
    ValueError
        If the grids differ, the image is not scalar, too little brain lies on the template, or its tissues cannot be
        told apart (see `tissue_scale`).
    """
    if not image.is_scalar or image.grid.ndim != 3:
        raise ValueError("the image is not scalar with three axes; give one channel or time point of a volume.")
    for name, mask in (("brain mask", brain), ("lesion outline", lesions)):
        if mask is not None and not mask.grid.same_as(image.grid):
            raise ValueError(f"the {name} lies on another grid than the image; bring it onto the image first.")
    template = mni152(spacing_mm=spacing_mm)
    grid = template.grid
    points = visit_from_template(grid.world_points())
    sampled = sample_at_points(_blurred_channels(image, brain, lesions, spacing_mm), points)
    share = sampled[..., 1]
    inside = template.brain.mask & (share >= _LEAST_SHARE)
    healthy = inside & (sampled[..., 2] < _LESION_SHARE)
    values = np.divide(sampled[..., 0], share, out=np.zeros_like(share), where=inside)
    fractions = {name: np.asarray(map_.values, dtype=np.float32) for name, map_ in template.tissues.items()}
    found = tissue_medians(values, fractions, healthy)
    scale = tissue_scale(found, contrast=contrast)
    standard = np.where(inside, scale(values, fractions=fractions), np.float32(0))
    overall = _overall_affine(grid, points, template)
    shape_grid = grid.with_spacing([SHAPE_STEP * s for s in grid.spacing_mm])
    size = float(np.linalg.det(overall.matrix[:3, :3]))
    if not size > 0:
        raise ValueError(
            f"visit_from_template changes volume by {size:.3g}; it mirrors or flattens the brain. Align anew."
        )
    size_ln = float(np.log(size))
    return AlignedBrain(
        contrast=contrast,
        image=Image(standard, grid, "white matter"),
        log_jacobian=Image(
            np.where(template.brain.mask, _log_volume(points, grid) - np.float32(size_ln), np.float32(0)), grid, "ln"
        ),
        displacement=_shape_field(points, shape_grid, overall, template),
        brain=Labels(inside, grid),
        healthy=Labels(healthy, grid),
        size_ln=size_ln,
        tissue_values=found,
    )


def _blurred_channels(image: Image, brain: Labels, lesions: Labels | None, spacing_mm: float) -> Image:
    """Brain-weighted values, brain share and lesion share, blurred to template voxels: one sampling reads all."""
    values = np.nan_to_num(np.asarray(image.values, dtype=np.float32))
    if image.unit == "HU":
        values = np.clip(values, *_HU_SOFT)
    inside = (brain.mask & np.isfinite(image.values)).astype(np.float32)
    ill = np.zeros_like(inside) if lesions is None else lesions.mask.astype(np.float32)
    missing = [max(0.0, spacing_mm**2 - s**2) for s in image.grid.spacing_mm]
    sigma = [_VOXEL_SIGMA * np.sqrt(m) / s for m, s in zip(missing, image.grid.spacing_mm, strict=True)]
    channels = [ndimage.gaussian_filter(channel, sigma, mode="nearest") for channel in (values * inside, inside, ill)]
    return Image(np.stack(channels, axis=-1), image.grid, image.unit, extra_axes=("channel",))


def _overall_affine(grid: Grid, points: NDArray[np.float64], template: Template) -> Affine:
    """Fit visit_from_template by position, orientation, size and shear: least squares over the template's brain."""
    there = template.brain.mask
    source = grid.world_of(np.argwhere(there))
    middle = source.mean(axis=0)
    design = np.column_stack([source - middle, np.ones(len(source))])
    solved, *_ = np.linalg.lstsq(design, points[there], rcond=None)  # (4, 3)
    matrix = np.eye(4)
    matrix[:3, :3] = solved[:3].T
    matrix[:3, 3] = solved[3] - solved[:3].T @ middle
    return Affine(matrix)


def _log_volume(points: NDArray[np.float64], grid: Grid) -> NDArray[np.float32]:
    by_index = np.stack([np.gradient(points, axis=n) for n in range(3)], axis=-1)  # (..., world, index)
    ratio = np.linalg.det(by_index) / np.linalg.det(grid.world_from_index[:3, :3])
    return np.log(np.maximum(ratio, _LEAST_DETERMINANT)).astype(np.float32)


def _shape_field(points: NDArray[np.float64], coarse: Grid, overall: Affine, template: Template) -> Image:
    part = tuple(slice(0, SHAPE_STEP * n, SHAPE_STEP) for n in coarse.shape)
    field = overall.inverse()(points[part]) - coarse.world_points()
    inside = template.brain.mask[part]
    return Image(np.where(inside[..., None], field, 0).astype(np.float32), coarse, "mm", extra_axes=("vector",))
