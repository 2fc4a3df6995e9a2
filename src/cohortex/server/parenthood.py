"""A process that ends with the one it works for; loads nothing, so that it watches before anything else is loaded."""

from __future__ import annotations

import os
import threading
import time

_LOOK_EVERY_S = 0.5


def end_with(parent: int) -> None:
    """End this process as soon as the process that started it is gone: nobody would restart or stop it.

    Parameters
    ----------
    parent : int
        Process it works for; what it holds of a job is free when the lease is over, or when a server starts.
    """
    threading.Thread(target=_watch, args=(parent,), name="watching the parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os._exit(0)
