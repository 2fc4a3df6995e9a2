"""Sampling an image at other places: the arithmetic behind `resample` and `warp`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from cohortex.geometry import Grid, reorient_grid
from cohortex.image.image import Image, Labels

Interpolation = Literal["nearest", "linear", "cubic"]
"""Nearest voxel, trilinear, or cubic B-spline. Labels always take the nearest."""

_ORDERS: dict[str, int] = {"nearest": 0, "linear": 1, "cubic": 3}
_SLAB_POINTS = 250_000  # points sampled at once: their coordinates and what transforms make of them take some 50 MB
_EDGE_SLACK = 1e-6  # voxels; rounding must not push the outermost sample outside
_TIE_SLACK = 1e-9  # voxels; a sample exactly between two voxels takes the lower index, on every platform


def resample(
    image: Image,
    *,
    spacing_mm: float | Sequence[float] | None = None,
    onto: Grid | None = None,
    interpolation: Interpolation = "linear",
    outside: float = 0.0,
) -> Image:
    """Sample an image on another grid of the same patient space; anatomy does not move.

    Parameters
    ----------
    image : Image
        Image of two or three spatial axes; further axes (time, channels) are sampled alike.
    spacing_mm : float or sequence of float, optional
        New spacing over the same anatomy, mm (first voxel centre kept, size floor(n * old / new)).
    onto : Grid, optional
        Grid to sample on. Give this or `spacing_mm`.
    interpolation : {"nearest", "linear", "cubic"}
        How to read between voxels. `Labels` always take the nearest voxel; exactly between two, the lower index.
    outside : float
        Value beyond the outer edge of the image.

    Returns
    -------
    Image
        On the new grid, same unit. Floats keep their type; integers stay integers under "nearest" and
        become float32 otherwise. No smoothing is done before sampling at a coarser spacing.

    Raises
    ------
    ValueError
        If both or neither of `spacing_mm` and `onto` are given, or the grids differ in axes.
    """
    if (spacing_mm is None) == (onto is None):
        raise ValueError("give either spacing_mm or onto.")
    target = image.grid.with_spacing(spacing_mm) if spacing_mm is not None else onto
    assert target is not None  # for the type checker: one of the two was given
    if target.ndim != image.grid.ndim:
        raise ValueError(f"the image has {image.grid.ndim} spatial axes, the grid {target.ndim}.")
    source_index_from_target_index = image.grid.index_from_world @ target.world_from_index
    return sample_on_grid(image, target, source_index_from_target_index, interpolation=interpolation, outside=outside)


def reorient(image: Image, codes: str = "LPS") -> Image:
    """Reorder and flip the voxel axes of an image; every value stays where it is in the patient.

    Parameters
    ----------
    image : Image
        Image of three spatial axes and known orientation.
    codes : str
        Wanted directions of growing index, such as "LPS" or "RAS".

    Returns
    -------
    Image
        The same values, in the new order.
    """
    grid, order, flipped = reorient_grid(image.grid, codes)
    extra = tuple(range(3, image.values.ndim))
    values = np.flip(np.transpose(image.values, order + extra), axis=flipped)
    return type(image)(values, grid, image.unit, image.metadata, image.extra_axes)


def sample_at_points(
    image: Image, points_mm: ArrayLike, *, interpolation: Interpolation = "linear", outside: float = 0.0
) -> NDArray[Any]:
    """Read an image at world positions.

    Parameters
    ----------
    image : Image
        Scalar image or image with further axes.
    points_mm : array_like
        World positions, shape (..., n), mm.
    interpolation, outside
        As in `resample`.

    Returns
    -------
    ndarray
        Values, shape (..., *further axes).
    """
    index = image.grid.index_of(points_mm)
    flat = index.reshape(-1, image.grid.ndim)
    order = _order(image, interpolation)
    extra = image.values.shape[image.grid.ndim :]
    columns = image.values.reshape(*image.grid.shape, -1)
    result = np.empty((len(flat), columns.shape[-1]), dtype=_result_type(image, order))
    for channel in range(columns.shape[-1]):
        result[:, channel] = _sampled(_prepared(columns[..., channel], order), flat.T, order, outside)
    return result.reshape(*index.shape[:-1], *extra)


def sample_on_grid(
    image: Image,
    target: Grid,
    source_index_of: Callable[[NDArray[np.float64]], NDArray[np.float64]] | NDArray[np.float64],
    *,
    interpolation: Interpolation,
    outside: float,
) -> Image:
    """Sample an image once at each voxel of `target`, slab by slab.

    Parameters
    ----------
    image : Image
        The image read.
    target : Grid
        Where the result lies.
    source_index_of : callable or ndarray, shape (axes + 1, axes + 1)
        From voxel index in `target`, shape (n, axes), to fractional voxel index in `image`, same shape; or the
        homogeneous matrix that does so, which is faster.
    interpolation, outside
        As in `resample`.

    Returns
    -------
    Image
        On `target`.
    """
    order = _order(image, interpolation)
    extra = image.values.shape[image.grid.ndim :]
    columns = image.values.reshape(*image.grid.shape, -1)
    prepared = [_prepared(columns[..., c], order) for c in range(columns.shape[-1])]
    result = np.empty((*target.shape, len(prepared)), dtype=_result_type(image, order))
    per_row = int(np.prod(target.shape[1:]))
    rows = max(1, _SLAB_POINTS // per_row)
    for start in range(0, target.shape[0], rows):
        stop = min(target.shape[0], start + rows)
        if callable(source_index_of):
            block = np.indices((stop - start, *target.shape[1:]), dtype=float)
            block[0] += start
            source = source_index_of(np.moveaxis(block, 0, -1).reshape(-1, target.ndim)).T
        else:
            source = _linear_index(source_index_of, range(start, stop), target.shape)
        for channel, values in enumerate(prepared):
            result[start:stop, ..., channel] = _sampled(values, source, order, outside).reshape(
                stop - start, *target.shape[1:]
            )
    return type(image)(result.reshape(*target.shape, *extra), target, image.unit, image.metadata, image.extra_axes)


def _linear_index(matrix: NDArray[np.float64], rows: range, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Where a matrix takes the voxels of some rows of a grid; shape (axes, n)."""
    n = len(shape)
    axes = [np.arange(rows.start, rows.stop, dtype=float), *(np.arange(size, dtype=float) for size in shape[1:])]
    source = np.empty((n, len(rows), *shape[1:]))
    for k in range(n):
        terms = [matrix[k, m] * axes[m].reshape([-1 if m == d else 1 for d in range(n)]) for m in range(n)]
        source[k] = sum(terms[1:], terms[0] + matrix[k, n])
    return source.reshape(n, -1)


