"""The tus 1.0 protocol: a file arrives in pieces, goes on where it broke off, and goes straight to the intake."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from collections.abc import AsyncIterator, Iterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from cohortex.server.faults import Unanswerable
from cohortex.study.intake import FRAME_BYTES, Intake
from cohortex.study.uploads import MOST_BYTES

VERSION = "1.0.0"
PIECE = "application/offset+octet-stream"
SPOKEN = {"Tus-Resumable": VERSION}
OFFERED = {
    **SPOKEN,
    "Tus-Version": VERSION,
    "Tus-Extension": "creation,termination",
    "Tus-Max-Size": str(MOST_BYTES),
}
_SILENCE_S = 60.0  # after which a sender is taken for gone, so that it can go on over another connection


def speaks_tus(request: Request) -> None:
    """Refuse a client of another version of the protocol."""
    if request.headers.get("tus-resumable") != VERSION:
        raise Unanswerable(412, "The request does not speak tus 1.0.0.", "Send Tus-Resumable: 1.0.0.", headers=OFFERED)


def announced_size(request: Request) -> int:
    """Read how many bytes will come."""
    text = request.headers.get("upload-length", "")
    if not _is_count(text):
        raise Unanswerable(400, "The size of the upload is not given.", "Send Upload-Length in bytes.", headers=SPOKEN)
    if int(text) > MOST_BYTES:
        raise Unanswerable(
            413,
            f"The file has {int(text) / 1e9:.1f} GB; one upload takes {MOST_BYTES / 1e9:.0f} GB.",
            "Send the series of the visit in several archives.",
            headers=OFFERED,
        )
    return int(text)


def announced_words(request: Request) -> dict[str, str]:
    """Read the pairs of Upload-Metadata."""
    words = {}
    for pair in filter(None, map(str.strip, request.headers.get("upload-metadata", "").split(","))):
        key, _, coded = pair.partition(" ")
        try:
            words[key] = base64.b64decode(coded, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Unanswerable(
                400, "Upload-Metadata is not in the form of tus.", "Send: key, a blank, the value in base64.",
                headers=SPOKEN,
            ) from error  # fmt: skip
    return words


def announced_offset(request: Request) -> int:
    """Read where the piece of a PATCH begins."""
    if request.headers.get("content-type") != PIECE:
        raise Unanswerable(415, "A piece of an upload has another type.", f"Send it as {PIECE}.", headers=SPOKEN)
    text = request.headers.get("upload-offset", "")
    if not _is_count(text):
        raise Unanswerable(400, "The offset of the piece is not given.", "Send Upload-Offset.", headers=SPOKEN)
    return int(text)


class OneSender:
    """Sees to it that only one request at a time adds to an upload."""

    def __init__(self) -> None:
        self._sending: set[str] = set()

    @contextlib.contextmanager
    def alone(self, upload: str) -> Iterator[None]:
        """Hold an upload for one request.

        Raises
        ------
        Unanswerable
            With 423, if another request adds to it.
        """
        if upload in self._sending:  # routes that call this all run on the one thread of the event loop
            raise Unanswerable(
                423, "Another request is just adding to this upload.", "Wait, or end the other one.", headers=SPOKEN
            )
        self._sending.add(upload)
        try:
            yield
        finally:
            self._sending.discard(upload)


async def append(request: Request, intake: Intake, upload: str, *, offset: int, most: int) -> int:
    """Carry the body of a request into the intake, a frame at a time; what arrived before it broke off is kept.

    Returns
    -------
    int
        Bytes of the upload that are durable.

    Raises
    ------
    Refused
        If the intake stands elsewhere, or more comes than was announced; what was announced is kept.
    """
    appending = await asyncio.to_thread(intake.append, upload, offset=offset, most=most)
    try:
        with contextlib.suppress(ClientDisconnect, TimeoutError):
            async for frame in _frames(request):
                await asyncio.to_thread(appending.write, frame)
    finally:
        size = await asyncio.shield(asyncio.to_thread(appending.close))
    return size


async def _frames(request: Request) -> AsyncIterator[bytes]:
    """Gather the body into pieces of a frame, so that few threads are asked; the rest comes even if it breaks off."""
    waiting = bytearray()
    pieces = request.stream()
    try:
        while True:
            try:
                piece = await asyncio.wait_for(anext(pieces), _SILENCE_S)
            except StopAsyncIteration:
                break
            waiting += piece
            while len(waiting) >= FRAME_BYTES:
                yield bytes(waiting[:FRAME_BYTES])
                del waiting[:FRAME_BYTES]
    except (ClientDisconnect, TimeoutError):
        if waiting:
            yield bytes(waiting)
        raise
    if waiting:
        yield bytes(waiting)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
