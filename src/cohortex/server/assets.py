"""The files pages are made with: style, scripts, and the browser libraries that the installation fetched.

Their addresses carry a hash of all their bytes, so that a browser keeps them for good and an update is seen at once.
Scripts import each other by relative addresses: the hash is therefore of the whole folder, not of single files.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from cohortex.errors import StudyProblem

STATIC = Path(__file__).with_name("static")
ADDRESS = "/static"
_KEPT = "public, max-age=31536000, immutable"
_ASKED_AGAIN = "no-cache"
_HASH_CHARACTERS = 16


class Assets(StaticFiles):
    """Static files: under the hash of their folder a browser keeps them, under another it asks again each time.

    Parameters
    ----------
    folder : Path
        With the files.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self._hash = hash_of(folder)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Give one file; an address with the hash of an earlier version, from a page still open, finds this one."""
        found = re.fullmatch(rf"([0-9a-f]{{{_HASH_CHARACTERS}}})[/\\](.+)", path)
        response = await super().get_response(found[2] if found else path, scope)
        response.headers["Cache-Control"] = _KEPT if found and found[1] == self._hash else _ASKED_AGAIN
        return response


@cache
def hash_of(folder: Path) -> str:
    """Hash names and bytes of all files in a folder (once)."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:_HASH_CHARACTERS]


def asset_address(name: str) -> str:
    """Tell the address of a static file, such as ``"charts/map.json"``."""
    return f"{ADDRESS}/{hash_of(STATIC)}/{name}"


def serve_assets(app: FastAPI, *, static: Path = STATIC) -> None:
    """Serve the static files under /static.

    Raises
    ------
    StudyProblem
        If the browser libraries are not installed.
    """
    if not (static / "vendor" / "versions.json").is_file():
        raise StudyProblem(
            "the libraries the pages need in the browser are not installed. Run: make install (it fetches them once, "
            "pinned by their hashes), or serve the API alone."
        )
    app.mount(ADDRESS, Assets(static), name="static")
