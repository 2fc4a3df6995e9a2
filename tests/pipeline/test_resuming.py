"""A run killed at any moment goes on where it was, and gives the same bits."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from killing import kill_until_done, start


@pytest.mark.parametrize(("workers", "whole_group"), [(0, False), (2, False), (2, True)])
def test_a_run_killed_at_random_moments_repeats_no_finished_step(tmp_path, workers, whole_group):
    unbroken = tmp_path / "unbroken"
    unbroken.mkdir()
    assert start(unbroken, workers=workers).wait(timeout=60) == 0
    killed = tmp_path / "killed"
    rng = np.random.default_rng([workers, whole_group])
    assert kill_until_done(killed, rng=rng, workers=workers, kills=2, whole_group=whole_group) >= 1
    assert (killed / "answer.txt").read_text() == (unbroken / "answer.txt").read_text()
    assert sorted(set((killed / "log.txt").read_text().split())) == sorted((unbroken / "log.txt").read_text().split())


def test_an_empty_store_in_a_new_process_gives_the_same_bits(tmp_path):
    answers = []
    for workers in (0, 1):
        (tmp_path / "run").mkdir()
        assert start(tmp_path / "run", workers=workers).wait(timeout=60) == 0
        answers.append((tmp_path / "run" / "answer.txt").read_text())
        shutil.rmtree(tmp_path / "run")
    assert answers[0] == answers[1]
