"""From the frames of a series to images: which belong together, and their values on a grid."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.processing import apply_modality_lut

from cohortex.errors import GeometryError
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.image.image import Axis
from cohortex.io.dicom_file import patient_key
from cohortex.io.dicom_frames import Frame, plane_of
from cohortex.io.dicom_metadata import header_metadata
from cohortex.io.dicom_pixels import PixelReader
from cohortex.io.dicom_stacks import (
    Spacing,
    Stack,
    measure_spacing,
    refuse_missing,
    refuse_uneven,
    stack_frames,
)
from cohortex.io.rescaling import rescaled

Gaps = Literal["refuse", "interpolate"]
"""What to do about missing slices: refuse the series, or fill them linearly and say so."""
Uneven = Literal["refuse", "resample"]
"""What to do about unevenly spaced slices: refuse, or sample linearly on an even grid at the finest distance."""

_SAME_DIRECTION = 1e-3
_SAME_SPACING_MM = 1e-3
_COARSE_SIDEWAYS_MM = 0.01


def split_series(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Split the frames of one series into those of one image each.

    By size, colours, the first three values of the image type (a localizer is none of the slices), orientation and
    pixel spacing always; by the whole image type, echo time, inversion time and flip angle where the same places
    are imaged more than once (a value that merely varies from slice to slice splits nothing).

    Parameters
    ----------
    frames : sequence of Frame
        All frames of one Series Instance UID.

    Returns
    -------
    list of list of Frame
        In order of first appearance.
    """
    groups: list[list[Frame]] = []
    for frame in frames:
        for group in groups:
            if _alike(group[0], frame):
                group.append(frame)
                break
        else:
            groups.append([frame])
    for value in (_whole_type, _echo, _inversion, _flip):
        groups = [part for group in groups for part in _split_by(group, value)]
    return groups


def _alike(one: Frame, other: Frame) -> bool:
    if _kind(one) != _kind(other):
        return False
    if one.plane is None or other.plane is None:
        return one.file is other.file
    return bool(
        np.allclose(one.plane.directions, other.plane.directions, atol=_SAME_DIRECTION)
        and np.allclose(one.plane.pixel_spacing_mm, other.plane.pixel_spacing_mm, atol=_SAME_SPACING_MM)
        and one.layers[-1].get("FrameOfReferenceUID") == other.layers[-1].get("FrameOfReferenceUID")
    )


def _kind(frame: Frame) -> tuple[object, ...]:
    return frame.shape, frame.colour, frame.image_type[:3], frame.plane is None


def _whole_type(frame: Frame) -> tuple[str, ...]:
    return frame.image_type


def _echo(frame: Frame) -> float | None:
    return None if frame.echo_time_ms is None else round(frame.echo_time_ms, 3)


def _inversion(frame: Frame) -> float | None:
    return None if frame.inversion_time_ms is None else round(frame.inversion_time_ms, 3)


def _flip(frame: Frame) -> float | None:
    return None if frame.flip_angle_deg is None else round(frame.flip_angle_deg, 3)


def _split_by(group: list[Frame], value: Callable[[Frame], Hashable]) -> list[list[Frame]]:
    parts: dict[Hashable, list[Frame]] = {}
    for frame in group:
        parts.setdefault(value(frame), []).append(frame)
    if len(parts) == 1 or group[0].plane is None:
        return [group]
    places = [{_rounded_place(frame) for frame in part} for part in parts.values()]
    if sum(map(len, places)) == len(set().union(*places)):
        return [group]  # no place twice: the value varies along the stack
    return [parts[key] for key in sorted(parts, key=lambda key: (key is None, key))]


def _rounded_place(frame: Frame) -> tuple[float, ...]:
    return tuple(np.round(plane_of(frame).position_mm, 1).tolist())


