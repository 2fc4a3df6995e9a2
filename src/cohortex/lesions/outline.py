"""Outlining the lesions of one visit: an honest classical method, with its limits said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.image import Image, Labels
from cohortex.lesions.backdrop import Backdrop
from cohortex.lesions.expectation import WHITE, expect_healthy
from cohortex.lesions.noise import NoiseModel, measure_noise
from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.scene import Scene, found_lesions, healthy_extras
from cohortex.lesions.smoothing import blurred, near
from cohortex.lesions.volume import MeasuredLesion, Measuring, ordered_by_volume

Array = NDArray[np.float32]
LabelArray = NDArray[np.int32]
Mask = NDArray[np.bool_]

OUTLINED_FIRST = ("FLAIR", "T2", "T1c", "T1", "CT")
"""Order in which a contrast is chosen for outlining."""
_SIGNS: dict[str, tuple[int, ...]] = {"FLAIR": (1,), "T2": (1,), "T1c": (1,), "T1": (-1,), "CT": (1, -1)}
_KINDS = {
    ("FLAIR", 1): "FLAIR hyperintense",
    ("T2", 1): "T2 hyperintense",
    ("T1c", 1): "T1 enhancing or hyperintense",
    ("T1", -1): "T1 hypointense",
    ("CT", 1): "CT hyperdense",
    ("CT", -1): "CT hypodense",
}
_LEAST_CONTRAST = {"FLAIR": 0.15, "T2": 0.2, "T1c": 0.15, "T1": 0.12, "CT": 0.25}  # of the level of white matter
_DEEP_ONLY = ("T1c", "T1", "CT")
"""Contrasts on which a sulcus, a vessel or bone looks like a lesion: only deep white matter is searched."""
_MARGIN_MM = 8.0


@dataclass(frozen=True, kw_only=True)
class LesionOutline:
    """The lesions of one visit, and all that measuring and comparing them needs.

    Attributes
    ----------
    labels : Labels
        Outlines at half contrast, on the grid of the outlined contrast, numbered from 1 by falling volume as measured
        before the last of them were dropped.
    fraction : Image
        Share of each voxel that is lesion, 0 to 1, unit "1"; its noise is cut at both ends, so that a volume is
        not its sum but that of the uncut shares.
    contrast : str
        Which contrast was outlined.
    difference, expected : Image
        Observed minus expected healthy intensity (0 outside the brain), and the latter, in the unit of the image, on
        the box of the grid around the brain; so are the next two.
    doubt : Image
        One standard deviation of that expectation: doubt about the tissue beneath.
    noise : NoiseModel
        How much of that changes from voxel to voxel, and how much from place to place.
    brain : Labels
        Brain mask.
    white_level, least_contrast : float
        Intensity of white matter, and the contrast below which nothing is a lesion.
    measured : tuple of MeasuredLesion
        By label, from 1.
    kinds : tuple of str
        By label, such as "FLAIR hyperintense".
    typical_contrast, contrast_scatter : float
        Contrast of this visit's lesions (without sign) and its spread between them; 0 without lesions.
    parameters : LesionParameters
        The numbers used.
    backdrop : Backdrop, optional
        Its healthy tissue, to hold another visit against; None where nothing was looked at, and in the outlines that
        a comparison gives back.
    """

    labels: Labels
    fraction: Image
    contrast: str
    difference: Image
    expected: Image
    doubt: Image
    noise: NoiseModel
    brain: Labels
    white_level: float
    least_contrast: float
    measured: tuple[MeasuredLesion, ...]
    kinds: tuple[str, ...]
    typical_contrast: float
    contrast_scatter: float
    parameters: LesionParameters = field(default_factory=LesionParameters)
    backdrop: Backdrop | None = None


def choose_contrast(contrasts: Sequence[str]) -> str:
    """Choose the contrast lesions are outlined on: FLAIR, else T2, T1c, T1, CT.

    Raises
    ------
    ValueError
        If none of them is there.
    """
    for contrast in OUTLINED_FIRST:
        if contrast in contrasts:
            return contrast
    raise ValueError(f"none of {', '.join(OUTLINED_FIRST)} among {sorted(contrasts)}; lesions need one of them.")


def outline_lesions(
    images: Mapping[str, Image],
    *,
    brain: Labels,
    tissue: Mapping[str, Image],
    contrast: str | None = None,
    unsearched: Labels | None = None,
    parameters: LesionParameters | None = None,
) -> LesionOutline:
    """Outline lesions where the visit departs from what its own healthy tissue would look like.

    Parameters
    ----------
    images : mapping of str to Image
        By contrast ("FLAIR", "T2", "T1c", "T1", "CT"), bias corrected, all on one grid.
    brain : Labels
        Brain mask on that grid.
    tissue : mapping of str to Image
        Template fractions "grey", "white" and "csf", 0 to 1, warped to that grid.
    contrast : str, optional
        The contrast to outline; FLAIR, else T2, T1c, T1, CT when omitted.
    unsearched : Labels, optional
        Where healthy heads are as bright as lesions, on that grid: nothing is looked for there.
    parameters : LesionParameters, optional
        The numbers; frozen defaults when omitted.

    Returns
    -------
    LesionOutline
        Outlines, partial volume, volumes with their standard deviation.

    Raises
    ------
    ValueError
        If no usable contrast is there, the grids differ, or a tissue is missing.

    Notes
    -----
    Limits: lesions in white matter and deep grey matter on FLAIR are what it is made for. On T2 alone perivascular
    spaces beyond 27 mm³ pass; on T1 (with contrast agent too) and CT sulci, vessels and bone look like lesions, so
    that only deep white matter by the template is searched. Cortical lesions and those below 27 mm³ are not looked
    for.
    """
    parameters = parameters or LesionParameters()
    contrast = contrast or choose_contrast(list(images))
    _refuse_mismatch(images, brain, tissue, unsearched, contrast)
    grid = brain.grid
    window = brain_window(brain.mask, grid.spacing_mm)
    spacing = grid.spacing_mm
    inside = brain.mask[window]
    others = [name for name in sorted(images) if name != contrast and name in _SIGNS]
    arrays = [np.nan_to_num(images[name].values[window].astype(np.float32)) for name in (contrast, *others)]
    fractions = np.stack([tissue[name].values[window].astype(np.float32) for name in ("white", "grey", "csf")])
    if np.count_nonzero(inside) < 1000:
        return _nothing(contrast, brain, images[contrast].unit, parameters)
    healthy = expect_healthy(
        arrays,
        brain=inside,
        fractions=fractions,
        spacing_mm=spacing,
        parameters=parameters,
    )
    least = _LEAST_CONTRAST[contrast] * abs(healthy.levels[WHITE])
    extras = healthy_extras(arrays[0], healthy, brain=inside, spacing_mm=spacing, contrast=contrast, least=least)
    healthy = replace(healthy, offset=extras)
    searched = inside if unsearched is None else inside & ~unsearched.mask[window]
    if contrast in _DEEP_ONLY:
        searched = searched & (
            blurred(fractions[0], spacing, sigma_mm=parameters.deep_sigma_mm) > parameters.deep_white
        )
    scene = Scene(
        image=arrays[0],
        healthy=healthy,
        searched=searched,
        spacing_mm=spacing,
        signs=_SIGNS[contrast],
        least_contrast=least,
        least_volume_mm3=(
            parameters.smallest_deep_mm3
            if contrast in _DEEP_ONLY
            else parameters.kept_share * parameters.smallest_volume_mm3
        ),
        parameters=parameters,
    )
    found = found_lesions(scene)
    difference = np.where(searched, scene.image - found.expected, 0).astype(np.float32)
    around = near(found.labels > 0, spacing, distance_mm=parameters.support_mm + 1)
    box, unit = grid.cropped([w.start for w in window], [w.stop for w in window]), images[contrast].unit
    empty = replace(
        _nothing(contrast, brain, unit, parameters),
        difference=Image(difference, box, unit),
        expected=Image((scene.image - difference).astype(np.float32), box, unit),
        doubt=Image(healthy.doubt, box, unit),
        noise=measure_noise(difference, inside & ~around & (healthy.tissue[WHITE] > 0.8), spacing),
        white_level=healthy.levels[WHITE],
        least_contrast=least,
        backdrop=Backdrop.of(scene, found.scores),
    )
    return with_lesions(empty, found.labels, found.signs)


def with_lesions(outline: LesionOutline, labels: LabelArray, signs: Sequence[int]) -> LesionOutline:
    """Measure lesions against the healthy expectation of an outline and make them its own.

    Parameters
    ----------
    outline : LesionOutline
        Its difference and expectation have the tissue beneath the lesions filled in; its own lesions are replaced.
    labels : ndarray of int32
        The lesions on the box around the brain, numbered from 1.
    signs : sequence of int
        By label.

    Returns
    -------
    LesionOutline
        Without those that prove too small, too unsure or too faint, numbered by volume as in `LesionOutline`.

    Raises
    ------
    ValueError
        If the outline has no backdrop: nothing was looked at.
    """
    parameters, grid = outline.parameters, outline.brain.grid
    if outline.backdrop is None:
        raise ValueError("nothing was looked at in this outline; outline the visit with outline_lesions first.")
    window = brain_window(outline.brain.mask, grid.spacing_mm)
    measure = Measuring(
        expected=outline.expected.values,
        difference=outline.difference.values,
        doubt=outline.doubt.values,
        noise=outline.noise,
        brain=outline.brain.mask[window],
        spacing_mm=grid.spacing_mm,
        parameters=parameters,
    )
    table, before = measure.all_of(labels, signs), -1
    while len(signs) != before:  # without those that are dropped the contrasts, and so the volumes, settle anew
        before = len(signs)
        labels, signs = ordered_by_volume(
            labels,
            signs,
            table,
            least_mm3=outline.backdrop.least_volume_mm3,
            least_sd=parameters.least_volume_sd,
            least_contrast=max(
                parameters.kept_share * outline.least_contrast,
                parameters.least_contrast_to_noise * outline.noise.voxel,
            ),
        )
        table = measure.all_of(labels, signs)
    return replace(
        outline,
        labels=Labels(
            placed(labels.astype(np.uint16), window, grid.shape), grid, metadata={"contrast": outline.contrast}
        ),
        fraction=Image(placed(table.fraction, window, grid.shape), grid, "1"),
        measured=table.lesions,
        kinds=tuple(kind_of(outline.contrast, sign) for sign in signs),
        typical_contrast=table.typical_contrast,
        contrast_scatter=table.contrast_scatter,
    )


def placed(values: NDArray[Any], window: tuple[slice, ...], shape: tuple[int, ...]) -> NDArray[Any]:
    """Put a cropped array back where it was in the whole grid; 0 elsewhere."""
    whole = np.zeros(shape, dtype=values.dtype)
    whole[window] = values
    return whole


def kind_of(contrast: str, sign: int) -> str:
    """Contrast and sign in words, such as "FLAIR hyperintense"."""
    return _KINDS[contrast, sign]


def brain_window(mask: Mask, spacing_mm: Sequence[float]) -> tuple[slice, ...]:
    """Box around the brain with a margin, to work in."""
    if not mask.any():
        return tuple(slice(0, n) for n in mask.shape)
    margin = np.ceil(_MARGIN_MM / np.asarray(spacing_mm)).astype(int)
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    return tuple(
        slice(max(0, s.start - m), min(n, s.stop + m)) for s, m, n in zip(box, margin, mask.shape, strict=True)
    )


def _refuse_mismatch(
    images: Mapping[str, Image], brain: Labels, tissue: Mapping[str, Image], unsearched: Labels | None, contrast: str
) -> None:
    if contrast not in images or contrast not in _SIGNS:
        raise ValueError(f"contrast is {contrast!r}; give one of {', '.join(sorted(set(images) & set(_SIGNS)))}.")
    missing = {"white", "grey", "csf"} - set(tissue)
    if missing:
        raise ValueError(f"tissue lacks {', '.join(sorted(missing))}; give the fractions of all three.")
    others = {} if unsearched is None else {"unsearched": unsearched}
    for name, image in {**images, **{f"tissue {k}": v for k, v in tissue.items()}, **others}.items():
        if not image.grid.same_as(brain.grid):
            raise ValueError(
                f"{name} lies on {image.grid!r}, the brain mask on {brain.grid!r}; resample onto one grid."
            )


def _nothing(contrast: str, brain: Labels, unit: str, parameters: LesionParameters) -> LesionOutline:
    """The outline of a visit without a brain to look at."""
    zero = np.zeros(brain.grid.shape, dtype=np.float32)
    return LesionOutline(
        labels=Labels(zero.astype(np.uint16), brain.grid),
        fraction=Image(zero, brain.grid, "1"),
        contrast=contrast,
        difference=Image(zero, brain.grid, unit),
        expected=Image(zero, brain.grid, unit),
        doubt=Image(zero, brain.grid, unit),
        noise=NoiseModel(voxel=0.0, growth=1.0, background=0.0),
        brain=brain,
        white_level=0.0,
        least_contrast=0.0,
        measured=(),
        kinds=(),
        typical_contrast=0.0,
        contrast_scatter=0.0,
        parameters=parameters,
    )
