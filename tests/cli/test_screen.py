"""What is drawn on a terminal while work goes on, and what is left of it."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from cohortex.cli import screen
from cohortex.progress import Progress

_ERASE = "\x1b[2K"
_UP = "\x1b[1A"


@pytest.fixture
def terminal(monkeypatch) -> StringIO:
    """What a terminal of 100 columns is sent."""
    sent = StringIO()
    monkeypatch.setattr(screen, "console", Console(force_terminal=True, file=sent, width=100, highlight=False))
    return sent


def test_one_row_says_what_is_under_way_and_is_gone_when_the_work_is(terminal):
    with screen.progress_bars() as progress:
        for done, task in enumerate(("read the files", "find the brain", "outline lesions")):
            progress(Progress(task=task, done=done, total=3))
        screen.console.print("One lesion: new")  # as a demo does between two visits
        progress(Progress(task="bring the visits together", done=0.5, total=2))
    sent = terminal.getvalue()
    assert "bring the visits together" in sent
    assert f"{_UP}{_ERASE}{_UP}" not in sent  # two rows would be erased so
    left = sent[sent.rindex(_ERASE) + len(_ERASE) :]
    assert left.replace("\x1b[?25h", "").strip() == ""
    kept = [line for line in sent.split("\n") if "One lesion: new" in line]
    assert len(kept) == 1


@pytest.mark.parametrize("on_terminal", [True, False])
def test_steps_done_by_an_earlier_run_are_told_once(on_terminal, terminal, monkeypatch, capsys):
    if not on_terminal:
        monkeypatch.setattr(screen, "console", Console(file=terminal))
    with screen.progress_bars() as progress:
        for done in range(3):
            progress(Progress(task="find the brain", done=done, total=2, earlier=12))
    assert (terminal.getvalue() + capsys.readouterr().err).count("12 of 14 steps were done already") == 1


def test_nothing_is_said_of_an_earlier_run_where_there_was_none(terminal, capsys):
    with screen.progress_bars() as progress:
        progress(Progress(task="find the brain", done=1, total=2))
    assert "already" not in terminal.getvalue() + capsys.readouterr().err


@pytest.mark.parametrize("command", ["process", "compare"])
def test_a_run_stopped_by_the_keyboard_says_how_to_go_on(command, cohortex, uploads, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("cohortex.pipeline.process_visit", stop)
    monkeypatch.setattr("cohortex.pipeline.compare_visits", stop)
    visits = sorted(uploads.glob("*.zip"))[: 2 if command == "compare" else 1]
    said = cohortex(command, *visits, "-o", tmp_path / "out")
    assert said.code == 130
    assert said.err.endswith("stopped; run the same command again to go on where it stopped")
    assert not said.out
