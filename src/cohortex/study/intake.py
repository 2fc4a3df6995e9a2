"""The intake: what was sent and not yet judged, encrypted, outside store and database, resumable after any death.

One file per upload: a header with the key of this upload alone, wrapped with the study's intake key, then frames of
at most 1 MiB, each AES-256-GCM under that key with a nonce of its own and its number sealed in, so that frames can be
neither exchanged nor left out unseen. A frame torn by a crash is cut off; what the sender was told is durable. Wiping
an upload removes its key with it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cohortex.errors import NotThere, Refused, UnreadableFile
from cohortex.study.durable import flush_folder

FRAME_BYTES = 1 << 20
_MAGIC = b"CXINTAKE1\n"
_NONCE, _TAG, _KEY = 12, 16, 32
_HEADER_BYTES = len(_MAGIC) + _NONCE + _KEY + _TAG
_LENGTH = struct.Struct(">I")


class Intake:
    """The encrypted uploads of a study.

    Parameters
    ----------
    folder : Path
        Where they lie.
    key : bytes
        The study's intake key, 32 bytes.
    content_key : bytes
        The key of the receipts, 32 bytes: a bare hash of a scan would tell it again elsewhere.
    """

    def __init__(self, folder: Path, *, key: bytes, content_key: bytes) -> None:
        self._folder = folder
        self._wrapping = AESGCM(key)
        self._content_key = content_key

    def begin(self, upload: str) -> None:
        """Make room for an upload.

        Raises
        ------
        FileExistsError
            If it was begun before.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        nonce, key = os.urandom(_NONCE), AESGCM.generate_key(_KEY * 8)
        descriptor = os.open(self._path(upload), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(_MAGIC + nonce + self._wrapping.encrypt(nonce, key, upload.encode()))
            stream.flush()
            os.fsync(stream.fileno())
        flush_folder(self._folder)

    def received(self, upload: str) -> int:
        """Count the bytes of an upload that are durable.

        Raises
        ------
        NotThere
            If there is no such upload in the intake.
        """
        with self._open(upload, "rb") as stream:
            return _whole_frames(stream)[0]

    def append(self, upload: str, *, offset: int, most: int) -> Appending:
        """Begin to add bytes at an offset.

        Parameters
        ----------
        upload : str
            Which.
        offset : int
            Where the sender goes on; must be where the intake stands.
        most : int
            Bytes that may still come.

        Returns
        -------
        Appending
            Takes the bytes; what was given to it is durable once it is closed.

        Raises
        ------
        NotThere
            If there is no such upload.
        Refused
            If the intake stands elsewhere.
        """
        stream = self._open(upload, "r+b")
        try:
            size, frames, end = _whole_frames(stream)
            if size != offset:
                raise Refused(
                    f"the upload stands at byte {size}, not {offset}.",
                    remedy="Ask where it stands and go on from there.",
                )
            key = self._key(upload, stream)
            stream.seek(end)
            stream.truncate()
        except BaseException:
            stream.close()
            raise
        return Appending(stream, AESGCM(key), upload=upload, frames=frames, size=size, most=most)

    def pieces(self, upload: str) -> Iterator[bytes]:
        """Decrypt an upload piece by piece.

        Raises
        ------
        NotThere
            If there is no such upload.
        UnreadableFile
            If it was damaged or tampered with.
        """
        with self._open(upload, "rb") as stream:
            cipher = AESGCM(self._key(upload, stream))
            number = 0
            while prefix := stream.read(_LENGTH.size):
                sealed = stream.read(_LENGTH.unpack(prefix)[0])
                try:
                    yield cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _place(upload, number))
                except InvalidTag as error:
                    raise UnreadableFile(
                        "the upload was damaged while it waited in the intake. Send it again."
                    ) from error
                number += 1

    def receipt(self, upload: str) -> str:
        """Take the keyed hash of what was sent: the same bytes sent twice to one study have the same."""
        digest = hmac.new(self._content_key, digestmod=hashlib.sha256)
        for piece in self.pieces(upload):
            digest.update(piece)
        return digest.hexdigest()

    def unseal(self, upload: str, target: Path) -> None:
        """Write an upload in the clear, for the check in its child process; the caller removes it."""
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            for piece in self.pieces(upload):
                stream.write(piece)

    def wipe(self, upload: str) -> None:
        """Remove an upload for good; its key first, so that what the disk may keep of it is noise."""
        path = self._path(upload)
        try:
            with path.open("r+b") as stream:
                stream.write(b"\0" * _HEADER_BYTES)
                stream.flush()
                os.fsync(stream.fileno())
            path.unlink()
        except FileNotFoundError:
            return
        flush_folder(self._folder)

    def uploads(self) -> list[str]:
        """Name everything in the intake."""
        return sorted(path.stem for path in self._folder.glob("*.sealed"))

    def _path(self, upload: str) -> Path:
        if not upload.isalnum():
            raise ValueError("an upload is named by letters and digits.")
        return self._folder / f"{upload}.sealed"

    def _open(self, upload: str, mode: str) -> BinaryIO:
        try:
            return self._path(upload).open(mode)  # type: ignore[return-value]  # all modes here are binary
        except FileNotFoundError as error:
            raise NotThere("there is no such upload in the intake.", remedy="Send the file again.") from error

    def _key(self, upload: str, stream: BinaryIO) -> bytes:
        stream.seek(0)
        header = stream.read(_HEADER_BYTES)
        try:
            nonce = header[len(_MAGIC) : len(_MAGIC) + _NONCE]
            return self._wrapping.decrypt(nonce, header[len(_MAGIC) + _NONCE :], upload.encode())
        except (InvalidTag, ValueError) as error:
            raise UnreadableFile(
                "the upload cannot be opened with the study's key: it was damaged, wiped, or sealed by another study. "
                "Send it again."
            ) from error


