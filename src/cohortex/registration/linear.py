"""Rigid and affine alignment: many starts on a coarse pair, then finer and finer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cohortex.errors import AlignmentFailure
from cohortex.geometry import rotation_about_axis
from cohortex.image import Image, Labels
from cohortex.progress import Progress, ProgressCallback, silent
from cohortex.registration.alignment import Alignment
from cohortex.registration.engine import Model, optimised
from cohortex.registration.similarity import Similarity, mutual_information
from cohortex.registration.start import best_poses, poses, sample_points, score
from cohortex.registration.working import WorkingImage, blurred, coarser, cropped_to_mask, working_image
from cohortex.transform import Affine, Rigid

_LEVELS_MM = (8.0, 4.0, 2.0, 1.0)
_SAMPLES = 120_000
_STARTS = 5
_LEAST_KEPT = 0.98  # of similarity times overlap: the optimiser and this check see different samples
_DISPLACED_MM = 16.0
_DISPLACED_DEG = 15.0
_LEAST_OVERLAP = 0.4
_LEAST_SIMILARITY = 0.03  # nats, or squared correlation: below this nothing is shared
_LEAST_GAIN = 0.1  # of the similarity is lost 16 mm or 15 degrees away from a true optimum; 0.25 and more in practice


@dataclass(frozen=True, kw_only=True)
class _Level:
    fixed: WorkingImage
    moving: WorkingImage
    spacing_mm: float


def align_rigid(
    fixed: Image,
    moving: Image,
    *,
    start: Rigid | None = None,
    fixed_mask: Labels | None = None,
    moving_mask: Labels | None = None,
    similarity: Similarity = mutual_information,
    finest_mm: float = 1.0,
    progress: ProgressCallback = silent,
) -> Alignment:
    """Find the rotation and translation that bring two images of one head together.

    Parameters
    ----------
    fixed, moving : Image
        Scalar images of three axes, any spacings, contrasts and units; NaN is left out.
    start : Rigid, optional
        moving_from_fixed to begin with. Without it, 52 poses (identity, middles and centres of mass, turned up to
        30 degrees) are tried at 8 mm and the five best are followed.
    fixed_mask, moving_mask : Labels, optional
        Only what lies inside counts; on any grid of the same space. Leave a rim of some mm around a brain: its edge is
        information.
    similarity : callable
        `mutual_information` for any two contrasts, `correlation` for one contrast.
    finest_mm : float
        Stop at this spacing, mm.
    progress : callable
        Told after each level.

    Returns
    -------
    Alignment
        `moving_from_fixed` is a `Rigid`. The same bits every time: one thread, fixed seed.

    Raises
    ------
    ValueError
        If an image is not scalar and three-dimensional or is constant, or a mask is empty.
    AlignmentFailure
        If the images overlap too little or share nothing at the optimum.
    """
    return _align(fixed, moving, start, fixed_mask, moving_mask, similarity, "rigid", finest_mm, progress)


def align_affine(
    fixed: Image,
    moving: Image,
    *,
    start: Rigid | Affine | None = None,
    fixed_mask: Labels | None = None,
    moving_mask: Labels | None = None,
    similarity: Similarity = mutual_information,
    finest_mm: float = 2.0,
    progress: ProgressCallback = silent,
) -> Alignment:
    """Find the affine map, with scale and shear, that brings two heads together.

    Parameters and errors are those of `align_rigid`, whose result it starts from.

    Returns
    -------
    Alignment
        `moving_from_fixed` is an `Affine`.
    """
    return _align(fixed, moving, start, fixed_mask, moving_mask, similarity, "affine", finest_mm, progress)


def _align(
    fixed: Image,
    moving: Image,
    start: Rigid | Affine | None,
    fixed_mask: Labels | None,
    moving_mask: Labels | None,
    similarity: Similarity,
    model: Model,
    finest_mm: float,
    progress: ProgressCallback,
) -> Alignment:
    if not finest_mm > 0:
        raise ValueError(f"finest_mm is {finest_mm:g}; give a positive number.")
    task = "rigid alignment" if model == "rigid" else "affine alignment"
    levels = _pyramid(
        working_image(fixed, fixed_mask, name="fixed", finest_mm=finest_mm),
        working_image(moving, moving_mask, name="moving", finest_mm=finest_mm),
        finest_mm,
    )
    steps = len(levels) + (model == "affine") * (start is None)
    done = 0
    current: Rigid | Affine
    coarse = levels[0]
    if start is not None:
        current = _climbed(coarse, start, model, similarity)
    else:
        current = _from_many_starts(coarse, similarity)
        if model == "affine":
            done += 1
            progress(Progress(task=task, done=done, total=steps))
            current = _climbed(levels[min(1, len(levels) - 1)], current, "rigid", similarity)
            current = _climbed(coarse, Affine(current.matrix), "affine", similarity)
    done += 1
    progress(Progress(task=task, done=done, total=steps))
    for level in levels[1:]:
        current = _climbed(level, current, model, similarity)
        done += 1
        progress(Progress(task=task, done=done, total=steps))
    judged = levels[min(1, len(levels) - 1)]
    value, converged = _judged(judged, current, similarity)
    return Alignment(
        moving_from_fixed=current, fixed_from_moving=current.inverse(), similarity=value, converged=converged
    )


def _pyramid(fixed: WorkingImage, moving: WorkingImage, finest_mm: float) -> list[_Level]:
    """Make the pair at each spacing, coarse first; each from the next finer, so the fine images are read once."""
    fixed, moving = cropped_to_mask(fixed, 20.0), cropped_to_mask(moving, 20.0)
    spacings = [s for s in _LEVELS_MM if s > finest_mm * 1.01] + [finest_mm]
    levels = []
    for spacing in reversed(spacings):
        fixed, moving = coarser(fixed, spacing), coarser(moving, spacing)
        levels.append(_Level(fixed=blurred(fixed, spacing), moving=blurred(moving, spacing), spacing_mm=spacing))
    return levels[::-1]


def _from_many_starts(level: _Level, similarity: Similarity) -> Rigid:
    starts = best_poses(level.fixed, level.moving, poses(level.fixed, level.moving), similarity, count=_STARTS)
    if not starts:
        raise AlignmentFailure(
            "the images overlap by less than 40 % in every starting pose; check that both show the same body part."
        )
    points, samples = sample_points(level.fixed)
    reached = [_climbed(level, pose, "rigid", similarity) for pose in starts]
    values = [score(level.moving, points, samples, pose, similarity)[0] for pose in reached]
    best = reached[int(np.argmax(values))]
    return Rigid(best.matrix)


def _climbed(level: _Level, start: Rigid | Affine, model: Model, similarity: Similarity) -> Rigid | Affine:
    """Climb on one level; keep the start where the climb ends lower, as when it leaves the field of view."""
    found = optimised(
        level.fixed,
        level.moving,
        start,
        model=model,
        similarity=similarity,
        step_mm=level.spacing_mm / 2,
        least_step_mm=min(0.02, level.spacing_mm / 100),
        iterations=120 if level.spacing_mm > 3 else 60,
        samples=_SAMPLES,
    )
    points, samples = sample_points(level.fixed)
    before, after = (score(level.moving, points, samples, motion, similarity) for motion in (start, found))
    lost = np.isfinite(before[0]) and not after[0] * after[1] > _LEAST_KEPT * before[0] * before[1]
    return start if lost else found


def _judged(level: _Level, motion: Rigid | Affine, similarity: Similarity) -> tuple[float, bool]:
    """Compare the optimum with what lies 16 mm or 15 degrees away in every direction."""
    points, samples = sample_points(level.fixed)
    value, overlap = score(level.moving, points, samples, motion, similarity)
    if overlap < _LEAST_OVERLAP:
        raise AlignmentFailure(
            f"only {overlap:.0%} of the fixed image lies inside the moving one after alignment; check that both show "
            "the same body part, or give start."
        )
    if value < _LEAST_SIMILARITY:
        raise AlignmentFailure(
            f"the images share next to nothing after alignment (similarity {value:.3f}); check that both show the same "
            "head, or give start."
        )
    away = [score(level.moving, points, samples, t, similarity)[0] for t in _displaced(level, motion)]
    finite = [a for a in away if np.isfinite(a)]
    lost = 1 - float(np.mean(finite)) / value if finite else 1.0
    return value, bool(lost > _LEAST_GAIN and overlap > 0.6)


def _displaced(level: _Level, motion: Rigid | Affine) -> list[Affine]:
    center = level.fixed.grid.center_mm
    result = []
    for axis in range(3):
        for sign in (-1, 1):
            shift = np.eye(4)
            shift[axis, 3] = sign * _DISPLACED_MM
            turn = np.eye(4)
            turn[:3, :3] = rotation_about_axis(axis, sign * _DISPLACED_DEG)
            turn[:3, 3] = center - turn[:3, :3] @ center
            result += [Affine(motion.matrix @ shift), Affine(motion.matrix @ turn)]
    return result
