"""What stands between the head and the picture: the scan's grid, voxel averaging, shading and noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.image import Labels
from cohortex.transform import Rigid

Orientation = Literal["axial", "sagittal", "coronal"]

# Columns: directions of growing column, row and slice index in LPS, as scanners lay out their slices.
_DIRECTIONS: dict[str, NDArray[np.float64]] = {
    "axial": np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]).T,
    "sagittal": np.array([[0.0, 1, 0], [0, 0, -1], [-1, 0, 0]]).T,
    "coronal": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]).T,
}
_FWHM_OVER_SIGMA = 2 * np.sqrt(2 * np.log(2))

Values = NDArray[np.float32]


def scan_grid(
    field: Grid,
    *,
    in_plane_mm: float,
    slice_spacing_mm: float,
    orientation: Orientation = "axial",
    frame_of_reference: str | None = None,
) -> Grid:
    """Lay out slices over a field of view.

    Parameters
    ----------
    field : Grid
        Grid along the world axes whose extent is the field of view, such as that of a head.
    in_plane_mm, slice_spacing_mm : float
        Distance of pixels and of slice centres, mm.
    orientation : {"axial", "sagittal", "coronal"}
        Plane of the slices; axes in the order of scanners (column, row, slice).
    frame_of_reference : str, optional
        Frame of the visit.

    Returns
    -------
    Grid
        Centred on the field.
    """
    direction = _DIRECTIONS[orientation]
    extent = np.abs(direction.T) @ np.asarray(field.extent_mm)
    spacing = np.array([in_plane_mm, in_plane_mm, slice_spacing_mm])
    shape = np.maximum(1, np.ceil(extent / spacing - 1e-6)).astype(int)
    origin = field.center_mm - direction @ ((shape - 1) / 2 * spacing)
    return Grid.from_parts(
        tuple(int(n) for n in shape),
        spacing_mm=tuple(spacing),
        origin_mm=tuple(origin),
        direction=direction,
        frame_of_reference=frame_of_reference,
    )


def averaged_over_voxels(
    source: Values,
    source_grid: Grid,
    grid: Grid,
    *,
    source_from_world: Rigid,
    voxel_mm: tuple[float, float, float],
    outside: float,
    paint: Callable[[Values, Grid, tuple[float, ...]], None],
) -> Values:
    """Average a fine picture over the box of each voxel, by samples about as dense as the fine picture.

    Parameters
    ----------
    source : ndarray of float32
        Intensities of the head.
    source_grid, grid : Grid
        Where the head and the voxels lie.
    source_from_world : Rigid
        From scanner world to head world.
    voxel_mm : tuple of float
        Size of the box, mm; smaller than the spacing along slices with gaps.
    outside : float
        Value of air.
    paint : callable
        Puts deposits into the values of each set of samples; told the grid and the box that a sample stands for, mm.

    Returns
    -------
    ndarray of float32
        On `grid`.
    """
    fine = min(source_grid.spacing_mm)
    counts = [max(1, int(np.ceil(size / fine - 0.25))) for size in voxel_mm]
    total = np.zeros(grid.shape, dtype=np.float32)
    for shift in np.ndindex(*counts):
        offset = [((s + 0.5) / n - 0.5) * size for s, n, size in zip(shift, counts, voxel_mm, strict=True)]
        matrix = grid.world_from_index.copy()
        matrix[:3, 3] += grid.direction @ offset
        shifted = Grid(grid.shape, matrix, grid.frame_of_reference)
        sample = _sampled(source, source_grid, shifted, source_from_world, outside)
        paint(sample, shifted, tuple(size / n for size, n in zip(voxel_mm, counts, strict=True)))
        total += sample
    total /= np.float32(np.prod(counts))
    return total


def _sampled(source: Values, source_grid: Grid, grid: Grid, source_from_world: Rigid, outside: float) -> Values:
    matrix = source_grid.index_from_world @ source_from_world.matrix @ grid.world_from_index
    whole = np.rint(matrix[:3, 3])
    if np.array_equal(matrix[:3, :3], np.eye(3)) and np.allclose(matrix[:3, 3], whole, atol=1e-9):
        return _shifted(source, grid.shape, whole.astype(int), outside)
    return np.asarray(
        ndimage.affine_transform(
            source,
            matrix[:3, :3],
            matrix[:3, 3],
            output_shape=grid.shape,
            order=1,
            mode="constant",
            cval=outside,
            output=np.float32,
        )
    )


def carried_labels(labels: Labels, grid: Grid, *, source_from_world: Rigid) -> Labels:
    """Read labels on a grid after a rigid motion: nearest voxel, 0 outside."""
    matrix = labels.grid.index_from_world @ source_from_world.matrix @ grid.world_from_index
    values = ndimage.affine_transform(
        labels.values, matrix[:3, :3], matrix[:3, 3], output_shape=grid.shape, order=0, mode="constant"
    )
    return Labels(values, grid, metadata=labels.metadata)


def _shifted(source: Values, shape: tuple[int, ...], start: NDArray[np.int_], outside: float) -> Values:
    """Copy where the lattices coincide: no interpolation."""
    result = np.full(shape, outside, dtype=np.float32)
    to = tuple(slice(max(0, -s), max(0, min(n, m - s))) for s, n, m in zip(start, shape, source.shape, strict=True))
    come = tuple(slice(t.start + s, t.stop + s) for t, s in zip(to, start, strict=True))
    if all(t.stop > t.start for t in to):
        result[to] = source[come]
    return result


def blurred(values: Values, grid: Grid, fwhm_mm: float) -> Values:
    """Blur in the plane of the slices with a Gaussian point spread."""
    if fwhm_mm == 0:
        return values
    sigma = [fwhm_mm / _FWHM_OVER_SIGMA / s for s in grid.spacing_mm[:2]]
    return np.asarray(ndimage.gaussian_filter(values, [*sigma, 0.0], mode="nearest", truncate=3.5))


def shading(grid: Grid, rng: np.random.Generator, *, largest: float) -> Values:
    """Smooth multiplicative shading of a receive coil: exp of low cosines, from 1/(1+largest) to 1+largest."""
    waves = [np.cos(np.pi * np.arange(3)[:, None] * (np.arange(n) + 0.5) / n) for n in grid.shape]
    weights = rng.standard_normal((3, 3, 3))
    order = np.indices((3, 3, 3)).sum(axis=0)
    weights[(order == 0) | (order > 2)] = 0.0
    rough = [np.cos(np.pi * np.arange(3)[:, None] * np.linspace(0, 1, 17)) for _ in range(3)]
    peak = np.max(np.abs(np.einsum("abc,ai,bj,ck->ijk", weights, *rough)))
    scale = np.log1p(largest) / peak
    partial = np.einsum("abc,ck->abk", weights * scale, waves[2])
    partial = np.einsum("abk,bj->ajk", partial, waves[1])
    return np.exp(np.einsum("ajk,ai->ijk", partial.astype(np.float32), waves[0].astype(np.float32)))


def with_rician_noise(values: Values, rng: np.random.Generator, *, sd: float) -> Values:
    """Magnitude of a complex signal with Gaussian noise of `sd` in both channels.

    References
    ----------
    .. [1] Gudbjartsson and Patz, *The Rician distribution of noisy MRI data*, Magn Reson Med 34, 1995,
       10.1002/mrm.1910340618: in air the mean is sd √(π/2).
    """
    if sd == 0:
        return values
    real = rng.standard_normal(values.shape, dtype=np.float32)
    real *= np.float32(sd)
    real += values
    imaginary = rng.standard_normal(values.shape, dtype=np.float32)
    imaginary *= np.float32(sd)
    return np.hypot(real, imaginary, out=real)


def with_gaussian_noise(values: Values, rng: np.random.Generator, *, sd: float) -> Values:
    """Values plus independent Gaussian noise."""
    if sd == 0:
        return values
    noise = rng.standard_normal(values.shape, dtype=np.float32)
    noise *= np.float32(sd)
    noise += values
    return noise
