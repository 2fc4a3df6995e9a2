"""A grid: where the voxel centres of an image lie in the patient, complete without values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Keep = Literal["origin", "extent"]
"""What stays when the spacing changes: the first voxel centre, or the outer edges."""

_SINGULAR = 1e-9  # mm^n; smaller than any voxel of a real image
_FLOOR_SLACK = 1e-6  # 100 x 0.3 / 0.1 must be 300, not 299


@dataclass(frozen=True, eq=False)
class Grid:
    """Voxel centres in patient coordinates: LPS, millimetres.

    Parameters
    ----------
    shape : tuple of int
        Number of voxels along each axis, two or three axes: (I, J) or (I, J, K).
    world_from_index : array_like
        Homogeneous matrix, shape (n + 1, n + 1), from voxel index to world mm. An integer
        index is a voxel centre. Shear (a tilted gantry) is allowed; a singular matrix is not.
    frame_of_reference : str, optional
        Identifier of the patient coordinate system (DICOM Frame of Reference UID or a name).
    orientation_known : bool
        False where the format says nothing about left and right (a PNG, a NIfTI without
        orientation codes); nothing is guessed then.

    Raises
    ------
    ValueError
        If the shape is not two or three positive integers, or the matrix does not fit, holds NaN,
        or has no inverse.
    """

    shape: tuple[int, ...]
    world_from_index: NDArray[np.float64]
    frame_of_reference: str | None = None
    orientation_known: bool = True

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        if len(shape) not in (2, 3) or min(shape) < 1:
            raise ValueError(f"shape is {self.shape}; give two or three positive integers.")
        matrix = np.array(self.world_from_index, dtype=np.float64)
        n = len(shape)
        if matrix.shape != (n + 1, n + 1):
            raise ValueError(f"world_from_index has shape {matrix.shape}; a grid of {n} axes needs ({n + 1}, {n + 1}).")
        if not np.all(np.isfinite(matrix)):
            raise ValueError("world_from_index holds NaN or infinity; check the header it came from.")
        if not np.allclose(matrix[-1], [0.0] * n + [1.0]):
            raise ValueError(f"the last row of world_from_index is {matrix[-1]}; it must be 0 … 0 1.")
        if abs(np.linalg.det(matrix[:n, :n])) < _SINGULAR:
            raise ValueError("world_from_index is singular: two voxel axes point the same way or a spacing is 0.")
        matrix.setflags(write=False)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "world_from_index", matrix)

    @classmethod
    def from_parts(
        cls,
        shape: Sequence[int],
        *,
        spacing_mm: Sequence[float] | None = None,
        origin_mm: Sequence[float] | None = None,
        direction: ArrayLike | None = None,
        frame_of_reference: str | None = None,
        orientation_known: bool = True,
    ) -> Grid:
        """Build a grid from spacing, origin and direction.

        Parameters
        ----------
        shape : sequence of int
            Voxels along each axis.
        spacing_mm : sequence of float, optional
            Distance between voxel centres along each axis, mm; 1 when omitted.
        origin_mm : sequence of float, optional
            World position of the centre of voxel 0, mm (LPS); 0 when omitted.
        direction : array_like, optional
            Column n is the unit vector of axis n in world, shape (n, n); identity when omitted.
        frame_of_reference, orientation_known
            As in the class.

        Returns
        -------
        Grid
            The grid.
        """
        n = len(shape)
        spacing = np.ones(n) if spacing_mm is None else np.asarray(spacing_mm, dtype=float)
        if spacing.shape != (n,) or not np.all(spacing > 0):
            raise ValueError(f"spacing_mm is {spacing_mm}; give {n} positive numbers.")
        matrix = np.eye(n + 1)
        matrix[:n, :n] = (np.eye(n) if direction is None else np.asarray(direction, dtype=float)) * spacing
        if origin_mm is not None:
            matrix[:n, n] = origin_mm
        return cls(tuple(shape), matrix, frame_of_reference, orientation_known)

    @property
    def ndim(self) -> int:
        """Number of spatial axes, 2 or 3."""
        return len(self.shape)

    @property
    def affine(self) -> NDArray[np.float64]:
        """The matrix `world_from_index` under its other common name."""
        return self.world_from_index

    @cached_property
    def index_from_world(self) -> NDArray[np.float64]:
        """Homogeneous matrix from world mm to (fractional) voxel index."""
        inverse = np.asarray(np.linalg.inv(self.world_from_index), dtype=np.float64)
        inverse.setflags(write=False)
        return inverse

    @cached_property
    def spacing_mm(self) -> tuple[float, ...]:
        """Distance between neighbouring voxel centres along each axis, mm."""
        n = self.ndim
        return tuple(float(s) for s in np.linalg.norm(self.world_from_index[:n, :n], axis=0))

    @property
    def origin_mm(self) -> tuple[float, ...]:
        """World position of the centre of voxel 0, mm."""
        return tuple(float(x) for x in self.world_from_index[: self.ndim, self.ndim])

    @property
    def direction(self) -> NDArray[np.float64]:
        """Unit vector of each voxel axis, in columns, shape (n, n)."""
        n = self.ndim
        return self.world_from_index[:n, :n] / np.asarray(self.spacing_mm)

    @property
    def is_orthogonal(self) -> bool:
        """Whether the voxel axes are at right angles (no gantry tilt), to 0.01 degrees."""
        d = self.direction
        return bool(np.allclose(d.T @ d, np.eye(self.ndim), atol=2e-4))

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel, mm³ (area, mm², for two axes)."""
        n = self.ndim
        return float(abs(np.linalg.det(self.world_from_index[:n, :n])))

    @property
    def extent_mm(self) -> tuple[float, ...]:
        """Size of the grid from outer edge to outer edge along each axis, mm."""
        return tuple(n * s for n, s in zip(self.shape, self.spacing_mm, strict=True))

    @property
    def center_mm(self) -> NDArray[np.float64]:
        """World position of the middle of the grid, mm, shape (n,)."""
        return self.world_of((np.asarray(self.shape) - 1) / 2)

    def world_of(self, index: ArrayLike) -> NDArray[np.float64]:
        """World position, mm, of (fractional) voxel indices of shape (..., n)."""
        n = self.ndim
        return np.asarray(index, dtype=float) @ self.world_from_index[:n, :n].T + self.world_from_index[:n, n]

    def index_of(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Fractional voxel index of world positions in mm, shape (..., n)."""
        n = self.ndim
        return np.asarray(points_mm, dtype=float) @ self.index_from_world[:n, :n].T + self.index_from_world[:n, n]

    def world_points(self) -> NDArray[np.float64]:
        """World position of every voxel centre, mm, shape (*shape, n)."""
        return self.world_of(np.moveaxis(np.indices(self.shape), 0, -1))

    def corners_mm(self) -> NDArray[np.float64]:
        """World positions of the outermost voxel centres, shape (2**n, n), mm."""
        ends = [(0, size - 1) for size in self.shape]
        return self.world_of(np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, self.ndim))

    def with_spacing(self, spacing_mm: float | Sequence[float], *, keep: Keep = "origin") -> Grid:
        """Compute the grid over the same anatomy at another spacing.

        Parameters
        ----------
        spacing_mm : float or sequence of float
            New spacing, mm; one number for all axes.
        keep : {"origin", "extent"}
            "origin" keeps the first voxel centre; "extent" keeps the outer edge of the first
            voxel, so that 100 voxels of 1 mm and 50 of 2 mm cover the same 100 mm.

        Returns
        -------
        Grid
            Size floor(n * old / new), at least one voxel along each axis.
        """
        n = self.ndim
        new = np.broadcast_to(np.asarray(spacing_mm, dtype=float), (n,))
        if not np.all(new > 0):
            raise ValueError(f"spacing_mm is {spacing_mm}; give positive numbers.")
        old = np.asarray(self.spacing_mm)
        shape = np.maximum(1, np.floor(np.asarray(self.shape) * old / new + _FLOOR_SLACK)).astype(int)
        matrix = self.world_from_index.copy()
        matrix[:n, :n] = self.direction * new
        if keep == "extent":
            matrix[:n, n] = self.world_of((new / old - 1) / 2)
        return replace(self, shape=tuple(int(s) for s in shape), world_from_index=matrix)

    def cropped(self, start: Sequence[int], stop: Sequence[int]) -> Grid:
        """Compute the grid of the block from index `start` up to, not including, `stop`."""
        matrix = self.world_from_index.copy()
        matrix[: self.ndim, self.ndim] = self.world_of(start)
        shape = tuple(int(b - a) for a, b in zip(start, stop, strict=True))
        return replace(self, shape=shape, world_from_index=matrix)

    def padded(self, margin_voxels: int | Sequence[int]) -> Grid:
        """Compute the grid grown by `margin_voxels` on both ends of each axis."""
        margin = np.broadcast_to(np.asarray(margin_voxels, dtype=int), (self.ndim,))
        return self.cropped(tuple(-margin), tuple(np.asarray(self.shape) + margin))

    def moved(self, world_from_old_world: ArrayLike, *, frame_of_reference: str | None = None) -> Grid:
        """Compute the grid after the patient has moved: the matrix acts on world mm."""
        return replace(
            self,
            world_from_index=np.asarray(world_from_old_world, dtype=float) @ self.world_from_index,
            frame_of_reference=frame_of_reference,
        )

    def same_as(self, other: Grid, *, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids have the same shape and voxel centres within `tolerance_mm`."""
        return self.shape == other.shape and bool(
            np.max(np.linalg.norm(self.corners_mm() - other.corners_mm(), axis=-1)) <= tolerance_mm
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Grid):
            return NotImplemented
        return (
            self.shape == other.shape
            and np.array_equal(self.world_from_index, other.world_from_index)
            and self.frame_of_reference == other.frame_of_reference
            and self.orientation_known == other.orientation_known
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.world_from_index.tobytes(), self.frame_of_reference))

    def __reduce__(self) -> tuple[type[Grid], tuple[object, ...]]:
        return Grid, (self.shape, self.world_from_index, self.frame_of_reference, self.orientation_known)

    def __repr__(self) -> str:
        size = "×".join(map(str, self.shape))
        spacing = "×".join(f"{s:.4g}" for s in self.spacing_mm)
        origin = ", ".join(f"{o:.4g}" for o in self.origin_mm)
        return f"Grid({size}, {spacing} mm, origin ({origin}) mm LPS)"