def _order(image: Image, interpolation: Interpolation) -> int:
    if interpolation not in _ORDERS:
        raise ValueError(f"interpolation is {interpolation!r}; give one of {', '.join(_ORDERS)}.")
    return 0 if isinstance(image, Labels) else _ORDERS[interpolation]


def _result_type(image: Image, order: int) -> np.dtype[Any]:
    kept = order == 0 or np.issubdtype(image.dtype, np.floating)
    return image.dtype if kept else np.dtype(np.float32)


def _prepared(values: NDArray[Any], order: int) -> NDArray[Any]:
    """Turn values into what the interpolation reads: B-spline coefficients for cubic, else the values."""
    if order < 2:
        return values if values.dtype != bool else values.astype(np.uint8)
    return np.asarray(ndimage.spline_filter(values.astype(np.float64), order=order, mode="mirror"))


def _sampled(values: NDArray[Any], index: NDArray[np.float64], order: int, outside: float) -> NDArray[Any]:
    """Read `values` at fractional indices of shape (axes, n); half a voxel beyond the edge repeats it.

    Splines are mirrored there instead, the one border at which they pass through the edge voxels exactly.
    """
    size = np.asarray(values.shape)[:, None]
    inside = np.all((index >= -0.5 - _EDGE_SLACK) & (index <= size - 0.5 + _EDGE_SLACK), axis=0)
    if order == 0:
        nearest = np.clip(np.ceil(index - 0.5 - _TIE_SLACK).astype(np.int64), 0, size - 1)
        read = values[tuple(nearest)]
        return np.where(inside, read, np.asarray(outside).astype(values.dtype))
    border = "nearest" if order == 1 else "mirror"
    read = ndimage.map_coordinates(values, index, order=order, mode=border, prefilter=False, output=np.float64)
    return np.where(inside, read, outside)
