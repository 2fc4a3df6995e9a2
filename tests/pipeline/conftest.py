"""What the pipeline tests share: steps in a module that worker processes can import, and a store."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cohortex.pipeline import ResultStore

_HERE = str(Path(__file__).parent)
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    return ResultStore(tmp_path / "store")
