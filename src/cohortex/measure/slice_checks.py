"""Slices that are missing, blank, repeated, filled in part, or much darker than their neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.measure.quality import QualityFlag, QualityLevel

_DARK = 0.5  # of both neighbours: more than interleaved slices differ
_ENLARGED = 0.3  # share of repeated slices from which the whole image was enlarged by repeating
_PLENTY = 0.2  # of the fullest plane
_STRAIGHT_CUT = 0.7  # of the row before: tissue tapers off, a cut does not
_SHORTEST_CUT_MM = 10.0
_MISSING_WORDS = ("missing", "gap", "truncat", "incomplete")
_UNEVEN_WORDS = ("uneven", "not evenly")


def blank_planes(values: NDArray[Any], axis: int) -> NDArray[np.bool_]:
    """Say which planes across `axis` hold one finite value only, or none; shape (n,)."""
    others = tuple(a for a in range(values.ndim) if a != axis)
    if not np.issubdtype(values.dtype, np.floating):
        return np.asarray(values.min(axis=others) == values.max(axis=others))
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(axis=others)
    high = np.where(finite, values, -np.inf).max(axis=others)
    return np.asarray(low >= high)


def check_slices(image: Image, values: NDArray[Any], head: NDArray[np.bool_], slice_axis: int) -> QualityFlag:
    """Look for slices that are missing, blank, repeated, filled in part or dark.

    Parameters
    ----------
    image : Image
        The image; its metadata entry "warnings" says what the reader found missing.
    values : ndarray, shape (I, J, K)
        Its values, or those of its first volume.
    head : ndarray of bool, shape (I, J, K)
        The object in it.
    slice_axis : int
        Voxel axis from slice to slice.

    Returns
    -------
    QualityFlag
        Check "missing slices"; the value is the number of slices concerned.
    """
    findings = [*_warned(image), *_blank(values), *_repeated(values, head, slice_axis)]
    findings += _filled_in_part(values, head, slice_axis, image.grid)
    findings += _dark(values, head, slice_axis)
    if not findings:
        return QualityFlag(
            check="missing slices", level="pass", message="No slice is missing, blank or repeated.", value=0
        )
    level: QualityLevel = "fail" if any(grade == "fail" for grade, _, _ in findings) else "warn"
    return QualityFlag(
        check="missing slices",
        level=level,
        message=" ".join(text for _, text, _ in findings) + " Ask the centre to send the series again.",
        value=float(sum(count for _, _, count in findings)),
    )


_Finding = tuple[QualityLevel, str, int]


def _warned(image: Image) -> list[_Finding]:
    warnings = image.metadata.get("warnings", ())
    texts = [str(w) for w in warnings] if isinstance(warnings, list | tuple) else [str(warnings)]
    words = (*_MISSING_WORDS, *_UNEVEN_WORDS)
    return [("warn", text.rstrip(".") + ".", 1) for text in texts if any(word in text.lower() for word in words)]


def _blank(values: NDArray[Any]) -> list[_Finding]:
    """Planes without content between planes with plenty of it; blank ends are padding, islands have little."""
    for axis in range(3):
        blank = blank_planes(values, axis)
        filled = np.flatnonzero(~blank)
        if len(filled) == 0:
            return []
        inner = filled[0] + np.flatnonzero(blank[filled[0] : filled[-1]])
        if len(inner) == 0:
            continue
        others = tuple(a for a in range(3) if a != axis)
        empty = values.take(inner[0], axis=axis).flat[0]
        content = np.count_nonzero(values != empty, axis=others)
        before, after = (filled[np.searchsorted(filled, inner) - side] for side in (1, 0))
        lost = inner[np.minimum(content[before], content[after]) > _PLENTY * content.max()]
        if len(lost):
            return [("fail", f"{_named(lost)} {_are(lost)} blank between slices with content.", len(lost))]
    return []


def _repeated(values: NDArray[Any], head: NDArray[np.bool_], axis: int) -> list[_Finding]:
    planes, tissue = np.moveaxis(values, axis, 0), np.moveaxis(head, axis, 0)
    repeats = np.array(
        [
            k
            for k in range(1, len(planes))
            if tissue[k].any() and np.array_equal(planes[k], planes[k - 1]) and planes[k].min() < planes[k].max()
        ],
        dtype=int,
    )
    if len(repeats) == 0:
        return []
    if len(repeats) > _ENLARGED * (len(planes) - 1):
        text = (
            f"{len(repeats)} of {len(planes)} slices repeat the one before: the image was enlarged without new content."
        )
        return [("warn", text, len(repeats))]
    return [("fail", f"{_named(repeats)} {_are(repeats, 'repeats', 'repeat')} the one before.", len(repeats))]


def _filled_in_part(values: NDArray[Any], head: NDArray[np.bool_], axis: int, grid: Grid) -> list[_Finding]:
    """The last slice before a blank end whose tissue stops at a straight line: a file that was cut short."""
    filled = np.flatnonzero(~blank_planes(values, axis))
    if len(filled) < 2:
        return []
    in_plane = [a for a in range(3) if a != axis]
    for k, neighbour in ((filled[-1], filled[-2]), (filled[0], filled[1])):
        if k in (0, values.shape[axis] - 1) or abs(k - neighbour) != 1:
            continue
        content, tissue, before = (np.take(v, k_, axis=axis) for v, k_ in ((values, k), (head, k), (head, neighbour)))
        for line, across in ((0, 1), (1, 0)):
            shortest = _SHORTEST_CUT_MM / grid.spacing_mm[in_plane[across]]
            if _ends_straight(blank_planes(content, line), tissue.sum(axis=across), before.sum(axis=across), shortest):
                return [("fail", f"Slice {k + 1} stops at a straight line with nothing beyond: it was cut short.", 1)]
    return []


def _ends_straight(
    blank: NDArray[np.bool_], width: NDArray[np.int64], width_before: NDArray[np.int64], shortest: float
) -> bool:
    """Whether tissue as wide as in the neighbouring slice stops from one line to the next, and all is blank beyond."""
    rows = np.flatnonzero(~blank)
    for last, step in ((rows[-1], 1), (rows[0], -1)):
        beyond = last + step
        if not 0 <= beyond < len(blank) or width_before[beyond] < shortest:
            continue
        cut = max(
            width[last], width[last - step] if 0 <= last - step < len(width) else 0
        )  # the last line may be partial
        if cut >= max(shortest, _STRAIGHT_CUT * width_before[last]):
            return True
    return False


def _dark(values: NDArray[Any], head: NDArray[np.bool_], axis: int) -> list[_Finding]:
    """Slices whose tissue is less than half as bright as in both neighbours."""
    if np.nanmin(values) < 0:  # HU and differences have no meaningful ratio
        return []
    others = tuple(a for a in range(3) if a != axis)
    area = head.sum(axis=others)
    mean = np.where(head, values, 0).sum(axis=others, dtype=np.float64) / np.maximum(area, 1)
    large = np.minimum(area[:-2], area[2:]) > 0.2 * area.max()
    inner = np.where(head[_span(axis, 0, -2)] & head[_span(axis, 2, None)], values[_span(axis, 1, -1)], 0)
    common = np.sum(head[_span(axis, 0, -2)] & head[_span(axis, 2, None)], axis=others)
    own = inner.sum(axis=others, dtype=np.float64) / np.maximum(common, 1)
    dark = 1 + np.flatnonzero(large & (own < _DARK * np.minimum(mean[:-2], mean[2:])))
    blank = blank_planes(values, axis)
    dark = dark[~blank[dark]]
    if len(dark) == 0:
        return []
    return [("warn", f"{_named(dark)} {_are(dark)} less than half as bright as the neighbours.", len(dark))]


def _span(axis: int, start: int, stop: int | None) -> tuple[slice, ...]:
    return tuple(slice(start, stop) if a == axis else slice(None) for a in range(3))


def _named(planes: NDArray[Any]) -> str:
    numbers = [str(k + 1) for k in planes[:5]]
    more = f" and {len(planes) - 5} more" if len(planes) > 5 else ""
    return f"Slice{'s' if len(planes) > 1 else ''} {', '.join(numbers)}{more}"


def _are(planes: NDArray[Any], one: str = "is", many: str = "are") -> str:
    return one if len(planes) == 1 else many
