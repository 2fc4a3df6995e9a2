"""What the commands share on the screen: progress bars, and one way to say that something failed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from cohortex.geometry import axis_codes
from cohortex.image import Image
from cohortex.progress import Progress, ProgressCallback, silent

if TYPE_CHECKING:
    from cohortex.io import Upload

P = ParamSpec("P")
R = TypeVar("R")

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def complain(error: Exception) -> None:
    """Print an expected failure to the error stream, with what to do about it."""
    words = f"{error} {getattr(error, 'remedy', '')}".strip()
    errors.print(f"[bold red]cohortex:[/] {escape(words)}", soft_wrap=True)


def list_problems(upload: Upload) -> None:
    """Print what of an upload could not be read to the error stream."""
    for problem in upload.problems:
        errors.print(f"[bold red]✗[/] {escape(problem.reason)}", soft_wrap=True)


def grid_words(image: Image) -> list[str]:
    """Say size, further axes, spacing and orientation of an image."""
    grid = image.grid
    spacing = " × ".join(f"{mm:.4g}" for mm in grid.spacing_mm)
    size = "×".join(map(str, image.values.shape))
    return [size, *image.extra_axes, f"{spacing} mm", axis_codes(grid) if grid.ndim == 3 else "???"]


def stopped_in_words(command: Callable[P, R]) -> Callable[P, R]:
    """Have a command that goes on where it stopped say so when it is stopped by the keyboard."""

    @wraps(command)
    def run(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            return command(*arguments, **options)
        except KeyboardInterrupt:
            errors.print("stopped; run the same command again to go on where it stopped")
            raise

    return run


@contextmanager
def progress_bars(*, quiet: bool = False) -> Iterator[ProgressCallback]:
    """Draw what is under way as one bar that is gone when the work is; nothing is drawn when `quiet`.

    Yields
    ------
    callable
        To pass as `progress` to whatever takes long. Off a terminal each finished task prints one line. Steps that an
        earlier run had done are told once.
    """
    if quiet:
        yield silent
        return
    earlier_told = False

    def tell_earlier(progress: Progress) -> None:
        nonlocal earlier_told
        if progress.earlier and not earlier_told:
            earlier_told = True
            errors.print(f"{progress.earlier} of {progress.earlier + progress.total:g} steps were done already")

    if not console.is_terminal:
        finished: set[str] = set()

        def print_finished(progress: Progress) -> None:
            tell_earlier(progress)
            if progress.total and progress.done >= progress.total and progress.task not in finished:
                finished.add(progress.task)
                errors.print(f"  done: {escape(progress.task)}")

        yield print_finished
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        last = Progress(task="", done=math.inf, total=0)
        row: TaskID | None = None

        def draw(progress: Progress) -> None:
            nonlocal last, row
            tell_earlier(progress)
            total = progress.total or None
            if row is None:
                row = bars.add_task("", total=total)
            elif progress.done < last.done:  # another piece of work, with its own clock
                bars.reset(row, total=total)
            bars.update(row, description=escape(progress.task), completed=progress.done, total=total)
            last = progress

        yield draw
