"""DICOM handed on as DICOM: each object once, byte for byte."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from cohortex.errors import NotAnImage, TargetExists
from cohortex.io.archive import ArchiveLimits
from cohortex.io.dicom_file import DIRECTORY_CLASS, looks_like_dicom, read_dicom_file, sop_class
from cohortex.io.dicom_objects import checked_members
from cohortex.io.quiet import quiet_dicom_library
from cohortex.io.upload import members
from cohortex.progress import Progress, ProgressCallback, silent

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say; a fixed date keeps the file bit-identical

_COMPRESSION = 1  # five times faster than the default and a tenth larger; pixels hardly compress


@dataclass(frozen=True, kw_only=True)
class DicomCopy:
    """What was copied.

    Attributes
    ----------
    instances : tuple of str
        SOP Instance UIDs, each once, sorted.
    repeated : tuple of str
        What was left out because it was there already, in words.
    """

    instances: tuple[str, ...]
    repeated: tuple[str, ...]


def copy_dicom(
    source: Path | str, target: Path | str, *, limits: ArchiveLimits | None = None, progress: ProgressCallback = silent
) -> DicomCopy:
    """Write every DICOM object of an upload into one zip, unchanged and each SOP instance once.

    Parameters
    ----------
    source : Path or str
        File, folder, zip or tar.
    target : Path or str
        The zip to write. Members are named 000001.dcm … in order of SOP Instance UID.
    limits : ArchiveLimits, optional
        How far an archive may unpack.
    progress : callable, optional
        Told after each object.

    Returns
    -------
    DicomCopy
        The instances written, and what was left out as a repetition.

    Raises
    ------
    TargetExists
        If there is a file at `target`.
    NotAnImage
        If there is no DICOM object in the upload.
    CohortexError
        If an object is truncated, or two different ones bear one SOP Instance UID.
    """
    source, target = Path(source), Path(target)
    if target.exists():
        raise TargetExists(f"{target.name} exists already. Choose another name, or remove it first.")
    with members(source, limits=limits, progress=progress) as (names, problems), quiet_dicom_library():
        if problems:
            raise problems[0][1]
        files = [read_dicom_file(path, name=name) for path, name in names.items() if looks_like_dicom(path)]
        files = [file for file in files if sop_class(file.header) != DIRECTORY_CLASS]
        if not files:
            raise NotAnImage(f"{source.name}: no DICOM object in it. Give the scan as DICOM.")
        repeated = checked_members(files)
        files.sort(key=lambda file: (file.text("SOPInstanceUID"), file.name))
        partial = target.with_name(f".{target.name}.partial")
        try:
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
                for number, file in enumerate(files, start=1):
                    info = zipfile.ZipInfo(f"{number:06d}.dcm", _EPOCH)
                    info.compress_type = zipfile.ZIP_DEFLATED
                    archive.writestr(info, file.path.read_bytes(), compresslevel=_COMPRESSION)
                    progress(Progress(task=f"writing {target.name}", done=number, total=len(files)))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    return DicomCopy(instances=tuple(file.text("SOPInstanceUID") for file in files), repeated=tuple(repeated))
