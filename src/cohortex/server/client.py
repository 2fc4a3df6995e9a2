"""A study's API from Python: what the pages do, without a browser."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from cohortex.errors import Refused
from cohortex.progress import Progress, ProgressCallback, silent

_PIECE_BYTES = 4 << 20
_TIMEOUT_S = 60.0
_CHANGES = {"X-Cohortex": "1"}


class StudyClient:
    """A person signed in to a study.

    Parameters
    ----------
    address : str
        Of the server, such as http://127.0.0.1:8080.
    login, password : str
        The person's.

    Raises
    ------
    Refused
        If login or password are wrong.
    """

    def __init__(self, address: str, *, login: str, password: str) -> None:
        self._http = httpx.Client(base_url=address, timeout=_TIMEOUT_S, headers=_CHANGES, trust_env=False)
        self.post("/api/session", {"login": login, "password": password})

    def get(self, path: str, **parameters: str) -> Any:
        """Ask for something.

        Raises
        ------
        Refused
            With the server's words, if it will not.
        """
        return _answer(self._http.get(path, params=parameters))

    def bytes(self, path: str) -> bytes:
        """Fetch a file.

        Raises
        ------
        Refused
            As `get`.
        """
        reply = self._http.get(path)
        if reply.is_error:
            _answer(reply)
        return reply.content

    def post(self, path: str, content: Any) -> Any:
        """Add something; raises as `get`."""
        return _answer(self._http.post(path, json=content))

    def put(self, path: str, content: Any) -> Any:
        """Change something; raises as `get`."""
        return _answer(self._http.put(path, json=content))

    def upload(self, path: Path, *, visit: str, progress: ProgressCallback = silent) -> str:
        """Send a compressed file for a visit, piece by piece (tus 1.0).

        Parameters
        ----------
        path : Path
            The file; its name is not sent, only how it ends.
        visit : str
            Key of the visit.
        progress : callable
            Told of bytes sent; sending stops when it raises.

        Returns
        -------
        str
            Key of the upload, whose receipt is durable.

        Raises
        ------
        Refused
            As `get`.
        """
        size = path.stat().st_size
        metadata = {"visit_id": visit, "filename": f"upload{''.join(path.suffixes[-2:])}"}
        encoded = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in metadata.items())
        begun = self._http.post(
            "/api/uploads",
            headers={"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Upload-Metadata": encoded},
        )
        _answer(begun)
        place, offset = begun.headers["Location"], 0
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE_BYTES):
                sent = self._http.patch(
                    place,
                    content=piece,
                    headers={
                        "Tus-Resumable": "1.0.0",
                        "Upload-Offset": str(offset),
                        "Content-Type": "application/offset+octet-stream",
                    },
                )
                _answer(sent)
                offset = int(sent.headers["Upload-Offset"])
                progress(Progress(task="sending", done=offset, total=size))
        return str(place.rsplit("/", 1)[-1])

    def jobs(self) -> Iterator[dict[str, Any]]:
        """Go through the jobs the person may see."""
        yield from self.get("/api/jobs")["jobs"]

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _answer(reply: httpx.Response) -> Any:
    """Give what the server said, or raise in its words."""
    if not reply.is_error:
        return reply.json() if reply.content and "json" in reply.headers.get("content-type", "") else None
    try:
        error = reply.json()["error"]
    except (ValueError, KeyError, TypeError):
        raise Refused(f"the server answered {reply.status_code}.", remedy="Look at its log.") from None
    raise Refused(error["message"], remedy=error.get("remedy") or "", fields=error.get("fields") or {})
