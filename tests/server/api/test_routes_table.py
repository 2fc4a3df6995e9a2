"""The table of routes in the documentation is that of the server."""

from __future__ import annotations

from pathlib import Path

from cohortex.server.api.routes_table import routes_table

DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"


def test_the_documentation_lists_every_route(stranger):
    table = routes_table(stranger.app.openapi())
    assert DOCUMENT.read_text(encoding="utf-8").endswith(f"\n\n{table}"), "write docs/api.md anew from routes_table"
    assert "| PATCH | `/api/uploads/{upload_id}` | Add bytes at Upload-Offset" in table
