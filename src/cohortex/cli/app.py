"""The `cohortex` program: its commands, its exit codes, and how it says what went wrong.

Exit codes: 0 done, 1 the work failed (the message says what, with which file, and what to do), 2 misuse, 130 stopped by
the keyboard.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Annotated

import typer

from cohortex import __version__
from cohortex.cli.screen import complain, stopped_in_words
from cohortex.errors import CohortexError

_RESUMING = ("demo", "process", "compare")
_COMMANDS = {name: name for name in (*_RESUMING, "convert", "info", "serve")} | {"study": "study_app"}  # by module


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cohortex {__version__}")
        raise typer.Exit


def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Say what holds for every command; each has its own --help."""


def program(asked: str = "") -> typer.Typer:
    """Make the command line.

    Parameters
    ----------
    asked : str
        The command that is asked for: only that one is loaded, as others bring libraries of 200 MB that a server would
        carry for nothing. All are when it is none of them.

    Returns
    -------
    typer.Typer
        To be called.
    """
    app = typer.Typer(
        name="cohortex",
        help="Research imaging that hospitals share. Research use only, not a medical device.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )
    app.callback()(options)
    for name in (asked,) if asked in _COMMANDS else _COMMANDS:
        command = getattr(import_module(f"cohortex.cli.{name}"), _COMMANDS[name])
        if isinstance(command, typer.Typer):
            app.add_typer(command)
        else:
            app.command()(stopped_in_words(command) if name in _RESUMING else command)
    return app


def main() -> None:
    """Run the command line; an expected failure is one message and exit code 1, never a traceback."""
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    try:
        program(asked)()
    except (CohortexError, ValueError, OSError) as error:
        if os.environ.get("COHORTEX_TRACEBACK"):
            raise
        complain(error)
        sys.exit(1)
