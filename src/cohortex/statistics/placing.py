"""A newcomer's place in a layout that stays as it is: where its distances to the others are met best."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

_NEAREST = 3  # others that give the starting places, beside the middle of all


def place_among(points: ArrayLike, distances: ArrayLike) -> NDArray[np.float64]:
    """Place one subject among others in the plane.

    Parameters
    ----------
    points : array_like
        Places of the others, shape (n, 2), n at least 1; they do not move.
    distances : array_like
        To each of them, shape (n,), in the same unit.

    Returns
    -------
    ndarray of float64
        Shape (2,): the place with the smallest sum of squared differences between its distances and the given ones
        (the raw stress of [1]_, over the newcomer alone). Of several equally good places the one reached first from
        the middle of the others, then from the nearest ones, so the answer repeats.

    Raises
    ------
    ValueError
        If the shapes do not match, or a distance is negative or not finite.

    References
    ----------
    .. [1] Borg and Groenen, *Modern Multidimensional Scaling*, Springer 2005, 10.1007/0-387-28981-X, chapter 9
       (external unfolding with fixed points).
    """
    fixed, wanted = np.asarray(points, dtype=float), np.asarray(distances, dtype=float)
    if fixed.ndim != 2 or fixed.shape[1] != 2 or not len(fixed) or wanted.shape != (len(fixed),):
        raise ValueError(f"points have shape {fixed.shape} and distances {wanted.shape}; give (n, 2) and (n,).")
    if not (np.isfinite(wanted).all() and (wanted >= 0).all()):
        raise ValueError("a distance is negative or not finite.")

    def residuals(place: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.linalg.norm(fixed - place, axis=1) - wanted)

    nearest = fixed[np.argsort(wanted, kind="stable")[:_NEAREST]]
    away = np.array([1.0, 0.0]) * float(wanted.min())  # not on a point, where the slope is not defined
    starts = [fixed.mean(axis=0) + away, *(near + sign * away for near in nearest for sign in (1, -1))]
    fits = [least_squares(residuals, start, method="lm" if len(fixed) > 1 else "trf") for start in starts]
    costs = np.array([fit.cost for fit in fits])
    best = int(np.flatnonzero(costs <= costs.min() * (1 + 1e-9) + 1e-12)[0])
    return np.asarray(fits[best].x)
