"""Finding room for a lesion: tissue it may replace, clear of CSF and of the other lesions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.phantoms.head import Head
from cohortex.phantoms.shape import Shape

Place = Literal["white matter", "periventricular", "juxtacortical", "deep grey"]
"""Where lesions are planted."""

_TRIES = 1500
_SEARCH_MM = 2.0  # candidates are voxels of about this spacing
_POINTS = 400


@dataclass(frozen=True, kw_only=True, eq=False)
class Site:
    """A place that a lesion fits.

    Attributes
    ----------
    shape : Shape
        The largest shape of the lesion, moved there.
    place : str
        Kind of place.
    tissue_mix : mapping of str to float
        Shares of grey and white matter that it replaces; they add up to 1.
    """

    shape: Shape
    place: Place
    tissue_mix: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class _Demand:
    """What a place asks of the tissue under the lesion."""

    least_white: float = 0.0
    least_grey: float = 0.0
    most_grey: float = 1.0


_DEMANDS: dict[Place, _Demand] = {
    "white matter": _Demand(least_white=0.85),
    "periventricular": _Demand(least_white=0.7),
    "juxtacortical": _Demand(least_white=0.4, least_grey=0.15, most_grey=0.5),
    "deep grey": _Demand(least_grey=0.45),
}
_MOST_FLUID = 0.03  # share of the lesion that may be anything but grey or white matter
_MOST_FLUID_AROUND = 0.12  # the same in a shell a quarter of the radius thick


class SiteFinder:
    """Looks for sites in one head; remembers what is taken.

    Parameters
    ----------
    head : Head
        The anatomy.
    rng : numpy.random.Generator
        Order in which places are tried.
    separation_mm : float
        Least distance between the balls around two lesions, mm.
    """

    def __init__(self, head: Head, rng: np.random.Generator, *, separation_mm: float) -> None:
        self._head, self._rng, self._separation_mm = head, rng, separation_mm
        self._taken: list[tuple[NDArray[np.float64], float]] = []
        self._candidates: dict[Place, NDArray[np.float64]] = {}
        step = max(1, round(_SEARCH_MM / head.grid.spacing_mm[0]))
        self._every = (slice(step // 2, None, step),) * 3

    def find(self, shape: Shape, places: Sequence[Place]) -> Site | None:
        """Move a shape to the first place that suits it, trying kinds of place in order; None if there is none."""
        low, high = shape.box_mm
        points = self._rng.uniform(low - 0.15 * (high - low), high + 0.15 * (high - low), (_POINTS * 4, 3))
        levels = shape.level(points)
        inside, around = points[levels < 1][:_POINTS], points[(levels >= 1) & (levels < 1.25)][:_POINTS]
        for place in places:
            centers = self._centers(place)
            if len(centers) == 0:
                continue
            for number in self._rng.integers(len(centers), size=_TRIES):
                shift = centers[number] - shape.center_mm
                mix = self._suits(shape, shift, inside, around, _DEMANDS[place])
                if mix is not None:
                    moved = shape.moved_to(centers[number])
                    self._taken.append((moved.center_mm, moved.reach_mm))
                    return Site(shape=moved, place=place, tissue_mix=mix)
        return None

    def _suits(
        self,
        shape: Shape,
        shift: NDArray[np.float64],
        inside: NDArray[np.float64],
        around: NDArray[np.float64],
        demand: _Demand,
    ) -> dict[str, float] | None:
        center = shape.center_mm + shift
        for other, reach in self._taken:
            if np.linalg.norm(center - other) < reach + shape.reach_mm + self._separation_mm:
                return None
        white, grey = self._share("white", inside + shift), self._share("grey", inside + shift)
        if white < demand.least_white or not demand.least_grey <= grey <= demand.most_grey:
            return None
        if white + grey < 1 - _MOST_FLUID:
            return None
        if self._share("white", around + shift) + self._share("grey", around + shift) < 1 - _MOST_FLUID_AROUND:
            return None
        return {"white": white / (white + grey), "grey": grey / (white + grey)}

    def _share(self, tissue: str, points: NDArray[np.float64]) -> float:
        """Mean fraction of a tissue at points, nearest voxel."""
        values = self._head.tissues[tissue]
        index = np.clip(np.rint(self._head.grid.index_of(points)).astype(int), 0, np.asarray(values.shape) - 1)
        return float(values[index[:, 0], index[:, 1], index[:, 2]].mean()) / 255

    def _centers(self, place: Place) -> NDArray[np.float64]:
        """World positions of the voxels a lesion of this kind may be centred on, shape (n, 3)."""
        if place not in self._candidates:
            white, grey = self._head.tissues["white"][self._every], self._head.tissues["grey"][self._every]
            labels = self._head.labels.values[self._every]
            if place == "white matter":
                where = white > 240
            elif place == "deep grey":
                where = np.isin(labels, (7, 8)) & (grey > 128)
            elif place == "juxtacortical":
                where = (white > 130) & (white < 225) & (grey + white.astype(np.uint16) > 245) & (labels == 0)
            else:
                spacing = self._head.grid.spacing_mm[0] * (self._every[0].step or 1)
                wall = ndimage.distance_transform_edt(~np.isin(labels, (1, 2)), sampling=spacing)
                where = (white > 200) & (wall < 9)
            index = np.argwhere(where) * self._every[0].step + self._every[0].start
            self._candidates[place] = self._head.grid.world_of(index)
        return self._candidates[place]
