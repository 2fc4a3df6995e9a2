"""Sorting the DICOM files of an upload into series, and each kind of object to its reader."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cohortex.errors import CohortexError, UnreadableFile
from cohortex.image import Image
from cohortex.io.dicom_file import DicomFile
from cohortex.io.dicom_frames import Frame, frames_of
from cohortex.io.dicom_pixels import PixelReader
from cohortex.io.dicom_series import Gaps, Uneven, image_of, split_series
from cohortex.progress import Progress, ProgressCallback


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
    for file in files:
        if not file.has_pixels:
            ignored.append((file.name, f"{file.name}: {file.text('Modality', 'DICOM')} object without pixels"))
            continue
        series.setdefault(file.text("SeriesInstanceUID", file.name), []).append(file)
    images: list[Image] = []
    problems: list[tuple[str, CohortexError]] = []
    reader = PixelReader()
    total, done = sum(len(members) for members in series.values()), 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress(Progress(task="reading slices", done=min(done, total), total=total))

    for members in sorted(series.values(), key=lambda m: (m[0].integer("SeriesNumber"), m[0].name)):
        name = _series_name(members)
        try:
            warnings = _without_duplicates(members)
            frames: list[Frame] = [frame for file in members for frame in frames_of(file)]
            groups = split_series(frames)
        except CohortexError as error:
            problems.append((name, error))
            continue
        for group in groups:
            try:
                image = image_of(group, reader, name=name, gaps=gaps, uneven=uneven, tick=tick)
            except CohortexError as error:
                problems.append((name, error))
                continue
            if warnings:
                noted = image.metadata.get("warnings", [])
                image = image.with_metadata(warnings=[*noted, *warnings])  # type: ignore[misc]
            images.append(image)
    return Found(images=tuple(images), problems=tuple(problems), ignored=tuple(ignored))


def _series_name(files: Sequence[DicomFile]) -> str:
    first = files[0]
    number, description = first.text("SeriesNumber"), first.text("SeriesDescription")
    if len(files) == 1:
        return first.name
    return f"series {number} {description}".strip() if number else f"series of {first.name}"


def _without_duplicates(files: list[DicomFile]) -> list[str]:
    """Remove repeated files from the list; different files under one SOP Instance UID are refused."""
    seen: dict[str, DicomFile] = {}
    warnings: list[str] = []
    for file in list(files):
        uid = file.text("SOPInstanceUID")
        if not uid or uid not in seen:
            seen[uid or file.name] = file
            continue
        if _digest(seen[uid]) != _digest(file):
            raise UnreadableFile(
                f"{file.name} and {seen[uid].name} bear one SOP Instance UID but differ. "
                "Ask the centre which one is right and resend the series without the other."
            )
        warnings.append(f"{file.name} repeats {seen[uid].name} and was left out")
        files.remove(file)
    return warnings


def _digest(file: DicomFile) -> bytes:
    with file.path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
