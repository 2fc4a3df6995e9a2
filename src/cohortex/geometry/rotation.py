"""Rotations in space as matrices and rotation vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def rotation_from_vector(vector_rad: ArrayLike) -> NDArray[np.float64]:
    """Turn a rotation vector into a matrix with Rodrigues' formula.

    Parameters
    ----------
    vector_rad : array_like, shape (3,)
        Axis times angle, radians.

    Returns
    -------
    ndarray, shape (3, 3)
        Proper rotation.
    """
    v = np.asarray(vector_rad, dtype=float)
    angle = float(np.linalg.norm(v))
    if angle < 1e-15:
        return np.eye(3)
    x, y, z = v / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def rotation_about_axis(axis: int, angle_deg: float) -> NDArray[np.float64]:
    """Rotation matrix, shape (3, 3), about world axis 0, 1 or 2 by `angle_deg`, right-handed."""
    vector = np.zeros(3)
    vector[axis] = np.deg2rad(angle_deg)
    return rotation_from_vector(vector)


def rotation_angle_deg(rotation: ArrayLike) -> float:
    """Angle of a proper rotation matrix, degrees, 0 to 180."""
    r = np.asarray(rotation, dtype=float)
    sine = np.linalg.norm([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]])
    return float(np.rad2deg(np.arctan2(sine, np.trace(r) - 1)))  # exact near 0, unlike the arc cosine
