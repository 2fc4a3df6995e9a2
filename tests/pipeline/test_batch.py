"""A batch goes on after a failure and ends with what failed and why."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from cohortex.errors import StepFailed, UnreadableFile
from cohortex.pipeline.batch import run_batch
from cohortex.pipeline.visits import VisitSource
from cohortex.progress import Progress

VISITS = [
    VisitSource(study_code=f"case-{n}", visit="visit-1", paths=(Path("scan.zip"),), reason="one file") for n in range(4)
]


def process(visit, progress):
    progress(Progress(task="half way", done=1, total=2))
    match visit.study_code:
        case "case-1":
            raise UnreadableFile("scan.zip: the file is empty. Send it again.")
        case "case-2":
            raise StepFailed("n4 (step x, version 1) failed: too dark", step="n4", reason="too dark")
        case "case-3":
            raise RuntimeError("something unforeseen")


def test_failures_are_noted_with_their_reason_and_the_rest_goes_on(caplog):
    with caplog.at_level(logging.ERROR):
        outcome = run_batch([*VISITS, VISITS[0]], process)
    assert [row.succeeded for row in outcome.rows] == [True, False, False, False, True]
    assert [row.reason for row in outcome.failed] == [
        "scan.zip: the file is empty. Send it again.",
        "too dark",
        "RuntimeError: something unforeseen",
    ]
    assert outcome.failed[1].step == "n4"
    assert "Traceback" in caplog.text  # of the unforeseen one
    assert json.loads(json.dumps(outcome.to_json()))["failed"] == 3


def test_an_empty_batch_has_no_rows():
    assert run_batch([], process).rows == ()


def test_progress_counts_visits_and_parts_of_them():
    told = []
    run_batch(VISITS[:2], process, progress=told.append)
    assert [progress.done for progress in told] == [0, 0.5, 1, 1.5, 2]
    assert told[1].task == "case-0 visit-1: half way"
    assert {progress.total for progress in told} == {2}


@pytest.mark.parametrize("stop_at", [0, 0.5, 1])
def test_raising_in_the_progress_callback_stops_the_batch(stop_at):
    class Stopped(Exception):
        pass

    def stop(progress):
        if progress.done >= stop_at:
            raise Stopped

    with pytest.raises(Stopped):
        run_batch(VISITS, process, progress=stop)


def test_interrupting_stops_the_batch():
    def interrupted(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_batch(VISITS, interrupted)
