"""Anatomical planes: which voxel becomes which pixel, in radiological convention."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cohortex.geometry import Grid, reorient_grid
from cohortex.image import Image
from cohortex.measure.slice_axis import slice_axis

Plane = Literal["axial", "coronal", "sagittal"]
"""How the patient is cut."""

Numbering = Literal["slice", "position"]
"""Name a slice by its number in the series (from 1), or by its place in the patient in mm."""

_CODES: dict[Plane, str] = {"axial": "LPS", "coronal": "LIP", "sagittal": "PIL"}  # column, row (down), slice
_OPPOSITE = dict(zip("LRPASI", "RLAPIS", strict=True))
_WORLD_AXIS = {"L": 0, "R": 0, "P": 1, "A": 1, "S": 2, "I": 2}
_TOWARDS = ("LR", "PA", "SI")
_THICK = 2.0  # slices more than twice as thick as a pixel are shown as they were taken
_FEW_SLICES = 5


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle on the screen side of a plane: whole pixels, stop not included."""

    rows: tuple[int, int]
    columns: tuple[int, int]


@dataclass(frozen=True)
class View:
    """The way from voxels of a grid to rows and columns of a picture.

    Axial and coronal pictures have the patient's left on the viewer's right; axial pictures have the front on
    top; coronal and sagittal pictures have the head on top; sagittal pictures have the front on the viewer's
    left. An oblique grid is shown along its own axes, named by the direction each follows most closely.

    Parameters
    ----------
    grid : Grid
        Grid of three axes in any voxel order. Where the orientation is not known the voxel order is drawn as it is
        (columns, rows, slices = i, j, k whatever the plane) and the edges are marked "?".
    plane : {"axial", "coronal", "sagittal"}
        The cut.
    slice_numbers : tuple of int, optional
        Number of each slice along the third voxel axis; counted from 1 when omitted, or where the series was cut along
        another (`measure.slice_axis`).
    """

    grid: Grid
    plane: Plane
    slice_numbers: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.slice_numbers is not None and len(self.slice_numbers) != self.grid.shape[-1]:
            raise ValueError(f"{len(self.slice_numbers)} slice numbers for {self.grid.shape[-1]} slices.")
        if self.grid.ndim != 3:
            raise ValueError(f"the grid has {self.grid.ndim} axes; planes need 3.")
        if self.plane not in _CODES:
            raise ValueError(f"plane is {self.plane!r}; give one of {', '.join(_CODES)}.")

    @classmethod
    def of(cls, image: Image, plane: Plane) -> View:
        """View an image with the slice numbers its header gave (metadata `instance_numbers`), if it did."""
        given = image.metadata.get("instance_numbers")
        numbers = tuple(n for n in given if isinstance(n, int)) if isinstance(given, list | tuple) else ()
        return cls(image.grid, plane, numbers if len(numbers) == image.grid.shape[-1] else None)

    @cached_property
    def _reordering(self) -> tuple[Grid, tuple[int, ...], tuple[int, ...]]:
        if not self.grid.orientation_known:
            return self.grid, (0, 1, 2), ()
        return reorient_grid(self.grid, _CODES[self.plane])

    @property
    def screen_grid(self) -> Grid:
        """The same voxel centres, axes in the order column, row (downwards), slice."""
        return self._reordering[0]

    @property
    def slices(self) -> int:
        """How many slices there are."""
        return self.screen_grid.shape[2]

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a picture, pixels."""
        columns, rows, _ = self.screen_grid.shape
        return rows, columns

    @property
    def pixel_mm(self) -> tuple[float, float]:
        """Height and width of a pixel, mm."""
        column, row, _ = self.screen_grid.spacing_mm
        return row, column

    @property
    def edges(self) -> tuple[str, str, str, str]:
        """Letters at the left, right, top and bottom edge of the picture; "?" where nothing is known."""
        if not self.grid.orientation_known:
            return "?", "?", "?", "?"
        column, row = _CODES[self.plane][0], _CODES[self.plane][1]
        return _OPPOSITE[column], column, _OPPOSITE[row], row

    def volume(self, image: Image) -> NDArray[Any]:
        """All slices of a scalar image on this grid, shape (slice, row, column).

        Raises
        ------
        ValueError
            If the image is not scalar or lies on another grid.
        """
        if not image.is_scalar:
            raise ValueError(f"pictures show scalar images; this one has the further axes {image.extra_axes}.")
        if not image.grid.same_as(self.grid):
            raise ValueError(f"{image!r} does not lie on {self.grid!r}; resample it first.")
        _, order, flipped = self._reordering
        return np.flip(np.transpose(image.values, order), axis=flipped).transpose(2, 1, 0)

    def slice_at(self, point_mm: ArrayLike) -> int:
        """The slice nearest to a world point, mm; the first or last one for a point beyond."""
        index = float(self.screen_grid.index_of(point_mm)[2])
        return int(np.clip(np.ceil(index - 0.5), 0, self.slices - 1))

    def pixel_at(self, point_mm: ArrayLike) -> tuple[float, float]:
        """Row and column, in pixels, of a world point, mm."""
        column, row, _ = self.screen_grid.index_of(point_mm)
        return float(row), float(column)

    def series_slice(self, slice_index: int) -> int | None:
        """Number of the slice in the series; None where this plane cuts across the series' slices."""
        _, order, flipped = self._reordering
        axis = slice_axis(self.grid)
        if order[2] != axis:
            return None
        along = self.slices - 1 - slice_index if 2 in flipped else slice_index
        return along + 1 if self.slice_numbers is None or axis != 2 else self.slice_numbers[along]

    def slice_of_series(self, number: int) -> int | None:
        """The slice with a number of the series; None where there is none or this plane cuts across."""
        return next((n for n in range(self.slices) if self.series_slice(n) == number), None)

    def name_of(self, slice_index: int, *, numbering: Numbering = "slice") -> str:
        """Name a slice: "slice 45" where the plane is that of the series, else its place, such as "S 12 mm"."""
        number = self.series_slice(slice_index)
        if number is not None and (numbering == "slice" or not self.grid.orientation_known):
            return f"slice {number}"
        rows, columns = self.size
        center = self.screen_grid.world_of([(columns - 1) / 2, (rows - 1) / 2, slice_index])
        axis = _WORLD_AXIS[_CODES[self.plane][2]]
        millimetres = round(float(center[axis]))
        return f"{_TOWARDS[axis][millimetres < 0]} {abs(millimetres)} mm"

    def box_around(self, mask: NDArray[np.bool_], *, margin_mm: float, smallest_mm: float = 0.0) -> Box:
        """Find the rectangle around the set pixels of a picture (or of all slices), cut at its borders.

        Parameters
        ----------
        mask : ndarray of bool, shape (row, column) or (slice, row, column)
            Pixels to include; the whole picture when none is set.
        margin_mm : float
            Added on all sides, mm.
        smallest_mm : float
            Least height and width before cutting at the borders, mm.

        Returns
        -------
        Box
            At least one pixel each way.
        """
        flat = mask.any(axis=0) if mask.ndim == 3 else mask
        ranges = []
        for axis, pixel in enumerate(self.pixel_mm):
            found = np.flatnonzero(np.any(flat, axis=1 - axis))
            size = self.size[axis]
            if not len(found):
                ranges.append((0, size))
                continue
            wanted = max((found[-1] - found[0] + 1) * pixel + 2 * margin_mm, smallest_mm) / pixel
            center = (found[0] + found[-1] + 1) / 2
            start = max(0, int(np.floor(center - wanted / 2)))
            ranges.append((start, max(start + 1, min(size, int(np.ceil(center + wanted / 2))))))
        return Box(rows=ranges[0], columns=ranges[1])

    def square_around(self, mask: NDArray[np.bool_], *, margin_mm: float, smallest_mm: float) -> Box:
        """Find a square (in mm) around the set pixels, moved inwards at the borders rather than cut.

        Parameters are those of `box_around`; a picture smaller than the square is taken whole.
        """
        tight = self.box_around(mask, margin_mm=margin_mm)
        height, width = self.pixel_mm
        side = max((tight.rows[1] - tight.rows[0]) * height, (tight.columns[1] - tight.columns[0]) * width, smallest_mm)
        ranges = []
        for (start, stop), size, pixel in zip((tight.rows, tight.columns), self.size, self.pixel_mm, strict=True):
            n = min(size, max(1, round(side / pixel)))
            first = int(np.clip(round((start + stop - n) / 2), 0, size - n))
            ranges.append((first, first + n))
        return Box(rows=ranges[0], columns=ranges[1])


def best_plane(grid: Grid) -> Plane:
    """Choose the plane a reader expects: axial, unless the series has thick slices in another plane.

    Parameters
    ----------
    grid : Grid
        Grid of three axes.

    Returns
    -------
    {"axial", "coronal", "sagittal"}
        The plane of the series where its slices are over twice as thick as its pixels (or fewer than five);
        axial otherwise.
    """
    axis = slice_axis(grid)
    thickness, pixel = grid.spacing_mm[axis], np.delete(grid.spacing_mm, axis)
    if not grid.orientation_known or (thickness <= _THICK * min(pixel) and min(grid.shape) >= _FEW_SLICES):
        return "axial"
    for plane in _CODES:
        if View(grid, plane).series_slice(0) is not None:
            return plane
    return "axial"
