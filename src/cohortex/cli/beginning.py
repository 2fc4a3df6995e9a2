"""What the commands say before they compute: whom the visits are taken for, and what is doubtful about them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape

from cohortex.cli.screen import errors
from cohortex.pipeline import VisitSource
from cohortex.pipeline.visits import doubts_about
from cohortex.pipeline.visits.study_code import is_neutral
from cohortex.report.catalogue import ENGLISH

_STYLE = {"fail": "bold red", "warn": "yellow"}


def tell_visits(visits: Sequence[VisitSource], *, code_given: bool) -> None:
    """Say of each visit for which code and visit its scans are taken, and what was left out of them."""
    one_person = len({visit.study_code for visit in visits}) == 1
    for visit in visits:
        _say(f"{_code(visit, given=code_given, one_person=one_person)}, {visit.visit}")
        _say_notes(visit)


def tell_pair(baseline: VisitSource, follow_up: VisitSource, *, code_given: bool) -> None:
    """Say which code and visits the scans are taken for, and what is doubtful about the pair."""
    _say(f"{_code(baseline, given=code_given)}, {baseline.visit} → {follow_up.visit}")
    for doubt in doubts_about(baseline, follow_up):
        _say(doubt.message, level=doubt.level)
    for visit in (baseline, follow_up):
        _say_notes(visit)


def _say_notes(visit: VisitSource) -> None:
    for note in visit.notes:
        _say(note, level="warn")


def _code(visit: VisitSource, *, given: bool, one_person: bool = True) -> str:
    if given:
        return f"Study code {visit.study_code}"
    neutral = is_neutral(visit.study_code)
    source = "in place of a name that is not shown, or of none" if neutral else "from names of files and folders"
    remedy = "; --study-code gives another" if one_person else ""  # which stands for one person only
    return f"Study code {visit.study_code} ({source}{remedy})"


def _say(words: str, *, level: str = "") -> None:
    """To the error stream, so that what the command makes stays alone on the other."""
    told = f"[{_STYLE[level]}]{ENGLISH[level]}[/]: " if level else ""
    errors.print(f"{told}{escape(words)}", soft_wrap=True)
