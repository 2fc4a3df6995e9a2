"""Unpacking zip and tar safely: into a temporary folder that always goes, within limits, never outside it."""

from __future__ import annotations

import lzma
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from cohortex.errors import CohortexError, UnreadableFile, UnsafeArchive
from cohortex.progress import Progress, ProgressCallback, silent

_BLOCK_BYTES = 1 << 20
ARCHIVE_ENDINGS = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
"""What archives that can be unpacked are named."""

_NESTED_ENDINGS = (*ARCHIVE_ENDINGS, ".7z", ".rar")
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ")  # gzip, bzip2, xz
_BROKEN = (EOFError, OSError, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, NotImplementedError)


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """How far an archive may unpack.

    Attributes
    ----------
    total_bytes : int
        Unpacked size of all members together.
    ratio : float
        Unpacked over packed size, once more than `ratio_from_bytes` came out.
    ratio_from_bytes : int
        Small archives may compress as well as they like.
    members : int
        Number of files.
    """

    total_bytes: int = 8 << 30
    ratio: float = 200.0
    ratio_from_bytes: int = 64 << 20
    members: int = 100_000


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """What came out of an archive.

    Attributes
    ----------
    folder : Path
        Temporary folder with the good members, gone after the `with` block.
    names : dict of Path to str
        Each unpacked file and its name in the archive.
    problems : tuple of (str, CohortexError)
        Members that could not be unpacked, each with the reason.
    """

    folder: Path
    names: dict[Path, str]
    problems: tuple[tuple[str, CohortexError], ...]


def is_archive(path: Path) -> bool:
    """Whether a file starts like a zip or tar archive, or is named like one."""
    lowered = path.name.lower()
    if lowered.endswith(ARCHIVE_ENDINGS):
        return True
    with path.open("rb") as file:
        start = file.read(264)
    return start.startswith(_ZIP_MARKS) or start[257:262] == b"ustar"


@contextmanager
def unpacked(
    path: Path, *, limits: ArchiveLimits | None = None, progress: ProgressCallback = silent
) -> Iterator[Unpacked]:
    """Unpack an archive for the time of a `with` block.

    Parameters
    ----------
    path : Path
        .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz.
    limits : ArchiveLimits, optional
        Size, ratio and number of members allowed.
    progress : callable, optional
        Told after each member.

    Yields
    ------
    Unpacked
        Folder, names and what could not be unpacked.

    Raises
    ------
    UnsafeArchive
        If a member climbs out of the folder, is a link or a device, the archive is encrypted, or it unpacks beyond
        the limits. Nothing of it is read then.
    UnreadableFile
        If the archive is empty, truncated or no archive.
    """
    limits = limits or ArchiveLimits()
    with tempfile.TemporaryDirectory(prefix="cohortex-") as temporary:
        folder = Path(temporary)
        packed = path.stat().st_size
        if packed == 0:
            raise UnreadableFile(f"{path.name}: the file is empty (0 bytes). Send it again.")
        _refuse_other_content(path)
        meter = _Meter(limits=limits, packed=packed, archive=path.name)
        try:
            found = (_from_zip if zipfile.is_zipfile(path) else _from_tar)(path, folder, meter, progress)
        except _BROKEN as error:
            raise UnreadableFile(
                f"{path.name}: the archive is truncated or broken ({error}). Pack and send it again."
            ) from error
        if not found.names and not found.problems:
            raise UnreadableFile(f"{path.name}: the archive is empty. Pack the scan's folder and send it again.")
        yield found


def _refuse_other_content(path: Path) -> None:
    """Tell a file that only bears the name of an archive from an archive that was cut."""
    with path.open("rb") as file:
        start = file.read(264)
    if zipfile.is_zipfile(path) or start[257:262] == b"ustar" or start.startswith(_COMPRESSED):
        return
    if start.startswith(_ZIP_MARKS):
        raise UnreadableFile(
            f"{path.name}: the archive is truncated or broken (the list of its files, at its end, is missing). "
            "Pack and send it again."
        )
    if path.suffix.lower() == ".tar":  # an old tar has no mark
        return
    kind = "a zip file" if path.suffix.lower() == ".zip" else "an archive"
    content = "text" if _is_text(start) else "something else"
    raise UnreadableFile(
        f"{path.name}: not {kind}; it is named like one but holds {content}. Send the archive that holds the scan."
    )


def _is_text(start: bytes) -> bool:
    return all(byte in b"\t\n\r" or byte >= 32 for byte in start)


