"""What every transform promises: it moves points, composes, and inverts."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray


@runtime_checkable
class Transform(Protocol):
    """A map from source world mm to target world mm, named target_from_source.

    `moving_from_fixed` takes a point of the fixed image to the place in the moving image where the same
    anatomy lies; that is the transform `warp` needs to bring the moving image onto the fixed grid.
    """

    def __call__(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Move points of shape (..., 3), mm."""
        ...

    def inverse(self) -> Transform:
        """Give the transform back from target to source."""
        ...

    def __matmul__(self, other: Transform) -> Transform:
        """Compose: (a_from_b @ b_from_c)(p) = a_from_b(b_from_c(p))."""
        ...
