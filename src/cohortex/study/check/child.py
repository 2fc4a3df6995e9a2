"""The process in which untrusted bytes are read: takes its limits first, then one request, and answers on one pipe."""

from __future__ import annotations

import errno
import gc
import importlib
import json
import os
import resource
import threading
import time
from collections.abc import Callable, Mapping
from typing import IO, Any

_REPORT_EVERY_S = 0.1

Report = Callable[[str, float, float], None]
"""Takes a task, and how much of it is done of how much."""


def main() -> None:
    """Answer the one request on standard input; whatever libraries print goes nowhere."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    request = json.loads(requests.readline())
    threading.Thread(target=_end_with_parent, args=(requests,), daemon=True).start()
    module, _, name = request["function"].partition(":")
    function = getattr(importlib.import_module(module), name)
    confine(request["limits"])
    _send(answers, _outcome(function, request["arguments"], answers))


def confine(limits: Mapping[str, Any]) -> None:
    """Take the limits upon this process, for good: none of them can be raised again."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime + float(limits["cpu_s"])) + 1
    for kind, limit in (
        (resource.RLIMIT_AS, int(limits["memory_bytes"])),
        (resource.RLIMIT_FSIZE, int(limits["file_bytes"])),
        (resource.RLIMIT_NOFILE, int(limits["open_files"])),
        (resource.RLIMIT_CORE, 0),  # a core would hold the header
    ):
        resource.setrlimit(kind, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))


def _outcome(
    function: Callable[[dict[str, Any], Report], Any], arguments: dict[str, Any], answers: IO[bytes]
) -> dict[str, Any]:
    last = 0.0

    def report(task: str, done: float, total: float) -> None:
        nonlocal last
        if time.monotonic() - last >= _REPORT_EVERY_S or done == total:
            last = time.monotonic()
            _send(answers, {"progress": [task, done, total]})

    try:
        return {"answer": function(arguments, report)}
    except MemoryError:
        gc.collect()
        return {"limit": "memory"}
    except OSError as error:
        return {"limit": limit_of(error)}
    except Exception:  # its text may quote a header: it goes no further than this process
        return {"limit": "breakdown"}


def limit_of(error: OSError) -> str:
    """Which limit an error of the system means: "memory", "file size", "files", or "breakdown" for none of them."""
    if error.errno == errno.ENOMEM:
        return "memory"
    if error.errno == errno.EFBIG:
        return "file size"
    return "files" if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT) else "breakdown"


def _send(answers: IO[bytes], message: Mapping[str, Any]) -> None:
    try:
        answers.write(json.dumps(message).encode() + b"\n")
        answers.flush()
    except BrokenPipeError:
        os._exit(1)  # nobody is listening


def _end_with_parent(requests: IO[bytes]) -> None:
    requests.read()
    os._exit(1)
