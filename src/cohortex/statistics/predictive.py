"""How far a new value lies from a small group: the predictive t, and the z that is as rare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

LEAST_OTHERS = 2
"""Values a group must have: one has no spread."""


@dataclass(frozen=True, kw_only=True)
class GroupSummary:
    """What is known of a group, voxel by voxel or of one number.

    Attributes
    ----------
    mean, sd : ndarray
        Mean and standard deviation (n - 1).
    n : ndarray
        Size.
    prior_degrees : ndarray or float
        Degrees of freedom that the standard deviation owes to others than the group (see `steadied`).
    """

    mean: NDArray[Any]
    sd: NDArray[Any]
    n: NDArray[Any]
    prior_degrees: NDArray[Any] | float = 0.0

    @property
    def degrees_of_freedom(self) -> NDArray[np.float64]:
        """Of the standard deviation: n - 1 and those of the prior; 0 where n is below 2."""
        size = np.asarray(self.n, dtype=float)
        return np.where(size >= LEAST_OTHERS, size - 1 + self.prior_degrees, 0.0)


def predictive_t(value: ArrayLike, group: GroupSummary, *, least_sd: float = 0.0) -> NDArray[np.float64]:
    """Hold a new value against a group it does not belong to.

    Parameters
    ----------
    value : array_like
        The new values, of the shape of the group.
    group : GroupSummary
        The others.
    least_sd : float
        A smaller standard deviation counts as this much.

    Returns
    -------
    ndarray of float64
        t = (value - mean) / (sd sqrt(1 + 1/n)), Student with the group's degrees of freedom for normal values [1]_: the
        uncertainty of the mean counts beside the spread. 0 where n is below 2 or nothing varies.

    References
    ----------
    .. [1] Crawford and Howell, *Comparing an individual's test score against norms derived from small samples*, The
       Clinical Neuropsychologist 12, 1998, 10.1076/clin.12.4.482.7241.
    """
    size = np.asarray(group.n, dtype=float)
    spread = np.maximum(np.asarray(group.sd, dtype=float), least_sd) * np.sqrt(1 + 1 / np.maximum(size, 1))
    distance = np.asarray(value, dtype=float) - group.mean
    enough = (size >= LEAST_OTHERS) & (spread > 0)
    return np.divide(distance, spread, out=np.zeros(np.broadcast(distance, spread).shape), where=enough)


def equivalent_z(t: ArrayLike, *, degrees_of_freedom: ArrayLike) -> NDArray[np.float64]:
    """Turn t into the z that is as rare under the normal distribution.

    Parameters
    ----------
    t : array_like
        Student's t.
    degrees_of_freedom : array_like
        Of a shape that broadcasts; 0 or less gives z = 0.

    Returns
    -------
    ndarray of float64
        Same sign as `t`; |z| is at most 37, the rarest a double holds.
    """
    dof = np.asarray(degrees_of_freedom, dtype=float)
    tail = special.stdtr(np.maximum(dof, 1), -np.abs(np.asarray(t, dtype=float)))
    z = -special.ndtri(np.maximum(tail, 1e-300))
    return np.where(dof > 0, np.sign(t) * z, 0.0)


def without_one(value: ArrayLike, group: GroupSummary) -> GroupSummary:
    """Take one member out of a group.

    Parameters
    ----------
    value : array_like
        The member's values, of the shape of the group.
    group : GroupSummary
        The group with it.

    Returns
    -------
    GroupSummary
        The group without it; mean and standard deviation are 0 where fewer than one and two are left.

    Notes
    -----
    mean' = (n mean - x) / (n - 1) and (n - 2) sd'^2 = (n - 1) sd^2 - n / (n - 1) (x - mean)^2.
    """
    x, mean, size = (np.asarray(a, dtype=float) for a in (value, group.mean, group.n))
    left = size - 1
    new_mean = np.where(left >= 1, (size * mean - x) / np.maximum(left, 1), 0.0)
    scatter = left * np.asarray(group.sd, dtype=float) ** 2 - size / np.maximum(left, 1) * (x - mean) ** 2
    new_sd = np.where(left >= 2, np.sqrt(np.maximum(scatter, 0) / np.maximum(left - 1, 1)), 0.0)
    return GroupSummary(mean=new_mean, sd=new_sd, n=left)
