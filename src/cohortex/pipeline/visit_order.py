"""Which of two visits came first: by the words and numbers of their names, and by the study dates of their scans."""

from __future__ import annotations

import io
import itertools
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from pydicom.filereader import read_partial
from pydicom.tag import BaseTag

Order = Literal["earlier", "later", "not known"]

_PHASES = {"screening": -1, "baseline": 0, "pre": 0, "before": 0, "post": 2, "after": 2}
_AFTERWARDS = 2  # phase of a first follow-up; the second is the next
_DAYS = {"day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}
_SAME_WORD = {
    "v": "visit", "tp": "timepoint", "time": "timepoint", "session": "ses", "d": "day", "w": "week", "m": "month",
    "y": "year",
}  # fmt: skip
_CLEARLY = 1.2  # ratio of two times in different units: 12 months and a year are one time
_STUDY_DATE = 0x0008_0020
_HEAD = 64 * 1024  # bytes in which the study date of a file lies: it is among the first elements
_PROBED = 200  # files looked into where no date is found
_BROKEN = (
    OSError, ValueError, KeyError, EOFError, RuntimeError, NotImplementedError, AttributeError, TypeError, struct.error,
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError,
)  # fmt: skip  # who reads the scans says what is wrong


def order_of_names(first: str, second: str) -> Order:
    """Say whether one visit comes before another by their names alone.

    Parameters
    ----------
    first, second : str
        Names of visits, such as "visit-2", "ses-pre", "w96" or "baseline".

    Returns
    -------
    {"earlier", "later", "not known"}
        When `first` was. Known where both count the same thing (visit-2 before visit-10), give a time (week-2 before
        month-6) or name a phase (screening, baseline, follow-up; before, after), and where a phase meets a time.
    """
    one, other = _meaning(first), _meaning(second)
    if _comes_before(one, other):
        return "earlier"
    return "later" if _comes_before(other, one) else "not known"


def order_of_dates(first: Iterable[Path], second: Iterable[Path]) -> Order:
    """Say whether one visit was scanned before another by the study dates in DICOM headers.

    Parameters
    ----------
    first, second : iterable of Path
        Archives, folders and files of each visit.

    Returns
    -------
    {"earlier", "later", "not known"}
        When `first` was; not known where one has no date, or the dates are equal or overlap.
    """
    dates = study_dates(first), study_dates(second)
    if all(dates):
        if max(dates[0]) < min(dates[1]):
            return "earlier"
        if max(dates[1]) < min(dates[0]):
            return "later"
    return "not known"


def study_dates(paths: Iterable[Path]) -> frozenset[str]:
    """Find the study dates, YYYYMMDD, of one DICOM file in each folder of archives and folders; never shown."""
    return frozenset(itertools.chain.from_iterable(map(_dates_in, paths)))


def sorting_key(name: str) -> tuple[object, ...]:
    """Order names as a person would: phases first and last, times by their length, numbers by their value."""
    kind, value = _meaning(name)
    if kind == "phase":
        return (min(value, _AFTERWARDS), 0.0, value, natural_key(name))
    return (1.0, 0.0 if kind in _DAYS else 1.0, value * _DAYS.get(kind, 0.0), natural_key(name))


def natural_key(name: str) -> tuple[tuple[str, int], ...]:
    """Split a name into words and numbers, so that 10 follows 9."""
    return tuple((word, int(number or -1)) for word, number in re.findall(r"(\D*)(\d*)", name.lower()))


def _meaning(name: str) -> tuple[str, float]:
    """What a name counts and its value: ("phase", 0), ("week", 96), ("visit", 2), or the name itself."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    label = re.sub(r"^(ses|session)-(?=[a-z]{2}|[a-z]+\d)", "", plain)  # ses-pre, ses-m06
    if label in _PHASES:
        return "phase", _PHASES[label]
    if found := re.fullmatch(r"(?:follow-?up|fu)-?(\d*)", label):
        return "phase", _AFTERWARDS - 1 + int(found.group(1) or 1)
    if found := re.fullmatch(r"([a-z]+)-?(\d+)", label):
        word = found.group(1)
        return _SAME_WORD.get(word, word), float(found.group(2))
    if found := re.fullmatch(r"(?:ses|session)-([a-z])", plain):
        return "letter", float(ord(found.group(1)))
    return plain, 0.0


def _comes_before(one: tuple[str, float], other: tuple[str, float]) -> bool:
    (kind, value), (other_kind, other_value) = one, other
    if kind == other_kind:
        return value < other_value
    if kind in _DAYS and other_kind in _DAYS:
        days, other_days = value * _DAYS[kind], other_value * _DAYS[other_kind]
        return days * _CLEARLY < other_days
    if kind == "phase" and value < 1:  # a time of 0 may be the baseline, the first visit the screening
        if other_kind in _DAYS:
            return other_value > 0 or value < 0
        return other_kind in ("visit", "timepoint", "scan", "exam", "study") and other_value >= 2
    return other_kind == "phase" and other_value >= _AFTERWARDS and kind in _DAYS and value == 0


def _dates_in(path: Path) -> Iterator[str]:
    try:
        seen: set[PurePosixPath] = set()
        with_date = 0
        for probed, (name, stream) in enumerate(_heads(path, seen)):
            if date := _study_date(stream):
                seen.add(PurePosixPath(name).parent)
                with_date += 1
                yield date
            elif not with_date and probed >= _PROBED:
                return
    except _BROKEN:
        return


def _heads(path: Path, seen: set[PurePosixPath]) -> Iterator[tuple[str, bytes]]:
    """The start of each file, but of those beside one whose date is known."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if PurePosixPath(file.parent) not in seen and file.is_file():
                with file.open("rb") as stream:
                    yield file.as_posix(), stream.read(_HEAD)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if PurePosixPath(entry.filename).parent not in seen and not entry.is_dir():
                    with archive.open(entry) as member:
                        yield entry.filename, member.read(_HEAD)
    elif path.name.lower().endswith((".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")):
        with tarfile.open(path) as archive_of_tape:
            for entry_of_tape in archive_of_tape:
                if PurePosixPath(entry_of_tape.name).parent not in seen and entry_of_tape.isfile():
                    file_of_tape: IO[bytes] | None = archive_of_tape.extractfile(entry_of_tape)
                    if file_of_tape is not None:
                        yield entry_of_tape.name, file_of_tape.read(_HEAD)
    else:
        with path.open("rb") as stream:
            yield path.name, stream.read(_HEAD)


def _study_date(head: bytes) -> str:
    """The study date at the start of a DICOM file, YYYYMMDD; empty where there is none."""
    if head[128:132] != b"DICM" and head[:2] not in (b"\x02\x00", b"\x08\x00"):
        return ""
    try:
        header = read_partial(io.BytesIO(head), stop_when=_past_study_date, force=True, specific_tags=[_STUDY_DATE])
        date = str(header.get("StudyDate") or "").replace(".", "").strip()
    except _BROKEN:
        return ""
    return date if re.fullmatch(r"(19|20)\d{6}", date) else ""


def _past_study_date(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag > _STUDY_DATE
