"""The routes of the API as a table for people, from the same description that programs read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_METHODS = ("get", "head", "options", "post", "put", "patch", "delete")


def routes_table(document: Mapping[str, Any]) -> str:
    """Write the routes of an OpenAPI document as a Markdown table.

    Parameters
    ----------
    document : mapping
        As `GET /api/openapi.json` gives it.

    Returns
    -------
    str
        One row for each route, in the order in which they are served.
    """
    rows = [
        f"| {method.upper()} | `{path}` | {_in_words(methods[method])} |"
        for path, methods in document["paths"].items()
        for method in _METHODS
        if method in methods
    ]
    return "\n".join(["| | address | what it does |", "|---|---|---|", *rows]) + "\n"


def _in_words(operation: Mapping[str, Any]) -> str:
    words: str = operation["description"]
    return " ".join(words.split("\n\n")[0].split()).replace("|", "\\|")
