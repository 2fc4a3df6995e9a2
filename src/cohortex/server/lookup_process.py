"""The child process that looks into images: a question per line in, an answer per line out, until the lines end."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from cohortex.errors import CohortexError
from cohortex.image import Image
from cohortex.io import read_image, read_transform
from cohortex.study.objects import ObjectStore
from cohortex.templates import describe_place
from cohortex.transform import Transform

_MOST_KEPT = 6  # images or fields; one is 10 to 70 MB
_Read = TypeVar("_Read", Image, Transform)


class Looker:
    """Answers questions about objects.

    Parameters
    ----------
    objects : ObjectStore
        Where they lie.
    folder : Path
        Where they are laid out under names that tell their format.
    """

    def __init__(self, objects: ObjectStore, folder: Path) -> None:
        self._objects = objects
        self._folder = folder
        self._kept: OrderedDict[tuple[str, str], Image | Transform] = OrderedDict()

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer one question as `Lookups` asks it."""
        asked = self._value if question["ask"] == "value" else self._place
        return asked(question)

    def _value(self, question: dict[str, Any]) -> dict[str, Any]:
        image = self._read(question["sha256"], question["ending"], read_image)
        if image.grid.ndim != 3 or not image.is_scalar:
            raise ValueError("This file holds more than one value in a voxel.")
        index = np.ceil(image.grid.index_of(np.asarray(question["point_mm"], dtype=float)) - 0.5)  # ties to the lower
        inside = bool(np.all(index >= 0) and np.all(index < image.grid.shape))
        value = None
        if inside:
            found = float(image.values[tuple(index.astype(int))])
            value = found if math.isfinite(found) else None
        return {"value": value, "unit": image.unit, "index": [int(n) for n in index], "inside": inside}

    def _place(self, question: dict[str, Any]) -> dict[str, Any]:
        point = np.asarray(question["point_mm"], dtype=float)
        way = "template_from_visit" if question["start"] == "native" else "visit_from_template"
        there = self._read(question[way], ".nii.gz", read_transform)(point)
        native, template = (point, there) if question["start"] == "native" else (there, point)
        return {
            "native_mm": native.tolist(),
            "template_mm": template.tolist(),
            "words": describe_place(template).words,
        }

    def _read(self, sha256: str, ending: str, read: Callable[[Path], _Read]) -> _Read:
        key = (sha256, read.__name__)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]  # type: ignore[return-value]  # the name of the reader is part of the key
        path = self._folder / f"{sha256}{ending}"
        self._objects.copy_to(sha256, path)
        try:
            found = read(path)
        finally:
            path.unlink()
        while len(self._kept) >= _MOST_KEPT:
            self._kept.popitem(last=False)
        self._kept[key] = found
        return found


def main(objects: Path, work: Path) -> None:
    """Answer the lines of standard input on what was standard output; what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    folder = work / f"lookup-{os.getpid()}"
    folder.mkdir(parents=True, mode=0o700)
    looker = Looker(ObjectStore(objects), folder)
    try:
        for line in sys.stdin:
            try:
                answer: dict[str, Any] = {"found": looker.answer(json.loads(line))}
            except (CohortexError, ValueError) as error:
                answer = {"refused": str(error)}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
