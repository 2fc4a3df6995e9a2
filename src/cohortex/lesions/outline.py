"""Outlining the lesions of one visit: an honest classical method, with its limits said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.image import Image, Labels
from cohortex.lesions.detection import lesion_extent, lesion_seeds
from cohortex.lesions.expectation import CSF, GREY, WHITE, HealthyExpectation, expect_healthy, without_lesions
from cohortex.lesions.lining import ventricular_lining
from cohortex.lesions.noise import NoiseModel, measure_noise
from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.smoothing import blurred, near
from cohortex.lesions.volume import MeasuredLesion, Measuring, ordered_by_volume

Array = NDArray[np.float32]
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
_REFINED_MM = 1.5  # how far an outline moves once the tissue beneath is filled in
_SOME_CSF = 0.12  # share of csf from which an outline must prove brighter than white matter


@dataclass(frozen=True, kw_only=True)
class LesionOutline:
    """The lesions of one visit, and all that measuring and comparing them needs.

    Attributes
    ----------
    labels : Labels
        Outlines at half contrast, numbered from 1 by falling volume as first measured, on the grid of the outlined
        contrast.
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
    healthy = replace(healthy, offset=_healthy_extras(arrays[0], healthy, inside, spacing, contrast, least))
    searched = inside if unsearched is None else inside & ~unsearched.mask[window]
    if contrast in _DEEP_ONLY:
        searched = searched & (
            blurred(fractions[0], spacing, sigma_mm=parameters.deep_sigma_mm) > parameters.deep_white
        )
    scene = _Scene(arrays[0], healthy, searched, fractions, spacing, least, parameters)
    labels, signs, difference = _found_lesions(scene, _SIGNS[contrast])
    around = near(labels > 0, spacing, distance_mm=parameters.support_mm + 1)
    noise = measure_noise(difference, inside & ~around & (healthy.tissue[WHITE] > 0.8), spacing)
    measure = Measuring(
        expected=(arrays[0] - difference).astype(np.float32),
        difference=difference,
        doubt=healthy.doubt,
        noise=noise,
        brain=inside,
        spacing_mm=spacing,
        parameters=parameters,
    )
    table = measure.all_of(labels, signs)
    smallest = (
        parameters.smallest_deep_mm3
        if contrast in _DEEP_ONLY
        else parameters.kept_share * parameters.smallest_volume_mm3
    )
    labels, signs = ordered_by_volume(
        labels,
        signs,
        table,
        least_mm3=smallest,
        least_contrast=max(parameters.kept_share * least, parameters.least_contrast_to_noise * noise.voxel),
    )
    table = measure.all_of(labels, signs)
    box, unit = grid.cropped([w.start for w in window], [w.stop for w in window]), images[contrast].unit
    return LesionOutline(
        labels=Labels(placed(labels.astype(np.uint16), window, grid.shape), grid, metadata={"contrast": contrast}),
        fraction=Image(placed(table.fraction, window, grid.shape), grid, "1"),
        contrast=contrast,
        difference=Image(difference, box, unit),
        expected=Image(measure.expected, box, unit),
        doubt=Image(healthy.doubt, box, unit),
        noise=noise,
        brain=brain,
        white_level=healthy.levels[WHITE],
        least_contrast=least,
        measured=table.lesions,
        kinds=tuple(kind_of(contrast, sign) for sign in signs),
        typical_contrast=table.typical_contrast,
        contrast_scatter=table.contrast_scatter,
        parameters=parameters,
    )


@dataclass(frozen=True)
class _Scene:
    image: Array
    healthy: HealthyExpectation
    brain: Mask
    fractions: Array
    spacing_mm: tuple[float, ...]
    least_contrast: float
    parameters: LesionParameters


def _found_lesions(scene: _Scene, signs: Sequence[int]) -> tuple[NDArray[np.int32], tuple[int, ...], Array]:
    """Outlines, the sign of each, and the difference to healthy tissue with the tissue beneath lesions filled in."""
    labels = np.zeros(scene.brain.shape, dtype=np.int32)
    found_signs: list[int] = []
    expected = scene.healthy.whole
    for sign in signs:
        seeds = lesion_seeds(
            sign * (scene.image - scene.healthy.whole),
            noise=scene.healthy.noise,
            doubt=np.hypot(scene.healthy.doubt, scene.healthy.regional),
            white=scene.healthy.prior[WHITE],
            brain=scene.brain,
            spacing_mm=scene.spacing_mm,
            parameters=scene.parameters,
        )
        found = _extent(scene, sign, expected, seeds)
        if not found.any():
            continue
        reach = (
            scene.parameters.support_mm + scene.parameters.shell_mm
        )  # the shell corrects what the filling gets wrong
        support = near(found > 0, scene.spacing_mm, distance_mm=reach) | ndimage.binary_dilation(found > 0)
        expected = without_lesions(
            scene.healthy,
            support | (labels > 0),
            brain=scene.brain,
            spacing_mm=scene.spacing_mm,
        )
        close = near(found > 0, scene.spacing_mm, distance_mm=_REFINED_MM)  # further out the filling knows less
        found = _extent(replace(scene, brain=scene.brain & close), sign, expected, seeds & close)
        found[labels > 0] = 0
        for label in range(1, int(found.max()) + 1):
            where = found == label
            if where.any() and not _is_fluid(scene, where, sign):
                found_signs.append(sign)
                labels[where] = len(found_signs)
    difference = np.where(scene.brain, scene.image - expected, 0).astype(np.float32)
    return labels, tuple(found_signs), difference


def _healthy_extras(
    image: Array, healthy: HealthyExpectation, brain: Mask, spacing_mm: tuple[float, ...], contrast: str, least: float
) -> Array:
    """What healthy heads show beyond their tissue mixture: lining of the ventricles, on FLAIR bright flow in csf."""
    if contrast not in ("FLAIR", "T2"):
        return np.zeros(brain.shape, dtype=np.float32)
    extra = ventricular_lining(
        image - healthy.expected,
        white=healthy.tissue[WHITE],
        csf=healthy.tissue[CSF],
        brain=brain,
        spacing_mm=spacing_mm,
        most=least,
    )
    if contrast == "FLAIR":
        fluid = np.clip((healthy.prior[CSF] - 0.5) / 0.3, 0, 1)
        bright = np.float32(healthy.levels[GREY]) * healthy.drift
        extra += fluid * np.clip(image - healthy.expected, 0, np.maximum(bright - healthy.expected, 0))
    return extra


def _is_fluid(scene: _Scene, where: Mask, sign: int) -> bool:
    """Whether an outline is csf that flows, choroid plexus or a sulcus rather than tissue.

    Mostly csf by the template; or partly, and no brighter than white matter, which on FLAIR every lesion is.
    """
    csf = float(scene.healthy.prior[CSF][where].mean())
    if csf > scene.parameters.most_csf:
        return True
    white = scene.healthy.levels[WHITE]
    dark_csf = scene.healthy.levels[CSF] < white
    if sign < 0 or not dark_csf or csf < _SOME_CSF:
        return False
    bright = float(np.percentile((scene.image / scene.healthy.drift)[where], 75))
    return bright < white + 0.8 * scene.least_contrast


def _extent(scene: _Scene, sign: int, expected: Array, seeds: Mask) -> NDArray[np.int32]:
    return lesion_extent(
        sign * (scene.image - expected),
        np.maximum(scene.healthy.noise, 2 * scene.healthy.doubt),
        seeds,
        brain=scene.brain,
        spacing_mm=scene.spacing_mm,
        least_contrast=scene.least_contrast,
        parameters=scene.parameters,
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
