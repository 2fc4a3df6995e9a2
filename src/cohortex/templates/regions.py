"""Places in words: side, lobe-sized region and tissue of points in template space.

Regions are drawn with planes and ellipsoids in MNI152 coordinates after the landmarks of anatomical atlases [1]_; a
border between lobes can be off by a centimetre in an individual. They say where to look, not which gyrus it is. Of the
grey matter of a labelled brain that was not looked at when drawing them, 90 % lies in the region of its label.

References
----------
.. [1] Duvernoy, *The Human Brain: Surface, Three-Dimensional Sectional Anatomy with MRI*, 2nd ed., Springer 1999;
   Mai, Majtanik, Paxinos, *Atlas of the Human Brain*, 4th ed., Academic Press 2015 (MNI coordinates).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from cohortex.image import Image, sample_at_points
from cohortex.templates.mni152 import mni152

Side = Literal["left", "right", "midline", "both"]
Region = Literal[
    "frontal",
    "parietal",
    "temporal",
    "occipital",
    "insular",
    "basal ganglia",
    "thalamus",
    "corpus callosum",
    "ventricle",
    "brain stem",
    "cerebellum",
    "outside",
]
Tissue = Literal["grey matter", "white matter", "fluid", "outside"]

REGIONS: tuple[Region, ...] = Region.__args__  # type: ignore[attr-defined]
"""The regions by number, as `region_numbers` gives them."""

_MIDLINE_MM = 3.0
_SHARE_NAMED = 0.25  # a second region, or the other side, is named from this share of the points
_OUTSIDE = 0.5  # summed fractions below which a point is not in the brain
_PERIVENTRICULAR_MM = 6.0

_Floats = NDArray[np.float64]
_Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something lies, for a reader.

    Attributes
    ----------
    side : {"left", "right", "midline", "both"}
        Side of the patient; "midline" within 3 mm of it, "both" for points with a quarter or more on each side.
    tissue : {"grey matter", "white matter", "fluid", "outside"}
        Tissue of the template there.
    region : str
        Region with most of the points; "outside" where that is not in the brain.
    periventricular : bool
        Whether it is white matter within 6 mm of a lateral ventricle of the template.
    words : str
        All of it as a phrase, such as "left frontal white matter".
    """

    side: Side
    tissue: Tissue
    region: Region
    periventricular: bool
    words: str


def describe_place(points_mm: ArrayLike, *, tissue: Mapping[str, Image] | None = None) -> Place:
    """Say in words where points lie in the brain.

    Parameters
    ----------
    points_mm : array_like
        One point, shape (3,), or the points of one structure, shape (n, 3): template world (MNI152), LPS mm.
    tissue : mapping of str to Image, optional
        Fractions "grey", "white" and "csf" (0 to 1) of the template; those of `mni152()` when omitted.

    Returns
    -------
    Place
        Of several points, what most of them say; a second region is named when a quarter of them lie there.

    Raises
    ------
    ValueError
        If there is no point, a coordinate is not finite, or a tissue is missing.
    """
    points = np.atleast_2d(np.asarray(points_mm, dtype=float))
    if points.ndim != 2 or points.shape[1] != 3 or len(points) == 0:
        raise ValueError(f"points_mm has shape {np.shape(points_mm)}; give at least one point of three coordinates.")
    if not np.all(np.isfinite(points)):
        raise ValueError("points_mm holds NaN or infinity; was the alignment with the template successful?")
    maps = mni152().tissues if tissue is None else tissue
    fractions = _fractions(points, maps)
    named = _most_named(_numbers(points, fractions))
    kind = _tissue(fractions.mean(axis=0))
    if REGIONS[named[0]] == "outside" or kind == "outside":
        return Place(
            side=_side(points), tissue="outside", region="outside", periventricular=False, words="outside the brain"
        )
    near = kind == "white matter" and bool(np.mean(_near_ventricle(points, maps["csf"])) >= 0.5)
    side = _side(points)
    return Place(
        side=side,
        tissue=kind,
        region=REGIONS[named[0]],
        periventricular=near,
        words=_words(side, kind, [REGIONS[n] for n in named if REGIONS[n] != "outside"], near, points.mean(axis=0)),
    )


def region_numbers(points_mm: ArrayLike, *, tissue: Mapping[str, Image] | None = None) -> NDArray[np.int64]:
    """Find the region of each point.

    Parameters
    ----------
    points_mm : array_like
        Points of shape (..., 3), template world (MNI152), LPS mm.
    tissue : mapping of str to Image, optional
        As in `describe_place`.

    Returns
    -------
    ndarray of int
        Positions in `REGIONS`, shape (...).
    """
    points = np.asarray(points_mm, dtype=float)
    flat = points.reshape(-1, 3)
    numbers = _numbers(flat, _fractions(flat, mni152().tissues if tissue is None else tissue))
    return numbers.reshape(points.shape[:-1])


