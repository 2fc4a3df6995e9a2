"""SimpleITK as the optimiser of rigid and affine alignment: the only file that knows it, to be replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from cohortex.errors import AlignmentFailure
from cohortex.geometry import Grid
from cohortex.registration.similarity import Similarity, correlation, mutual_information
from cohortex.registration.working import WorkingImage
from cohortex.transform import Affine, Rigid

_SEED = 2718281
_BINS = 32
_VOLUME_LIMIT = 4.0  # a climb that grows or shrinks the head further has run away
_METRICS: dict[Similarity, Callable[[sitk.ImageRegistrationMethod], None]] = {
    mutual_information: lambda method: method.SetMetricAsMattesMutualInformation(_BINS),
    correlation: lambda method: method.SetMetricAsCorrelation(),
}

Model = Literal["rigid", "affine"]


def optimised(
    fixed: WorkingImage,
    moving: WorkingImage,
    start: Rigid | Affine,
    *,
    model: Model,
    similarity: Similarity,
    step_mm: float,
    least_step_mm: float,
    iterations: int,
    samples: int,
) -> Rigid | Affine:
    """Climb to the nearest optimum of the similarity on one level.

    Parameters
    ----------
    fixed, moving : WorkingImage
        The pair at one spacing.
    start : Rigid or Affine
        moving_from_fixed to begin with.
    model : {"rigid", "affine"}
        What may vary.
    similarity : Similarity
        `mutual_information` or `correlation`.
    step_mm, least_step_mm : float
        First and last length of a step, mm of the voxel that moves most.
    iterations : int
        At most so many steps.
    samples : int
        About so many points of the fixed mask are looked at.

    Returns
    -------
    Rigid or Affine
        moving_from_fixed; the start where an affine climb ran away.

    Raises
    ------
    ValueError
        If this engine has no such similarity.
    AlignmentFailure
        If too little overlaps on the way.
    """
    if similarity not in _METRICS:
        known = ", ".join(getattr(f, "__name__", str(f)) for f in _METRICS)
        raise ValueError(f"similarity {similarity!r} is not known to this engine; give one of {known}.")
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)  # mutual information repeats its bits with one thread only
    method.SetNumberOfWorkUnits(1)
    _METRICS[similarity](method)
    if not fixed.mask.all():
        method.SetMetricFixedMask(to_simpleitk(fixed.mask.astype(np.uint8), fixed.grid))
    if not moving.mask.all():
        method.SetMetricMovingMask(to_simpleitk(moving.mask.astype(np.uint8), moving.grid))
    fraction = samples / max(1, int(fixed.mask.sum()))
    if fraction < 1:
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(fraction, _SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=step_mm,
        minStep=least_step_mm,
        numberOfIterations=iterations,
        relaxationFactor=0.6,
        gradientMagnitudeTolerance=1e-9,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    center = fixed.grid.world_of(np.argwhere(fixed.mask).mean(axis=0))
    transform = _simpleitk_transform(start, model, center)
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(to_simpleitk(fixed.values, fixed.grid), to_simpleitk(moving.values, moving.grid))
    except RuntimeError as error:
        raise AlignmentFailure(
            "the images and masks do not overlap enough to be aligned from this start; check that both show the same "
            "body part, or leave start out."
        ) from error
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(transform.GetMatrix(), (3, 3))
    origin = np.asarray(transform.TransformPoint((0.0, 0.0, 0.0)))
    matrix[:3, 3] = origin
    if model == "rigid":
        return Rigid(matrix)
    ratio = float(np.linalg.det(matrix[:3, :3]) / np.linalg.det(start.matrix[:3, :3]))
    collapsed = not np.all(np.isfinite(matrix)) or not 1 / _VOLUME_LIMIT < ratio < _VOLUME_LIMIT
    return start if collapsed else Affine(matrix)


def to_simpleitk(values: NDArray[np.generic], grid: Grid) -> sitk.Image:
    """Hand an orthogonal grid and its values to SimpleITK, whose world is LPS mm too."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(np.transpose(values)))
    left, _, right = np.linalg.svd(grid.direction)  # nearest orthonormal: headers round their cosines
    image.SetSpacing([float(s) for s in grid.spacing_mm])
    image.SetOrigin([float(x) for x in grid.origin_mm])
    image.SetDirection((left @ right).ravel().tolist())
    return image


def _simpleitk_transform(start: Rigid | Affine, model: Model, center: NDArray[np.float64]) -> Any:
    matrix = start.matrix
    transform: Any = sitk.Euler3DTransform() if model == "rigid" else sitk.AffineTransform(3)
    transform.SetCenter(center.tolist())
    if model == "rigid":
        transform.SetMatrix(matrix[:3, :3].ravel().tolist(), 1e-6)
    else:
        transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    transform.SetTranslation((matrix[:3, :3] @ center + matrix[:3, 3] - center).tolist())
    return transform
