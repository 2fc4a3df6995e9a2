"""Whether the field of view holds the whole head, or cuts it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid, closest_axes
from cohortex.image import Labels
from cohortex.measure.quality import QualityFlag, QualityLevel
from cohortex.measure.slice_checks import blank_planes

_FACES = (("right", "left"), ("front", "back"), ("bottom", "top"))  # lower and upper end of L, P, S
_WARN_SHARE = {"top": 0.35, "bottom": 1.1}  # of the largest parallel section of the head: scalp, skull and fluid of
_ELSEWHERE_SHARE = 0.2  # 15 mm make 0.35 at the top; an ear or the nose make less than 0.2
_FAIL_SHARE = 0.7  # some 40 mm of the head are lost
_PADDED_SHARE = 0.35  # in the last two slices before blank ones: a scan tapers off there
_BRAIN_WARN_SHARE = 0.01
_BRAIN_FAIL_SHARE = 0.10
_LOWEST_HEAD_MM = 120.0  # from the vertex down: reaches the lower end of the cerebellum in adults


def check_coverage(
    values: NDArray[Any], grid: Grid, head: NDArray[np.bool_], brain: Labels | None = None
) -> QualityFlag:
    """Look at each face of the field of view for a head, or a brain, that goes on beyond it.

    Parameters
    ----------
    values : ndarray, shape (I, J, K)
        Values of the image; blank planes at its ends do not count as field of view.
    grid : Grid
        Where they lie.
    head : ndarray of bool, shape (I, J, K)
        The object in the image.
    brain : Labels, optional
        Brain mask on the same grid; with it only the brain can make the check fail.

    Returns
    -------
    QualityFlag
        Check "truncation"; the value is the largest share of a section that a face cuts. The neck may leave
        at the bottom. Without a brain mask the lower end is judged by the height of the head.
    """
    if not head.any():
        return QualityFlag(
            check="truncation",
            level="warn",
            message="No outline of a head against air was found; look at whether it is complete.",
        )
    start, stop = _content(values)
    inside = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    found: list[tuple[QualityLevel, str, float]] = []
    for axis, end, name in _faces(grid):
        padded = bool((start[axis] > 0) if end == 0 else (stop[axis] < values.shape[axis]))
        share = _share_cut(head[inside], axis, end, depth=2 if padded else 1)  # a cut file may end within a slice
        beyond = "blank slices" if padded else "the field of view"
        if brain is not None:
            brain_share = _share_cut(brain.mask[inside], axis, end)
            if brain_share > _BRAIN_WARN_SHARE:
                level: QualityLevel = "fail" if brain_share > _BRAIN_FAIL_SHARE else "warn"
                found.append((level, f"the brain is cut by {beyond} at the {name}", brain_share))
                continue
        if share > (_PADDED_SHARE if padded else _WARN_SHARE.get(name, _ELSEWHERE_SHARE)):
            failed = brain is None and name != "bottom" and share > _FAIL_SHARE
            found.append(("fail" if failed else "warn", f"the head is cut by {beyond} at the {name}", share))
    found += _height(grid, head) if brain is None else []
    if not found:
        return QualityFlag(check="truncation", level="pass", message="The field of view holds the head.", value=0.0)
    level = "fail" if any(grade == "fail" for grade, _, _ in found) else "warn"
    text = "; ".join(f"{sentence} ({share:.0%} of its section)" if share else sentence for _, sentence, share in found)
    return QualityFlag(
        check="truncation",
        level=level,
        message=f"{text[0].upper()}{text[1:]}. Check that what you measure lies inside, or ask for a complete scan.",
        value=max(share for _, _, share in found),
    )


def _content(values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last plane, plus one, that is not blank along each axis."""
    filled = [np.flatnonzero(~blank_planes(values, axis)) for axis in range(3)]
    start = np.array([f[0] if len(f) else 0 for f in filled])
    stop = np.array([f[-1] + 1 if len(f) else n for f, n in zip(filled, values.shape, strict=True)])
    return start, stop


def _faces(grid: Grid) -> list[tuple[int, int, str]]:
    """Each face of the grid: axis, end (0 or -1) and where it lies in the patient."""
    if not grid.orientation_known:
        return [
            (axis, end, f"{'start' if end == 0 else 'end'} of axis {axis + 1}") for axis in range(3) for end in (0, -1)
        ]
    named = []
    for axis, (world, sign) in enumerate(closest_axes(grid)):
        low, high = _FACES[world][:: int(sign)]
        named += [(axis, 0, low), (axis, -1, high)]
    return named


def _share_cut(region: NDArray[np.bool_], axis: int, end: int, *, depth: int = 1) -> float:
    """Largest area of the `depth` outermost planes, holes filled, over the largest parallel section."""
    others = tuple(a for a in range(3) if a != axis)
    largest = region.sum(axis=others).max()
    if largest == 0:
        return 0.0
    planes = [region.take(k if end == 0 else -1 - k, axis=axis) for k in range(min(depth, region.shape[axis]))]
    at_face = max(int(ndimage.binary_fill_holes(plane).sum()) for plane in planes)
    return min(1.0, at_face / float(largest))


def _height(grid: Grid, head: NDArray[np.bool_]) -> list[tuple[QualityLevel, str, float]]:
    if not grid.orientation_known:
        return []
    axis = int(np.flatnonzero(closest_axes(grid)[:, 0] == 2)[0])
    others = tuple(a for a in range(3) if a != axis)
    planes = np.flatnonzero(head.any(axis=others))
    height = float((planes[-1] - planes[0] + 1) * grid.spacing_mm[axis])
    if height >= _LOWEST_HEAD_MM:
        return []
    return [("warn", f"only {height:.0f} mm of the head are covered from top to bottom", 0.0)]
