"""Running a function on untrusted bytes in a process of its own, with limits, and ending it whatever it does."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from cohortex.errors import LimitReached
from cohortex.pipeline.threads import ENVIRONMENT
from cohortex.progress import Progress, ProgressCallback, silent
from cohortex.study.check.limits import CheckLimits

_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from cohortex.study.check import child; child.main()"
_MOST_ANSWER_BYTES = 256 << 20
_GRACE_S = 2.0
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "SYSTEMROOT")  # no secret, no address of a database


_SMALLER = "Send the scan in smaller parts, a few series at a time; if it is small, the file is damaged."
_DAMAGED = "Export the scan again from the scanner or the archive; if it fails again, send the series one by one."


def run_confined(
    function: str,
    arguments: dict[str, Any],
    *,
    scratch: Path,
    limits: CheckLimits,
    progress: ProgressCallback = silent,
) -> Any:
    """Run a function in a child process that may use only so much, and wait for its answer.

    The child gets no environment but what it needs to start, speaks through one pipe, prints nowhere, and dies with
    this process.

    Parameters
    ----------
    function : str
        "module:name" of a function (arguments, report) -> answer; both in plain values that JSON holds.
    arguments : dict
        Passed through the child's standard input, so that no secret stands in a list of processes.
    scratch : Path
        Its folder for temporary files; the caller removes it.
    limits : CheckLimits
        What it may use.
    progress : callable
        Told what the child reports; the child is ended when it raises.

    Returns
    -------
    object
        What the function returned.

    Raises
    ------
    LimitReached
        If the child ran out of memory, time or files, broke down, or said something that is no answer.
    """
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment |= ENVIRONMENT | {"TMPDIR": str(scratch), "HOME": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
    request = {"function": function, "arguments": arguments, "limits": limits.as_entries()}
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", _START, json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # libraries quote headers there
        env=environment,
        cwd=scratch,
        start_new_session=True,
    )
    started = time.monotonic()
    try:
        requests, answers = child.stdin, child.stdout
        if requests is None or answers is None:
            raise RuntimeError("a process was started without its pipes.")
        with contextlib.suppress(BrokenPipeError):
            requests.write(json.dumps(request).encode() + b"\n")
            requests.flush()
        answer = _answer(answers, started + limits.wall_s, limits, progress)
        if answer is None:
            raise _ended(child.wait(), limits)
        return answer["answer"]
    finally:
        _end(child)


def _answer(pipe: IO[bytes], deadline: float, limits: CheckLimits, progress: ProgressCallback) -> dict[str, Any] | None:
    """Wait for the answer, passing progress on; None when the child is gone without one."""
    waiting = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise LimitReached(f"the check took longer than {limits.wall_s:g} seconds.", remedy=_SMALLER)
            block = os.read(pipe.fileno(), 1 << 16)
            if not block:
                return None
            waiting += block
            if len(waiting) > _MOST_ANSWER_BYTES:
                raise LimitReached("the check answered more than any upload needs.", remedy=_DAMAGED)
            if b"\n" not in block:
                continue
            *lines, waiting = waiting.split(b"\n")
            for line in lines:
                message = _message(line)
                if "progress" in message:
                    progress(_progress(message["progress"]))
                elif "limit" in message:
                    raise _limit_named(str(message["limit"]), limits)
                elif "answer" in message:
                    return message


def _message(line: bytes | bytearray) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise LimitReached("the check broke down and said something that is no answer.", remedy=_DAMAGED)
    return message


def _progress(entries: Any) -> Progress:
    try:
        task, done, total = entries
        return Progress(task=str(task), done=float(done), total=float(total))
    except (TypeError, ValueError):
        raise LimitReached("the check broke down and said something that is no answer.", remedy=_DAMAGED) from None


def _limit_named(name: str, limits: CheckLimits) -> LimitReached:
    if name == "memory":
        reason = f"the check needs more than {limits.memory_bytes / 2**30:.3g} GiB of memory."
        return LimitReached(reason, remedy=_SMALLER)
    if name == "files":
        reason = f"the check ran out of room: of {limits.open_files} open files, or of space on the disk."
        return LimitReached(reason, remedy=_SMALLER)
    if name == "file size":
        return LimitReached(f"a file came out larger than {limits.file_bytes:,} bytes.", remedy=_SMALLER)
    return LimitReached("the check broke down on something in the upload.", remedy=_DAMAGED)


def _ended(code: int, limits: CheckLimits) -> LimitReached:
    """Say why a child ended without an answer, by the signal that ended it."""
    if code == -signal.SIGXCPU:
        return LimitReached(f"the check took more than {limits.cpu_s:g} seconds of processor time.", remedy=_SMALLER)
    if code == -signal.SIGXFSZ:
        return _limit_named("file size", limits)
    if code in (-signal.SIGKILL, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS):
        name = signal.Signals(-code).name
        reason = f"the check was ended ({name}), by its memory limit or by a damaged file."
        return LimitReached(reason, remedy=_SMALLER)
    return LimitReached(f"the check broke down (code {code}).", remedy=_DAMAGED)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it started, and close the pipes."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)  # a new session: the group bears the child's number
    child.wait(timeout=_GRACE_S * 10)
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
