"""DICOM segmentations (SEG): frames per segment and place, put together into labels on one grid."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from cohortex.errors import GeometryError
from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.io.dicom_file import DicomFile, number_of
from cohortex.io.dicom_frames import ENHANCED, Frame, frames_of, plane_of
from cohortex.io.dicom_metadata import header_metadata
from cohortex.io.dicom_pixels import decode_pixels

SEGMENTATION_CLASS = "1.2.840.10008.5.1.4.1.1.66.4"
_SAME_DIRECTION = 1e-3
_WHOLE = 0.02  # of a step
_MOST_SLICES = 4096


def images_of_segmentation(file: DicomFile) -> list[Image]:
    """Read a segmentation object.

    Parameters
    ----------
    file : DicomFile
        Binary or fractional segmentation with a place for each frame.

    Returns
    -------
    list of Image
        One `Labels` with segment numbers as values where no two segments overlap, else one per segment; fractional
        segments are float images from 0 to 1, one each. Names are in the metadata entry "label_names". Places
        without a frame are background, as DICOM means them.

    Raises
    ------
    GeometryError
        If a frame has no place, or the places do not lie on one even grid.
    UnreadableFile
        If the pixels do not decode.
    """
    frames = frames_of(file)
    numbers = [_segment_number(file, n) for n in range(len(frames))]
    pixels = decode_pixels(file)
    grid, places = _grid(file, frames)
    names = {
        int(segment.SegmentNumber): str(segment.get("SegmentLabel", ""))
        for segment in file.header.get("SegmentSequence") or []
    }
    by_segment: dict[int, list[int]] = defaultdict(list)
    for frame, number in enumerate(numbers):
        by_segment[number].append(frame)
    metadata = header_metadata(frames[0].layers) | {"source": file.name, "label_names": names}
    fractional = file.text("SegmentationType") == "FRACTIONAL"
    if fractional:
        top = number_of(file.header.get("MaximumFractionalValue"), 255.0) or 255.0
        return [
            Image(
                _volume(pixels, members, places, grid).astype(np.float32) / np.float32(top),
                grid,
                "1",
                metadata | {"label_names": {number: names.get(number, "")}},
            )
            for number, members in sorted(by_segment.items())
        ]
    volumes = {number: _volume(pixels, members, places, grid) != 0 for number, members in sorted(by_segment.items())}
    kind = np.uint8 if max(volumes) < 256 else np.uint16
    if sum(volume.astype(np.uint16) for volume in volumes.values()).max() > 1:
        return [
            Labels(
                volume.astype(kind) * kind(number),
                grid,
                "label",
                metadata | {"label_names": {number: names.get(number, "")}},
            )
            for number, volume in volumes.items()
        ]
    joined = np.zeros(grid.shape, kind)
    for number, volume in volumes.items():
        joined[volume] = number
    return [Labels(joined, grid, "label", metadata)]


def _segment_number(file: DicomFile, frame: int) -> int:
    groups = file.header.get(ENHANCED) or []
    places = [groups[frame]] if frame < len(groups) else []
    places += list(file.header.get("SharedFunctionalGroupsSequence") or [])
    for place in places:
        sequence = place.get("SegmentIdentificationSequence")
        if sequence:
            return int(sequence[0].ReferencedSegmentNumber)
    raise GeometryError(f"{file.name}: frame {frame + 1} does not say which segment it shows. Export it again.")


def _grid(file: DicomFile, frames: list[Frame]) -> tuple[Grid, NDArray[np.int64]]:
    """The grid that holds all frames, and the slice each frame lies in."""
    if any(frame.plane is None for frame in frames):
        raise GeometryError(
            f"{file.name}: a segmentation whose frames have no place in the patient. Export it with plane positions."
        )
    first = plane_of(frames[0])
    positions = np.stack([plane_of(frame).position_mm for frame in frames])
    if any(not np.allclose(plane_of(f).directions, first.directions, atol=_SAME_DIRECTION) for f in frames):
        raise GeometryError(f"{file.name}: a segmentation of several orientations. Export one per orientation.")
    along = (positions - positions[0]) @ first.normal
    levels = np.unique(np.round(along, 3))
    stated = header_metadata(frames[0].layers)
    step = stated.get("spacing_between_slices_mm")
    if not isinstance(step, float) or step <= 0:
        thickness = stated.get("slice_thickness_mm", 1.0)
        step = float(np.min(np.diff(levels))) if len(levels) > 1 else float(thickness)  # type: ignore[arg-type]
    places = (along - along.min()) / step
    whole = np.rint(places).astype(np.int64)
    if np.max(np.abs(places - whole)) > _WHOLE * max(1.0, np.sqrt(whole.max())) or whole.max() >= _MOST_SLICES:
        raise GeometryError(
            f"{file.name}: the frames of the segmentation do not lie on one even grid ({step:g} mm). "
            "Export it on the grid of its images."
        )
    matrix = np.eye(4)
    matrix[:3, :2] = first.directions * np.asarray(first.pixel_spacing_mm)
    matrix[:3, 2] = first.normal * step
    matrix[:3, 3] = positions[int(np.argmin(along))]
    rows, columns = frames[0].shape
    frame_of_reference = file.text("FrameOfReferenceUID") or None
    return Grid((columns, rows, int(whole.max()) + 1), matrix, frame_of_reference), whole


def _volume(
    pixels: NDArray[np.generic], members: list[int], places: NDArray[np.int64], grid: Grid
) -> NDArray[np.generic]:
    result = np.zeros(grid.shape, pixels.dtype)
    for frame in members:
        result[:, :, places[frame]] = np.maximum(result[:, :, places[frame]], pixels[frame].T)
    return result