@dataclass(kw_only=True)
class _Meter:
    """Counts what comes out and stops a bomb while it unpacks, whatever its directory claims."""

    limits: ArchiveLimits
    packed: int
    archive: str
    written: int = 0
    members: int = 0

    def add(self, count: int) -> None:
        self.written += count
        limits = self.limits
        if self.written > limits.total_bytes:
            raise UnsafeArchive(
                f"{self.archive}: unpacks to more than {limits.total_bytes:,} bytes. Send the scan in smaller parts."
            )
        if self.written > limits.ratio_from_bytes and self.written > limits.ratio * self.packed:
            raise UnsafeArchive(
                f"{self.archive}: {self.written:,} bytes came out of {self.packed:,}, more than {limits.ratio:g} : 1; "
                "no scan packs so well. Send the original files."
            )

    def add_member(self) -> None:
        self.members += 1
        if self.members > self.limits.members:
            raise UnsafeArchive(
                f"{self.archive}: more than {self.limits.members:,} files. Send the scan in smaller parts."
            )


def _copied(source: IO[bytes], target: Path, meter: _Meter) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        while block := source.read(_BLOCK_BYTES):
            meter.add(len(block))
            file.write(block)


def _safe_name(name: str, archive: str) -> PurePosixPath:
    """Refuse names that lead out of the folder, on any operating system."""
    plain = PurePosixPath(name.replace("\\", "/"))
    if plain.is_absolute() or ".." in plain.parts or (plain.parts and ":" in plain.parts[0]) or "\0" in name:
        raise UnsafeArchive(
            f"{archive}: the member {name!r} leads out of the archive's folder. Nothing was read; "
            "pack the scan's folder again with an ordinary program."
        )
    return plain


def _free_place(folder: Path, safe: PurePosixPath, number: int) -> Path:
    """Where a member goes: its own path, or a folder of its own where an archive repeats a name."""
    target = folder / "members" / safe
    return target if not target.exists() else folder / f"again-{number}" / safe


def _nested(name: str, archive: str) -> UnsafeArchive | None:
    if not name.lower().endswith(_NESTED_ENDINGS):
        return None
    return UnsafeArchive(f"{archive}: {name} is an archive inside the archive. Unpack it first and send its files.")


def _from_zip(path: Path, folder: Path, meter: _Meter, progress: ProgressCallback) -> Unpacked:
    names: dict[Path, str] = {}
    problems: list[tuple[str, CohortexError]] = []
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        for member in members:
            _safe_name(member.filename, path.name)
            if member.flag_bits & 1:
                raise UnsafeArchive(
                    f"{path.name}: {member.filename} is encrypted. Send the archive without a password; "
                    "the connection protects it."
                )
        declared = sum(member.file_size for member in members)
        if declared > meter.limits.total_bytes:
            meter.add(declared)
        for done, member in enumerate(members):
            meter.add_member()
            progress(Progress(task=f"unpacking {path.name}", done=done, total=len(members)))
            nested = _nested(member.filename, path.name)
            if nested:
                problems.append((member.filename, nested))
                continue
            target = _free_place(folder, _safe_name(member.filename, path.name), done)
            try:
                with archive.open(member) as source:
                    _copied(source, target, meter)
            except _BROKEN as error:
                target.unlink(missing_ok=True)
                reason = (
                    f"{path.name}: {member.filename} is broken inside the archive ({error}). Pack and send it again."
                )
                problems.append((member.filename, UnreadableFile(reason)))
                continue
            names[target] = member.filename
    if names:
        progress(Progress(task=f"unpacking {path.name}", done=len(members), total=len(members)))
    return Unpacked(folder=folder, names=names, problems=tuple(problems))


def _from_tar(path: Path, folder: Path, meter: _Meter, progress: ProgressCallback) -> Unpacked:
    names: dict[Path, str] = {}
    problems: list[tuple[str, CohortexError]] = []
    with tarfile.open(path, "r|*") as archive:
        for done, member in enumerate(archive):
            meter.add_member()
            progress(Progress(task=f"unpacking {path.name}", done=done, total=0))
            safe = _safe_name(member.name, path.name)
            if member.isdir():
                continue
            if not member.isfile():
                raise UnsafeArchive(
                    f"{path.name}: {member.name} is a link or a device, not a file. Nothing was read; "
                    "pack plain files only."
                )
            nested = _nested(member.name, path.name)
            if nested:
                problems.append((member.name, nested))
                continue
            source = archive.extractfile(member)
            if source is None:
                continue
            target = _free_place(folder, safe, done)
            _copied(source, target, meter)
            if target.stat().st_size != member.size:
                raise UnreadableFile(
                    f"{path.name}: {member.name} breaks off inside the archive. Pack and send it again."
                )
            names[target] = member.name
    return Unpacked(folder=folder, names=names, problems=tuple(problems))
