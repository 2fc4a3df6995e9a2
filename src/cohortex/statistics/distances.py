"""Distances between subjects: root mean squares of differences, joined so that they stay a metric."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

_SYMMETRIC = 1e-6  # of the largest distance


def rms_difference(a: ArrayLike, b: ArrayLike) -> float:
    """Root mean square of the difference of two vectors over the same places.

    Parameters
    ----------
    a, b : array_like
        Of one shape; for vectors in space the last axis holds the components and is summed, not averaged, where the
        shape is (n, 3).

    Returns
    -------
    float
        sqrt(mean over n of |a - b|^2): the Euclidean distance over sqrt(n), hence a metric on vectors of one length.

    Raises
    ------
    ValueError
        If the shapes differ, are empty, or a value is not finite.
    """
    first, second = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if first.shape != second.shape or first.ndim not in (1, 2) or first.size == 0:
        raise ValueError(f"vectors of shapes {first.shape} and {second.shape} have no distance; give two of one shape.")
    squares = (first - second) ** 2
    per_place = squares if first.ndim == 1 else squares.sum(axis=1)
    distance = float(np.sqrt(per_place.mean()))
    if not np.isfinite(distance):
        raise ValueError("a vector holds NaN or infinity; a distance needs finite values everywhere.")
    return distance


def joined(distances: Sequence[float], weights: Sequence[float]) -> float:
    """Join distances of several kinds into one.

    Parameters
    ----------
    distances : sequence of float
        Each from a metric, each with a unit of its own.
    weights : sequence of float
        What one unit of each counts, 0 or more.

    Returns
    -------
    float
        sqrt(sum of (w d)^2): a metric; and where each is Euclidean so is the whole, so that a plane map of it loses
        only dimensions.

    Raises
    ------
    ValueError
        If their numbers differ, or a weight is negative or not finite.
    """
    if len(distances) != len(weights):
        raise ValueError(f"{len(distances)} distances and {len(weights)} weights; give one weight for each.")
    factors = np.asarray(weights, dtype=float)
    if not np.all((factors >= 0) & np.isfinite(factors)):
        raise ValueError(f"weights are {list(weights)}; give finite numbers, 0 or more.")
    return float(np.sqrt(np.sum((factors * np.asarray(distances, dtype=float)) ** 2)))


def checked_distances(distances: ArrayLike) -> NDArray[np.float64]:
    """Check a matrix of distances and give it back as floats.

    Parameters
    ----------
    distances : array_like
        Shape (n, n), n at least 1.

    Returns
    -------
    ndarray of float64
        Exactly symmetric, 0 on the diagonal.

    Raises
    ------
    ValueError
        If it is not square, not symmetric, or holds a negative number, NaN, or something on its diagonal.
    """
    matrix = np.asarray(distances, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) == 0:
        raise ValueError(f"distances have shape {matrix.shape}; give a square matrix with a row for every subject.")
    if not np.all(np.isfinite(matrix)) or np.any(matrix < 0):
        raise ValueError("distances hold a negative number, NaN or infinity; each must be 0 or more.")
    slack = _SYMMETRIC * float(matrix.max())
    if np.any(np.abs(np.diag(matrix)) > slack):
        raise ValueError("the diagonal of the distances is not 0; a subject has no distance from itself.")
    if np.any(np.abs(matrix - matrix.T) > slack):
        raise ValueError("the distances are not symmetric; from a to b must be as far as from b to a.")
    even = (matrix + matrix.T) / 2
    np.fill_diagonal(even, 0)
    return even
