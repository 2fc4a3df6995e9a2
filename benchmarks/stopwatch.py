"""A stopwatch that is told what begins: wall time, CPU time, registration and peak memory of each part."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk

_REGISTRATION = (sitk.ImageRegistrationMethod, sitk.DiffeomorphicDemonsRegistrationFilter)
_RESET_PEAK = "5"  # what Linux wants written to clear_refs to begin a new peak


@dataclass(frozen=True, kw_only=True)
class Lap:
    """What one part cost."""

    name: str
    wall_s: float
    cpu_s: float
    registration_s: float  # CPU time of it that the registration library took
    peak_mb: float | None  # of the whole process; None where the system does not tell


class Stopwatch:
    """Measures the calling process from one `begin` to the next; only one at a time."""

    def __init__(self) -> None:
        self.laps: list[Lap] = []
        self._registration_s = 0.0
        for kind in _REGISTRATION:
            kind.Execute = self._counted(kind.Execute)
        self.begin("start")

    def begin(self, name: str) -> None:
        """End what ran and begin the next part."""
        now = (time.perf_counter(), time.process_time(), self._registration_s)
        if hasattr(self, "_since"):
            wall, cpu, registration = (a - b for a, b in zip(now, self._since, strict=True))
            self.laps.append(
                Lap(name=self._name, wall_s=wall, cpu_s=cpu, registration_s=registration, peak_mb=_peak_mb())
            )
        self._name, self._since = name, now

    def _counted(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            started = time.process_time()
            try:
                return execute(*arguments)
            finally:
                self._registration_s += time.process_time() - started

        return timed


def _peak_mb() -> float | None:
    """Read the most memory held since the last call, MB, and begin anew."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        return None
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    reset.write_text(_RESET_PEAK)
    return float(peak.split()[1]) * 1024 / 1e6