def image_of(
    frames: Sequence[Frame],
    reader: PixelReader,
    *,
    name: str,
    gaps: Gaps = "refuse",
    uneven: Uneven = "refuse",
    tick: Callable[[], None] = lambda: None,
) -> Image:
    """Build the image of frames that belong together.

    Parameters
    ----------
    frames : sequence of Frame
        One entry of `split_series`.
    reader : PixelReader
        Where decoded pixels come from.
    name : str
        What messages call the series.
    gaps, uneven
        What to do about missing and unevenly spaced slices.
    tick : callable
        Called after each frame.

    Returns
    -------
    Image
        (I, J, K), i along a DICOM row, j along a column, k along the slice normal; then time, then channel. A
        picture without a place lies on a two-axis grid of unknown orientation.

    Raises
    ------
    CohortexError
        As `stack_frames`, `measure_spacing` and `decode_pixels`.
    """
    if frames[0].plane is None:
        return _flat_image(frames, reader, tick)

    def same(one: Frame, other: Frame) -> bool:
        return np.array_equal(_pixels(one, reader), _pixels(other, reader))

    stack = stack_frames(frames, same=same, name=name)
    spacing = measure_spacing(stack, name=name)
    if not spacing.even:
        if spacing.missing and gaps == "refuse":
            refuse_missing(stack, spacing, name)
        elif not spacing.missing and uneven == "refuse":
            refuse_uneven(stack, name)
    read = [_read(volume, reader, tick) for volume in stack.volumes]
    values = read[0][None] if len(read) == 1 else np.stack(read)  # (t, k, rows, columns, ...)
    warnings = _odd(stack, spacing)
    if not spacing.even:
        values, spacing, note = _on_even_places(values, spacing, stack)
        warnings.append(note)
    return _assembled(values, stack, spacing, warnings)


def _pixels(frame: Frame, reader: PixelReader) -> NDArray[np.generic]:
    values = reader.frame(frame.file, frame.index)
    if frame.tile is not None:
        row, column = frame.tile
        values = values[row : row + frame.shape[0], column : column + frame.shape[1]]
    return values


def _read(volume: Sequence[Frame], reader: PixelReader, tick: Callable[[], None]) -> NDArray[np.generic]:
    """Values of the slices of one volume, (k, rows, columns, ...), each with its own slope and intercept."""
    stored = []
    for frame in volume:
        pixels = _pixels(frame, reader)
        if "ModalityLUTSequence" in frame.layers[-1]:
            pixels = apply_modality_lut(pixels, frame.layers[-1])
        stored.append(pixels)
        tick()
    scales = {(frame.slope, frame.intercept) for frame in volume}
    if len(scales) == 1:
        return rescaled(np.stack(stored), *scales.pop())
    scaled = [rescaled(s, f.slope, f.intercept) for s, f in zip(stored, volume, strict=True)]
    return np.stack(scaled).astype(np.result_type(*scaled), copy=False)


def _flat_image(frames: Sequence[Frame], reader: PixelReader, tick: Callable[[], None]) -> Image:
    first = frames[0]
    values = _read(frames, reader, tick)
    axes: tuple[Axis, ...] = ("channel",) if values.ndim == 4 else ()
    values = np.swapaxes(values, 1, 2)  # (t, columns, rows, ...)
    if len(frames) > 1:
        values, axes = np.moveaxis(values, 0, 2), ("time", *axes)
    else:
        values = values[0]
    warnings = list(first.file.warnings)
    if first.pixel_spacing_mm is None:
        warnings.append("no pixel spacing in the header; 1 mm was taken")
    warnings.append("no place in the patient in the header; left and right are not known")
    grid = Grid.from_parts(values.shape[:2], spacing_mm=first.pixel_spacing_mm, orientation_known=False)
    unit = "arbitrary" if "channel" in axes else first.unit
    return Image(values, grid, unit, _metadata([[*frames]], warnings), axes)


def _odd(stack: Stack, spacing: Spacing) -> list[str]:
    warnings = [w for frame in stack.slices for w in frame.file.warnings] + stack.warnings
    first = stack.slices[0]
    stated = header_metadata(first.layers).get("spacing_between_slices_mm")
    apart = abs(float(spacing.step_mm @ plane_of(first).normal))
    if isinstance(stated, float) and len(stack.slices) > 1 and abs(stated - apart) > 0.05 * apart:
        warnings.append(
            f"the header says {stated:g} mm between slices, their positions {apart:.4g} mm; positions were used"
        )
    off = np.linalg.norm(spacing.origin_mm + spacing.places[:, None] * spacing.step_mm - stack.positions_mm, axis=1)
    if spacing.even and np.max(off) > _COARSE_SIDEWAYS_MM:
        warnings.append(f"slice positions deviate by up to {np.max(off):.3f} mm from an even stack")
    tilt = np.degrees(np.arccos(np.clip(apart / np.linalg.norm(spacing.step_mm), -1, 1)))
    if tilt > 0.01:
        warnings.append(f"slices are tilted by {tilt:.1f} degrees against their stack (gantry tilt), kept as shear")
    return warnings


