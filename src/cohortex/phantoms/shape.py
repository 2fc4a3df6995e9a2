"""Shapes of lesions: lobulated ellipsoids and unions of them, with volumes that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cohortex.geometry import Grid
from cohortex.transform import Rigid

_SPHERE_POINTS = 20_000
_UNION_STEP_MM = 0.25
_UNION_POINTS = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class Blob:
    """An ellipsoid whose surface may carry smooth lobes.

    In the ellipsoid's own unit sphere the surface lies at radius 1 + a h(u), where h is a sum of broad cosine bumps
    about the directions in `lobes`, less its mean; a is `lobulation`.

    Attributes
    ----------
    center_mm : tuple of float
        World mm.
    radii_mm : tuple of float
        Semi-axes, mm.
    axes : ndarray, shape (3, 3)
        Directions of the semi-axes, in columns; a rotation.
    lobulation : float
        Height of the lobes over the radius, 0 to 0.4.
    lobes : ndarray, shape (n, 3)
        Unit directions of the lobes.
    """

    center_mm: tuple[float, float, float]
    radii_mm: tuple[float, float, float]
    axes: NDArray[np.float64]
    lobulation: float = 0.0
    lobes: NDArray[np.float64] | None = None

    def level(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Distance from the centre as a share of that to the surface: below 1 inside, shape (...)."""
        inner = (np.asarray(points_mm, dtype=float) - self.center_mm) @ self.axes / self.radii_mm
        radius = np.linalg.norm(inner, axis=-1)
        if not self.lobulation or self.lobes is None:
            return np.asarray(radius)
        unit = inner / np.maximum(radius, 1e-12)[..., None]
        return np.asarray(radius / self._surface(unit))

    def _surface(self, unit: NDArray[np.float64]) -> NDArray[np.float64]:
        assert self.lobes is not None  # for the type checker: callers looked
        bumps = np.zeros(unit.shape[:-1])
        for lobe in self.lobes:
            bumps += ((1 + unit @ lobe) / 2) ** 3 - 0.25  # 1/4 is the bump's mean over the sphere
        return 1 + self.lobulation * bumps

    @cached_property
    def volume_mm3(self) -> float:
        """4/3 pi a b c times the mean cube of the surface radius (by quadrature on the sphere), mm³."""
        full = 4 / 3 * np.pi * float(np.prod(self.radii_mm))
        if not self.lobulation or self.lobes is None:
            return full
        return full * float(np.mean(self._surface(_sphere_points()) ** 3))

    @property
    def reach_mm(self) -> float:
        """Radius of a ball about the centre that holds the blob, mm."""
        lobes = 0 if self.lobes is None else len(self.lobes)
        return max(self.radii_mm) * (1 + 0.75 * self.lobulation * lobes)

    @property
    def half_extent_mm(self) -> NDArray[np.float64]:
        """Half the size of a world box about the centre that holds the blob, shape (3,), mm."""
        stretch = self.reach_mm / max(self.radii_mm)
        return np.asarray(np.sqrt((self.axes**2) @ np.square(self.radii_mm)) * stretch)


