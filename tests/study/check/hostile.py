"""What a process that reads untrusted bytes may come to do; run confined by the tests."""

# ruff: noqa: ARG001  (every function takes what a confined one is given)

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def answers(arguments: dict[str, Any], report: Any) -> Any:
    report("looking", 1, 2)
    report("looking", 2, 2)
    return {"said": arguments["say"]}


def eats_memory(arguments: dict[str, Any], report: Any) -> Any:
    kept = []
    while True:
        kept.append(bytearray(64 << 20))


def loops(arguments: dict[str, Any], report: Any) -> Any:
    while True:
        pass


def sleeps(arguments: dict[str, Any], report: Any) -> Any:
    Path(arguments["mark"]).write_text(str(os.getpid()))
    while True:
        time.sleep(0.05)
        report("sleeping", 0, 0)


def writes_a_large_file(arguments: dict[str, Any], report: Any) -> Any:
    with Path("large").open("wb") as file:
        while True:
            file.write(b"\0" * (1 << 20))


def opens_many_files(arguments: dict[str, Any], report: Any) -> Any:
    return [Path(os.devnull).open() for _ in range(100_000)]


def breaks_down(arguments: dict[str, Any], report: Any) -> Any:
    raise RuntimeError("ROSSI^MARIA")


def crashes(arguments: dict[str, Any], report: Any) -> Any:
    ctypes.string_at(0)


def chatters(arguments: dict[str, Any], report: Any) -> Any:
    print("ROSSI^MARIA")
    print("ROSSI^MARIA", file=sys.stderr)
    subprocess.run(["/bin/echo", "ROSSI^MARIA"], check=True)
    return "done"


def speaks_nonsense(arguments: dict[str, Any], report: Any) -> Any:
    for number in range(3, 20):
        try:
            os.write(number, b"ROSSI^MARIA\n")
        except OSError:
            continue
    return "done"


def tells_its_surroundings(arguments: dict[str, Any], report: Any) -> Any:
    return {"environment": sorted(os.environ), "words": sys.argv, "folder": os.getcwd()}


def leaves_a_child_behind(arguments: dict[str, Any], report: Any) -> Any:
    child = subprocess.Popen(["/bin/sleep", "600"])
    return child.pid
