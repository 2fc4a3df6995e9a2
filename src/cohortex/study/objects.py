"""The object store: bytes written once, named by their SHA-256, there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cohortex.errors import DamagedResult
from cohortex.study.durable import flush_folder

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What was stored.

    Attributes
    ----------
    sha256 : str
        Name of the object, 64 hexadecimal digits.
    size : int
        Bytes.
    """

    sha256: str
    size: int


class ObjectStore:
    """Objects in a folder, `ab/cd/abcd…`.

    An object is written under another name while its hash is taken, flushed to the disk, renamed to its address, and
    the folder flushed: when `put` returns it survives a power cut. The same bytes are kept once.

    Parameters
    ----------
    path : Path
        The folder; made when the first object comes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._unfinished = path / "unfinished"

    def put(self, stream: BinaryIO) -> Receipt:
        """Store what a stream holds.

        Parameters
        ----------
        stream : binary file
            Read to its end.

        Returns
        -------
        Receipt
            Its name and size; durable.
        """
        self._unfinished.mkdir(parents=True, exist_ok=True)
        temporary = self._unfinished / uuid.uuid4().hex
        digest, size = hashlib.sha256(), 0
        try:
            with temporary.open("xb") as target:
                while chunk := stream.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    target.write(chunk)
                    size += len(chunk)
                target.flush()
                os.fsync(target.fileno())
            address = self.address(digest.hexdigest())
            if not address.exists():
                address.parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(address)
            for folder in (address.parent, address.parent.parent, self.path):
                flush_folder(folder)  # also where it was there: who is just writing the same may not have come to it
        finally:
            temporary.unlink(missing_ok=True)
        return Receipt(sha256=digest.hexdigest(), size=size)

    def put_file(self, path: Path) -> Receipt:
        """Store a file; it stays where it is."""
        with path.open("rb") as stream:
            return self.put(stream)

    def address(self, sha256: str) -> Path:
        """Tell where an object of this name lies or would lie.

        Raises
        ------
        ValueError
            If the name is no SHA-256, so that no name leads out of the folder.
        """
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise ValueError("an object is named by 64 hexadecimal digits.")
        return self.path / sha256[:2] / sha256[2:4] / sha256

    def __contains__(self, sha256: str) -> bool:
        """Whether there is an object of this name."""
        return self.address(sha256).is_file()

    @contextmanager
    def reading(self, sha256: str) -> Iterator[BinaryIO]:
        """Open an object.

        Raises
        ------
        DamagedResult
            If it is not there.
        """
        try:
            stream = self.address(sha256).open("rb")
        except FileNotFoundError as error:
            raise DamagedResult(
                f"object {sha256[:12]}… is not in the store. Bring it back from the backup of the objects."
            ) from error
        with stream:
            yield stream

    def read(self, sha256: str) -> bytes:
        """Read a small object whole, and check it against its name.

        Raises
        ------
        DamagedResult
            If it is missing or no longer holds the bytes that were written.
        """
        with self.reading(sha256) as stream:
            data = stream.read()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DamagedResult(
                f"object {sha256[:12]}… no longer holds the bytes that were written. Check the disk, and bring the "
                "object back from the backup."
            )
        return data

    def copy_to(self, sha256: str, target: Path) -> None:
        """Lay an object under another name: a link where the file system allows, else a copy.

        Raises
        ------
        DamagedResult
            If it is not there.
        """
        with self.reading(sha256):
            try:
                os.link(self.address(sha256), target)
            except OSError:
                shutil.copyfile(self.address(sha256), target)
