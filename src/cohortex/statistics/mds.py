"""Multidimensional scaling: points in the plane whose distances are as those measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cohortex.statistics.distances import checked_distances

_Points = NDArray[np.float64]
_DIMENSIONS = 2
_ROUNDS = 500
_GAIN = 1e-9  # least relative fall of the stress in a round
_ZERO = 1e-9  # of the largest eigenvalue
_EVEN = 1e-6  # skewness below which an axis has no heavy side


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Subjects in the plane.

    Attributes
    ----------
    points : ndarray, shape (n, 2)
        Coordinates in the unit of the distances, centred; the first axis is the longer one.
    stress : float
        sqrt(sum (d - delta)^2 / sum delta^2) over pairs, d in the plane and delta as measured; 0 is exact.
    explained : float
        Share of the squared distances' spread that two dimensions hold: their eigenvalues over all positive ones.
    negative_share : float
        Sum of the negative eigenvalues' absolute values over that of all; 0 for distances that are Euclidean.
    """

    points: NDArray[np.float64]
    stress: float
    explained: float
    negative_share: float


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One layout brought onto another.

    Attributes
    ----------
    points : ndarray, shape (n, d)
        The points after the fit.
    disparity : float
        Sum of squared remaining distances over that of the reference about its centre; 0 is exact, 1 is unrelated.
    matrix : ndarray, shape (d, d)
        Rotation (or mirror image) times scale, to be multiplied from the right.
    shift : ndarray, shape (d,)
        Added after it.
    """

    points: NDArray[np.float64]
    disparity: float
    matrix: NDArray[np.float64]
    shift: NDArray[np.float64]


def lay_out(distances: ArrayLike, *, refine: bool = True) -> Layout:
    """Place subjects in the plane by classical scaling [1]_, refined by SMACOF [2]_.

    Parameters
    ----------
    distances : array_like
        Shape (n, n), symmetric, 0 on the diagonal.
    refine : bool
        Whether to lower the stress from there.

    Returns
    -------
    Layout
        Turned to its principal axes, each pointing to where its subjects are spread further (positive third moment), so
        that the layout does not depend on the order of the subjects.

    Raises
    ------
    ValueError
        If the matrix is not one of distances (`checked_distances`).

    References
    ----------
    .. [1] Torgerson, *Multidimensional scaling: I. Theory and method*, Psychometrika 17, 1952, 10.1007/BF02288916.
    .. [2] De Leeuw, *Applications of convex analysis to multidimensional scaling*, Recent Developments in Statistics,
       1977; Borg and Groenen, *Modern Multidimensional Scaling*, Springer 2005, 10.1007/0-387-28981-X, chapter 8.
    """
    measured = checked_distances(distances)
    n = len(measured)
    centring = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-0.5 * centring @ measured**2 @ centring)
    values, vectors = values[::-1], vectors[:, ::-1]
    values = np.where(np.abs(values) > _ZERO * max(float(np.abs(values).max()), 1e-300), values, 0)
    points = np.zeros((n, _DIMENSIONS))
    kept = min(n, _DIMENSIONS)
    points[:, :kept] = vectors[:, :kept] * np.sqrt(np.maximum(values[:kept], 0))
    if refine and n > _DIMENSIONS:
        points = _smacof(points, measured)
    positive, total = float(values[values > 0].sum()), float(np.abs(values).sum())
    return Layout(
        points=_turned(points),
        stress=_stress(points, measured),
        explained=float(np.maximum(values[:kept], 0).sum() / positive) if positive else 1.0,
        negative_share=float(-values[values < 0].sum() / total) if total else 0.0,
    )


def procrustes(points: ArrayLike, *, onto: ArrayLike, scale: bool = True) -> Fit:
    """Turn, mirror, shift and scale points onto others, row by row.

    Parameters
    ----------
    points, onto : array_like
        Shape (n, d) each: the same subjects in the same order.
    scale : bool
        Whether the size may change; not where the map of a new template is to be turned onto that of the last.

    Returns
    -------
    Fit
        The least-squares fit [1]_.

    Raises
    ------
    ValueError
        If the shapes differ, or the reference is a single point.

    References
    ----------
    .. [1] Schönemann and Carroll, *Fitting one matrix to another under choice of a central dilation and a rigid
       motion*, Psychometrika 35, 1970, 10.1007/BF02291266.
    """
    moving, fixed = np.asarray(points, dtype=float), np.asarray(onto, dtype=float)
    if moving.shape != fixed.shape or moving.ndim != 2:
        raise ValueError(f"points of shape {moving.shape} cannot be laid onto {fixed.shape}; give the same subjects.")
    here, there = moving - moving.mean(axis=0), fixed - fixed.mean(axis=0)
    spread = float(np.sum(there**2))
    if spread == 0:
        raise ValueError("all points to lay onto coincide; nothing tells how to turn. Give at least two places.")
    left, singular, right = np.linalg.svd(here.T @ there)
    own = float(np.sum(here**2))
    factor = float(singular.sum()) / own if scale and own > 0 else 1.0
    matrix = factor * left @ right
    shift = fixed.mean(axis=0) - moving.mean(axis=0) @ matrix
    fitted = moving @ matrix + shift
    return Fit(
        points=fitted, disparity=float(np.sum((fitted - fixed) ** 2)) / spread, matrix=matrix, shift=np.asarray(shift)
    )


def _smacof(points: _Points, measured: _Points) -> _Points:
    """Lower the raw stress by Guttman transforms; each round can only lower it."""
    n = len(points)
    stress = np.inf
    for _ in range(_ROUNDS):
        between = _between(points)
        now = float(np.sum((between - measured) ** 2))
        if now == 0 or (stress - now <= _GAIN * stress and np.isfinite(stress)):
            break
        stress = now
        ratio = np.divide(measured, between, out=np.zeros_like(measured), where=between > 0)
        guttman = np.diag(ratio.sum(axis=1)) - ratio
        points = guttman @ points / n
    return points


def _between(points: _Points) -> _Points:
    return np.asarray(np.sqrt(np.sum((points[:, None] - points[None]) ** 2, axis=-1)))


def _stress(points: _Points, measured: _Points) -> float:
    total = float(np.sum(measured**2))
    return float(np.sqrt(np.sum((_between(points) - measured) ** 2) / total)) if total else 0.0


def _turned(points: _Points) -> _Points:
    """Turn to principal axes and let each point to its heavier tail; a symmetric one to its outermost subject."""
    centred = points - points.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    turned = centred @ axes[:, ::-1]
    for n in range(turned.shape[1]):
        column = turned[:, n]
        size = float(np.abs(column).max())
        if size == 0:
            continue
        tail = float(np.mean((column / size) ** 3))
        if abs(tail) < _EVEN:
            tail = float(column[np.argmax(np.abs(column))])
        turned[:, n] = column * np.sign(tail)
    return np.asarray(turned)
