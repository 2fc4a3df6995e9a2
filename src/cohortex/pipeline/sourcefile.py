"""A file from outside as an input: known by its content, watched so that it cannot change unseen."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cohortex.pipeline.codec import json_bytes

_COMPANION_SUFFIXES = (".json", ".bval", ".bvec", ".raw", ".zraw", ".raw.gz", ".img", ".img.gz", ".hdr", ".mat")
_CHUNK_BYTES = 1 << 20

Stamp = tuple[tuple[str, int, int], ...]
"""Name, size in bytes and time of change (ns) of every file."""


@dataclass(frozen=True)
class SourceFile:
    """A file (with its companions) or a folder (with all in it).

    Attributes
    ----------
    path : Path
        Where it lies on this machine.
    stamp : Stamp
        Sizes and times when the content was hashed.
    key : str
        SHA-256 over the names and contents, not over the place.
    """

    path: Path
    stamp: Stamp
    key: str

    @classmethod
    def of(cls, path: Path) -> SourceFile:
        """Hash what lies at `path`, reading it piece by piece."""
        resolved = Path(path).resolve()
        stamp = stamp_of(resolved)
        contents = {name: _sha256_of_file(_folder_of(resolved) / name) for name, _, _ in stamp}
        return cls(resolved, stamp, hashlib.sha256(json_bytes({"name": resolved.name, "files": contents})).hexdigest())

    @cached_property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.name

    def check_unchanged(self) -> None:
        """Refuse to go on where the file is not the one that was hashed.

        Raises
        ------
        FileNotFoundError
            If it is gone.
        ValueError
            If its size or time of change differs.
        """
        if stamp_of(self.path) != self.stamp:
            raise ValueError(f"{self.name} was changed while it was being processed; start again.")


def stamp_of(path: Path) -> Stamp:
    """Note name, size and time of change of a file and its companions, or of every file in a folder.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
    elif path.is_file():
        stem = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
        files = sorted({path, *(b for s in _COMPANION_SUFFIXES if (b := path.with_name(stem + s)).is_file())})
    else:
        raise FileNotFoundError(f"{path.name}: no such file or folder; check the path.")
    states = [(file, os.stat(file)) for file in files]
    return tuple((f.relative_to(_folder_of(path)).as_posix(), s.st_size, s.st_mtime_ns) for f, s in states)


def _folder_of(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _sha256_of_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_CHUNK_BYTES):
            digest.update(block)
    return digest.hexdigest()
