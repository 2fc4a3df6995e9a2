"""The `cohortex` program: its commands, its exit codes, and how it says what went wrong.

Exit codes: 0 done, 1 the work failed (the message says what, with which file, and what to do), 2 misuse, 130 stopped by
the keyboard.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cohortex import __version__
from cohortex.cli.compare import compare
from cohortex.cli.convert import convert
from cohortex.cli.demo import demo
from cohortex.cli.info import info
from cohortex.cli.process import process
from cohortex.cli.screen import complain, stopped_in_words
from cohortex.cli.serve import serve
from cohortex.cli.study import study_app
from cohortex.errors import CohortexError

app = typer.Typer(
    name="cohortex",
    help="Research imaging that hospitals share. Research use only, not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for resuming in (demo, process, compare):
    app.command()(stopped_in_words(resuming))
for command in (convert, info, serve):
    app.command()(command)
app.add_typer(study_app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cohortex {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Say what holds for every command; each has its own --help."""


def main() -> None:
    """Run the command line; an expected failure is one message and exit code 1, never a traceback."""
    try:
        app()
    except (CohortexError, ValueError, OSError) as error:
        if os.environ.get("COHORTEX_TRACEBACK"):
            raise
        complain(error)
        sys.exit(1)
