"""A small web server with the pages' own content policy, for tests of the components."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cohortex.server.catalogue import catalogue

SERVER = Path(__file__).parents[4] / "src" / "cohortex" / "server"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SHEETS = ("tokens", "app", "components", "viewer", "pages")


class Site:
    """A folder served at `address`; pages are written into it by the tests."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address

    def page(self, body: str, *, language: str = "en") -> str:
        """Write a page with the components and their words; its address."""
        words = json.dumps(catalogue(language).for_scripts()).replace("<", "\\u003c")
        sheets = "".join(f'<link rel="stylesheet" href="/static/{name}.css">' for name in SHEETS)
        (self.folder / "page.html").write_text(
            f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">{sheets}'
            f'<script src="/static/app.js" type="module"></script></head><body><main>{body}</main>'
            f'<div id="toasts" class="toasts"></div>'
            f'<script type="application/json" id="words">{words}</script></body></html>',
            encoding="utf-8",
        )
        return f"{self.address}/page.html"


class _Handler(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def do_GET(self) -> None:
        if self.path.startswith("/never"):
            time.sleep(20)
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    if not (SERVER / "static" / "vendor" / "versions.json").is_file():
        pytest.skip("the browser libraries are not here; run: make install")
    folder = tmp_path_factory.mktemp("site")
    (folder / "static").symlink_to(SERVER / "static")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(folder, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


@pytest.fixture
def view(browser):
    """A window that fails the test when the content policy or a script complains; errors that are said are fine."""
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.set_default_timeout(30_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if "Content Security Policy" in line.text else None)
    yield page
    page.close()
    assert complaints == []
