"""Running the whole program in this process: its arguments in, its exit code and words out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cohortex import phantoms
from cohortex.cli import main


@dataclass(frozen=True)
class Said:
    """What the program left on the screen, spaces and line ends as one space."""

    code: int
    out: str
    err: str


@pytest.fixture
def cohortex(monkeypatch, capsys) -> Callable[..., Said]:
    """The program: `cohortex("info", path)`."""

    def run(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["cohortex", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        shown = capsys.readouterr()
        return Said(code, " ".join(shown.out.split()), " ".join(shown.err.split()))

    return run


@pytest.fixture(scope="session")
def uploads(tmp_path_factory) -> Path:
    """Two visits of a phantom at 5 mm, T1 and FLAIR each, as zips; made once."""
    folder = tmp_path_factory.mktemp("uploads")
    patient = phantoms.patient(seed=5, visits=2, spacing_mm=5, events={"same": 1}, volume_mm3=(2000, 4000))
    for number, visit in enumerate(patient.visits, start=1):
        phantoms.write_dicom_zip(visit.images, folder / f"p01_visit-{number}.zip", scanner="siemens-like", seed=5)
    return folder
