"""The study server: time to start, memory when idle, pages under load, and the first slice a physician sees.

Run on a study that `cohortex demo` made: `python -m benchmarks.server demo`.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from playwright.sync_api import sync_playwright

from benchmarks.machine import describe_machine
from cohortex.server.client import StudyClient
from cohortex.server.rehearsal import PEOPLE, passwords_of

RESULTS = Path(__file__).parent / "results" / "server.md"
STARTS = 5
USERS, SECONDS, THINK_S = 20, 30.0, 1.0
VIEWS = 9
SETTLED_MS = 3000  # a page is read before the next one is opened
# the moment the first slice is on the screen: drawn, the graphics waited for, and one frame on
WATCH_FIRST_SLICE = """
new MutationObserver((changes) => {
  const viewer = changes.map(({ target }) => target).find(({ dataset }) => dataset?.state === "shown");
  if (!viewer || performance.getEntriesByName("first slice").length) return;
  const { gl } = viewer.nv;
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  requestAnimationFrame(() => performance.mark("first slice"));
}).observe(document, { subtree: true, attributeFilter: ["data-state"] });
"""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_GOALS = {"start": 5.0, "memory": 400.0, "page": 300.0, "slice": 1.0}


@dataclass(frozen=True)
class Server:
    """A running server and where it answers."""

    process: subprocess.Popen[str]
    address: str


def started(home: Path) -> tuple[Server, float]:
    """Start a server; give it and the seconds until it answered."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "cohortex", "serve", str(home), "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    address = process.stdout.readline().split('"')[3]
    while True:
        try:
            if httpx.get(f"{address}/api/health", trust_env=False).status_code == 200:
                return Server(process, address), time.perf_counter() - began
        except httpx.TransportError:
            time.sleep(0.01)


def ended(server: Server) -> None:
    server.process.terminate()
    server.process.wait()


def pages_of(client: StudyClient) -> list[str]:
    """The pages a person of this centre visits."""
    pages = ["/patients", "/study", "/jobs"]
    for row in client.get("/api/patients")["patients"]:
        patient = client.get(f"/api/patients/{row['code']}")
        pages += [f"/patients/{row['code']}", *(f"/visits/{visit['id']}" for visit in patient["visits"])]
    return pages


def under_load(server: Server, passwords: dict[str, str]) -> dict[str, list[float]]:
    """Let simulated users, all signed in, walk through the pages; give milliseconds by kind of page."""
    milliseconds: dict[str, list[float]] = {}
    lock, signed_in = threading.Lock(), threading.Barrier(USERS, timeout=60)

    def user(number: int) -> None:
        rng = np.random.default_rng(number)
        login = PEOPLE[number % len(PEOPLE)][1]
        with StudyClient(server.address, login=login, password=passwords[login]) as client:
            pages = pages_of(client)
            signed_in.wait()
            over = time.monotonic() + SECONDS
            time.sleep(float(rng.uniform(0, 2 * THINK_S)))
            while time.monotonic() < over:
                page = str(rng.choice(pages))
                began = time.perf_counter()
                client.bytes(page)
                took = time.perf_counter() - began
                with lock:
                    milliseconds.setdefault(page.split("/")[1], []).append(1000 * took)
                time.sleep(float(rng.uniform(0, 2 * THINK_S)))

    users = [threading.Thread(target=user, args=(number,)) for number in range(USERS)]
    for thread in users:
        thread.start()
    for thread in users:
        thread.join()
    return milliseconds


def first_slices(server: Server, passwords: dict[str, str]) -> list[float]:
    """Click through the patients in a browser; give seconds from each click to the first slice on the screen."""
    login = PEOPLE[0][1]
    found = []
    with sync_playwright() as play, StudyClient(server.address, login=login, password=passwords[login]) as client:
        codes = [row["code"] for row in client.get("/api/patients")["patients"]]
        browser = play.chromium.launch(
            executable_path=next((path for name in BROWSERS if (path := shutil.which(name))), None),
            args=["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
        )
        page = browser.new_page()
        page.add_init_script(WATCH_FIRST_SLICE)
        page.goto(f"{server.address}/sign-in")
        page.fill("[name=login]", login)
        page.fill("[name=password]", passwords[login])
        page.keyboard.press("Enter")
        page.wait_for_url("**/patients")
        for number in range(VIEWS + 1):
            page.goto(f"{server.address}/patients")
            page.wait_for_timeout(SETTLED_MS)
            page.locator(f"a[href='/patients/{codes[number % len(codes)]}']").first.click()
            page.locator("scan-viewer[data-state=shown]").first.wait_for(timeout=60_000)
            page.wait_for_timeout(SETTLED_MS)
            found.append(page.evaluate("performance.getEntriesByName('first slice')[0].startTime") / 1000)
        browser.close()
    return found


def main(demo: Path = Path("demo")) -> None:
    """Measure, and write the results with the description of the machine."""
    passwords = passwords_of(demo / "passwords.txt")
    starts = []
    for _ in range(STARTS):
        server, seconds = started(demo / "study")
        starts.append(seconds)
        ended(server)
    server, _ = started(demo / "study")
    time.sleep(5)
    memory = psutil.Process(server.process.pid).memory_info().rss / 1e6
    loaded = under_load(server, passwords)
    every = [ms for kind in loaded.values() for ms in kind]
    slices = first_slices(server, passwords)
    ended(server)
    rows: list[tuple[str, str, Any, Any]] = [
        ("start until the first answer, s", f"median of {STARTS}", statistics.median(starts), _GOALS["start"]),
        ("idle server process, MB", "resident, 5 s after the start", memory, _GOALS["memory"]),
        (f"pages, p95, ms, {USERS} users", f"{len(every)} requests", np.percentile(every, 95), _GOALS["page"]),
        ("first slice, s", f"median of {VIEWS}, no graphics card", statistics.median(slices[1:]), _GOALS["slice"]),
        ("first slice, s", "the browser's very first page, nothing cached", slices[0], _GOALS["slice"]),
    ]
    lines = ["# The study server", "", describe_machine(), "", "| what | how | measured | goal |", "|---|---|---|---|"]
    lines += [f"| {what} | {how} | {value:.3g} | {goal:g} |" for what, how, value, goal in rows]
    lines += ["", "| page | requests | median, ms | p95, ms |", "|---|---|---|---|"]
    for kind, ms in sorted(loaded.items()):
        lines.append(f"| {kind} | {len(ms)} | {np.median(ms):.0f} | {np.percentile(ms, 95):.0f} |")
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("demo"))
