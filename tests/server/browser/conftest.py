"""A real browser for the pages: whichever is installed, else one that is fetched where CI promises to run this."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_TESTS = Path(__file__).parents[2]
for folder in (_TESTS / "server", _TESTS / "study"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SOFTWARE_GL = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PATIENCE_MS = 30_000
EXPECTED = (
    "Failed to load resource: the server responded with a status of 4",
)  # pages are asked for what is not there
FETCH = (
    [sys.executable, "-m", "playwright", "install", "chromium"],
    ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"],
)


def installed_browser() -> str | None:
    """Find a browser that somebody installed."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser():
    """Chromium without a screen; WebGL is drawn by software, as on a machine without a graphics card."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright; run: make install")
    with playwright.sync_playwright() as driver:
        try:
            started = driver.chromium.launch(executable_path=installed_browser(), args=SOFTWARE_GL)
        except playwright.Error as error:
            if not os.environ.get("CI"):
                pytest.skip(f"no Chromium here ({error}); install chromium, or run: playwright install chromium")
            started = driver.chromium.launch(executable_path=_fetched(driver), args=SOFTWARE_GL)
        yield started
        started.close()


def _fetched(driver) -> str:
    """Fetch a browser, as Playwright does or as Debian does for root; no other way is tried."""
    said = []
    for command in FETCH:
        if command[0] == "apt-get" and (shutil.which("apt-get") is None or os.geteuid() != 0):
            continue
        run = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
        program = installed_browser() or driver.chromium.executable_path
        if run.returncode == 0 and Path(program).exists():
            return program
        said.append(run.stderr[-300:])
    pytest.fail(f"no Chromium could be found or fetched: {said}")


@pytest.fixture
def window(browser) -> Iterator[Callable[..., object]]:
    """Open windows of people who know nothing of each other; scripts and content policy may complain in none."""
    contexts, complaints = [], []

    def open_window(**settings: object):
        context = browser.new_context(viewport={"width": 1360, "height": 900}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert [complaint for complaint in complaints if not complaint.startswith(EXPECTED)] == []


@pytest.fixture
def view(window):
    """One window."""
    return window()