class Appending:
    """Bytes on their way into one upload; they are durable once this is closed without an error."""

    def __init__(self, stream: BinaryIO, cipher: AESGCM, *, upload: str, frames: int, size: int, most: int) -> None:
        self._stream = stream
        self._cipher = cipher
        self._upload = upload
        self._frames = frames
        self._most = most
        self._waiting = bytearray()
        self.size = size

    def write(self, data: bytes) -> None:
        """Take bytes.

        Raises
        ------
        Refused
            If more come than were announced.
        """
        if len(data) > self._most:
            raise Refused("more bytes came than were announced.", remedy="Begin the upload again with its true size.")
        self._most -= len(data)
        self._waiting += data
        while len(self._waiting) >= FRAME_BYTES:
            self._seal(bytes(self._waiting[:FRAME_BYTES]))
            del self._waiting[:FRAME_BYTES]

    def close(self) -> int:
        """Make everything durable.

        Returns
        -------
        int
            Bytes of the upload so far.
        """
        try:
            if self._waiting:
                self._seal(bytes(self._waiting))
                self._waiting.clear()
            self._stream.flush()
            os.fsync(self._stream.fileno())
        finally:
            self._stream.close()
        return self.size

    def _seal(self, piece: bytes) -> None:
        nonce = os.urandom(_NONCE)  # not the number: a frame torn by a crash is sealed again under the same number
        sealed = nonce + self._cipher.encrypt(nonce, piece, _place(self._upload, self._frames))
        self._stream.write(_LENGTH.pack(len(sealed)) + sealed)
        self._frames += 1
        self.size += len(piece)


def _place(upload: str, number: int) -> bytes:
    return f"{upload} {number}".encode()


def _whole_frames(stream: BinaryIO) -> tuple[int, int, int]:
    """Count bytes in the clear, frames, and where the last whole frame ends."""
    stream.seek(0, os.SEEK_END)
    file_size = stream.tell()
    size, frames, end = 0, 0, _HEADER_BYTES
    while end + _LENGTH.size <= file_size:
        stream.seek(end)
        length = _LENGTH.unpack(stream.read(_LENGTH.size))[0]
        if not _NONCE + _TAG < length <= _NONCE + FRAME_BYTES + _TAG or end + _LENGTH.size + length > file_size:
            break  # a power cut may leave zeros where bytes were promised
        end += _LENGTH.size + length
        size += length - _NONCE - _TAG
        frames += 1
    return size, frames, end
