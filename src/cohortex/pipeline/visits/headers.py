"""When a visit was scanned and of whom, from the head of one DICOM file in each folder: compared, never shown."""

from __future__ import annotations

import io
import lzma
import re
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag

from cohortex.io.archive import is_archive
from cohortex.io.quiet import quiet_dicom_library

_STUDY_DATE, _BIRTH_DATE, _STUDY_UID = 0x0008_0020, 0x0010_0030, 0x0020_000D
_PERSON = (0x0010_0010, 0x0010_0020, _BIRTH_DATE)  # name and ID come before it
_HEAD = 256 * 1024  # bytes in which these lie: among the first elements, but a list of images may come before them
_PROBED = 200  # files looked into where no date is found
_BROKEN = (
    OSError, ValueError, LookupError, EOFError, RuntimeError, AttributeError, TypeError, struct.error,
    BytesLengthException, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError,
)  # fmt: skip  # who reads the scans says what is wrong
_NOBODY = re.compile(
    r"anon|(anonym|anonim|deident|pseudonym|remove|redact|unknown|unbekannt|sconosciut|inconnu)\w*|de|identified|none|"
    r"null|n|a|no|name|noname|patient|test|id|0+|x+"
)  # words that stand where an identity was taken out
_NO_BIRTH = "19000101"


@dataclass(frozen=True, kw_only=True, repr=False)
class VisitHeaders:
    """What the headers of a visit say of its examination and person; no repr, so that it is in no log.

    Attributes
    ----------
    dates : frozenset of str
        Study dates, YYYYMMDD.
    examinations : frozenset of str
        Study Instance UIDs.
    patient_ids, patient_names, birth_dates : frozenset of str
        Of the person, in one spelling; empty where they were taken out or replaced by a word such as "anonymous".
    """

    dates: frozenset[str]
    examinations: frozenset[str]
    patient_ids: frozenset[str]
    patient_names: frozenset[str]
    birth_dates: frozenset[str]


def read_visit_headers(paths: Iterable[Path]) -> VisitHeaders:
    """Read what the headers of a visit say, from one file in each folder of archives and folders.

    Parameters
    ----------
    paths : iterable of Path
        Archives, folders and files of the visit; what is no DICOM, or damaged, says nothing.

    Returns
    -------
    VisitHeaders
        For comparison with those of another visit.
    """

    def values(read: Iterable[str]) -> frozenset[str]:
        return frozenset(filter(None, read))

    with quiet_dicom_library():  # the library judges an entry when it is asked for
        headers = [header for path in paths for header in _headers_in(path)]
        return VisitHeaders(
            dates=values(map(_study_date, headers)),
            examinations=values(_entry(header, "StudyInstanceUID") for header in headers),
            patient_ids=values(_identity(_entry(header, "PatientID"), joined="") for header in headers),
            patient_names=values(_identity(_entry(header, "PatientName"), joined=" ") for header in headers),
            birth_dates=values(map(_birth_date, headers)),
        )


def _entry(header: Dataset, keyword: str) -> str:
    try:
        return str(header.get(keyword) or "").strip()
    except _BROKEN:  # such as a text that is declared a number
        return ""


def _study_date(header: Dataset) -> str:
    date = _entry(header, "StudyDate").replace(".", "")
    return date if re.fullmatch(r"(19|20)\d{6}", date) else ""


def _birth_date(header: Dataset) -> str:
    date = _entry(header, "PatientBirthDate").replace(".", "")
    return date if re.fullmatch(r"(18|19|20)\d{6}", date) and date != _NO_BIRTH else ""


def _identity(value: str, *, joined: str) -> str:
    """One spelling of an ID or a name: no accents, capitals or signs, and the words of a name in any order."""
    plain = unicodedata.normalize("NFKD", value.split("=")[0]).casefold()
    words = re.findall(r"\w+", "".join(letter for letter in plain if not unicodedata.combining(letter)))
    if all(_NOBODY.fullmatch(word) for word in words):
        return ""
    return joined.join(sorted(words) if joined else words)


def _headers_in(path: Path) -> Iterator[Dataset]:
    seen: set[PurePosixPath] = set()
    with_date = False
    for probed, (name, head) in enumerate(_heads(path, seen)):
        header = _header(head)
        if header is not None:
            yield header
        if header is not None and _study_date(header):
            seen.add(PurePosixPath(name).parent)
            with_date = True
        elif not with_date and probed >= _PROBED:
            return


def _heads(path: Path, seen: set[PurePosixPath]) -> Iterator[tuple[str, bytes]]:
    """The start of each file, but of those beside one whose date is known; a broken file ends only itself."""
    try:
        for name, opened in _files_in(path):
            if PurePosixPath(name).parent in seen:
                continue
            try:
                with opened() as file:
                    head = file.read(_HEAD)
            except _BROKEN:
                continue
            yield name, head
    except _BROKEN:  # the archive itself breaks off
        return


def _files_in(path: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """The files of a folder or an archive, or the file itself, each with what opens it."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file():
                yield file.as_posix(), partial(_opened, file)
    elif not is_archive(path):
        yield path.name, partial(_opened, path)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.is_dir():
                    yield entry.filename, partial(archive.open, entry)
    else:
        with tarfile.open(path) as archive_of_tape:
            for entry_of_tape in archive_of_tape:
                if entry_of_tape.isfile():
                    yield entry_of_tape.name, partial(_opened_on_tape, archive_of_tape, entry_of_tape)


def _opened(file: Path) -> IO[bytes]:
    return file.open("rb")


def _opened_on_tape(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(entry)
    if file is None:
        raise tarfile.TarError(f"{entry.name}: no file.")
    return file


def _header(head: bytes) -> Dataset | None:
    """The start of a DICOM file, as far as it can be read; None for other files."""
    if head[128:132] != b"DICM" and head[:2] not in (b"\x02\x00", b"\x08\x00"):
        return None
    for last in (_STUDY_UID, _BIRTH_DATE, _STUDY_DATE):
        try:
            return read_partial(
                io.BytesIO(head),
                stop_when=_past(last),
                force=True,
                specific_tags=[_STUDY_DATE, *_PERSON, _STUDY_UID],
            )
        except _BROKEN:  # what lies before may still be whole
            continue
    return None


def _past(last: int) -> Callable[[BaseTag, str | None, int], bool]:
    def is_past(tag: BaseTag, _vr: str | None, _length: int) -> bool:
        return tag > last

    return is_past
