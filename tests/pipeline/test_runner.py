"""What is missing is computed once, what is there is read, and what goes wrong is said."""

from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path

import example_steps
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cohortex.errors import DamagedResult, StepFailed, UnreadableFile
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.pipeline import Node, ResultStore, Runner, file_node, step, stored_node, value_node

IMAGE = Image(np.arange(1000.0).reshape(10, 10, 10), Grid.from_parts((10, 10, 10)))


@pytest.fixture(scope="module", params=[0, 2], ids=["in process", "two workers"])
def runner(request, tmp_path_factory):
    with Runner(tmp_path_factory.mktemp("store"), workers=request.param) as runner:
        yield runner


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.txt"
    path.touch()
    return path


def ran(log: Path) -> list[str]:
    return log.read_text().split()


def graph(log: Path) -> Node:
    halves = example_steps.split(example_steps.double(IMAGE, offset=1, log=log), log=log)
    return example_steps.add({"lower": halves["lower"], "upper": halves["upper"]}, log=log)


def test_a_graph_gives_what_the_functions_give(runner, log):
    doubled = IMAGE.values * 2 + 1
    assert_array_equal(runner.value(graph(log)).values, doubled + np.median(doubled))


def test_each_step_runs_once(runner, log):
    runner.evaluate([graph(log), graph(log)])
    runner.evaluate([graph(log)])
    assert ran(log) == ["double", "split", "add"]
    with Runner(runner.store, workers=0) as another:
        another.value(graph(log))
    assert ran(log) == ["double", "split", "add"]


def test_a_result_known_by_its_key_stands_for_the_steps_that_made_it(runner, log):
    doubled = example_steps.double(IMAGE, offset=7, log=log)
    expected = runner.value(example_steps.split(doubled, log=log)["lower"])
    again = example_steps.split(stored_node(doubled.source.key), log=log)["lower"]
    assert again.key == example_steps.split(doubled, log=log)["lower"].key
    assert_array_equal(runner.value(again).values, expected.values)
    assert ran(log) == ["double", "split"]


def test_a_key_without_a_result_is_refused(runner, log):
    with pytest.raises(DamagedResult, match="missing"):
        runner.value(example_steps.split(stored_node("0" * 64), log=log))
    assert ran(log) == []


def test_a_part_of_a_result_and_a_value_in_hand_can_be_asked_for(runner, log):
    halves = example_steps.split(IMAGE, log=log)
    level, unit, seven = runner.evaluate([halves["level"], halves["upper"]["unit"], value_node((7, IMAGE))[0]])
    assert (level, unit, seven) == (499.5, "arbitrary", 7)


