"""Taking the receive coil's shading off an image: N4."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from skimage.filters import threshold_otsu

from cohortex.image import Image, Labels, resample, upsample

_WORKING_MM = 6.0  # the shading changes over 50 mm and more
_FIELD_LIMIT = 5.0  # beyond the mask the splines may run away; no coil shades more than this
_LEVELS = 3
_ITERATIONS = 25
_FIRST_KNOTS_MM = 200.0  # spacing of the first spline mesh, halved at each level


def correct_bias(image: Image, *, mask: Labels | None = None, iterations: int = _ITERATIONS) -> Image:
    """Divide out slow shading, found with N4 on a 6 mm image.

    Parameters
    ----------
    image : Image
        Scalar MR image of three axes, any unit; values of 0 or less and NaN take no part in the fit.
    mask : Labels, optional
        Where the shading is fitted, on any grid of the same space; the foreground by Otsu's threshold when omitted.
    iterations : int
        At most so many at each of three levels (meshes of 200, 100 and 50 mm).

    Returns
    -------
    Image
        Same grid and unit, float32; the mean logarithm inside the mask is kept. An image in HU comes back as it is:
        CT has no coil. Slow: about 1.5 s at 1 mm, one thread, the same bits every time.

    Raises
    ------
    ValueError
        If the image is not scalar and three-dimensional, or nothing positive lies inside the mask.

    References
    ----------
    .. [1] Tustison et al., *N4ITK: improved N3 bias correction*, IEEE TMI 29, 2010, 10.1109/TMI.2010.2046908.
    """
    if image.unit == "HU":
        return image
    field = bias_field(image, mask=mask, iterations=iterations)
    values = np.asarray(image.values, dtype=np.float32) / field.values
    return image.with_values(values)


def bias_field(image: Image, *, mask: Labels | None = None, iterations: int = _ITERATIONS) -> Image:
    """Estimate the shading that `correct_bias` divides by.

    Parameters and errors are those of `correct_bias`.

    Returns
    -------
    Image
        Factor on the grid of the image, float32, unit "1", geometric mean 1 inside the mask.
    """
    if image.grid.ndim != 3 or not image.is_scalar:
        raise ValueError(f"the image is {image!r}; give one scalar image of three axes.")
    values = np.asarray(image.values, dtype=np.float32)
    usable = np.isfinite(values) & (values > 0)
    if mask is not None:
        usable &= mask.mask if mask.grid.same_as(image.grid) else resample(mask, onto=image.grid).values != 0
    elif usable.any():
        usable &= values > threshold_otsu(values[usable])
    if not usable.any():
        raise ValueError("nothing positive lies inside the mask; give a mask that overlaps the image.")
    factors = [
        max(1, min(n, int(_WORKING_MM / s + 1e-3)))
        for n, s in zip(image.grid.shape, image.grid.spacing_mm, strict=True)
    ]
    weight = _block_sums(usable.astype(np.float32), factors)
    total = _block_sums(np.where(usable, values, 0), factors)
    coarse = np.where(weight > 0, total / np.maximum(weight, 1), 0).astype(np.float32)
    inside = weight >= 0.5 * float(np.prod(factors))
    if not inside.any():
        inside = weight > 0
    spacing = np.asarray(image.grid.spacing_mm) * factors
    log_field = _n4_log_field(coarse, inside, spacing, iterations)
    log_field -= log_field[inside].mean()
    limit = float(np.log(_FIELD_LIMIT))
    coarse_grid = image.grid.with_spacing(spacing.tolist(), keep="extent").cropped((0, 0, 0), coarse.shape)
    fine = upsample(Image(np.clip(log_field, -limit, limit), coarse_grid), onto=image.grid)
    return Image(np.exp(fine.values), image.grid, "1")


def _n4_log_field(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    spacing_mm: np.ndarray[tuple[int], np.dtype[np.float64]],
    iterations: int,
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Run N4 on arrays (I, J, K); a direction would only rotate the spline mesh."""
    picture = sitk.GetImageFromArray(np.ascontiguousarray(values.T))
    picture.SetSpacing(spacing_mm.tolist())
    where = sitk.GetImageFromArray(np.ascontiguousarray(inside.T.astype(np.uint8)))
    where.CopyInformation(picture)
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetNumberOfThreads(1)
    n4.SetNumberOfWorkUnits(1)
    n4.SetMaximumNumberOfIterations([iterations] * _LEVELS)
    n4.SetConvergenceThreshold(1e-4)
    extent = np.asarray(values.shape) * spacing_mm
    knots = np.maximum(1, np.round(extent / _FIRST_KNOTS_MM)).astype(int) + 3
    n4.SetNumberOfControlPoints(knots.tolist())
    n4.Execute(picture, where)
    log_field = sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(picture)).T
    return np.asarray(log_field, dtype=np.float32)


def _block_sums(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float32]], factors: list[int]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Add up whole blocks; the last incomplete block of an axis is filled with zeros."""
    padded = np.pad(values, [(0, -n % f) for n, f in zip(values.shape, factors, strict=True)])
    for axis, factor in enumerate(factors):
        shape = (*padded.shape[:axis], padded.shape[axis] // factor, factor, *padded.shape[axis + 1 :])
        padded = padded.reshape(shape).sum(axis=axis + 1, dtype=np.float32)
    return padded
