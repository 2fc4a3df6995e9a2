"""Demons with SimpleITK: the deformation between two images of one contrast on one grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from cohortex.geometry import Grid
from cohortex.registration.engine import to_simpleitk


def demons(
    fixed: NDArray[np.float32],
    moving: NDArray[np.float32],
    field_mm: NDArray[np.float32],
    grid: Grid,
    *,
    iterations: int,
    smoothing_mm: float,
) -> NDArray[np.float32]:
    """Improve a displacement field with symmetric demons forces [1]_, diffusion-smoothed.

    Parameters
    ----------
    fixed, moving : ndarray, shape (I, J, K)
        Values of one contrast on `grid`.
    field_mm : ndarray, shape (I, J, K, 3)
        Displacement fixed to moving to begin with, world mm.
    grid : Grid
        The grid of all three.
    iterations : int
        Steps.
    smoothing_mm : float
        Standard deviation of the Gaussian that smooths the field after each step, mm.

    Returns
    -------
    ndarray, shape (I, J, K, 3)
        The improved field, float32, world mm.

    References
    ----------
    .. [1] Vercauteren et al., *Diffeomorphic demons: efficient non-parametric image registration*, NeuroImage 45,
       2009, 10.1016/j.neuroimage.2008.10.040.
    """
    filter_: Any = sitk.DiffeomorphicDemonsRegistrationFilter()
    filter_.SetNumberOfThreads(1)  # the same bits on every machine
    filter_.SetNumberOfWorkUnits(1)
    filter_.SetNumberOfIterations(iterations)
    filter_.SmoothDisplacementFieldOn()
    filter_.SetStandardDeviations([max(0.5, smoothing_mm / s) for s in grid.spacing_mm])
    filter_.SmoothUpdateFieldOff()
    filter_.SetMaximumUpdateStepLength(2.0)
    filter_.SetMaximumError(0.01)
    result = filter_.Execute(to_simpleitk(fixed, grid), to_simpleitk(moving, grid), field_to_simpleitk(field_mm, grid))
    return field_from_simpleitk(result)


def inverted(field_mm: NDArray[np.float32], grid: Grid, *, iterations: int = 40) -> NDArray[np.float32]:
    """Invert a displacement field on its own grid by fixed-point iteration.

    Parameters
    ----------
    field_mm : ndarray, shape (I, J, K, 3)
        World displacement, mm, without folds.
    grid : Grid
        Its grid.
    iterations : int
        Steps.

    Returns
    -------
    ndarray, shape (I, J, K, 3)
        World displacement back, mm, float32.
    """
    filter_: Any = sitk.InvertDisplacementFieldImageFilter()
    filter_.SetNumberOfThreads(1)
    filter_.SetNumberOfWorkUnits(1)
    filter_.SetMaximumNumberOfIterations(iterations)
    filter_.SetMeanErrorToleranceThreshold(1e-4)
    filter_.SetMaxErrorToleranceThreshold(1e-2)
    filter_.EnforceBoundaryConditionOff()
    return field_from_simpleitk(filter_.Execute(field_to_simpleitk(field_mm, grid)))


def warped(values: NDArray[np.float32], field_mm: NDArray[np.float32], grid: Grid) -> NDArray[np.float32]:
    """Read values on `grid` through a displacement field on the same grid, linearly, 0 outside."""
    filter_: Any = sitk.WarpImageFilter()
    filter_.SetNumberOfThreads(1)
    filter_.SetNumberOfWorkUnits(1)
    filter_.SetOutputParameteresFromImage(to_simpleitk(values, grid))
    filter_.SetInterpolator(sitk.sitkLinear)
    result = filter_.Execute(to_simpleitk(values, grid), field_to_simpleitk(field_mm, grid))
    return np.asarray(sitk.GetArrayFromImage(result).transpose(2, 1, 0), dtype=np.float32)


def field_to_simpleitk(field_mm: NDArray[np.float32], grid: Grid) -> Any:
    """Hand a field (I, J, K, 3) in world mm to SimpleITK, whose world is LPS mm too."""
    like = to_simpleitk(field_mm[..., 0], grid)
    image = sitk.GetImageFromArray(
        np.ascontiguousarray(field_mm.transpose(2, 1, 0, 3), dtype=np.float64), isVector=True
    )
    image.CopyInformation(like)
    return image


def field_from_simpleitk(image: Any) -> NDArray[np.float32]:
    """Take a field back, shape (I, J, K, 3), world mm, float32."""
    return np.ascontiguousarray(sitk.GetArrayFromImage(image).transpose(2, 1, 0, 3), dtype=np.float32)
