"""What the commands share on the screen: progress bars, and one way to say that something failed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from cohortex.geometry import axis_codes
from cohortex.image import Image
from cohortex.io import Upload
from cohortex.progress import Progress, ProgressCallback, silent

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def complain(error: Exception) -> None:
    """Print an expected failure to the error stream."""
    errors.print(f"[bold red]cohortex:[/] {escape(str(error))}", soft_wrap=True)


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


@contextmanager
def progress_bars(*, quiet: bool = False) -> Iterator[ProgressCallback]:
    """Draw what is under way as one bar that is gone when the work is; nothing is drawn when `quiet`.

    Yields
    ------
    callable
        To pass as `progress` to whatever takes long. Off a terminal each finished task prints one line.
    """
    if quiet:
        yield silent
        return
    if not console.is_terminal:
        finished: set[str] = set()

        def print_finished(progress: Progress) -> None:
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
            total = progress.total or None
            if row is None:
                row = bars.add_task("", total=total)
            elif progress.done < last.done:  # another piece of work, with its own clock
                bars.reset(row, total=total)
            bars.update(row, description=escape(progress.task), completed=progress.done, total=total)
            last = progress

        yield draw
