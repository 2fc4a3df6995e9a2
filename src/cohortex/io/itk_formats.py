"""NRRD and MetaImage through SimpleITK, with the geometry that it would lose read from the text header."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from cohortex.errors import UnreadableFile
from cohortex.image import Image
from cohortex.io.sidecar import metadata_beside
from cohortex.io.simpleitk_bridge import from_simpleitk, simpleitk_of, to_simpleitk
from cohortex.progress import ProgressCallback, silent


def read_nrrd(path: Path, *, name: str | None = None, progress: ProgressCallback = silent) -> Image:
    """Read NRRD."""
    return _read(path, "NrrdImageIO", name or path.name, progress)


def read_metaimage(path: Path, *, name: str | None = None, progress: ProgressCallback = silent) -> Image:
    """Read MetaImage."""
    return _read(path, "MetaImageIO", name or path.name, progress)


def _read(path: Path, kind: str, name: str, progress: ProgressCallback) -> Image:
    reader = sitk.ImageFileReader()
    reader.SetImageIO(kind)
    reader.SetFileName(str(path))
    try:
        image = from_simpleitk(reader.Execute())
    except RuntimeError as error:
        raise UnreadableFile(f"{name}: cannot be read ({str(error).strip().splitlines()[-1][:200]}).") from error
    return image.with_metadata(**metadata_beside(path), source=name)


def write_nrrd(image: Image, path: Path) -> None:
    """Write NRRD."""
    sitk.WriteImage(simpleitk_of(image), str(path), useCompression=True)


def write_metaimage(image: Image, path: Path) -> None:
    """Write MetaImage."""
    sitk.WriteImage(to_simpleitk(image), str(path), useCompression=True)
