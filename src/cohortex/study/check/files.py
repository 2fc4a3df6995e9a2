"""First look at an upload: which of its files are DICOM, of which series and of whom, without keeping any header."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset

from cohortex.errors import CohortexError, UnreadableFile
from cohortex.io.archive import is_archive
from cohortex.io.dicom_file import DIRECTORY_CLASS, DicomFile, looks_like_dicom, read_dicom_file
from cohortex.io.formats import format_of
from cohortex.study.check.child import limit_of
from cohortex.study.check.verdict import CheckProblem
from cohortex.study.check.wording import RESEND, file_problem
from cohortex.study.pseudonyms import Pseudonyms

_NIFTI_MARKS = (b"n+1\0", b"n+2\0", b"ni1\0", b"ni2\0")
_GZIP = b"\x1f\x8b"
_OTHER_FORMATS = "Only DICOM is taken: its header tells how the scan was made and of whom. Send the DICOM files."


@dataclass(frozen=True, kw_only=True)
class Member:
    """A DICOM file of the upload.

    Attributes
    ----------
    path : Path
        Where it was unpacked.
    number : int
        Counts the files of the upload from 1, in the order of their names: what messages call it.
    """

    path: Path
    number: int


@dataclass(kw_only=True)
class Inventory:
    """What the first look found.

    Attributes
    ----------
    series : dict of str to list of Member
        By the original Series Instance UID; never leaves the confined process.
    total : int
        Files in the upload.
    ignored : int
        Files that are neither DICOM nor broken.
    patients, names, birth_dates : set of str
        Keyed hashes of hospital numbers, names and birth dates.
    problems : list of CheckProblem
        Files that cannot be read.
    """

    series: dict[str, list[Member]] = field(default_factory=dict)
    total: int = 0
    ignored: int = 0
    patients: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    birth_dates: set[str] = field(default_factory=set)
    problems: list[CheckProblem] = field(default_factory=list)

    @property
    def two_persons(self) -> str:
        """Why this may be the scan of two persons; empty where nothing says so."""
        for found, called in (
            (self.patients, "hospital numbers"),
            (self.names, "names"),
            (self.birth_dates, "birth dates"),
        ):
            if len(found) > 1:
                return f"the headers of this upload bear {len(found)} different {called}."
        return ""


def neutral_name(path: Path) -> str:
    """What the upload is called while it is read: "upload" and an ending that fits its content.

    The name it came with may be a patient's; and the intake may keep none at all.
    """
    with path.open("rb") as file:
        start = file.read(352)
    if start.startswith(_GZIP):
        try:
            with gzip.open(path) as inside:
                start = inside.read(352)
        except (OSError, EOFError, zlib.error):
            return "upload.tar.gz"
        return "upload.nii.gz" if start[344:348] in _NIFTI_MARKS else "upload.tar.gz"
    if start.startswith((b"BZh", b"\xfd7zXZ")):
        return "upload.tar.xz"
    if start[344:348] in _NIFTI_MARKS and start[128:132] != b"DICM":
        return "upload.nii"
    return "upload.zip" if start.startswith(b"PK") else "upload.tar" if _is_tar(path) else "upload"


def _is_tar(path: Path) -> bool:
    try:
        return not looks_like_dicom(path) and path.stat().st_size > 0 and tarfile.is_tarfile(path)
    except (OSError, EOFError):
        return False


def take_inventory(
    names: dict[Path, str],
    broken: tuple[tuple[str, CohortexError], ...],
    *,
    pseudonyms: Pseudonyms,
    centre: str,
    tick: Callable[[int], None],
) -> Inventory:
    """Look into every file once.

    Parameters
    ----------
    names : dict of Path to str
        Files of the upload and their names in it.
    broken : tuple of (str, CohortexError)
        Members that could not be unpacked.
    pseudonyms, centre
        Make the hashes of who the headers name.
    tick : callable
        Told the number of files looked at.

    Returns
    -------
    Inventory
        Series with their members in the order of their names.
    """
    found = Inventory(total=len(names) + len(broken))
    numbers = {name: number for number, name in enumerate(sorted([*names.values(), *(name for name, _ in broken)]), 1)}
    for name, error in broken:
        found.problems.append(_told(numbers[name], found.total, file_problem(error)))
    other_formats = 0
    for done, (path, name) in enumerate(names.items()):
        tick(done)
        number = numbers[name]
        if _is_litter(name):
            found.ignored += 1
            continue
        try:
            if path.stat().st_size == 0:
                raise UnreadableFile("the file is empty")
            if not looks_like_dicom(path):
                other_formats += format_of(name) is not None
                found.ignored += 1
                if is_archive(path):
                    reason = f"file {number} of {found.total} is an archive inside the upload."
                    found.problems.append(CheckProblem(reason=reason, remedy="Unpack it first and send its files."))
                continue
            file = read_dicom_file(path, name=f"file {number} of {found.total}")
            _enter(found, file, Member(path=path, number=number), pseudonyms, centre)
        except Exception as error:  # the libraries raise anything on a damaged file
            if isinstance(error, OSError) and limit_of(error) != "breakdown":
                raise  # no room, or no more files: of the whole check
            found.problems.append(_told(number, found.total, file_problem(error)))
    if other_formats:
        reason = f"{other_formats} of {found.total} files are images of another format (NIfTI, NRRD, PNG …)."
        found.problems.append(CheckProblem(reason=reason, remedy=_OTHER_FORMATS))
    return found


def _told(number: int, total: int, problem: CheckProblem) -> CheckProblem:
    return CheckProblem(reason=f"file {number} of {total}: {problem.reason}", remedy=problem.remedy)


def _is_litter(name: str) -> bool:
    """Whether a file is what systems add to archives: ._name, __MACOSX, .DS_Store, Thumbs.db."""
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].startswith("._") or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini")


def _enter(found: Inventory, file: DicomFile, member: Member, pseudonyms: Pseudonyms, centre: str) -> None:
    if file.header.file_meta.get("MediaStorageSOPClassUID") == DIRECTORY_CLASS:
        found.ignored += 1
        return
    header = file.header
    for hashes, named in (
        (found.patients, pseudonyms.patient_hash(centre, _entry(header, "PatientID"))),
        (found.names, pseudonyms.person_hash(centre, _entry(header, "PatientName"))),
        (found.birth_dates, pseudonyms.person_hash(centre, _entry(header, "PatientBirthDate"))),
    ):
        if named is not None:
            hashes.add(named)
    if series := _entry(header, "SeriesInstanceUID"):
        found.series.setdefault(series, []).append(member)
    else:
        reason = "it does not say to which series it belongs (no SeriesInstanceUID)."
        found.problems.append(_told(member.number, found.total, CheckProblem(reason=reason, remedy=RESEND)))


def _entry(header: Dataset, keyword: str) -> str:
    try:
        return str(header.get(keyword) or "").strip(" \0")
    except Exception:  # pydicom raises anything on a damaged element
        return ""
