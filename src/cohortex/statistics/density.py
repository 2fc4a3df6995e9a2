"""How densely subjects lie in a plane map, for those who may not see the single ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST_SUBJECTS = 5
"""Fewer subjects have no density: its hills would be the subjects themselves."""


def scott_bandwidth(points: ArrayLike) -> float:
    """Choose the width of the kernel by Scott's rule [1]_.

    Parameters
    ----------
    points : array_like
        Shape (n, 2), n at least 5.

    Returns
    -------
    float
        sigma n^(-1/6), sigma the root of the mean variance (n - 1) along the two axes: one width for both, so that
        turning the map changes nothing.

    Raises
    ------
    ValueError
        If there are fewer than 5 points, all coincide, or one is not finite.

    References
    ----------
    .. [1] Scott, *Multivariate Density Estimation*, Wiley 1992, 10.1002/9780470316849, equation 6.44.
    """
    there = np.asarray(points, dtype=float)
    if there.ndim != 2 or there.shape[1] != 2 or not np.all(np.isfinite(there)):
        raise ValueError(f"points have shape {there.shape}; give finite coordinates (n, 2).")
    if len(there) < LEAST_SUBJECTS:
        raise ValueError(
            f"n too small: {len(there)} subjects, and a density is shown from {LEAST_SUBJECTS} on; with fewer its "
            "hills are the subjects."
        )
    spread = float(np.sqrt(np.mean(np.var(there, axis=0, ddof=1))))
    if spread == 0:
        raise ValueError("all subjects lie on one point; there is no density to draw.")
    return spread * float(len(there)) ** (-1 / 6)


def density(points: ArrayLike, *, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    """Estimate the density of subjects on a grid with a Gaussian kernel of `scott_bandwidth`.

    Parameters
    ----------
    points : array_like
        Shape (n, 2), n at least 5.
    x, y : array_like
        Coordinates of the columns and rows of the grid, shape (nx,) and (ny,).

    Returns
    -------
    ndarray of float64
        Subjects per unit of area over n, shape (ny, nx): it integrates to 1 over the plane.

    Raises
    ------
    ValueError
        As `scott_bandwidth`.
    """
    width = scott_bandwidth(points)
    there = np.asarray(points, dtype=float)

    def kernel(line: ArrayLike, axis: int) -> NDArray[np.float64]:
        steps = (np.asarray(line, dtype=float)[:, None] - there[:, axis]) / width
        return np.asarray(np.exp(-0.5 * steps**2) / (width * np.sqrt(2 * np.pi)))  # (points of the line, n)

    return np.asarray(kernel(y, 1) @ kernel(x, 0).T / len(there))
