"""`cohortex demo`: a study of phantom patients from the first upload to the page every centre sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from cohortex.cli.screen import console
from cohortex.errors import StudyProblem
from cohortex.progress import Progress

if TYPE_CHECKING:
    from cohortex.study import Study

_LOOK_EVERY_S = 0.4
_NAME = "Brain lesions in leukaemia (phantoms)"


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the study and the scans.")] = Path("demo"),
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 2,
    patients: Annotated[int, typer.Option(min=1, max=40, help="How many phantoms, dealt to three centres.")] = 8,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the pages; 0 takes a free one.")] = 8080,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Go on serving when all is processed.")] = True,
    show: Annotated[bool, typer.Option(help="Open the browser, where there is a screen.")] = True,
) -> None:
    """Make a study of three centres, enter phantom patients through its API, process them, and serve it.

    Patients who do not exist: digital phantoms, half of them with two visits, with invented identities in their
    DICOM headers. Nothing is downloaded. Running it again continues where it stopped.
    """
    from cohortex.server.rehearsal import PEOPLE, enter, passwords_of, rehearsed_patients, staff
    from cohortex.study import Study

    home, passwords_file = output / "study", output / "passwords.txt"
    if not passwords_file.exists():
        output.mkdir(parents=True, exist_ok=True)
        staff(Study.create(home, name=_NAME), passwords=passwords_file)
    study, passwords = Study.open(home), passwords_of(passwords_file)
    with _served(home, workers=workers, port=port) as (address, server):
        console.print(f"[bold]{address}[/] can be watched while it fills:", soft_wrap=True)
        table = Table("sign in as", "password", "of", box=None, header_style="dim", pad_edge=False)
        for centre, login, name, role, _ in PEOPLE:
            table.add_row(login, passwords[login], f"{centre}, {name}{' (coordinator)' * (role == 'coordinator')}")
        console.print(table)
        console.print(f"[dim]These passwords were made for this demo; they are kept in {passwords_file}.[/]")

        def enter_all(progress: Callable[[Progress], None]) -> None:
            everyone = rehearsed_patients(patients)
            enter(address, everyone, passwords=passwords, scans=output / "scans", progress=progress)

        _watch(study, enter_all, server)
        _sum_up(study)
        if not serve:
            return
        console.print(f"\nThe study: [bold]{address}[/]  (this machine only; Ctrl-C ends it)", soft_wrap=True)
        console.print(table)
        console.print(f"Again later: cohortex serve {home}", soft_wrap=True)
        if show and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.name == "nt"):
            webbrowser.open(address)
        server.wait()


@contextmanager
def _served(home: Path, *, workers: int, port: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve a study from a process of its own, and end it in the end."""
    command = [sys.executable, "-m", "cohortex", "serve", str(home), "--json"]
    command += ["--port", str(port), "--workers", str(workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            said = server.stdout.readline() if server.stdout else ""
            if not said:
                raise StudyProblem("the server did not start; what it said stands above.")
            yield json.loads(said)["address"], server
        finally:
            server.terminate()


def _watch(
    study: Study, enter_all: Callable[[Callable[[Progress], None]], None], server: subprocess.Popen[str]
) -> None:
    """Draw how far entering and processing are, until both are done."""
    from cohortex.server.processing import work_now

    began = datetime.now(UTC)
    failed: list[BaseException] = []
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        entered, worked = (
            bars.add_task("entering phantom patients", total=None),
            bars.add_task("processing", total=None),
        )

        def progress(told: Progress) -> None:
            bars.update(entered, description=told.task, completed=told.done, total=told.total)

        def enter() -> None:
            try:
                enter_all(progress)
            except BaseException as error:
                failed.append(error)

        entering = threading.Thread(target=enter, daemon=True)
        entering.start()
        told = 0
        while True:
            over = not entering.is_alive()
            stands = work_now(study, since=began)
            done = stands.ended + stands.under_way
            bars.update(worked, description=stands.words, completed=done, total=stands.ended + stands.left)
            if not console.is_terminal and stands.ended >= told + 5:
                told = stands.ended
                console.print(f"  {told} jobs done, {stands.left} to do")
            if failed:
                raise failed[0]
            if server.poll() is not None:
                raise StudyProblem("the server ended; what it said stands above. Run the demo again to go on.")
            if over and not stands.left:
                return
            time.sleep(_LOOK_EVERY_S)


def _sum_up(study: Study) -> None:
    """Say what the study holds now."""
    from cohortex.cli.study import print_overview
    from cohortex.study.overview import overview

    console.print()
    print_overview(overview(study))
    console.print("[dim]Phantoms, never evidence about patients. Research use only, not a medical device.[/]")
