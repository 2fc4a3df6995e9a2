"""The command line: one thin command per task."""

from cohortex.cli.app import main

__all__ = ["main"]
