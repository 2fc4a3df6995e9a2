"""A chain of transforms, kept apart so that an image is sampled once at its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cohortex.transform.transform import Transform


@dataclass(frozen=True, eq=False)
class Chain:
    """Transforms applied from last to first, as in a product of matrices.

    Parameters
    ----------
    parts : tuple of Transform
        a_from_b, b_from_c, …; the chain is a_from_(last).
    """

    parts: tuple[Transform, ...]

    @classmethod
    def of(cls, *transforms: Transform) -> Transform:
        """Join transforms into one chain; neighbouring matrices are multiplied."""
        parts: list[Transform] = []
        for transform in transforms:
            parts.extend(transform.parts if isinstance(transform, Chain) else (transform,))
        merged: list[Transform] = []
        for part in parts:
            if merged and hasattr(merged[-1], "matrix") and hasattr(part, "matrix"):
                merged[-1] = merged[-1] @ part
            else:
                merged.append(part)
        return merged[0] if len(merged) == 1 else cls(tuple(merged))

    def __call__(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Move points of shape (..., 3), mm, through the whole chain."""
        points = np.asarray(points_mm, dtype=float)
        for part in reversed(self.parts):
            points = part(points)
        return points

    def inverse(self) -> Transform:
        """The chain back: inverses in the opposite order."""
        return Chain.of(*(part.inverse() for part in reversed(self.parts)))

    def __matmul__(self, other: Transform) -> Transform:
        return Chain.of(self, other)
