"""A process with limits: whatever it does, the caller gets an answer or a reason, and nothing is left."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from cohortex.errors import LimitReached
from cohortex.study.check import CheckLimits
from cohortex.study.check.confined import run_confined

LIMITS = CheckLimits(memory_bytes=3 << 30, cpu_s=20, wall_s=30, file_bytes=4 << 20, open_files=128)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a function of `hostile`, which the child finds beside the tests."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path(__file__).parent)])

    def confined(name, limits=LIMITS, **more):
        arguments = more.pop("arguments", {})
        return run_confined(f"hostile:{name}", arguments, scratch=tmp_path, limits=limits, **more)

    return confined


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def gone_soon(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def test_an_answer_and_the_progress_come_back(run):
    told = []
    assert run("answers", arguments={"say": "è"}, progress=told.append) == {"said": "è"}
    assert [(progress.task, progress.done, progress.total) for progress in told][-1] == ("looking", 2.0, 2.0)


@pytest.mark.parametrize(
    ("name", "limits", "reason"),
    [
        ("eats_memory", LIMITS, "more than 3 GiB of memory"),
        ("loops", CheckLimits(cpu_s=1, wall_s=60), "1 seconds of processor time"),
        ("loops", CheckLimits(cpu_s=60, wall_s=3), "longer than 3 seconds"),
        ("writes_a_large_file", LIMITS, "larger than 4,194,304 bytes"),
        ("opens_many_files", LIMITS, "128 open files"),
        ("breaks_down", LIMITS, "broke down"),
        ("crashes", LIMITS, "SIGSEGV"),
    ],
)
def test_a_limit_is_named_with_what_to_do(run, name, limits, reason):
    with pytest.raises(LimitReached, match=reason) as raised:
        run(name, limits=limits)
    assert raised.value.remedy
    assert "ROSSI" not in str(raised.value)


def test_what_it_prints_goes_nowhere(run, capfd):
    assert run("chatters") == "done"
    assert capfd.readouterr() == ("", "")


def test_nonsense_on_the_pipe_is_no_answer(run):
    with pytest.raises(LimitReached, match="no answer") as raised:
        run("speaks_nonsense")
    assert "ROSSI" not in str(raised.value)


def test_it_gets_no_secret_of_the_surroundings(run, monkeypatch, tmp_path):
    monkeypatch.setenv("COHORTEX_DATABASE_URL", "postgresql://secret")
    told = run("tells_its_surroundings", arguments={"secret": "hidden"})
    assert not [name for name in told["environment"] if "COHORTEX" in name]
    assert "hidden" not in str(told["words"])
    assert told["folder"] == str(tmp_path)


def test_what_it_starts_ends_with_it(run):
    assert gone_soon(run("leaves_a_child_behind"))


def test_it_ends_when_the_caller_wants_to_stop(run, tmp_path):
    class Stop(Exception):
        pass

    def stop(_):
        raise Stop

    with pytest.raises(Stop):
        run("sleeps", arguments={"mark": str(tmp_path / "pid")}, progress=stop)
    assert gone_soon(int((tmp_path / "pid").read_text()))


def test_it_ends_when_the_caller_is_killed(tmp_path):
    script = textwrap.dedent(
        f"""
        import sys
        sys.path[:] = {[*sys.path, str(Path(__file__).parent)]!r}
        from pathlib import Path
        from cohortex.study.check import CheckLimits
        from cohortex.study.check.confined import run_confined
        run_confined("hostile:sleeps", {{"mark": {str(tmp_path / "pid")!r}}}, scratch=Path({str(tmp_path)!r}),
                     limits=CheckLimits())
        """
    )
    caller = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 30
    while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.2)
    child = int((tmp_path / "pid").read_text())
    os.kill(caller.pid, signal.SIGKILL)
    caller.wait()
    assert gone_soon(child)


@pytest.mark.parametrize("name", ["memory_bytes", "cpu_s", "wall_s", "file_bytes", "open_files"])
def test_a_limit_of_nothing_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} is 0"):
        CheckLimits(**{name: 0})
