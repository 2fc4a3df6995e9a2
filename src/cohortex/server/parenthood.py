"""A process that ends with the one it works for; loads nothing, so that it watches before anything else is loaded."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable

_LOOK_EVERY_S = 0.5


def end_with(parent: int, *, farewell: Iterable[Callable[[], None]] = ()) -> None:
    """End this process as soon as the process that started it is gone: nobody would restart or stop it.

    Parameters
    ----------
    parent : int
        Process it works for; what it holds of a job is free when the lease is over, or when a server starts.
    farewell : iterable of callable
        Done before it ends, as far as it goes; a list may be filled later.
    """
    threading.Thread(target=_watch, args=(parent, farewell), name="watching the parent", daemon=True).start()


def _watch(parent: int, farewell: Iterable[Callable[[], None]]) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    try:
        for act in farewell:
            act()
    finally:
        os._exit(0)
