"""Sorting the DICOM files of an upload into series, and each kind of object to its reader."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cohortex.errors import CohortexError, NotAnImage, UnreadableFile
from cohortex.image import Image
from cohortex.io.dicom_file import DicomFile, sop_class
from cohortex.io.dicom_frames import Frame, frames_of
from cohortex.io.dicom_mosaic import is_tiled, tiles_of
from cohortex.io.dicom_pixels import PixelReader, decode_pixels
from cohortex.io.dicom_segmentation import SEGMENTATION_CLASS, images_of_segmentation
from cohortex.io.dicom_series import Gaps, Uneven, image_of, split_series
from cohortex.progress import Progress, ProgressCallback

WHOLE_SLIDE_CLASS = "1.2.840.10008.5.1.4.1.1.77.1.6"


@dataclass(frozen=True, kw_only=True)
class Found:
    """Images of the DICOM files of an upload, what went wrong, and what holds no image."""

    images: tuple[Image, ...]
    problems: tuple[tuple[str, CohortexError], ...]
    ignored: tuple[tuple[str, str], ...]


def images_of_files(files: Sequence[DicomFile], *, gaps: Gaps, uneven: Uneven, progress: ProgressCallback) -> Found:
    """Build every image of a set of DICOM files; a series that fails becomes a problem, the others go on.

    Parameters
    ----------
    files : sequence of DicomFile
        In any order.
    gaps, uneven
        As for `read_upload`.
    progress : callable
        Told after each frame.

    Returns
    -------
    Found
        Images by series number, problems, and objects without pixels.
    """
    series: dict[str, list[DicomFile]] = {}
    ignored: list[tuple[str, str]] = []
    problems: list[tuple[str, CohortexError]] = []
    for file in files:
        if not file.has_pixels and file.broken is None:
            kind = file.text("Modality", "DICOM")
            ignored.append((file.name, f"{file.name}: a DICOM {kind} object, which holds no picture"))
        else:
            series.setdefault(file.text("SeriesInstanceUID", file.name), []).append(file)
    images: list[Image] = []
    reader = PixelReader()
    total, done = sum(len(members) for members in series.values()), 0

    stopped: BaseException | None = None

    def tick() -> None:
        nonlocal done, stopped
        done += 1
        try:
            progress(Progress(task="reading slices", done=min(done, total), total=total))
        except BaseException as error:
            stopped = error
            raise

    for members in sorted(series.values(), key=lambda m: (m[0].integer("SeriesNumber"), m[0].name)):
        name = _series_name(members)
        try:
            warnings = checked_members(members)
            made = _images_of_series(members, reader, name, gaps, uneven, tick)
            for image_or_problem in made:
                if isinstance(image_or_problem, CohortexError):
                    problems.append((name, image_or_problem))
                else:
                    images.append(_with_warnings(image_or_problem, warnings))
        except CohortexError as error:
            problems.append((name, error))
        except Exception as error:  # pydicom raises anything on a damaged header; one must not stop the others
            if error is stopped:
                raise
            text = f"{name}: its header is damaged or contradicts itself ({error}). Send the original files."
            problems.append((name, UnreadableFile(text)))
    return Found(images=tuple(images), problems=tuple(problems), ignored=tuple(ignored))


def _images_of_series(
    members: Sequence[DicomFile],
    reader: PixelReader,
    name: str,
    gaps: Gaps,
    uneven: Uneven,
    tick: Callable[[], None],
) -> Iterator[Image | CohortexError]:
    """Images of one series, and in place of each that fails its error."""
    frames: list[Frame] = []
    for file in members:
        kind = sop_class(file.header)
        if kind == SEGMENTATION_CLASS:
            yield from images_of_segmentation(file)
        elif kind == WHOLE_SLIDE_CLASS:
            raise NotAnImage(f"{file.name}: tiles of a whole-slide microscopy image, which is not read here.")
        elif is_tiled(file.header):
            frames.extend(tiles_of(file))
        else:
            frames.extend(frames_of(file))
    for group in split_series(frames):
        try:
            yield image_of(group, reader, name=name, gaps=gaps, uneven=uneven, tick=tick)
        except CohortexError as error:
            yield error


def _with_warnings(image: Image, warnings: list[str]) -> Image:
    if not warnings:
        return image
    noted = image.metadata.get("warnings", [])
    return image.with_metadata(warnings=[*noted, *warnings])  # type: ignore[misc]


def _series_name(files: Sequence[DicomFile]) -> str:
    first = files[0]
    number, description = first.text("SeriesNumber"), first.text("SeriesDescription")
    if len(files) == 1:
        return first.name
    return f"series {number} {description}".strip() if number else f"series of {first.name}"


def checked_members(files: list[DicomFile]) -> list[str]:
    """Refuse a series with a broken member; remove repeated files (also in another encoding) and say so.

    Raises
    ------
    UnreadableFile
        Naming the broken member, or two different files under one SOP Instance UID.
    """
    broken = [file for file in files if file.broken is not None]
    if broken and broken[0].broken is not None:
        more = (
            f" The other {len(files) - len(broken)} files of its series are whole." if len(files) > len(broken) else ""
        )
        raise UnreadableFile(f"{broken[0].broken}{more}")
    seen: dict[str, DicomFile] = {}
    warnings: list[str] = []
    for file in list(files):
        uid = file.text("SOPInstanceUID")
        if not uid or uid not in seen:
            seen[uid or file.name] = file
            continue
        if _digest(seen[uid]) != _digest(file) and not _same_picture(seen[uid], file):
            raise UnreadableFile(
                f"{file.name} and {seen[uid].name} bear one SOP Instance UID but differ. "
                "Ask the centre which one is right and resend the series without the other."
            )
        warnings.append(f"{file.name} repeats {seen[uid].name} and was left out")
        files.remove(file)
    return warnings


def _same_picture(one: DicomFile, other: DicomFile) -> bool:
    """Whether two files hold the same pixels in the same place, if in another encoding."""
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept"):
        if one.header.get(keyword) != other.header.get(keyword):
            return False
    if not one.has_pixels or not other.has_pixels:
        return False
    return np.array_equal(decode_pixels(one), decode_pixels(other))


def _digest(file: DicomFile) -> bytes:
    with file.path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
