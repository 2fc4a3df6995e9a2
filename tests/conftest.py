"""What all tests share: where the real images lie, and what a machine without them does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# the same examples on every run and machine, however busy it is
settings.register_profile("cohortex", deadline=None, derandomize=True)
settings.load_profile("cohortex")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real images beside the checkout; its absence skips, and fails where CI promises it."""
    folder = Path(os.environ.get("COHORTEX_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        message = f"no real images at ../shared/data ({folder.name} not found); set COHORTEX_TEST_DATA to their folder."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
