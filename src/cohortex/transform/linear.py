"""Rigid and affine transforms: one homogeneous matrix on world mm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import expm, logm

from cohortex.geometry import rotation_angle_deg, rotation_from_vector
from cohortex.transform.chain import Chain
from cohortex.transform.transform import Transform


@dataclass(frozen=True, eq=False)
class Affine:
    """A linear map with translation on world points.

    Parameters
    ----------
    matrix : array_like, shape (4, 4)
        Homogeneous target_from_source matrix, mm.

    Raises
    ------
    ValueError
        If the matrix is not a finite, invertible homogeneous 4 × 4 matrix.
    """

    matrix: NDArray[np.float64]

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.all(np.isfinite(matrix)) or not np.allclose(matrix[3], (0, 0, 0, 1)):
            raise ValueError("matrix must be a finite 4 × 4 homogeneous matrix with last row 0 0 0 1.")
        if abs(np.linalg.det(matrix[:3, :3])) < 1e-9:
            raise ValueError("matrix has no inverse.")
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    def __setstate__(self, state: dict[str, NDArray[np.float64]]) -> None:
        state["matrix"].setflags(write=False)  # a copy in another process is as frozen as this one
        self.__dict__.update(state)

    @classmethod
    def identity(cls) -> Affine:
        """The affine transform that moves nothing."""
        return cls(np.eye(4))

    def __call__(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Move points of shape (..., 3), mm."""
        return np.asarray(points_mm, dtype=float) @ self.matrix[:3, :3].T + self.matrix[:3, 3]

    def inverse(self) -> Affine:
        """The transform back, exact."""
        return Affine(np.asarray(np.linalg.inv(self.matrix), dtype=np.float64))

    def __matmul__(self, other: Transform) -> Transform:
        if isinstance(other, Affine | Rigid):
            return Affine(self.matrix @ other.matrix)
        return Chain.of(self, other)

    def half(self) -> Affine:
        """The transform that, applied twice, is this one (principal square root)."""
        return Affine(np.real(expm(0.5 * np.real(logm(self.matrix)))))


@dataclass(frozen=True, eq=False)
class Rigid:
    """A rotation and a translation of the world.

    Parameters
    ----------
    matrix : array_like, shape (4, 4)
        Homogeneous target_from_source matrix, mm, whose upper left block is a proper rotation.

    Raises
    ------
    ValueError
        If the block is not a rotation to 1e-6.
    """

    matrix: NDArray[np.float64]

    def __post_init__(self) -> None:
        matrix = np.array(Affine(self.matrix).matrix)
        block = matrix[:3, :3]
        if not np.allclose(block @ block.T, np.eye(3), atol=1e-6) or np.linalg.det(block) < 0:
            raise ValueError("the upper left block is not a proper rotation; use Affine for scale, shear or mirror.")
        left, _, right = np.linalg.svd(block)
        matrix[:3, :3] = left @ right  # the nearest exact rotation: products must not drift
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    def __setstate__(self, state: dict[str, NDArray[np.float64]]) -> None:
        state["matrix"].setflags(write=False)  # not through the constructor, whose projection may change the last bit
        self.__dict__.update(state)

    @classmethod
    def identity(cls) -> Rigid:
        """The rigid transform that moves nothing."""
        return cls(np.eye(4))

    @classmethod
    def from_vectors(
        cls,
        *,
        rotation_vector_rad: ArrayLike = (0.0, 0.0, 0.0),
        translation_mm: ArrayLike = (0.0, 0.0, 0.0),
        center_mm: ArrayLike = (0.0, 0.0, 0.0),
    ) -> Rigid:
        """Rotate about a centre, then translate.

        Parameters
        ----------
        rotation_vector_rad : array_like, shape (3,)
            Axis times angle, radians.
        translation_mm : array_like, shape (3,)
            Translation after the rotation, mm.
        center_mm : array_like, shape (3,)
            Point the rotation leaves in place, mm.
        """
        center = np.asarray(center_mm, dtype=float)
        matrix = np.eye(4)
        matrix[:3, :3] = rotation_from_vector(rotation_vector_rad)
        matrix[:3, 3] = center - matrix[:3, :3] @ center + np.asarray(translation_mm, dtype=float)
        return cls(matrix)

    @property
    def rotation(self) -> NDArray[np.float64]:
        """The rotation, shape (3, 3)."""
        return self.matrix[:3, :3]

    @property
    def translation_mm(self) -> NDArray[np.float64]:
        """The translation, shape (3,), mm: where the world origin goes."""
        return self.matrix[:3, 3]

    @property
    def angle_deg(self) -> float:
        """Angle of the rotation, degrees."""
        return rotation_angle_deg(self.rotation)

    def __call__(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Move points of shape (..., 3), mm."""
        return np.asarray(points_mm, dtype=float) @ self.matrix[:3, :3].T + self.matrix[:3, 3]

    def inverse(self) -> Rigid:
        """The transform back, exact."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.rotation.T
        matrix[:3, 3] = -self.rotation.T @ self.translation_mm
        return Rigid(matrix)

    def __matmul__(self, other: Transform) -> Transform:
        if isinstance(other, Rigid):
            return Rigid(self.matrix @ other.matrix)
        if isinstance(other, Affine):
            return Affine(self.matrix @ other.matrix)
        return Chain.of(self, other)

    def half(self) -> Rigid:
        """The motion that, made twice, is this one: half the angle about the same screw axis.

        Raises
        ------
        ValueError
            If the rotation is 180 degrees, where two halves exist.
        """
        if self.angle_deg > 179.999:
            raise ValueError("a rotation of 180 degrees has two halves; align the images roughly first.")
        return Rigid(np.real(expm(0.5 * np.real(logm(self.matrix)))))
