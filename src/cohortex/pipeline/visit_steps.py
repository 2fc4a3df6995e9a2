"""The steps of one visit, from files to measured lesions: thin, each one call to the floor below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from cohortex.errors import VisitProblem
from cohortex.geometry import axis_codes
from cohortex.image import Image, Labels
from cohortex.intensity import correct_bias
from cohortex.io import read_upload
from cohortex.io.formats import format_of
from cohortex.io.upload import Problem
from cohortex.lesions import Lesion, LesionOutline, measure_lesions, outline_lesions
from cohortex.measure import QualityFlag, check_quality
from cohortex.pipeline.contrast import Contrast, recognise_contrast
from cohortex.pipeline.series import SeriesLook
from cohortex.pipeline.step import step
from cohortex.pipeline.visits import LISTED, names_of
from cohortex.progress import ProgressCallback, silent
from cohortex.registration import align_rigid
from cohortex.registration.alignment import Alignment
from cohortex.segmentation import BrainExtraction, brain_mask, with_margin
from cohortex.templates import (
    TemplateAlignment,
    align_to_template,
    describe_place,
    difference_to_template,
    fluid_inflow_on,
    log_jacobian,
    tissue_on,
)
from cohortex.templates.deviation import Deviation, deviating_groups
from cohortex.transform import Affine, Rigid, Transform, warp

_LOST = "files_lost_beside"  # entry of a series: files of its folder that could not be read
_RIM_MM = 6.0  # around the brain: its edge is information for an alignment


@dataclass(frozen=True, kw_only=True)
class ReadVisit:
    """What was in the files of a visit.

    Attributes
    ----------
    images : tuple of Image
        Every image that could be read.
    count : int
        How many.
    problems : tuple of str
        What could not, with file, reason and remedy.
    notes : tuple of str
        What looks odd about the upload as a whole.
    """

    images: tuple[Image, ...]
    count: int
    problems: tuple[str, ...]
    notes: tuple[str, ...]


@step(
    version=3, title="read the files", sentence="Images were read in patient coordinates with their values unchanged."
)
def read_visit(files: Sequence[Path], *, progress: ProgressCallback = silent) -> ReadVisit:
    """Read every image of a visit; a bad series never loses the good ones, unless slices of those may be among it.

    Nothing readable is a failure of the step, so that it is neither kept as a result nor told as done.
    """
    found = _read(files, progress)
    if not found.images:
        raise VisitProblem(why_no_image(files, found.problems))
    return found


@step(
    version=1, title="read the files", sentence="Images were read in patient coordinates with their values unchanged."
)
def read_some(file: Path, *, progress: ProgressCallback = silent) -> ReadVisit:
    """Read the images of one path of a visit by itself, so that another path that comes later touches none of them.

    Nothing readable here is no failure: the other paths may hold what is needed.
    """
    return _read([file], progress)


def _read(files: Sequence[Path], progress: ProgressCallback) -> ReadVisit:
    uploads = [read_upload(file, uneven="resample", progress=progress) for file in files]
    images = tuple(_with_lost_slices(image, upload.problems) for upload in uploads for image in upload.images)
    return ReadVisit(
        images=images,
        count=len(images),
        problems=tuple(problem.reason for upload in uploads for problem in upload.problems),
        notes=tuple(warning for upload in uploads for warning in upload.warnings),
    )


def why_no_image(paths: Sequence[Path], problems: Sequence[str]) -> str:
    """Say why a visit holds nothing to work on."""
    names = names_of(paths)
    if not problems:
        return (
            f"{names}: no DICOM, NIfTI, NRRD or MetaImage file in it. Give the archive or folder that holds the scans."
        )
    more = f" ({len(problems) - LISTED} more files are broken.)" if len(problems) > LISTED else ""
    return f"{names}: no image could be read. {' '.join(problems[:LISTED])}{more}"


def _with_lost_slices(image: Image, problems: Sequence[Problem]) -> Image:
    """Note on a DICOM series which files beside its own could not be read: any of them may be its outermost slices."""
    own = image.metadata.get("source_files")
    if not isinstance(own, list | tuple) or len(own) < 2:
        return image
    folders = {PurePosixPath(str(name)).parent for name in own}
    lost = [p for p in problems if not p.series_known and format_of(p.file) is None]
    lost = [p for p in lost if PurePosixPath(p.file).parent in folders]
    return image.with_metadata(**{_LOST: len(lost)}) if lost else image


@step(
    version=4, title="check the quality", sentence="Each series was checked for missing slices, truncation and noise."
)
def look_at(image: Image, *, chosen: Mapping[str, Contrast]) -> SeriesLook:
    """Recognise the contrast of a series and check its quality."""
    guess = recognise_contrast(image, chosen=chosen)
    grid = image.grid
    is_volume = image.is_scalar and not isinstance(image, Labels) and grid.ndim == 3 and grid.orientation_known
    real = not isinstance(image, Labels) and "vector" not in image.extra_axes and not np.iscomplexobj(image.values)
    warnings = image.metadata.get("warnings") or ()
    return SeriesLook(
        name=str(image.metadata.get("series_description") or image.metadata.get("source") or "unnamed series"),
        contrast=guess.contrast,
        contrast_reason=guess.reason,
        shape=image.values.shape,
        spacing_mm=grid.spacing_mm,
        orientation=axis_codes(grid) if grid.ndim == 3 else "2-D",
        unit=image.unit,
        is_volume=is_volume and min(grid.shape) > 1,
        quality=(*_lost_slices(image), *(check_quality(image) if real else ())),
        warnings=tuple(str(w) for w in warnings) if isinstance(warnings, list | tuple) else (str(warnings),),
        slice_numbers=_slice_numbers(image),
    )


def _lost_slices(image: Image) -> tuple[QualityFlag, ...]:
    lost = image.metadata.get(_LOST)
    if not isinstance(lost, int):
        return ()
    message = (
        f"{lost} {'file' if lost == 1 else 'files'} beside its {image.grid.shape[2]} slices could not be read; slices "
        "may be missing at its end. Send the series again."
    )
    return (QualityFlag(check="unreadable slices", level="fail", message=message, value=float(lost)),)


def _slice_numbers(image: Image) -> tuple[int, ...] | None:
    numbers = image.metadata.get("instance_numbers")
    if isinstance(numbers, list | tuple) and image.grid.ndim == 3 and len(numbers) == image.grid.shape[2]:
        return tuple(int(n) for n in numbers) if all(isinstance(n, int) for n in numbers) else None
    return None


@step(
    version=2,
    title="find the brain",
    sentence="The brain was outlined by aligning the template with the head and following its deformed edge.",
)
def find_brain(image: Image, *, progress: ProgressCallback = silent) -> BrainExtraction:
    """Outline the brain in a head."""
    return brain_mask(image, progress=progress)


@step(
    version=1, title="take the shading off", sentence="Shading was removed with N4 (Tustison et al. 2010), CT excepted."
)
def take_shading_off(image: Image, brain: Labels) -> Image:
    """Correct the bias field inside the brain; Hounsfield units have none."""
    return image if image.unit == "HU" else correct_bias(image, mask=brain)


@step(
    version=2,
    title="align the series",
    sentence="The series of the visit were aligned rigidly with each other by mutual information.",
)
def align_series(with_brain: Image, brain: Labels, other: Image, *, progress: ProgressCallback = silent) -> Alignment:
    """Align another series of the same visit (moving) with one whose brain is known (fixed).

    The head hardly moves between series, so the scanner's own coordinates are tried first; where they do not lead to a
    clear optimum every pose is.
    """
    mask = with_margin(brain, margin_mm=_RIM_MM)
    aligned = align_rigid(with_brain, other, start=Rigid.identity(), fixed_mask=mask, progress=progress)
    if aligned.converged:
        return aligned
    anew = align_rigid(with_brain, other, fixed_mask=mask, progress=progress)
    return max(aligned, anew, key=lambda alignment: alignment.similarity)


@step(version=1, title="join the alignments")
def chained(outer: Transform, inner: Transform) -> Transform:
    """Join two transforms into one chain, applied inner first."""
    return outer @ inner


@step(version=1, title="bring the brain mask over")
def brain_onto(brain: Labels, brain_from_image: Transform, image: Image) -> Labels:
    """Bring a brain mask onto the grid of another series, cut at one half."""
    share = Image(brain.values.astype(np.float32), brain.grid)
    return Labels(warp(share, brain_from_image, onto=image.grid).values >= 0.5, image.grid)


@step(version=1, title="bring the series together")
def bring_onto(image: Image, image_from_target: Transform, target: Image) -> Image:
    """Sample a series once, on the grid of the outlined one."""
    return warp(image, image_from_target, onto=target.grid)


@step(
    version=2,
    title="align with the template",
    sentence=(
        "The brain was aligned with MNI152 (template version 0), affine and then elastically, against the template in "
        "the contrast of the series."
    ),
)
def align_with_template(
    image: Image, brain: Labels, image_from_template: Affine, *, progress: ProgressCallback = silent
) -> TemplateAlignment:
    """Align the brain with the template, with the way back."""
    return align_to_template(image, brain=brain, start=image_from_template, progress=progress)


@step(version=1, title="bring the tissue maps over")
def tissue_onto(template_from_image: Transform, brain: Labels) -> dict[str, Image]:
    """Bring the template's grey, white and fluid fractions onto the grid of a series."""
    return tissue_on(brain.grid, template_from_image=template_from_image, brain=brain)