def _fractions(points: _Floats, maps: Mapping[str, Image]) -> _Floats:
    """Grey, white and fluid at each point, shape (n, 3)."""
    missing = [name for name in ("grey", "white", "csf") if name not in maps]
    if missing:
        raise ValueError(f"tissue lacks {', '.join(missing)}; give grey, white and csf.")
    return np.stack([sample_at_points(maps[name], points) for name in ("grey", "white", "csf")], axis=-1)


def _tissue(fractions: _Floats) -> Tissue:
    if fractions.sum() < _OUTSIDE:
        return "outside"
    kinds: tuple[Tissue, ...] = ("grey matter", "white matter", "fluid")
    return kinds[int(np.argmax(fractions))]


def _side(points: _Floats) -> Side:
    left = float(np.mean(points[:, 0] > _MIDLINE_MM))  # LPS: x grows to the left
    right = float(np.mean(points[:, 0] < -_MIDLINE_MM))
    if min(left, right) >= _SHARE_NAMED:
        return "both"
    if max(left, right) < 0.5:
        return "midline"
    return "left" if left > right else "right"


def _most_named(numbers: NDArray[np.int64]) -> list[int]:
    """The commonest region, and the second where it has its share."""
    counts = np.bincount(numbers, minlength=len(REGIONS))
    first, second = np.argsort(-counts, kind="stable")[:2]
    return [int(first), int(second)] if counts[second] >= _SHARE_NAMED * counts.sum() else [int(first)]


def _words(side: Side, tissue: Tissue, regions: list[Region], near_ventricle: bool, center: _Floats) -> str:
    prefix = {"left": "left ", "right": "right ", "midline": "midline ", "both": "bilateral "}[side]
    if regions[0] == "ventricle":
        return _ventricle_words(prefix, center)
    if regions[0] in ("brain stem", "corpus callosum") and side == "midline":
        prefix = ""
    if regions[0] in ("basal ganglia", "thalamus", "corpus callosum", "brain stem", "cerebellum"):
        second = f" and {regions[1]}" if len(regions) > 1 and regions[1] != "ventricle" else ""
        return f"{prefix}{regions[0]}{second}"
    lobes = " and ".join(r for r in regions if r in ("frontal", "parietal", "temporal", "occipital", "insular"))
    others = "".join(f", reaching the {r}" for r in regions[1:] if r not in lobes)
    where = "periventricular " if near_ventricle else ""
    return f"{prefix}{lobes} {where}{'fluid space' if tissue == 'fluid' else tissue}{others}"


def _ventricle_words(prefix: str, center: _Floats) -> str:
    if center[1] > 35 and center[2] < -12:
        return "fourth ventricle"
    if abs(center[0]) <= _MIDLINE_MM and center[2] < 14:
        return "third ventricle"
    return f"{prefix}lateral ventricle"


def _near_ventricle(points: _Floats, csf: Image) -> _Mask:
    """Whether each point lies within 6 mm of fluid in the envelope of the lateral ventricles."""
    distance, _ = _ventricle_tree(csf).query(points, distance_upper_bound=_PERIVENTRICULAR_MM)
    return np.isfinite(distance)


@lru_cache(maxsize=4)
def _ventricle_tree(csf: Image) -> cKDTree:
    fluid = csf.grid.world_of(np.argwhere(csf.values > 0.5))
    x, y, z = _mirrored(fluid)
    return cKDTree(fluid[_in_lateral_ventricle(x, y, z)])


