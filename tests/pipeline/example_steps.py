"""Small steps for the tests; each writes its name into a file, so that a test can count what really ran."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cohortex.errors import UnreadableFile
from cohortex.image import Image
from cohortex.pipeline import step
from cohortex.progress import Progress, ProgressCallback


@dataclass(frozen=True, kw_only=True)
class Halves:
    lower: Image
    upper: Image
    level: float


def note(log: Path, what: str) -> None:
    with log.open("a") as stream:
        stream.write(what + "\n")


@step(version=1, sentence="Values were doubled and {offset:g} added.")
def double(image: Image, *, offset: float = 0.0, log: Path | None = None) -> Image:
    """Double an image."""
    if log:
        note(log, "double")
    return image.with_values(image.values * 2 + offset)


@step(version=1)
def split(image: Image, *, log: Path) -> Halves:
    note(log, "split")
    level = float(np.median(image.values))
    lower = image.with_values(np.minimum(image.values, level))
    return Halves(lower=lower, upper=image.with_values(np.maximum(image.values, level)), level=level)


@step(version=1)
def add(images: dict[str, Image], *, log: Path) -> Image:
    note(log, "add")
    first, *others = images.values()
    return first.with_values(first.values + sum(image.values for image in others))


@step(version=1)
def text_of(path: Path, *, log: Path) -> str:
    note(log, "text")
    return path.read_text()


@step(version=1, title="slow sum")
def slow_sum(parts: list[float], number: int, *, seconds: float, log: Path) -> float:
    note(log, f"start {number}")
    time.sleep(seconds)
    return float(sum(parts)) + number / 3


@step(version=1)
def refuse(image: Image, *, threshold: float) -> Image:  # noqa: ARG001
    raise UnreadableFile(f"the image is no good at {threshold:g}; send another.")


@step(version=1, title="fragile step")
def die(number: int, *, marker: Path, times: int) -> int:
    so_far = len(marker.read_text()) if marker.exists() else 0
    if so_far < times:
        marker.write_text("x" * (so_far + 1))
        os.kill(os.getpid(), signal.SIGKILL)
    return number + 1


@step(version=1)
def report_progress(number: int, *, progress: ProgressCallback) -> int:
    for done in range(3):
        progress(Progress(task="inner", done=done, total=3))
        time.sleep(0.15)
    return number


@step(version=1)
def threads() -> dict[str, int]:
    import SimpleITK as sitk

    return {
        "itk": sitk.ProcessObject.GetGlobalDefaultNumberOfThreads(),
        "omp": int(os.environ.get("OMP_NUM_THREADS", "0")),
        "process": os.getpid(),
    }


@step(version=1)
def slow_array(values: np.ndarray, *, number: int, seconds: float, log: Path) -> np.ndarray:
    note(log, str(number))
    time.sleep(seconds)
    return np.sin(values) + number / 7


@step(version=1)
def slow_total(parts: list[np.ndarray], *, log: Path) -> float:
    note(log, "total")
    return float(sum(part.sum() for part in parts))
