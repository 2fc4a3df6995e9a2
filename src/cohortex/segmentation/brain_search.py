"""Finding the template's brain in a whole head: many poses, compared only in and closely around the brain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import minimize

from cohortex.errors import AlignmentFailure
from cohortex.geometry import Grid, rotation_about_axis, rotation_from_vector
from cohortex.image import Image
from cohortex.registration.engine import optimised
from cohortex.registration.similarity import mutual_information
from cohortex.registration.start import foreground, sample_points, score
from cohortex.registration.working import WorkingImage, blurred, coarser, cropped_to_mask, working_image
from cohortex.templates.mni152 import Template
from cohortex.transform import Affine

_HU_SOFT = (0.0, 100.0)  # fluid, brain and blood spread out; fat and air together, bone at the top
_FLUID_MM, _BONE_MM, _SCALP_MM = 1.0, 8.0, 14.0  # outer ends of the layers, from the edge of the template's brain
_T1_LIKE = {"white": 0.85, "grey": 0.6, "csf": 0.3, "bone": 0.15, "scalp": 1.0, "air": 0.0}  # apart, for the histogram
_SKULL_BASE_MM = 5.0  # above this height in template space a head has layers
_RIM_MM = 22.0
_LOW_RIM_MM = 4.0
_SEARCH_SAMPLES = 4000
_FIRST_SAMPLES = 3000  # for the first look at every pose; the climb needs more
_UP_MM = (-36.0, -24.0, -12.0, 0.0, 12.0, 24.0, 36.0, 48.0, 60.0)  # far up: the top may be cut off
_SHIFTS_MM = ((-10.0, 0.0, 10.0), (-24.0, -12.0, 0.0, 12.0, 24.0), _UP_MM)
_TURNS_DEG = ((0, 0.0), (0, -15.0), (0, 15.0), (1, -12.0), (1, 12.0), (2, -12.0), (2, 12.0))
_TOP_TO_CENTER_MM = 85.0  # scalp at the vertex to the middle of the brain
_USUAL_SCALE = 0.94  # MNI152 is larger than most brains
_UNIT = 0.05  # radians or log scale: 4 mm at the surface of a brain
_SIMILAR, _ALL = slice(0, 7), slice(0, 12)  # turn, shift, scale; then stretch and shear too
_FARTHEST = 12.0  # units a climb may go: 0.6 radians or log scale, 48 mm
_STEPS = 250
_FOLLOWED = 6
_FOLLOWED_FURTHER = 2
_LEAST_SIMILARITY = 0.15
_SCALE_RANGE = (0.7, 1.4)  # of an adult's brain along any direction; a newborn's falls outside


@dataclass(frozen=True, kw_only=True)
class BrainPose:
    """Where the template's brain lies in an image.

    Attributes
    ----------
    image_from_template : Affine
        World mm.
    similarity : float
        Mutual information in and around the brain, nats.
    overlap : float
        Fraction of the template's brain inside the field of view.
    """

    image_from_template: Affine
    similarity: float
    overlap: float


def soft_tissue(image: Image) -> Image:
    """Cut Hounsfield units to the range of brain and fluid; other units stay."""
    if image.unit != "HU":
        return image
    return image.with_values(np.clip(np.nan_to_num(np.asarray(image.values, np.float32)), *_HU_SOFT), unit="arbitrary")


def find_brain(image: Image, template: Template) -> BrainPose:
    """Find the affine pose of the template's brain in a head.

    Parameters
    ----------
    image : Image
        Whole or cropped head, or a brain alone; any contrast; HU for CT. Its axes must be known to within 35 degrees.
    template : Template
        Brain looked for, at 2 to 4 mm.

    Returns
    -------
    BrainPose
        The best of 1000 to 2000 poses at 8 mm, of which six are followed at 8 mm, two at 4 mm and one to 2 mm.

    Raises
    ------
    AlignmentFailure
        If nothing like a brain is found.
    """
    search = working_image(soft_tissue(image), None, name="head", finest_mm=2.0)
    brain = _searched(template_head(template))
    levels = []
    for spacing in (2.0, 4.0, 8.0):
        brain, search = coarser(brain, spacing), coarser(search, spacing)
        levels.append((blurred(brain, 0.8 * spacing), blurred(search, 0.8 * spacing)))
    fine, middle, coarse = levels
    candidates = _ranked(coarse, _candidates(*coarse), _FIRST_SAMPLES)
    if not candidates:
        raise AlignmentFailure("no brain was found: in every pose less than 40 % of it lies in the field of view.")
    reached = [_climbed(coarse, pose, _SIMILAR, _STEPS) for pose in candidates[:_FOLLOWED]]
    reached = [_climbed(middle, pose, _ALL, 4 * _STEPS) for pose in _ranked(middle, reached)[:_FOLLOWED_FURTHER]]
    best = _polished(fine, _ranked(middle, reached)[0])
    points, samples = sample_points(fine[0])
    value, _ = score(fine[1], points, samples, best, mutual_information)
    scales = np.linalg.svd(best.matrix[:3, :3], compute_uv=False)
    if value < _LEAST_SIMILARITY or scales.min() < _SCALE_RANGE[0] or scales.max() > _SCALE_RANGE[1]:
        raise AlignmentFailure(
            f"nothing like a brain was found (similarity {value:.3f}, scale {scales.min():.2f} to {scales.max():.2f}); "
            "check that the image shows a head, upright and not mirrored, or give a brain mask."
        )
    inside = template.grid.world_of(np.argwhere(template.brain.mask)[::20])
    index = image.grid.index_of(best(inside))
    overlap = float(np.mean(np.all((index > -0.5) & (index < np.asarray(image.grid.shape) - 0.5), axis=1)))
    return BrainPose(image_from_template=Affine(best.matrix), similarity=value, overlap=overlap)


@dataclass(frozen=True, kw_only=True)
class TemplateHead:
    """The template's brain in plain layers of constant thickness: fluid, bone, scalp, air.

    Attributes
    ----------
    grid : Grid
        That of the template.
    layers : mapping of str to ndarray, shape (I, J, K)
        Fraction of white, grey, csf, bone, scalp and air; they add up to 1.
    seen : ndarray of bool, shape (I, J, K)
        Where the layers describe a head: brain and scalp above the skull base, a thin rim below.
    near : ndarray of bool, shape (I, J, K)
        The brain and the bone around it, without scalp.
    """

    grid: Grid
    layers: Mapping[str, NDArray[np.float32]]
    seen: NDArray[np.bool_]
    near: NDArray[np.bool_]


def template_head(template: Template) -> TemplateHead:
    """Put a plain skull, scalp and air around the template's brain, so that a larger brain is no better fit.

    Parameters
    ----------
    template : Template
        A brain without a head.

    Returns
    -------
    TemplateHead
        Layers by the distance from the brain.
    """
    brain = template.brain.mask
    outside = np.asarray(ndimage.distance_transform_edt(~brain, sampling=template.grid.spacing_mm))
    layers = {name: np.asarray(map_.values * brain, dtype=np.float32) for name, map_ in template.tissues.items()}
    layers["csf"] = np.where(brain, 1 - layers["grey"] - layers["white"], outside <= _FLUID_MM).astype(np.float32)
    layers["bone"] = ((outside > _FLUID_MM) & (outside <= _BONE_MM)).astype(np.float32)
    layers["scalp"] = ((outside > _BONE_MM) & (outside <= _SCALP_MM)).astype(np.float32)
    layers["air"] = (outside > _SCALP_MM).astype(np.float32)
    above = template.grid.world_points()[..., 2] > _SKULL_BASE_MM
    return TemplateHead(
        grid=template.grid,
        layers=layers,
        seen=outside <= np.where(above, _RIM_MM, _LOW_RIM_MM),
        near=outside <= np.where(above, _BONE_MM, _LOW_RIM_MM),
    )


def _searched(head: TemplateHead) -> WorkingImage:
    values = np.asarray(sum(_T1_LIKE[name] * layer for name, layer in head.layers.items()), dtype=np.float32)
    return cropped_to_mask(WorkingImage(values=values, grid=head.grid, mask=head.seen), 8.0)


def _candidates(brain: WorkingImage, head: WorkingImage) -> list[Affine]:
    """List poses around the guesses for the middle of the brain, in a fixed order."""
    middle = brain.grid.world_of(np.argwhere(brain.mask).mean(axis=0))
    bright = head.grid.world_of(np.argwhere(foreground(head)))
    top = float(np.percentile(bright[:, 2], 99.8))
    upper = bright[bright[:, 2] > top - 2 * _TOP_TO_CENTER_MM].mean(axis=0)
    guesses = [np.array([upper[0], upper[1], top - _TOP_TO_CENTER_MM]), head.grid.center_mm]
    if np.linalg.norm(guesses[0] - guesses[1]) < 12:
        guesses = guesses[:1]
    result = []
    for guess, shift, (axis, angle) in product(guesses, product(*_SHIFTS_MM), _TURNS_DEG):
        matrix = np.eye(4)
        matrix[:3, :3] = _USUAL_SCALE * rotation_about_axis(axis, angle)
        matrix[:3, 3] = guess + np.asarray(shift) - matrix[:3, :3] @ middle
        result.append(Affine(matrix))
    return result


def _ranked(
    pair: tuple[WorkingImage, WorkingImage], poses: list[Affine], samples: int = _SEARCH_SAMPLES
) -> list[Affine]:
    """Order poses by similarity times the part of the brain seen, best first; ties keep their order."""
    brain, head = pair
    points, values = sample_points(brain, samples)
    scored = [_value(head, points, values, pose) for pose in poses]
    order = sorted(range(len(poses)), key=lambda n: (-scored[n], n))
    return [poses[n] for n in order if np.isfinite(scored[n])]


def _value(head: WorkingImage, points: NDArray[np.float64], samples: NDArray[np.float64], pose: Affine) -> float:
    value, overlap = score(head, points, samples, pose, mutual_information)
    return value * overlap


def _climbed(pair: tuple[WorkingImage, WorkingImage], start: Affine, free: slice, steps: int) -> Affine:
    """Climb with Powell's method on similarity times overlap: it cannot gain by leaving the field of view."""
    brain, head = pair
    points, samples = sample_points(brain, _SEARCH_SAMPLES)
    middle = points.mean(axis=0)

    def pose(parameters: NDArray[np.float64]) -> Affine:
        full = np.zeros(12)
        full[free] = parameters
        return Affine(start.matrix @ _local_map(full, middle))

    def loss(parameters: NDArray[np.float64]) -> float:
        excess = float(np.abs(parameters).max()) - _FARTHEST
        if excess > 0:
            return 1 + excess  # slopes back to where heads are
        value = _value(head, points, samples, pose(parameters))
        return -value if np.isfinite(value) else 0.0

    begin = np.zeros(free.stop)
    found = minimize(loss, begin, method="Powell", options={"maxfev": steps, "xtol": 0.02, "ftol": 1e-4})
    return pose(found.x) if found.fun < loss(begin) else start


def _local_map(parameters: NDArray[np.float64], center_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn, shift, scale, stretch and shear about a centre; one unit moves the brain's surface by a few mm."""
    turn, shift = parameters[:3] * _UNIT, parameters[3:6] * 4.0
    stretch = np.diag(np.exp((parameters[6] + np.array([parameters[7], parameters[8], 0])) * _UNIT))
    shear = np.eye(3)
    shear[np.triu_indices(3, 1)] = parameters[9:] * _UNIT
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_from_vector(turn) @ shear @ stretch
    matrix[:3, 3] = center_mm - matrix[:3, :3] @ center_mm + shift
    return matrix


def _polished(pair: tuple[WorkingImage, WorkingImage], start: Affine) -> Affine:
    """Follow the gradient at the fine level; keep the start where that loses."""
    found = optimised(
        pair[0],
        pair[1],
        start,
        model="affine",
        similarity=mutual_information,
        step_mm=0.8,
        least_step_mm=0.05,
        iterations=60,
        samples=60_000,
    )
    return _ranked(pair, [start, Affine(found.matrix)])[0]