@dataclass(frozen=True, kw_only=True, eq=False)
class Shape:
    """A union of blobs: one lesion, of one part or of parts that touch.

    Attributes
    ----------
    parts : tuple of Blob
        The blobs; where they overlap, space counts once.
    """

    parts: tuple[Blob, ...]

    def level(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Least of the parts' levels: below 1 inside."""
        levels = [part.level(points_mm) for part in self.parts]
        return np.asarray(np.min(levels, axis=0)) if len(levels) > 1 else levels[0]

    @cached_property
    def volume_mm3(self) -> float:
        """Volume, mm³: the formula for one part, a fine lattice for a union (within 0.3 %)."""
        if len(self.parts) == 1:
            return self.parts[0].volume_mm3
        low, high = self.box_mm
        step = min(_UNION_STEP_MM, float(np.max(high - low)) / _UNION_POINTS)
        counts = np.ceil((high - low) / step).astype(int)
        grid = Grid.from_parts(tuple(counts), spacing_mm=(step,) * 3, origin_mm=tuple(low + step / 2))
        return float((self.level(grid.world_points()) < 1).sum()) * step**3

    @cached_property
    def center_mm(self) -> NDArray[np.float64]:
        """Centres of the parts weighted with their volumes, shape (3,), mm."""
        weights = [part.volume_mm3 for part in self.parts]
        return np.average([part.center_mm for part in self.parts], axis=0, weights=weights)

    @property
    def box_mm(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Low and high corner of a world box that holds the shape, mm."""
        centers = np.array([part.center_mm for part in self.parts])
        half = np.array([part.half_extent_mm for part in self.parts])
        return (centers - half).min(axis=0), (centers + half).max(axis=0)

    @property
    def reach_mm(self) -> float:
        """Radius of a ball about the centre that holds the shape, mm."""
        return max(float(np.linalg.norm(part.center_mm - self.center_mm)) + part.reach_mm for part in self.parts)

    def scaled(self, volume_ratio: float) -> Shape:
        """The same shape about the same centre with its volume multiplied."""
        factor = float(np.cbrt(volume_ratio))
        parts = []
        for part in self.parts:
            x, y, z = (self.center_mm + factor * (np.asarray(part.center_mm) - self.center_mm)).tolist()
            a, b, c = (factor * r for r in part.radii_mm)
            parts.append(replace(part, center_mm=(x, y, z), radii_mm=(a, b, c)))
        return Shape(parts=tuple(parts))

    def moved_to(self, center_mm: ArrayLike) -> Shape:
        """The same shape about another centre."""
        shift = np.asarray(center_mm, dtype=float) - self.center_mm
        parts = []
        for part in self.parts:
            x, y, z = (np.asarray(part.center_mm) + shift).tolist()
            parts.append(replace(part, center_mm=(x, y, z)))
        return Shape(parts=tuple(parts))

    def fraction(self, grid: Grid, *, world_from_head: Rigid | None = None, step_mm: float = 0.4) -> ShapeOnGrid:
        """Share of each voxel that lies in the shape, by a lattice of points inside each voxel.

        Parameters
        ----------
        grid : Grid
            Grid of three axes.
        world_from_head : Rigid, optional
            Where the head lies in the world of the grid; not moved when omitted.
        step_mm : float
            Greatest distance between the points, mm.

        Returns
        -------
        ShapeOnGrid
            The block of voxels it can touch, and the shares.
        """
        box, levels = self.levels_on(grid, world_from_head=world_from_head, step_mm=step_mm)
        return ShapeOnGrid(box=box, share=(levels < 1).mean(axis=-1).astype(np.float32))

    def levels_on(
        self,
        grid: Grid,
        *,
        world_from_head: Rigid | None = None,
        step_mm: float = 0.4,
        margin: float = 1.0,
        box_mm: tuple[float, ...] | None = None,
    ) -> tuple[tuple[slice, slice, slice], NDArray[np.float64]]:
        """Levels at points in a box (the voxel) about each voxel centre near the shape: slices, (*block, points)."""
        motion = world_from_head or Rigid.identity()
        low, high = self.box_mm
        middle, half = (low + high) / 2, margin * (high - low) / 2
        signs = np.stack(np.meshgrid(*[(-1, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        corners = grid.index_of(motion(middle + signs * half))
        start = np.clip(np.floor(corners.min(axis=0) - 0.5).astype(int), 0, grid.shape)
        stop = np.clip(np.ceil(corners.max(axis=0) + 0.5).astype(int) + 1, start, grid.shape)
        size = np.asarray(grid.spacing_mm if box_mm is None else box_mm)
        counts = np.maximum(1, np.ceil(size / step_mm - 1e-6)).astype(int)
        ratio = size / grid.spacing_mm  # the box in voxels
        offsets = [((np.arange(n) + 0.5) / n - 0.5) * r for n, r in zip(counts, ratio, strict=True)]
        inner = np.stack(np.meshgrid(*offsets, indexing="ij"), axis=-1).reshape(-1, 3)
        index = np.stack(np.meshgrid(*map(np.arange, start, stop), indexing="ij"), axis=-1)
        points = motion.inverse()(grid.world_of(index[..., None, :] + inner))
        box = (slice(start[0], stop[0]), slice(start[1], stop[1]), slice(start[2], stop[2]))
        return box, self.level(points)


@dataclass(frozen=True, kw_only=True, eq=False)
class ShapeOnGrid:
    """How much of each voxel of a block a shape fills."""

    box: tuple[slice, slice, slice]
    share: NDArray[np.float32]


def draw_blob(
    rng: np.random.Generator,
    *,
    center_mm: Sequence[float],
    volume_mm3: float,
    elongation: float = 1.6,
    lobulation: float = 0.25,
) -> Blob:
    """Draw a blob of an exact volume.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the shape.
    center_mm : sequence of float
        Its centre, mm.
    volume_mm3 : float
        Its volume, mm³, met to rounding.
    elongation : float
        Greatest ratio of the semi-axes.
    lobulation : float
        Greatest height of the lobes over the radius.

    Returns
    -------
    Blob
        With three lobes in random directions.
    """
    ratios = np.exp(rng.uniform(-0.5, 0.5, 3) * np.log(elongation))
    lobes = rng.standard_normal((3, 3))
    lobes /= np.linalg.norm(lobes, axis=1, keepdims=True)
    axes = random_rotation(rng)
    height = float(rng.uniform(0, lobulation))
    x, y, z = (float(c) for c in center_mm)
    a, b, c = (float(r) for r in ratios)
    blob = Blob(center_mm=(x, y, z), radii_mm=(a, b, c), axes=axes, lobulation=height, lobes=lobes)
    factor = float(np.cbrt(volume_mm3 / blob.volume_mm3))
    return replace(blob, radii_mm=(a * factor, b * factor, c * factor))


def random_rotation(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a rotation, all equally likely, by QR of a Gaussian matrix."""
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    return np.asarray(q * np.linalg.det(q))


def _sphere_points() -> NDArray[np.float64]:
    """Evenly spread unit vectors (Fibonacci lattice), shape (n, 3)."""
    k = np.arange(_SPHERE_POINTS) + 0.5
    z = 1 - 2 * k / _SPHERE_POINTS
    turn = np.pi * (1 + np.sqrt(5)) * k
    flat = np.sqrt(1 - z**2)
    return np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=-1)
