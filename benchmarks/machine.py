"""What machine a benchmark ran on, how busy others kept it, and what a finished process tree cost."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

_SAMPLE_S = 0.05


def describe_machine() -> str:
    """One line: processor, cores, memory, system."""
    model = platform.processor() or "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        model = next(
            (line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line), model
        )
    memory_gb = psutil.virtual_memory().total / 1e9
    return f"{model}, {_cores()} cores, {memory_gb:.0f} GB, {platform.system()}"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a command cost, with all its processes."""

    seconds: float
    peak_memory_gb: float  # sum over the process tree of memory not shared with others (PSS where the system tells it)
    cores_used_by_others: float  # mean over the run: what other processes took away from it


def cost_of(*arguments: str) -> Cost:
    """Run `python -m …` in a process of its own and measure it.

    Raises
    ------
    subprocess.CalledProcessError
        If the command fails: what failed has no time.
    """
    command = [sys.executable, "-m", *arguments]
    load = _other_load()
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    peak = [0.0]

    def watch() -> None:
        root = psutil.Process(process.pid)
        while process.poll() is None:
            peak[0] = max(peak[0], _tree_memory(root))
            time.sleep(_SAMPLE_S)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    printed, _ = process.communicate()
    watcher.join()
    if process.returncode:
        sys.stderr.write(printed)
        raise subprocess.CalledProcessError(process.returncode, command, printed)
    return Cost(seconds=time.perf_counter() - started, peak_memory_gb=peak[0] / 1e9, cores_used_by_others=load())


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _other_load() -> Callable[[], float]:
    """Start a clock of the machine; the function it gives says how many cores others used since, on average."""
    begun, machine, own = time.perf_counter(), _machine_cpu_s(), _own_cpu_s()

    def used() -> float:
        seconds = time.perf_counter() - begun
        return max(0.0, (_machine_cpu_s() - machine) - (_own_cpu_s() - own)) / seconds

    return used


def _machine_cpu_s() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system + getattr(times, "nice", 0.0))


def _own_cpu_s() -> float:
    """CPU seconds of this process and of its children that have ended."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _tree_memory(root: psutil.Process) -> float:
    total = 0.0
    try:
        for process in [root, *root.children(recursive=True)]:
            memory = process.memory_full_info()
            total += getattr(memory, "pss", 0) or memory.rss
    except psutil.Error:
        return total
    return total
