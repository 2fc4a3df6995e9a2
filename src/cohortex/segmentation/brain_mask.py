"""The brain in a head, by the template: pose, deformation, then the edge that the intensities show."""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.image import Image, Labels, upsample
from cohortex.intensity.bias import correct_bias
from cohortex.progress import Progress, ProgressCallback, silent
from cohortex.registration.deformable import align_deformable
from cohortex.registration.working import WorkingImage, coarser
from cohortex.segmentation.brain_search import TemplateHead, find_brain, soft_tissue, template_head
from cohortex.templates.matching import tissue_colours
from cohortex.templates.mni152 import Template, mni152
from cohortex.transform import Affine, Transform, warp

_WORKING_MM = 2.0
_READING_MM = 1.5
_FINEST_MM = 4.0
_SMOOTHING_MM = 6.0  # a stiff surface does not follow the fluid into the furrows
_EDGE_MM = 1.3  # sigma of the edge that is cut
_HIDDEN_EDGE_LEVEL = 0.3  # 0.7 mm further out: where fluid is as dark as bone the edge that is followed is the cortex
_CLOSING_MM = 8.0  # a lesion at the surface stays inside
_ROOM_MM = 16.0  # around the template's brain in its pose; a deformation reaches some 8 mm
_STRIPPED_DICE = 0.85
_STRIPPED_BACKGROUND = 0.2  # of all voxels, with exactly one value


@dataclass(frozen=True, kw_only=True)
class BrainExtraction:
    """The brain of an image and where the template's brain lay when it was found.

    Attributes
    ----------
    mask : Labels
        1 in the brain with its fluid, on the grid of the image.
    image_from_template : Affine
        Affine pose of the template, world mm; reuse it to start the alignment with the template.
    similarity : float
        Mutual information of that pose, nats; 0.4 and more for heads.
    overlap : float
        Fraction of the template's brain inside the field of view; well below 1 for a cropped one.
    already_extracted : bool
        Whether the image held a brain without a head.
    volume_ml : float
        Volume of the mask, ml.
    """

    mask: Labels
    image_from_template: Affine
    similarity: float
    overlap: float
    already_extracted: bool

    @property
    def volume_ml(self) -> float:
        """Volume of the mask, ml."""
        return float(np.count_nonzero(self.mask.values)) * self.mask.grid.voxel_volume_mm3 / 1000


def brain_mask(
    image: Image, *, template: Template | None = None, progress: ProgressCallback = silent
) -> BrainExtraction:
    """Outline the brain of a head.

    Parameters
    ----------
    image : Image
        Scalar image of three axes; T1, T1 with contrast agent, T2, FLAIR, or CT in HU; thick slices and cropped
        fields of view too. Its axes must be known to within some 35 degrees.
    template : Template, optional
        Template to look for; MNI152 at 2 mm when omitted.
    progress : callable
        Told after each stage.

    Returns
    -------
    BrainExtraction
        The mask and the pose.

    Raises
    ------
    ValueError
        If the image is not scalar and three-dimensional, or is constant.
    AlignmentFailure
        If nothing like a brain is found.
    """
    if image.grid.ndim != 3 or not image.is_scalar:
        raise ValueError(f"the image is {image!r}; give one scalar image of three axes.")
    task = "brain extraction"
    template = mni152(spacing_mm=_WORKING_MM) if template is None else template
    small = soft_tissue(_smaller(image))
    pose = find_brain(small, template)
    progress(Progress(task=task, done=1, total=3))
    rough = _on_image(template.brain, pose.image_from_template, pose.image_from_template.inverse(), small.grid)
    stripped = _is_brain_alone(small, rough)
    if stripped:
        mask = _tidied(_shown(image), image.grid)
    else:
        even = correct_bias(small, mask=Labels(rough, small.grid)) if image.unit != "HU" else small
        deformed, edge_seen = _deformed(even, template_head(template), pose.image_from_template)
        progress(Progress(task=task, done=2, total=3))
        level = 0.5 if edge_seen else _HIDDEN_EDGE_LEVEL
        mask = _on_image(
            template.brain, pose.image_from_template, deformed, image.grid, closing_mm=_CLOSING_MM, level=level
        )
    progress(Progress(task=task, done=3, total=3))
    return BrainExtraction(
        mask=Labels(mask, image.grid, metadata={"label_names": {1: "brain"}}),
        image_from_template=pose.image_from_template,
        similarity=pose.similarity,
        overlap=pose.overlap,
        already_extracted=stripped,
    )


