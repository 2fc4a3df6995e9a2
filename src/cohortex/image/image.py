"""An image: values, where they lie, what they measure, and what the header said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cohortex.geometry import Grid

Axis = Literal["time", "channel", "vector"]
"""What an axis after the spatial ones means: volumes in time, colours, or components in world mm."""


@dataclass(frozen=True, eq=False)
class Image:
    """Values on a grid; never changed in place.

    Parameters
    ----------
    values : array_like
        Axis n is axis n of the grid; the axes named in `extra_axes` follow.
    grid : Grid
        Where the voxel centres lie, LPS mm.
    unit : str
        "HU", "Bq/mL", "1/s", "1/cm", "mm²/s" … or "arbitrary".
    metadata : mapping
        What the header said, as plain values.
    extra_axes : tuple of {"time", "channel", "vector"}
        Names of the axes of `values` after the spatial ones.

    Raises
    ------
    ValueError
        If the shape of the values does not follow from the grid and `extra_axes`.
    """

    values: NDArray[Any]
    grid: Grid
    unit: str = "arbitrary"
    metadata: Mapping[str, object] = field(default_factory=dict)
    extra_axes: tuple[Axis, ...] = ()

    def __post_init__(self) -> None:
        values = np.asarray(self.values).view()
        n = self.grid.ndim
        if values.ndim != n + len(self.extra_axes) or values.shape[:n] != self.grid.shape:
            raise ValueError(
                f"values of shape {values.shape} do not fit a grid of shape {self.grid.shape} with the further axes "
                f"{self.extra_axes or 'none'}; name axes after the spatial ones in extra_axes."
            )
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))

    def with_values(self, values: ArrayLike, *, unit: str | None = None) -> Image:
        """Put other values, shape (*grid.shape, ...) as here, on the same grid; unit kept unless given."""
        return Image(np.asarray(values), self.grid, unit or self.unit, self.metadata, self.extra_axes)

    def with_metadata(self, **entries: object) -> Self:
        """Copy with some metadata entries set."""
        return type(self)(self.values, self.grid, self.unit, {**self.metadata, **entries}, self.extra_axes)

    @property
    def is_scalar(self) -> bool:
        """Whether there is one value per voxel."""
        return not self.extra_axes

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.values.dtype

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.values, self.grid, self.unit, dict(self.metadata), self.extra_axes)

    def __repr__(self) -> str:
        sizes = self.values.shape[self.grid.ndim :]
        extra = "".join(f", {name} {n}" for name, n in zip(self.extra_axes, sizes, strict=True))
        return f"{type(self).__name__}({self.grid!r}, {self.values.dtype}, {self.unit}{extra})"


@dataclass(frozen=True, eq=False, repr=False)
class Labels(Image):
    """An image whose integers are names, never averaged: 0 is background.

    Parameters are those of `Image`; boolean values become uint8. The mapping from number to name, where
    there is one, is the metadata entry "label_names".

    Raises
    ------
    ValueError
        If the values are not integers.
    """

    unit: str = "label"

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        if values.dtype == bool:
            values = values.astype(np.uint8)
        if not np.issubdtype(values.dtype, np.integer):
            raise ValueError(f"labels must be integers, not {values.dtype}; round them where they were made.")
        object.__setattr__(self, "values", values)
        super().__post_init__()

    def with_values(self, values: ArrayLike, *, unit: str | None = None) -> Labels:
        """Put other labels on the same grid."""
        return Labels(np.asarray(values), self.grid, unit or self.unit, self.metadata, self.extra_axes)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Where any label is set."""
        return np.asarray(self.values != 0)
