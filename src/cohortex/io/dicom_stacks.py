"""Stacks: frames put in order of place and time, and what to say when slices are missing or uneven."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortex.errors import GeometryError, MissingSlices, UnevenSlices
from cohortex.io.dicom_frames import Frame, plane_of

SAME_PLACE_MM = 0.02  # two frames closer than this along the normal show the same slice
_EVEN = 0.01  # deviation from even spacing, in spacings, that rounding in headers explains
_LINE_MM = 0.1  # sideways deviation from a straight stack
_GAP_SHARE = 0.5  # missing slices leave most neighbours at the usual distance


@dataclass(frozen=True, eq=False, kw_only=True)
class Stack:
    """Frames in order: `volumes[t][k]`, growing along the slice normal.

    Attributes
    ----------
    volumes : tuple of tuple of Frame
        One tuple of slices per time point.
    offsets_mm : ndarray, shape (k,)
        Place of each slice along the normal.
    warnings : list of str
        What was removed.
    """

    volumes: tuple[tuple[Frame, ...], ...]
    offsets_mm: NDArray[np.float64]
    warnings: list[str] = field(default_factory=list)

    @property
    def slices(self) -> tuple[Frame, ...]:
        """Frames of the first volume."""
        return self.volumes[0]

    @property
    def positions_mm(self) -> NDArray[np.float64]:
        """Centre of the first pixel of each slice, shape (k, 3), LPS mm."""
        return np.stack([_position(frame) for frame in self.slices])


@dataclass(frozen=True, eq=False, kw_only=True)
class Spacing:
    """How the slices of a stack follow one another.

    Attributes
    ----------
    origin_mm, step_mm : ndarray, shape (3,)
        The first pixel of slice 0, and the way to that of the next slice.
    places : ndarray, shape (k,)
        Place of each slice in units of `step_mm`; 0, 1, 2 … where nothing is missing.
    missing : bool
        Whether whole slices are missing (places are integers with gaps).
    """

    origin_mm: NDArray[np.float64]
    step_mm: NDArray[np.float64]
    places: NDArray[np.float64]
    missing: bool

    @property
    def even(self) -> bool:
        """Whether slice k lies at place k."""
        return not self.missing and bool(np.array_equal(self.places, np.arange(len(self.places))))


def _position(frame: Frame) -> NDArray[np.float64]:
    return plane_of(frame).position_mm


def stack_frames(frames: Sequence[Frame], *, same: Callable[[Frame, Frame], bool], name: str) -> Stack:
    """Put frames of one image in order of place, then of time.

    Parameters
    ----------
    frames : sequence of Frame
        Placed frames of one orientation.
    same : callable
        Whether two frames have identical pixels; asked only where one place is taken twice.
    name : str
        What messages call the series.

    Returns
    -------
    Stack
        Sorted by projection on the normal, never by instance number.

    Raises
    ------
    GeometryError
        If different pictures claim one place, or slices are shifted sideways.
    MissingSlices
        If some places were imaged more often than others.
    """
    normal = plane_of(frames[0]).normal
    ordered = sorted(frames, key=lambda f: (float(_position(f) @ normal), f.instance_number, f.order, f.file.name))
    places: list[list[Frame]] = []
    for frame in ordered:
        if places and (_position(frame) - _position(places[-1][0])) @ normal < SAME_PLACE_MM:
            if np.linalg.norm(_position(frame) - _position(places[-1][0])) > _LINE_MM:
                raise GeometryError(
                    f"{name}: {frame.file.name} and {places[-1][0].file.name} lie in one plane but are shifted "
                    "sideways; they are different fields of view. Send them as separate series."
                )
            places[-1].append(frame)
        else:
            places.append([frame])
    warnings: list[str] = []
    counts = [len(place) for place in places]
    if min(counts) == 1 and max(counts) > 1:
        places = [[_only_one(place, same, name, warnings)] for place in places]
        counts = [1] * len(places)
    if len(set(counts)) > 1:
        usual = max(set(counts), key=counts.count)
        odd = next(place for place, count in zip(places, counts, strict=True) if count != usual)
        raise MissingSlices(
            f"{name}: most places were imaged {usual} times, {_where(odd[0], normal)} {len(odd)} times. "
            "A volume is incomplete; ask the centre to resend the series."
        )
    offsets = np.array([float(_position(place[0]) @ normal) for place in places])
    volumes = tuple(zip(*_in_time_order(places), strict=True))
    return Stack(volumes=volumes, offsets_mm=offsets, warnings=warnings)


def _only_one(place: list[Frame], same: Callable[[Frame, Frame], bool], name: str, warnings: list[str]) -> Frame:
    for other in place[1:]:
        if not same(place[0], other):
            raise GeometryError(
                f"{name}: {place[0].file.name} and {other.file.name} claim the same place with different pixels. "
                "Ask the centre which one is right and resend the series without the other."
            )
        warnings.append(f"{other.file.name} repeats {place[0].file.name} and was left out")
    return place[0]


def _in_time_order(places: list[list[Frame]]) -> list[list[Frame]]:
    """Sort the frames at each place so that equal positions in the lists belong to one volume."""
    if len(places[0]) == 1:
        return places
    for key, by_value in ((_temporal_index, True), (_weighting, False), (_trigger_time, True)):
        values = [[key(frame) for frame in place] for place in places]
        known = all(value is not None for row in values for value in row)
        if known and all(len(set(row)) == len(row) and set(row) == set(values[0]) for row in values):
            by_key = [{key(frame): frame for frame in place} for place in places]
            when = {value: min(_number(place[value]) for place in by_key) for value in by_key[0]}
            order = sorted(when, key=lambda value: value if by_value else when[value])
            return [[place[value] for value in order] for place in by_key]
    return [sorted(place, key=_number) for place in places]


def _temporal_index(frame: Frame) -> Any:
    return frame.temporal_index


def _weighting(frame: Frame) -> Any:
    return None if frame.b_value is None else (frame.b_value, frame.gradient or ())


def _trigger_time(frame: Frame) -> Any:
    return frame.trigger_time_ms


def _number(frame: Frame) -> tuple[int, int, str]:
    return frame.instance_number, frame.order, frame.file.name


def measure_spacing(stack: Stack, *, name: str) -> Spacing:
    """Find the step from slice to slice, and whether slices are missing or uneven.

    Parameters
    ----------
    stack : Stack
        Frames in order of place.
    name : str
        What messages call the series.

    Returns
    -------
    Spacing
        Step, and the place of each slice in steps. One slice alone takes its step from the header's distance
        between slices or the slice thickness, else 1 mm.

    Raises
    ------
    GeometryError
        If the slices do not lie on a straight line.
    """
    positions, offsets = stack.positions_mm, stack.offsets_mm
    first = stack.slices[0]
    if len(offsets) == 1:
        thickness = _header_distance(first) or 1.0
        return Spacing(
            origin_mm=positions[0], step_mm=plane_of(first).normal * thickness, places=np.zeros(1), missing=False
        )
    along = offsets - offsets[0]
    per_mm = (positions[-1] - positions[0]) / along[-1]
    sideways = positions - positions[0] - along[:, None] * per_mm
    if np.max(np.linalg.norm(sideways, axis=1)) > _LINE_MM:
        worst = int(np.argmax(np.linalg.norm(sideways, axis=1)))
        raise GeometryError(
            f"{name}: {stack.slices[worst].file.name} lies {np.linalg.norm(sideways[worst]):.2f} mm beside the line of "
            "the other slices. The series mixes several stacks; ask the centre to resend them apart."
        )
    count = np.arange(len(offsets))
    mean = along[-1] / count[-1]
    if np.max(np.abs(along - mean * count)) <= _EVEN * mean:
        design = np.stack([np.ones(len(count)), count], axis=1)
        origin, step = np.linalg.lstsq(design, positions, rcond=None)[0]
        return Spacing(origin_mm=origin, step_mm=step, places=count.astype(float), missing=False)
    gaps = np.diff(along)
    usual = float(np.median(gaps[gaps < 1.5 * gaps.min()]))
    places = along / usual
    whole = np.rint(places)
    missing = bool(np.max(np.abs(places - whole)) <= 2 * _EVEN * max(1.0, float(whole[-1]) ** 0.5))
    missing = missing and _leaves_out(stack, whole)
    return Spacing(
        origin_mm=positions[0],
        step_mm=per_mm * (along[-1] / whole[-1] if missing else gaps.min()),
        places=whole if missing else along / gaps.min(),
        missing=missing,
    )


def _leaves_out(stack: Stack, whole: NDArray[np.float64]) -> bool:
    """Tell missing slices from two zones of different spacing, by the instance numbers where they run along."""
    jumps = np.abs(np.diff([frame.instance_number for frame in stack.slices]))
    if np.all(jumps == 1):
        return False
    return bool(np.array_equal(jumps, np.diff(whole)) or np.mean(np.diff(whole) == 1) > _GAP_SHARE)


def _header_distance(frame: Frame) -> float | None:
    for layer in frame.layers:
        places = [layer, *(layer.get("PixelMeasuresSequence") or [])]
        for keyword in ("SpacingBetweenSlices", "SliceThickness"):
            for place in places:
                value = place.get(keyword)
                if value is not None and value != "" and float(value) > 0:
                    return float(value)
    return None


def _where(frame: Frame, normal: NDArray[np.float64]) -> str:
    axis = int(np.argmax(np.abs(normal)))
    return f"{'xyz'[axis]} = {_position(frame)[axis]:.1f} mm ({frame.file.name})"


def refuse_missing(stack: Stack, spacing: Spacing, name: str) -> None:
    """Raise `MissingSlices` that names how many slices are missing and where."""
    lost = int(spacing.places[-1]) + 1 - len(stack.slices)
    normal = plane_of(stack.slices[0]).normal
    axis = int(np.argmax(np.abs(normal)))
    wide = np.flatnonzero(np.diff(spacing.places) > 1.5)
    ranges = ", ".join(
        f"between {'xyz'[axis]} = {a:.1f} and {b:.1f} mm"
        for a, b in sorted(sorted((stack.positions_mm[k, axis], stack.positions_mm[k + 1, axis])) for k in wide)
    )
    raise MissingSlices(
        f"{name}: {len(stack.slices)} of {len(stack.slices) + lost} slices, {lost} missing {ranges} "
        f"(spacing {np.linalg.norm(spacing.step_mm):.3g} mm). "
        "Ask the centre to resend it, or read with gaps='interpolate'."
    )


def refuse_uneven(stack: Stack, name: str) -> None:
    """Raise `UnevenSlices` that names the distances found."""
    gaps = np.diff(stack.offsets_mm)
    distances = ", ".join(f"{gap:g}" for gap in sorted({round(float(gap), 2) for gap in gaps})[:8])
    raise UnevenSlices(
        f"{name}: {len(gaps) + 1} slices at uneven distances ({distances} mm). "
        "Ask for an evenly spaced reconstruction, or read with uneven='resample' (linear onto an even grid)."
    )