def _deformed(image: Image, head: TemplateHead, image_from_template: Affine) -> tuple[Transform, bool]:
    """Fit the layered head to the image; give template_from_image, and whether fluid stands out from bone."""
    there = np.asarray(warp(image, image_from_template, onto=head.grid, outside=np.nan).values, dtype=np.float32)
    colours = tissue_colours(there, head.layers, head.near & np.isfinite(there))
    aligned = align_deformable(
        Image(colours.expected(head.layers), head.grid),
        image,
        start=image_from_template,
        fixed_mask=Labels(head.near, head.grid),
        finest_mm=_FINEST_MM,
        smoothing_mm=_SMOOTHING_MM,
    )
    values = colours.values
    edge_seen = abs(values["csf"] - values["bone"]) > abs(values["grey"] - values["csf"])
    return aligned.fixed_from_moving, edge_seen


def _on_image(
    brain: Labels,
    image_from_template: Affine,
    template_from_image: Transform,
    whole: Grid,
    *,
    closing_mm: float = 0.0,
    level: float = 0.5,
) -> NDArray[np.bool_]:
    """Read a smooth mask through a transform at 2 mm, close its furrows, cut it at a level on the grid."""
    box = _box(brain, image_from_template, whole)
    grid = whole.cropped([s.start for s in box], [s.stop for s in box])
    spacing = [float(np.clip(s, _READING_MM, _WORKING_MM)) for s in grid.spacing_mm]
    coarse = grid.with_spacing(spacing, keep="extent").padded(int(closing_mm / min(spacing)) + 1)
    share = Image(ndimage.gaussian_filter(brain.values.astype(np.float32), 0.5), brain.grid)
    there = warp(share, template_from_image, onto=coarse)
    if closing_mm:
        there = there.with_values(_closed(np.asarray(there.values) >= 0.5, coarse, closing_mm))
    mask = np.zeros(whole.shape, dtype=bool)
    mask[box] = _tidied(np.asarray(upsample(there, onto=grid).values >= level), grid)
    return mask


def _box(brain: Labels, image_from_template: Affine, grid: Grid) -> tuple[slice, ...]:
    """Find the part of a grid that holds the template's brain in its pose, with room for its deformation."""
    index = grid.index_of(image_from_template(brain.grid.world_of(np.argwhere(brain.mask)[::7])))
    room = _ROOM_MM / np.asarray(grid.spacing_mm)
    start = np.clip(np.floor(index.min(axis=0) - room), 0, np.asarray(grid.shape) - 1).astype(int)
    stop = np.clip(np.ceil(index.max(axis=0) + room) + 1, start + 1, grid.shape).astype(int)
    return tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))


def _closed(mask: NDArray[np.bool_], grid: Grid, radius_mm: float) -> NDArray[np.float32]:
    """Fill what a ball of the radius cannot enter from outside; a little blurred, so that 0.5 is a smooth edge."""
    wide = ndimage.distance_transform_edt(~mask, sampling=grid.spacing_mm) <= radius_mm
    closed = np.asarray(ndimage.distance_transform_edt(wide, sampling=grid.spacing_mm)) > radius_mm
    return np.asarray(ndimage.gaussian_filter(closed.astype(np.float32), [_EDGE_MM / s for s in grid.spacing_mm]))


def _is_brain_alone(image: Image, rough: NDArray[np.bool_]) -> bool:
    """Recognise an image that is blank outside a brain."""
    shown = _shown(image)
    if 1 - np.mean(shown) < _STRIPPED_BACKGROUND:
        return False
    mask = _tidied(shown, image.grid)
    both = int(np.count_nonzero(mask)) + int(np.count_nonzero(rough))
    return both > 0 and 2 * int(np.count_nonzero(mask & rough)) / both >= _STRIPPED_DICE


def _shown(image: Image) -> NDArray[np.bool_]:
    """Find where the image differs from the typical value of its border."""
    values = np.nan_to_num(np.asarray(image.values, dtype=np.float32))
    edge = np.concatenate([np.take(values, [0, -1], axis=axis).ravel() for axis in range(3)])
    return np.asarray(values != float(np.median(edge)))


def _smaller(image: Image) -> Image:
    """Average whole voxels to about 2 mm: all that finding and fitting a brain need."""
    work = coarser(
        WorkingImage(
            values=np.nan_to_num(np.asarray(image.values, dtype=np.float32)),
            grid=image.grid,
            mask=np.ones(image.grid.shape, dtype=bool),
        ),
        _WORKING_MM,
    )
    return Image(work.values, work.grid, image.unit)


def _tidied(mask: NDArray[np.bool_], grid: Grid) -> NDArray[np.bool_]:
    """Keep the largest piece, without holes."""
    pieces = cc3d.connected_components(mask, connectivity=6)
    if pieces.max() == 0:
        return mask
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    largest = pieces == int(np.argmax(sizes))
    filled = np.asarray(ndimage.binary_fill_holes(largest))
    thin = int(np.argmax(grid.spacing_mm))
    for k in range(grid.shape[thin]):  # slice by slice too: a cut-off head is open at its end
        cut = tuple(slice(None) if axis != thin else k for axis in range(3))
        filled[cut] = ndimage.binary_fill_holes(filled[cut])
    return filled
