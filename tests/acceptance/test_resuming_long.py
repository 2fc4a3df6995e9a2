"""The long form of resuming: thirty kills."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

_PIPELINE_TESTS = str(Path(__file__).parents[1] / "pipeline")
if _PIPELINE_TESTS not in sys.path:
    sys.path.insert(0, _PIPELINE_TESTS)

from killing import kill_until_done  # noqa: E402


@pytest.mark.acceptance
def test_thirty_kills_lose_no_finished_step_and_change_no_bit(tmp_path):
    rng = np.random.default_rng(30)
    answers, finished = set(), []
    for run in range(10):
        folder = tmp_path / str(run)
        finished.append(kill_until_done(folder, rng=rng, workers=run % 3, kills=3, whole_group=bool(rng.integers(2))))
        answers.add((folder / "answer.txt").read_text().split()[1])
    assert len(answers) == 1
    assert max(finished) > 3  # the kills came early and late
