"""A visit on the template: both directions of the alignment, the difference in grey value, and that in volume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.image import Image, Labels, resample
from cohortex.progress import ProgressCallback, silent
from cohortex.registration import align_affine, align_deformable
from cohortex.templates.matching import matched_to, tissue_colours
from cohortex.templates.mni152 import Template, mni152
from cohortex.transform import Affine, Transform, jacobian_determinant, warp

_WORKING_MM = 2.0
_HU_SOFT = (0.0, 100.0)  # fluid, brain and blood
_LEAST_SPREAD = 0.02  # of the expected value: a tissue that hardly varies must not make every voxel stand out
_LARGEST_Z = 20.0
_RIM_MM = 2.0
_KNOWN = 0.5  # sum of tissue fractions where the template is brain


@dataclass(frozen=True, kw_only=True)
class TemplateAlignment:
    """Where the anatomy of a visit lies in the template.

    Attributes
    ----------
    template_from_visit, visit_from_template : Transform
        Both directions, world mm.
    similarity : float
        Correlation with the template in the contrast of the image, inside the brain.
    converged : bool
        Whether the alignment may be trusted without looking.
    folded_fraction : float
        Fraction of voxels with a Jacobian of 0 or less.
    inverse_error_p95_mm : float
        95th percentile of there-and-back, mm.
    """

    template_from_visit: Transform
    visit_from_template: Transform
    similarity: float
    converged: bool
    folded_fraction: float
    inverse_error_p95_mm: float


def align_to_template(
    image: Image,
    *,
    brain: Labels,
    start: Affine | None = None,
    lesions: Labels | None = None,
    template: Template | None = None,
    progress: ProgressCallback = silent,
) -> TemplateAlignment:
    """Align a brain with the template, affine and then elastically, in the contrast of the image.

    Parameters
    ----------
    image : Image
        Scalar image of three axes, bias corrected; T1, T2, FLAIR or CT.
    brain : Labels
        Brain mask on its grid.
    start : Affine, optional
        image_from_template, as `segmentation.brain_mask` found it; searched for when omitted.
    lesions : Labels, optional
        Where the image is not to be trusted, on the same grid: it pulls nothing there, so that a lesion is not warped
        away.
    template : Template, optional
        MNI152 at 2 mm when omitted.
    progress : callable
        Told after each round.

    Returns
    -------
    TemplateAlignment
        Both directions and how good they are.

    Raises
    ------
    AlignmentFailure
        If the image does not overlap with the template or no start is found.
    """
    template = mni152(spacing_mm=_WORKING_MM) if template is None else template
    if start is None:
        found = align_affine(template.t1, image, fixed_mask=template.brain, moving_mask=brain)
        start = Affine(found.moving_from_fixed.matrix)  # type: ignore[attr-defined]
    healthy = brain if lesions is None else Labels(brain.mask & ~lesions.mask, brain.grid)
    visible = image if image.unit != "HU" else image.with_values(np.clip(np.nan_to_num(image.values), *_HU_SOFT))
    matched = matched_to(template, visible, image_from_template=start, mask=healthy)
    fluid = matched.colours.values["csf"]
    alone = np.where(brain.mask, np.nan_to_num(np.asarray(visible.values, dtype=np.float32)), np.float32(fluid))
    expected = np.where(template.brain.mask, matched.expected.values, np.float32(fluid))
    aligned = align_deformable(
        matched.expected.with_values(expected, unit="arbitrary"),
        image.with_values(alone.astype(np.float32), unit="arbitrary"),
        start=start,
        fixed_mask=template.brain,
        moving_mask=None if lesions is None else Labels(~lesions.mask, brain.grid),
        progress=progress,
    )
    return TemplateAlignment(
        template_from_visit=aligned.fixed_from_moving,
        visit_from_template=aligned.moving_from_fixed,
        similarity=float(np.sqrt(aligned.similarity)),
        converged=aligned.converged,
        folded_fraction=aligned.folded_fraction,
        inverse_error_p95_mm=aligned.inverse_error_mm,
    )


def tissue_on(
    grid: Grid, *, template_from_image: Transform, brain: Labels, template: Template | None = None
) -> dict[str, Image]:
    """Bring the template's tissue fractions onto an image.

    Parameters
    ----------
    grid : Grid
        Grid of the image.
    template_from_image : Transform
        The alignment, world mm.
    brain : Labels
        Brain mask on that grid; nothing is computed beyond the box around it.
    template : Template, optional
        MNI152 when omitted.

    Returns
    -------
    dict of str to Image
        "grey", "white" and "csf", fractions 0 to 1, float32, on `grid`; 0 beyond the template.

    Raises
    ------
    ValueError
        If `brain` lies on another grid.
    """
    if not brain.grid.same_as(grid):
        raise ValueError("the brain mask lies on another grid; bring it onto the image first.")
    template = mni152() if template is None else template
    names = list(template.tissues)
    together = np.stack([map_.values for map_ in template.tissues.values()], axis=-1)
    box = _box(brain.mask)
    small = grid.cropped([s.start for s in box], [s.stop for s in box])
    there = warp(Image(together, template.grid, "1", extra_axes=("channel",)), template_from_image, onto=small)
    result = {}
    for n, name in enumerate(names):
        values = np.zeros(grid.shape, dtype=np.float32)
        values[box] = there.values[..., n]
        result[name] = Image(values, grid, "1")
    return result


def difference_to_template(image: Image, *, brain: Labels, tissue: Mapping[str, Image]) -> Image:
    """Map how far each voxel is from what the template foretells in the contrast of the image.

    Parameters
    ----------
    image : Image
        Scalar image, bias corrected.
    brain : Labels
        Brain mask on its grid.
    tissue : mapping of str to Image
        Fractions of the template's tissues on the same grid, from `tissue_on`.

    Returns
    -------
    Image
        z on the grid of the image, float32, from -20 to 20: observed minus expected over the spread of healthy
        tissue in this image; positive is brighter. 0 outside the brain and within 2 mm or one
        voxel of its edge, where a voxel holds more than the template knows.

    Raises
    ------
    ValueError
        If fewer than 50 voxels of brain are there.
    """
    box, spacing = _box(brain.mask), image.grid.spacing_mm
    fractions = {name: np.asarray(map_.values[box], dtype=np.float32) for name, map_ in tissue.items()}
    values = np.nan_to_num(np.asarray(image.values[box], dtype=np.float32))
    known = brain.mask[box] & (sum(fractions.values()) > _KNOWN)
    colours = tissue_colours(values, fractions, known)
    floor = _LEAST_SPREAD * max(abs(value) for value in colours.values.values())
    z = (values - colours.expected(fractions)) / np.maximum(colours.spread(fractions), floor)
    padded = np.pad(brain.mask[box], 1)
    depth = np.where(ndimage.binary_erosion(padded), ndimage.distance_transform_edt(padded, sampling=spacing), 0)
    inner = depth[1:-1, 1:-1, 1:-1]  # the outermost voxels hold bone, however large they are
    result = np.zeros(image.grid.shape, dtype=np.float32)
    result[box] = np.where(known & (inner > _RIM_MM), np.clip(z, -_LARGEST_Z, _LARGEST_Z), 0)
    return Image(result, image.grid, "z")


def log_jacobian(template_from_image: Transform, *, brain: Labels) -> Image:
    """Map where a brain is larger or smaller than the template, beyond its overall size.

    Parameters
    ----------
    template_from_image : Transform
        The alignment, world mm.
    brain : Labels
        Brain mask on the grid wanted.

    Returns
    -------
    Image
        Natural logarithm of the local volume, visit over template, less its mean in the brain; float32, unit "ln": 0.1
        is 10 % larger than the brain as a whole would have it. 0 outside the brain. Computed at 2 mm.
    """
    grid = brain.grid
    coarse = grid.with_spacing([max(_WORKING_MM, s) for s in grid.spacing_mm], keep="extent").padded(1)
    shrinking = jacobian_determinant(template_from_image, coarse)  # template volume over visit volume
    local = resample(shrinking.with_values(-np.log(np.maximum(shrinking.values, 1e-3))), onto=grid).values
    inside = brain.mask
    overall = float(local[inside].mean()) if inside.any() else 0.0
    return Image(np.where(inside, local - overall, 0).astype(np.float32), grid, "ln")


def _box(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Find the smallest box around a mask; all of it where the mask is empty."""
    found = ndimage.find_objects(mask.astype(np.uint8))
    return tuple(found[0]) if found else tuple(slice(0, n) for n in mask.shape)
