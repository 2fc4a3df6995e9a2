"""Which reader and which writer a file name asks for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from cohortex.errors import TargetExists, UnknownFormat
from cohortex.image import Image
from cohortex.io.itk_formats import read_metaimage, read_nrrd, write_metaimage, write_nrrd
from cohortex.io.nifti import read_nifti
from cohortex.io.nifti_writing import write_nifti
from cohortex.io.png import read_png, write_png
from cohortex.progress import ProgressCallback, silent

Format = Literal["NIfTI", "NRRD", "MetaImage", "PNG"]

ENDINGS: dict[str, Format] = {
    ".nii": "NIfTI",
    ".nii.gz": "NIfTI",
    ".hdr": "NIfTI",
    ".hdr.gz": "NIfTI",
    ".img": "NIfTI",
    ".img.gz": "NIfTI",
    ".nrrd": "NRRD",
    ".nhdr": "NRRD",
    ".mha": "MetaImage",
    ".mhd": "MetaImage",
    ".png": "PNG",
}
"""Endings of files that hold one image each; DICOM is told by its content."""

_READERS = {"NIfTI": read_nifti, "NRRD": read_nrrd, "MetaImage": read_metaimage, "PNG": read_png}
_WRITERS = {
    ".nii": write_nifti,
    ".nii.gz": write_nifti,
    ".nrrd": write_nrrd,
    ".mha": write_metaimage,
    ".png": write_png,
}
WRITTEN_ENDINGS = tuple(_WRITERS)
"""Endings of files that `write_image` writes."""


def _ending_of(name: str, known: Iterable[str]) -> str | None:
    lowered = name.lower()
    return max((ending for ending in known if lowered.endswith(ending)), key=len, default=None)


def image_ending(name: str) -> str | None:
    """The ending by which `write_image` chooses a format, lower case; None where it has no writer for the name."""
    return _ending_of(name, _WRITERS)


def format_of(name: str) -> Format | None:
    """The format that a file name claims; None for DICOM and anything else."""
    ending = _ending_of(name, ENDINGS)
    return None if ending is None else ENDINGS[ending]


def read_file(path: Path, *, name: str | None = None, progress: ProgressCallback = silent) -> Image:
    """Read one file that is not DICOM, by its ending.

    Raises
    ------
    UnknownFormat
        If no reader knows the ending.
    CohortexError
        As the reader of the format.
    """
    kind = format_of(path.name)
    if kind is None:
        raise UnknownFormat(f"{path.name}: no reader for this ending. Give {', '.join(ENDINGS)}, or DICOM.")
    return _READERS[kind](path, name=name, progress=progress)


def write_image(image: Image, path: Path | str, *, overwrite: bool = False) -> None:
    """Write an image in the format its name asks for: .nii, .nii.gz, .nrrd, .mha or .png.

    Values are never rescaled, rounded or wrapped: a type that the format does not know is refused. The file appears
    whole or not at all.

    Parameters
    ----------
    image : Image
        Any image; each format refuses by name what it cannot hold.
    path : Path or str
        Where to. The folder must exist.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    TargetExists
        If there is a file and `overwrite` is false.
    UnknownFormat
        If no writer knows the ending.
    """
    path = Path(path)
    ending = image_ending(path.name)
    if ending is None:
        raise UnknownFormat(f"{path.name}: no writer for this ending. Give {', '.join(_WRITERS)}.")
    if path.exists() and not overwrite:
        raise TargetExists(f"{path.name} exists already. Choose another name, or remove it first.")
    partial = path.with_name(f".{path.name[: -len(ending)]}.partial{ending}")
    partial.unlink(missing_ok=True)
    try:
        _WRITERS[ending](image, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
