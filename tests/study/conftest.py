"""A study in a temporary folder, empty, or staffed with three centres and a person in each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cohortex.study import Study
from cohortex.study.people import add_centre, add_uploader


@pytest.fixture
def study(tmp_path) -> Iterator[Study]:
    study = Study.create(tmp_path / "study", name="Lesions")
    yield study
    study.close()


@pytest.fixture
def staffed(study) -> Study:
    for code in ("AA", "BB", "CC"):
        add_centre(study, code=code, name=f"Centre {code}", country="IT")
        add_uploader(study, centre=code, login=f"anna.{code.lower()}", name=f"Anna {code}", password="correct horse")
    return study
