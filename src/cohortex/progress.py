"""How long work tells its caller where it is, and how the caller stops it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a piece of work stands.

    Attributes
    ----------
    task : str
        What is being done, in the user's words.
    done, total : float
        Work finished and work in all, in any one unit; `total` is 0 when it is not known.
    earlier : int
        Steps that an earlier run finished; neither in `done` nor in `total`.
    """

    task: str
    done: float
    total: float
    earlier: int = 0


ProgressCallback = Callable[[Progress], None]
"""Called now and then; the work stops when it raises."""


def silent(_: Progress) -> None:
    """Take no notice of progress: the default."""