@step(version=2, title="find where fluid flows in")
def inflow_onto(template_from_image: Transform, image: Image) -> Labels:
    """Mark where fresh fluid is bright on FLAIR in healthy heads too."""
    return fluid_inflow_on(image.grid, template_from_image=template_from_image)


@step(
    version=4,
    title="outline lesions",
    sentence=(
        "Lesions were outlined where the series departs from what its own healthy tissue foretells, with partial "
        "volume; other contrasts served to tell fluid and flow apart. On FLAIR the medulla, where fluid flows in, was "
        "not searched."
    ),
)
def outline(
    images: Mapping[str, Image],
    brain: Labels,
    tissue: Mapping[str, Image],
    inflow: Labels,
    template_converged: bool,
    *,
    contrast: str,
) -> LesionOutline:
    """Outline the lesions of the visit; nothing where `why_not_outlined` has a reason."""
    if why_not_outlined(contrast, template_converged):
        brain = brain.with_values(np.zeros_like(brain.values))
    unsearched = inflow if contrast == "FLAIR" else None
    return outline_lesions(images, brain=brain, tissue=tissue, contrast=contrast, unsearched=unsearched)


def why_not_outlined(contrast: str, template_converged: bool) -> str:
    """Say why lesions are not looked for on a series; empty where they are."""
    if not template_converged:
        return "the alignment with the template failed"
    if contrast == "CT":
        return "on CT alone no method here tells lesions from healthy tissue"
    return ""


