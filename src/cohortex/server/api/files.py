"""Bytes of objects: never changing, so kept by the browser for good, and given in parts where it asks for a part."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import FileResponse

from cohortex.errors import DamagedResult
from cohortex.server.headers import KEPT_FOR_EVER, REPORT_POLICY
from cohortex.study import Study
from cohortex.study.results import file_of

_TYPES = {
    ".nii.gz": "application/gzip",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".tfm": "text/plain; charset=utf-8",
}


def file_reply(
    study: Study, request: Request, files: Mapping[str, Any], name: str, *, preview: bool = False
) -> Response:
    """Give a file of a result or of a template version.

    Parameters
    ----------
    study : Study
        Where.
    request : Request
        Says what the browser has already.
    files : mapping
        Of the result.
    name : str
        Which.
    preview : bool
        Whether a small version will do, where there is one.

    Returns
    -------
    Response
        200, 206 for a part, or 304 where the browser has it.

    Raises
    ------
    NotThere
        If there is no such file.
    DamagedResult
        If its bytes are gone.
    """
    file = file_of(files, name)
    small = file.get("preview") if preview else None
    sha256 = str((small or file)["sha256"])
    path = study.objects.address(sha256)
    if not path.is_file():
        raise DamagedResult(
            f"the bytes of {Path(name).name} are missing. Bring them back from the backup of the objects."
        )
    headers = {"ETag": f'"{sha256}"', "Cache-Control": KEPT_FOR_EVER}
    if name.endswith(".html"):
        headers["Content-Security-Policy"] = REPORT_POLICY
    if headers["ETag"] in request.headers.get("if-none-match", "").replace("W/", "").split(", "):
        return Response(status_code=304, headers=headers)
    kind = next((kind for ending, kind in _TYPES.items() if name.endswith(ending)), "application/octet-stream")
    return _InLargePieces(path, headers=headers, media_type=kind)


class _InLargePieces(FileResponse):
    """Each piece waits for a thread: images in pieces of 64 kB take several times as long."""

    chunk_size = 1 << 20
