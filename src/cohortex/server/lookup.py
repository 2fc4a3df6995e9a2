"""Values and places looked up in images, by a child process kept for it, so that the server stays small and answers.

The child is started by the first question and ends when none has come for a while, or when the server ends. It reads
objects by their names; it knows no database and nobody who asks.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, Literal

from cohortex.server.faults import Unanswerable
from cohortex.study.settings import StudySettings

_IDLE_S = 300.0
_PATIENCE_S = 60.0  # the first question loads the template


@dataclass(frozen=True, kw_only=True)
class FoundValue:
    """The voxel nearest to a point.

    Attributes
    ----------
    value : float or None
        None outside the image, or where the voxel holds no number.
    unit : str
        Of the value.
    index : list of int
        Of the voxel.
    inside : bool
        Whether the point lies in the image.
    """

    value: float | None
    unit: str
    index: list[int]
    inside: bool


@dataclass(frozen=True, kw_only=True)
class FoundPlace:
    """A point in a visit and in the template, LPS mm, and where that is in words."""

    native_mm: list[float]
    template_mm: list[float]
    words: str


class Lookups:
    """Questions about images.

    Parameters
    ----------
    settings : StudySettings
        Where objects lie, and where the child may work.
    idle_s, patience_s : float
        After how long without a question the child ends, and how long one may take.
    """

    def __init__(self, settings: StudySettings, *, idle_s: float = _IDLE_S, patience_s: float = _PATIENCE_S) -> None:
        self._settings = settings
        self._idle_s = idle_s
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._rest: threading.Timer | None = None

    def value(self, sha256: str, *, ending: str, point_mm: Sequence[float]) -> FoundValue:
        """Look up the voxel of an image nearest to a point.

        Parameters
        ----------
        sha256 : str
            Object that holds the image.
        ending : str
            Of its file name, which tells the format.
        point_mm : sequence of float
            World of the image, LPS mm.
        """
        return FoundValue(**self._ask({"ask": "value", "sha256": sha256, "ending": ending, "point_mm": list(point_mm)}))

    def place(
        self,
        *,
        template_from_visit: str,
        visit_from_template: str,
        start: Literal["native", "template"],
        point_mm: Sequence[float],
    ) -> FoundPlace:
        """Bring a point of a visit to the template, or back, and say in words where it is.

        Parameters
        ----------
        template_from_visit, visit_from_template : str
            Objects that hold the displacement fields.
        start : {"native", "template"}
            Where the point is given.
        point_mm : sequence of float
            LPS mm.
        """
        fields = {"template_from_visit": template_from_visit, "visit_from_template": visit_from_template}
        return FoundPlace(**self._ask({"ask": "place", **fields, "start": start, "point_mm": list(point_mm)}))

    def close(self) -> None:
        """End the child, if there is one; a later question starts another."""
        with self._lock:
            self._end()

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            if self._rest is not None:
                self._rest.cancel()
            line = self._answer(question)
            self._rest = threading.Timer(self._idle_s, self.close)
            self._rest.daemon = True
            self._rest.start()
        if not line:
            raise Unanswerable(503, "The image could not be looked into in time.", "Try again in a moment.")
        answer: dict[str, Any] = json.loads(line)
        if "refused" in answer:
            raise Unanswerable(422, answer["refused"], "Choose another file or point.")
        found: dict[str, Any] = answer["found"]
        return found

    def _answer(self, question: dict[str, Any]) -> str:
        child = self._started()
        giving_up = threading.Timer(self._patience_s, child.kill)
        giving_up.daemon = True
        giving_up.start()
        try:
            _stream(child.stdin).write(json.dumps(question) + "\n")
            _stream(child.stdin).flush()
            line = _stream(child.stdout).readline()
        except (BrokenPipeError, OSError):
            line = ""
        finally:
            giving_up.cancel()
        if not line:
            self._end()
        return line

    def _started(self) -> subprocess.Popen[str]:
        if self._child is None or self._child.poll() is not None:
            self._end()
            folders = [str(self._settings.objects), str(self._settings.work)]
            self._child = subprocess.Popen(
                [sys.executable, "-m", "cohortex.server.lookup_process", *folders],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self._child

    def _end(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()  # it holds nothing that could be lost
        child.wait()
        for stream in (child.stdin, child.stdout):
            try:
                _stream(stream).close()
            except OSError:  # what it had not read yet cannot be flushed any more
                continue


def _stream(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise ValueError("the child was started without pipes.")
    return stream