def test_a_changed_file_is_read_again_an_unchanged_one_is_not(runner, log, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("first")
    assert runner.value(file_node(path)) == path
    assert runner.value(example_steps.text_of(file_node(path), log=log)) == "first"
    assert runner.value(example_steps.text_of(file_node(path), log=log)) == "first"
    path.write_text("second")
    assert runner.value(example_steps.text_of(file_node(path), log=log)) == "second"
    assert ran(log) == ["text", "text"]


def test_a_file_changed_behind_the_back_is_refused(runner, log, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("first")
    node = example_steps.text_of(file_node(path), log=log)
    path.write_text("something else")
    with pytest.raises(StepFailed, match=r"notes\.txt was changed while"):
        runner.value(node)


def test_a_failure_names_step_and_reason_and_the_log_the_arguments(runner, caplog):
    caplog.set_level("INFO", logger="cohortex.pipeline.runner")
    with pytest.raises(StepFailed) as caught:
        runner.value(example_steps.refuse(example_steps.double(IMAGE), threshold=2.5))
    assert caught.value.reason == "the image is no good at 2.5; send another."
    assert caught.value.step == "refuse"
    assert isinstance(caught.value.__cause__, UnreadableFile)
    assert "in refuse" in "".join(caught.value.__cause__.__notes__)
    assert str(caught.value) == "refuse failed: the image is no good at 2.5; send another."
    for part in ("example_steps.refuse", "version 1", "image from double", "threshold = 2.5"):
        assert part in caplog.text


def test_a_failure_names_the_file_behind_the_step(runner, tmp_path):
    path = tmp_path / "scan.txt"
    path.write_text("text")
    with pytest.raises(StepFailed, match=r"^scan\.txt: refuse failed: the image is no good at 1; send another\.$"):
        runner.value(example_steps.refuse(example_steps.text_of(file_node(path), log=tmp_path / "log"), threshold=1))


def test_a_result_that_cannot_be_stored_is_a_failure_of_the_step(tmp_path):
    @step(version=1)
    def give_a_set() -> set[int]:
        return {1}

    with pytest.raises(StepFailed, match="cannot be stored"):
        Runner(tmp_path, workers=0).value(give_a_set())


def test_a_step_that_workers_cannot_find_is_refused(tmp_path):
    @step(version=1)
    def local() -> int:
        return 1

    with Runner(tmp_path, workers=1) as runner, pytest.raises(ValueError, match="put it into a module"):
        runner.value(local())


def test_a_negative_number_of_workers_is_refused(tmp_path):
    with pytest.raises(ValueError, match="workers is -1"):
        Runner(tmp_path, workers=-1)


def test_a_damaged_result_is_computed_again_with_its_inputs_and_the_log_says_so(runner, log, caplog):
    node = graph(log)
    first = runner.value(node)
    keys = [run.key for run in runner.steps_behind([node])]
    for key in keys[1:]:  # the last result and one on the way; the first stays sound
        for path in (runner.store.path / "results" / key[:2] / key).iterdir():
            path.write_bytes(path.read_bytes()[:-3])
    with caplog.at_level(logging.WARNING):
        again = runner.value(node)
    assert_array_equal(again.values, first.values)
    assert ran(log) == ["double", "split", "add", "split", "add"]
    assert any("damaged" in record.message for record in caplog.records)
    assert len(list((runner.store.path / "damaged").glob(f"{keys[1]}*"))) == 1


def test_a_damaged_input_of_a_new_step_is_computed_again(runner, log):
    halves = example_steps.split(example_steps.double(IMAGE, offset=3, log=log), log=log)
    runner.run([halves])
    for run in runner.steps_behind([halves]):
        (runner.store.path / "results" / run.key[:2] / run.key / "value.json").write_bytes(b"{}")
    total = runner.value(example_steps.add({"a": halves["lower"], "b": halves["upper"]}, log=log))
    doubled = IMAGE.values * 2 + 3
    assert_array_equal(total.values, doubled + np.median(doubled))
    assert ran(log) == ["double", "split", "double", "split", "add"]


def test_a_damaged_value_in_hand_is_stored_again(runner, log):
    value = value_node(IMAGE.with_values(IMAGE.values + 0.125))
    runner.value(value)
    (runner.store.path / "results" / value.key[:2] / value.key / "value.json").write_bytes(b"{}")
    assert runner.value(example_steps.double(value, log=log)).values[0, 0, 0] == 0.25


def test_progress_counts_steps_and_parts_of_steps(tmp_path):
    told = []
    node = example_steps.report_progress(example_steps.report_progress(4))
    with Runner(tmp_path, workers=1, progress=told.append) as runner:
        assert runner.value(node) == 4
    done = [progress.done for progress in told]
    assert done == sorted(done)
    assert done[-1] == 2
    assert {progress.total for progress in told} == {2}
    assert {progress.task for progress in told} == {"report progress"}
    assert any(0 < value < 1 for value in done)


def test_progress_names_all_steps_under_way(tmp_path, log):
    told = []
    slow = example_steps.slow_sum([1.0], 1, seconds=0.1, log=log)
    with Runner(tmp_path, workers=2, progress=told.append) as runner:
        runner.run([slow, example_steps.report_progress(1), example_steps.report_progress(2)])
    assert "slow sum and report progress" in {progress.task for progress in told}
    assert "report progress and report progress" not in {progress.task for progress in told}


def test_progress_tells_the_steps_that_an_earlier_run_finished(tmp_path):
    told = []
    first = example_steps.report_progress(1)
    second = example_steps.report_progress(first)
    with Runner(tmp_path, workers=0) as runner:
        runner.run([second])
    with Runner(tmp_path, workers=0, progress=told.append) as runner:
        runner.run([example_steps.report_progress(second)])
        assert {(progress.earlier, progress.total) for progress in told} == {(2, 1)}
        told.clear()
        runner.run([example_steps.report_progress(example_steps.report_progress(second))])  # one is of this run
    assert {(progress.earlier, progress.total) for progress in told} == {(2, 1)}


@pytest.mark.parametrize("workers", [0, 1])
def test_raising_in_the_progress_callback_stops_the_run_and_keeps_what_is_finished(tmp_path, workers):
    class Stopped(Exception):
        pass

    def stop(progress):
        if progress.done > 1:
            raise Stopped

    first = example_steps.report_progress(1)
    chain = example_steps.report_progress(example_steps.report_progress(first))
    with Runner(tmp_path, workers=workers, progress=stop) as runner, pytest.raises(Stopped):
        runner.value(chain)
    assert first.key in ResultStore(tmp_path)
    assert chain.key not in ResultStore(tmp_path)
    with Runner(tmp_path, workers=workers) as runner:
        assert runner.value(chain) == 1


def test_a_step_whose_process_is_killed_is_tried_once_more(tmp_path, caplog):
    node = example_steps.die(1, marker=tmp_path / "marker", times=1)
    with Runner(tmp_path / "store", workers=1) as runner, caplog.at_level(logging.WARNING):
        assert runner.value(node) == 2
    assert "killed by SIGKILL" in caplog.text


def test_a_step_whose_process_is_killed_twice_fails_clearly_and_the_rest_goes_on_later(tmp_path, log):
    deadly = example_steps.die(1, marker=tmp_path / "marker", times=2)
    innocent = example_steps.slow_sum([], 3, seconds=0.3, log=log)
    with Runner(tmp_path / "store", workers=2) as runner:
        with pytest.raises(StepFailed, match=r"killed by SIGKILL.*twice; give the machine more memory"):
            runner.evaluate([deadly, innocent])
        assert runner.value(innocent) == 1
    assert ran(log) == ["start", "3"]


def test_workers_use_one_thread_each_and_are_other_processes(tmp_path):
    with Runner(tmp_path, workers=1) as runner:
        found = runner.value(example_steps.threads())
    assert (found["itk"], found["omp"]) == (1, 1)
    assert found["process"] != os.getpid()


def test_in_process_the_number_of_threads_is_held_and_given_back(tmp_path):
    import SimpleITK as sitk

    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(3)
    try:
        assert Runner(tmp_path, workers=0).value(example_steps.threads())["itk"] == 1
        assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 3
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def test_two_runs_on_one_store_at_the_same_time_agree(tmp_path, log):
    nodes = [example_steps.slow_sum([0.1 * n], n, seconds=0.05, log=log) for n in range(6)]
    total = example_steps.slow_sum(nodes, 0, seconds=0, log=log)
    values = []

    def run() -> None:
        with Runner(tmp_path / "store", workers=1) as runner:
            values.append(runner.value(total))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values[0] == values[1] == pytest.approx(6.5)
    assert list((tmp_path / "store" / "unfinished").iterdir()) == []


def test_provenance_says_how_a_result_was_made_and_holds_no_place_of_this_machine(runner, log, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("text")
    text = example_steps.text_of(file_node(path), log=log)
    node = example_steps.double(IMAGE, offset=0.25)
    runner.evaluate([node, text])
    record = json.loads(json.dumps(runner.provenance(node)))
    assert record["step"] == "example_steps.double"
    assert record["version"] == 1
    assert record["key"] == node.key
    assert record["arguments"]["image"]["reference"] == value_node(IMAGE).key
    assert record["arguments"]["offset"] == {"float": (0.25).hex()}
    assert record["libraries"]["numpy"] == np.__version__
    assert record["seconds"] >= 0
    assert record["started"].endswith("+00:00")
    assert list(runner.provenance(text)["files"].values()) == [["notes.txt"]]
    assert runner.provenance(value_node(IMAGE))["origin"] == "Image"


def test_the_steps_behind_a_result_come_inputs_first_with_sentence_and_time(tmp_path):
    node = example_steps.double(example_steps.double(IMAGE, offset=2.0), offset=0.5)
    with Runner(tmp_path, workers=0) as runner:
        runner.value(node)
        first, second = runner.steps_behind([node])
    assert first.sentence == "Values were doubled and 2 added."
    assert second.parameters == {"offset": 0.5, "log": None}
    assert first.seconds is not None
    given_as_node = example_steps.double(IMAGE, offset=value_node(1.5))
    assert Runner(tmp_path, workers=0).steps_behind([given_as_node])[0].sentence.endswith("and offset added.")
    assert Runner(tmp_path, workers=0).steps_behind([node])[0].seconds is None
