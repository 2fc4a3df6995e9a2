"""What the readers found wrong, said again without the names of files and folders, which can be a patient's."""

from __future__ import annotations

import re

from cohortex.errors import (
    CohortexError,
    GeometryError,
    MissingSlices,
    NotAnImage,
    NotDeidentified,
    UnevenSlices,
    UnreadableFile,
    UnsafeArchive,
)
from cohortex.study.check.verdict import CheckProblem

RESEND = "Send the original file again from the scanner or the archive."
REPACK = "Pack the scan's folder again with an ordinary program and send it."
EXPORT = "Export the whole series again from the scanner or the archive and send it."

_ARCHIVE = (  # what the message of cohortex.io.archive says about any archive: never its or a member's name
    ("leads out of", "a file in the archive leads out of its folder. Nothing was read.", REPACK),
    ("is encrypted", "the archive is encrypted.", "Send it without a password; the connection protects it."),
    ("link or a device", "the archive holds a link or a device. Nothing was read.", "Pack plain files only."),
    ("unpacks to more than", "the archive unpacks to more than an upload may hold.", "Send the scan in smaller parts."),
    ("no scan packs so well", "the archive unpacks to far more than a scan would.", "Send the original files."),
    ("Send the scan in smaller parts", "the archive holds too many files.", "Send the scan in smaller parts."),
    ("inside the archive. Unpack it", "an archive lies inside the archive.", "Unpack it first and send its files."),
    ("is broken inside", "it is broken inside the archive.", REPACK),
    ("breaks off inside", "a file breaks off inside the archive.", REPACK),
    ("archive is empty", "the archive is empty.", REPACK),
    ("(0 bytes)", "the file is empty (0 bytes).", RESEND),
    (
        "named like one but holds",
        "the file is no archive although it is named like one.",
        "Send the archive that holds the scan.",
    ),
    ("truncated or broken", "the archive is truncated or broken.", REPACK),
)
_FILE = (
    ("the file is empty", "it is empty (0 bytes)."),
    ("DICOM header breaks off", "its DICOM header breaks off or is damaged."),
    ("a DICOM mark but no object", "it has a DICOM mark but nothing behind it."),
    ("truncated:", "it is truncated: its pixels break off."),
    ("without pixel data", "it is an image without pixel data."),
)
_REMEDY_VERBS = r"(?:Ask|Send|Export|Give|Unpack|Pack|Use)"
_FIRST_PART = re.compile(rf"^(.*?[.!])\s+{_REMEDY_VERBS}\b.*$", re.DOTALL)
_MORE = re.compile(r" The other \d+ files of its series are whole\.")


def archive_problem(error: CohortexError) -> CheckProblem:
    """Say what is wrong with an archive or with a member of it."""
    return _by_phrase(error, "the archive is unsafe or broken.")


def _by_phrase(error: CohortexError, otherwise: str) -> CheckProblem:
    message = str(error)
    for phrase, reason, remedy in _ARCHIVE:
        if phrase in message:
            return CheckProblem(reason=reason, remedy=remedy)
    return CheckProblem(reason=otherwise, remedy=REPACK)


def file_problem(error: Exception) -> CheckProblem:
    """Say what is wrong with one file before its identity was taken out."""
    if isinstance(error, MemoryError):
        return CheckProblem(reason="it needs more memory than a check may use.", remedy=RESEND)
    if not isinstance(error, CohortexError):  # the libraries raise anything, and their words may quote the header
        return CheckProblem(reason="its header is damaged or contradicts itself.", remedy=RESEND)
    if isinstance(error, NotDeidentified):
        return CheckProblem(reason=error.reason, remedy=error.remedy)
    if isinstance(error, UnsafeArchive):
        return _by_phrase(error, "it is unsafe or broken.")
    message = str(error)
    for phrase, reason in _FILE:
        if phrase in message:
            return CheckProblem(reason=reason, remedy=RESEND)
    return _by_phrase(error, "it cannot be read.")


def series_problem(error: CohortexError) -> CheckProblem:
    """Say what is wrong with a series whose headers are clean already, so that its message can be shown."""
    found = _FIRST_PART.match(_MORE.sub("", str(error)))
    reason = found.group(1) if found else str(error)
    if isinstance(error, MissingSlices):
        return CheckProblem(reason=reason, remedy=EXPORT)
    if isinstance(error, UnevenSlices):
        remedy = "Send an evenly spaced reconstruction of this series; the other series are not affected."
        return CheckProblem(reason=reason, remedy=remedy)
    if isinstance(error, GeometryError):
        remedy = "Ask the centre's physicist how it was reconstructed, and send it as one series per stack."
        return CheckProblem(reason=reason, remedy=remedy)
    if isinstance(error, NotAnImage):
        return CheckProblem(reason=reason, remedy="Leave it out, or send the images it was made from.")
    if isinstance(error, UnreadableFile):
        return CheckProblem(reason=reason, remedy=EXPORT)
    return CheckProblem(reason=reason, remedy=EXPORT)
