"""A hundred kills of the study server and its workers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

_SERVER = Path(__file__).parents[1] / "server"
sys.path[:0] = [str(_SERVER), str(_SERVER / "killed")]
from test_killed import run  # noqa: E402

pytestmark = pytest.mark.acceptance


@pytest.mark.parametrize("seed", range(10, 15))
def test_twenty_kills_lose_nothing_and_do_nothing_twice(tmp_path, seed):
    run(tmp_path, moments=20, seed=seed, visits=2)
