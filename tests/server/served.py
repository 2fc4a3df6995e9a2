"""The real server as a process of its own, started, killed and started again as an operator would."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psutil

START_WITHIN_S = 60.0  # the machines of the tests are shared; the benchmark measures the start


class Served:
    """A server with its workers on a free port of the loopback."""

    def __init__(self, home: Path, *, workers: int = 2) -> None:
        self.home, self.workers = home, workers
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "cohortex", "serve", str(self.home), "--port", str(self.port)]
        with (self.home.parent / f"{self.home.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--workers", str(self.workers)], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}: {self.said()}")
            try:
                if httpx.get(f"{self.address}/api/health", trust_env=False, timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError(f"the server did not answer within {START_WITHIN_S:g} s: {self.said()}")

    def said(self) -> str:
        return (self.home.parent / f"{self.home.name}.log").read_text(errors="replace")[-3000:]

    def worker_processes(self) -> list[psutil.Process]:
        assert self.process is not None
        try:
            children = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return [child for child in children if _is_worker(child)]

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def kill_a_worker(self, number: int) -> None:
        if workers := self.worker_processes():
            workers[number % len(workers)].kill()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "worker" in process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and os.path.exists(f"/proc/{pid}") and psutil.Process(pid).status() != "zombie"