def _on_even_places(
    values: NDArray[np.generic], spacing: Spacing, stack: Stack
) -> tuple[NDArray[np.generic], Spacing, str]:
    """Sample slices linearly at places 0, 1, 2 …; what was measured stays where it is."""
    places = spacing.places
    wanted = np.arange(int(np.floor(places[-1] + 1e-6)) + 1)
    upper = np.clip(np.searchsorted(places, wanted - 1e-6), 1, len(places) - 1)
    weight = (wanted - places[upper - 1]) / (places[upper] - places[upper - 1])
    weight = np.where(np.abs(weight - np.rint(weight)) < 1e-9, np.rint(weight), weight)
    shape = (-1, *(1,) * (values.ndim - 2))
    new = np.empty((len(values), len(wanted), *values.shape[2:]), np.float32)
    for t, volume in enumerate(values):
        blend = volume[upper - 1] * (1 - weight).reshape(shape) + volume[upper] * weight.reshape(shape)
        new[t] = blend
    step = float(np.linalg.norm(spacing.step_mm))
    if spacing.missing:
        filled = [int(k) + 1 for k in wanted if k not in set(places.astype(int).tolist())]
        result: NDArray[np.generic] = new
        if np.issubdtype(values.dtype, np.integer):
            result = np.rint(new).astype(values.dtype)
        note = f"slices {', '.join(map(str, filled))} were missing and filled linearly from their neighbours"
    else:
        result = new
        note = f"{len(stack.slices)} unevenly spaced slices were sampled linearly on {len(wanted)}, {step:.4g} mm apart"
    even = Spacing(origin_mm=spacing.origin_mm, step_mm=spacing.step_mm, places=wanted.astype(float), missing=False)
    return result, even, note


def _assembled(values: NDArray[np.generic], stack: Stack, spacing: Spacing, warnings: list[str]) -> Image:
    first = stack.slices[0]
    plane = plane_of(first)
    matrix = np.eye(4)
    matrix[:3, :2] = plane.directions * np.asarray(plane.pixel_spacing_mm)
    matrix[:3, 2] = spacing.step_mm
    matrix[:3, 3] = spacing.origin_mm
    axes: tuple[Axis, ...] = ()
    colour = values.ndim == 5
    order = (3, 2, 1, 0, 4) if colour else (3, 2, 1, 0)
    arranged = np.transpose(values, order)
    if arranged.shape[3] > 1:
        axes = ("time",)
    else:
        arranged = arranged[:, :, :, 0]
    if colour:
        axes = (*axes, "channel")
    frame_of_reference = first.layers[-1].get("FrameOfReferenceUID")
    try:
        grid = Grid(arranged.shape[:3], matrix, str(frame_of_reference) if frame_of_reference else None)
    except ValueError as error:
        raise GeometryError(f"{first.file.name}: {error}") from error
    unit = "arbitrary" if colour else first.unit
    metadata = _metadata(stack.volumes, warnings)
    metadata["image_orientation_patient"] = [round(float(x), 7) for x in plane.directions.T.ravel()]
    return Image(arranged, grid, unit, metadata, axes)


def _metadata(volumes: Sequence[Sequence[Frame]], warnings: list[str]) -> dict[str, object]:
    slices = volumes[0]
    first = slices[0]
    result = header_metadata(first.layers)
    result["source_files"] = [frame.file.name for frame in slices]
    result["instance_numbers"] = [frame.instance_number for frame in slices]
    for key in ("slope", "intercept"):
        found = [float(getattr(frame, key)) for frame in slices]
        result[f"rescale_{key}"] = found[0] if len(set(found)) == 1 else found
    weights = [volume[0].b_value for volume in volumes]
    if any(weight is not None for weight in weights):
        result["b_value_s_per_mm2"] = weights[0] if len(weights) == 1 else weights
    result["patient_key"] = patient_key(first.layers[-1])
    result["source"] = first.file.name
    if warnings:
        result["warnings"] = list(dict.fromkeys(warnings))
    return result
