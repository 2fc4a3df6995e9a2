"""A job is plain data that any worker can run, and refuses what it does not know."""

from __future__ import annotations

from dataclasses import replace

import example_steps
import pytest

from cohortex.errors import MissingSlices
from cohortex.pipeline import file_node
from cohortex.pipeline.job import Failure, Job, run_job
from cohortex.progress import silent


@pytest.fixture
def job(tmp_path) -> Job:
    path = tmp_path / "notes.txt"
    path.write_text("text")
    return Job.of(example_steps.text_of(file_node(path), log=tmp_path / "log.txt").source)


def test_a_job_comes_back_from_its_line(job):
    assert Job.from_json(job.to_json()) == job
    assert "\n" not in job.to_json()


def test_a_job_that_runs_twice_gives_the_same_and_no_harm(job, store):
    for _ in range(2):
        assert run_job(Job.from_json(job.to_json()), store, progress=silent).failure is None
    assert store.load(job.key) == "text"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "is not version 2 here; update this worker"),
        ({"qualname": "gone"}, "there is no step gone"),
        ({"qualname": "note"}, "is not version 1 here"),
        ({"module": "no_such_module"}, "No module named"),
    ],
)
def test_a_step_that_is_not_here_in_this_version_is_refused(job, store, change, message):
    failure = run_job(replace(job, **change), store, progress=silent).failure
    assert failure is not None
    assert message in failure.message


def test_an_input_that_is_missing_is_asked_for_not_failed(store):
    call = example_steps.double(example_steps.double(1.0)).source
    outcome = run_job(Job.of(call), store, progress=silent)
    assert outcome.failure is None
    assert outcome.damaged == (call.arguments["image"].key,)


@pytest.mark.parametrize("error", [MissingSlices("7 of 8 slices"), ValueError("bad"), KeyError("name")])
def test_an_error_comes_back_as_its_own_type(error):
    again = Failure.of(error).exception()
    assert type(again) is type(error)
    assert again.args == error.args


def test_an_error_that_cannot_be_made_again_keeps_its_words():
    again = Failure.of(UnicodeDecodeError("utf-8", b"x", 0, 1, "no good")).exception()
    assert isinstance(again, RuntimeError)
    assert "no good" in str(again)