def _mirrored(points: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Distance from the midline, and RAS y (to the front) and z (up), in which the rules below are written."""
    return np.abs(points[:, 0]), -points[:, 1], points[:, 2]


def _ellipsoid(x: _Floats, y: _Floats, z: _Floats, center: _Point, radii: _Point) -> _Mask:
    return ((x - center[0]) / radii[0]) ** 2 + ((y - center[1]) / radii[1]) ** 2 + (
        (z - center[2]) / radii[2]
    ) ** 2 <= 1


_Point = tuple[float, float, float]


def _numbers(points: _Floats, fractions: _Floats) -> NDArray[np.int64]:
    """Region of each point; what is deeper in the brain comes first."""
    x, y, z = _mirrored(points)
    kind = np.argmax(fractions, axis=1)  # 0 grey, 1 white, 2 fluid
    rules: list[tuple[Region, _Mask]] = [
        ("outside", fractions.sum(axis=1) < _OUTSIDE),
        ("ventricle", (kind == 2) & _in_ventricle(x, y, z)),
        ("brain stem", _in_brain_stem(x, y, z)),
        ("cerebellum", _in_cerebellum(x, y, z)),
        ("thalamus", _in_thalamus(x, y, z)),
        ("corpus callosum", (kind == 1) & _in_corpus_callosum(x, y, z)),
        ("basal ganglia", _in_basal_ganglia(x, y, z)),
        ("insular", _in_insula(x, y, z)),
        ("temporal", _in_temporal_lobe(x, y, z)),
        ("occipital", _in_occipital_lobe(x, y, z)),
        ("frontal", y > _central_sulcus(x, z)),
    ]
    found = np.full(len(points), REGIONS.index("parietal"))
    for region, inside in reversed(rules):
        found[inside] = REGIONS.index(region)
    return found


def _in_lateral_ventricle(x: _Floats, y: _Floats, z: _Floats) -> _Mask:
    return (
        _ellipsoid(x, y, z, (10, 8, 14), (13, 28, 16))  # frontal horn and body
        | _ellipsoid(x, y, z, (17, -24, 18), (14, 22, 13))  # body, over the thalamus
        | _ellipsoid(x, y, z, (25, -42, 8), (12, 18, 14))  # trigone
        | _ellipsoid(x, y, z, (32, -22, -12), (9, 22, 12))  # temporal horn
    )


def _in_ventricle(x: _Floats, y: _Floats, z: _Floats) -> _Mask:
    third = _ellipsoid(x, y, z, (0, -12, 1), (5, 20, 15))
    fourth = _ellipsoid(x, y, z, (0, -44, -34), (12, 10, 16))
    return _in_lateral_ventricle(x, y, z) | third | fourth


def _in_brain_stem(x: _Floats, y: _Floats, z: _Floats) -> _Mask:
    return (
        _ellipsoid(x, y, z, (0, -25, -12), (17, 13, 11))  # midbrain
        | _ellipsoid(x, y, z, (0, -28, -33), (19, 15, 17))  # pons
        | _ellipsoid(x, y, z, (0, -41, -56), (12, 11, 18))  # medulla
    )


def _in_cerebellum(x: _Floats, y: _Floats, z: _Floats) -> _Mask:
    """Below the tentorium, which falls from its notch to the sides and back, and behind the petrous bone."""
    tentorium = -2 - 0.58 * x - 0.3 * np.maximum(0, -65 - y) - 0.35 * np.maximum(0, y + 55)
    return (y < -32) & (z < tentorium)


def _in_thalamus(x: _Floats, y: _Floats, z: _Floats) -> _Mask:
    hypothalamus = _ellipsoid(x, y, z, (0, -8, -4), (8, 16, 12))
    return _ellipsoid(x, y, z, (12, -19, 6), (15, 18, 13)) | hypothalamus


def _in_basal_ganglia(x: _Floats, y: _Floats, z: _Floats) -> _Mask:
    return (
        _ellipsoid(x, y, z, (12, 12, 6), (10, 16, 17))  # head of the caudate
        | _ellipsoid(x, y, z, (15, -4, 18), (7, 16, 7))  # body of the caudate
        | _ellipsoid(x, y, z, (9, 12, -7), (8, 9, 8))  # accumbens
        | _ellipsoid(x, y, z, (24, 2, 0), (12, 23, 15))  # putamen, pallidum, internal capsule between
    )


def _in_corpus_callosum(x: _Floats, y: _Floats, z: _Floats) -> _Mask:
    """An arch in the sagittal plane from genu to splenium, 16 mm to each side."""
    outer = ((y + 4) / 39) ** 2 + ((z - 2) / 28) ** 2
    inner = ((y + 4) / 28) ** 2 + ((z - 2) / 17) ** 2
    return (x < 16) & (outer <= 1) & (inner >= 1) & (z > -4)


def _in_insula(x: _Floats, y: _Floats, z: _Floats) -> _Mask:
    return _ellipsoid(x, y, z, (38, 2, 0), (8, 29, 19))


def _sylvian_fissure(y: _Floats) -> _Floats:
    """Height of the fissure: it climbs backwards and ends below the supramarginal gyrus."""
    return np.clip(-3 - 0.8 * y, -26, 21)


def _in_temporal_lobe(x: _Floats, y: _Floats, z: _Floats) -> _Mask:
    lateral = (x > 20) & (z < _sylvian_fissure(y)) & (y < 24)
    medial = (x > 12) & (z < 4) & (y < 4) & (y > -48)
    return (lateral | medial) & ~_in_occipital_lobe(x, y, z)


def _in_occipital_lobe(x: _Floats, y: _Floats, z: _Floats) -> _Mask:
    """Behind the parieto-occipital fissure and its continuation to the preoccipital notch."""
    border = np.where(z > 8, -50 - 0.55 * z - 0.15 * x, np.where(x < 26, -46, -66))
    return y < border


def _central_sulcus(x: _Floats, z: _Floats) -> _Floats:
    return -37.5 + 0.32 * x + 0.05 * z
