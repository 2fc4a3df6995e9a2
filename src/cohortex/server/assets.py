"""The files pages are made with: style, scripts, and the browser libraries that the installation fetched."""

from __future__ import annotations

from os import PathLike, stat_result
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from cohortex.errors import StudyProblem

STATIC = Path(__file__).with_name("static")


class Assets(StaticFiles):
    """Static files that a browser keeps, and asks about again before it uses them: they change with an update."""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Give one file."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        return response


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
    app.mount("/static", Assets(directory=static), name="static")
