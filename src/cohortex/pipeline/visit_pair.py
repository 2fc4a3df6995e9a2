"""The two visits of a comparison: which they are, in which order, and what is doubtful about the pair."""

from __future__ import annotations

import filecmp
from dataclasses import replace
from pathlib import Path

from cohortex.errors import VisitProblem
from cohortex.measure import QualityFlag
from cohortex.pipeline.study_code import is_neutral
from cohortex.pipeline.visit_order import order_of_dates, order_of_names
from cohortex.pipeline.visits import VisitSource, find_visits

_IN_ORDER = "give them in order: cohortex compare FIRST SECOND"


def find_visit_pair(baseline: Path, follow_up: Path | None = None) -> tuple[VisitSource, VisitSource]:
    """Find the two visits of a patient in two paths, or in one that holds exactly two.

    Parameters
    ----------
    baseline : Path
        The earlier visit; or a folder of two, which are put in order by their study dates, else by their names.
    follow_up : Path, optional
        The later visit. The order given is kept; `doubts_about` says where it looks wrong.

    Returns
    -------
    pair of VisitSource
        The earlier and the later one, with different names; of one study code but where both names bear a code.

    Raises
    ------
    VisitProblem
        If a path holds another number of visits, both are the same, a folder holds two persons, or the order of its
        visits is not evident; with their names.
    """
    pair = _pair_in(baseline) if follow_up is None else _pair_of(baseline, follow_up)
    if _are_copies(*pair):
        raise VisitProblem(
            f"{pair[0].paths[0].name} and {pair[1].paths[0].name} are the same, byte for byte: one visit was copied "
            "twice. Give two visits of the patient."
        )
    return _told_apart(*_under_one_code(*pair))


def doubts_about(baseline: VisitSource, follow_up: VisitSource) -> tuple[QualityFlag, ...]:
    """Say what looks wrong about a pair of visits: two persons, or the wrong order.

    Parameters
    ----------
    baseline, follow_up : VisitSource
        The visits as they will be compared.

    Returns
    -------
    tuple of QualityFlag
        Empty where nothing does. Dates are compared, never told.
    """
    doubts = []
    codes = baseline.study_code, follow_up.study_code
    if codes[0] != codes[1] and not any(map(is_neutral, codes)):
        message = (
            f"The visits bear the codes of two persons ({codes[0]}, {codes[1]}): what changed between them means "
            "nothing unless both are one. Check the files; set one code with --study-code if they are."
        )
        doubts.append(QualityFlag(check="one person", level="fail", message=message))
    names = f"the follow-up ({follow_up.visit})", f"the baseline ({baseline.visit})"
    by_dates = order_of_dates(baseline.paths, follow_up.paths)
    by_names = order_of_names(baseline.visit, follow_up.visit)
    if by_dates == "later":
        message = (
            f"By the study dates in their headers {names[0]} was scanned before {names[1]}: what is called new may be "
            "gone, what grew may have shrunk. If so, give the visits in the other order."
        )
        doubts.append(QualityFlag(check="order of the visits", level="warn", message=message))
    elif by_names == "later":
        known = " The study dates in their headers say the order used here." if by_dates == "earlier" else ""
        message = f"By their names {names[0]} came before {names[1]}.{known} Check which is the earlier."
        doubts.append(QualityFlag(check="order of the visits", level="warn", message=message))
    return tuple(doubts)


def _pair_in(folder: Path) -> tuple[VisitSource, VisitSource]:
    found = find_visits(folder)
    if len(found) != 2:
        raise VisitProblem(f"{_how_many(folder, found)}; give two, or a folder of two.")
    first, second = found
    if first.study_code != second.study_code:
        raise VisitProblem(
            f"{folder.name} holds one visit each of two persons by its names ({_told(first)} of {first.study_code}, "
            f"{_told(second)} of {second.study_code}). Give a folder of one person; if they are one, {_IN_ORDER}."
        )
    order = order_of_dates(first.paths, second.paths)
    if order == "not known":
        order = order_of_names(first.visit, second.visit)
    if order == "not known":
        raise VisitProblem(
            f"{folder.name}: whether {_told(first)} or {_told(second)} came first is not evident from their names or "
            f"study dates; {_IN_ORDER}."
        )
    return (first, second) if order == "earlier" else (second, first)


def _pair_of(baseline: Path, follow_up: Path) -> tuple[VisitSource, VisitSource]:
    pair = []
    for path in (baseline, follow_up):
        found = find_visits(path)
        if len(found) != 1:
            raise VisitProblem(f"{_how_many(path, found)}; give one of them.")
        pair.append(found[0])
    if _share_files(*pair):
        raise VisitProblem(
            f"{baseline.name} and {follow_up.name} are the same visit, or one holds the other; give two visits of the "
            "patient, the earlier first."
        )
    return pair[0], pair[1]


def _share_files(first: VisitSource, second: VisitSource) -> bool:
    paths = [[path.resolve() for path in visit.paths] for visit in (first, second)]
    return any(one.is_relative_to(other) or other.is_relative_to(one) for one in paths[0] for other in paths[1])


def _are_copies(first: VisitSource, second: VisitSource) -> bool:
    files = [sorted(visit.paths, key=lambda path: path.name) for visit in (first, second)]
    return len(files[0]) == len(files[1]) and all(
        one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)
        for one, other in zip(*files, strict=True)
    )


def _under_one_code(first: VisitSource, second: VisitSource) -> tuple[VisitSource, VisitSource]:
    """One code for both, of the baseline first, unless both names bear codes: these are not overruled."""
    if not is_neutral(second.study_code) and is_neutral(first.study_code):
        return replace(first, study_code=second.study_code), second
    return first, replace(second, study_code=first.study_code) if is_neutral(second.study_code) else second


def _told_apart(first: VisitSource, second: VisitSource) -> tuple[VisitSource, VisitSource]:
    """Two visits of one name, also where the second was numbered for it, are baseline and follow-up."""
    numbered = first.visit == f"{second.visit}-2" or second.visit == f"{first.visit}-2"
    if first.visit == second.visit or (numbered and order_of_names(first.visit, second.visit) == "not known"):
        return replace(first, visit="baseline"), replace(second, visit="follow-up")
    return first, second


def _how_many(path: Path, visits: list[VisitSource]) -> str:
    return f"{path.name} holds {len(visits)} visits ({', '.join(visit.name for visit in visits)})"


def _told(visit: VisitSource) -> str:
    return f"{visit.visit} ({visit.paths[0].name})"