@step(
    version=1,
    title="measure lesions",
    sentence="Volumes count partial volume; diameters lie in the plane of the slices.",
)
def measure(
    found: LesionOutline, template_from_image: Transform, *, slice_numbers: Sequence[int] | None
) -> tuple[Lesion, ...]:
    """Measure the lesions and say where they lie."""
    return measure_lesions(
        found,
        template_from_visit=template_from_image,
        describe=lambda points: describe_place(points).words,
        slice_numbers=slice_numbers,
    )


@dataclass(frozen=True, kw_only=True)
class TemplateMaps:
    """How a visit differs from the template, on the grid of the outlined series.

    Attributes
    ----------
    difference : Image
        z against the template in the contrast of the series; 0 outside the brain.
    log_jacobian : Image
        Natural logarithm of the local volume, visit over template, relative to the brain's overall size; 0 outside.
    deviation : Deviation
        Groups of voxels that differ most.
    places : tuple of str
        Where each group lies, in words.
    """

    difference: Image
    log_jacobian: Image
    deviation: Deviation
    places: tuple[str, ...]
    template_mm: tuple[tuple[float, float, float], ...]


@step(
    version=2,
    title="compare with the template",
    sentence=(
        "The series was compared with the template in its own contrast, in units of the spread of its healthy tissue; "
        "volume differences are the logarithm of the Jacobian determinant, relative to the brain's overall size."
    ),
)
def compare_with_template(
    image: Image, brain: Labels, tissue: Mapping[str, Image], template_from_image: Transform
) -> TemplateMaps:
    """Map the difference to the template and the deformation onto it."""
    difference = difference_to_template(image, brain=brain, tissue=tissue)
    volume = log_jacobian(template_from_image, brain=brain)
    deviation = deviating_groups(difference, brain=brain)
    points = [template_from_image(np.asarray(group.centroid_mm)) for group in deviation.groups]
    return TemplateMaps(
        difference=difference,
        log_jacobian=volume,
        deviation=deviation,
        places=tuple(describe_place(point).words for point in points),
        template_mm=tuple((float(x), float(y), float(z)) for x, y, z in points),
    )
