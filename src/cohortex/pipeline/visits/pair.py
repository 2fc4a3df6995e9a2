"""The two visits of a comparison: which they are, in which order, and what is doubtful about the pair."""

from __future__ import annotations

import filecmp
from dataclasses import replace
from pathlib import Path

from cohortex.errors import VisitProblem
from cohortex.measure import QualityFlag
from cohortex.pipeline.visits.finding import VisitSource, find_visits, headers_of, with_headers
from cohortex.pipeline.visits.headers import VisitHeaders
from cohortex.pipeline.visits.order import Order, order_of_dates, order_of_names
from cohortex.pipeline.visits.person import PersonsInHeaders, compare_persons
from cohortex.pipeline.visits.study_code import is_neutral

ONE_PERSON, TWO_EXAMINATIONS, ORDER = "one person", "two examinations", "order of the visits"
"""The checks of `doubts_about` that put the whole comparison in doubt."""

_ROLES = ("baseline", "follow-up")
_IN_ORDER = "give them in order: cohortex compare FIRST SECOND"


def find_visit_pair(
    baseline: Path, follow_up: Path | None = None, *, study_code: str | None = None, same_person: bool = False
) -> tuple[VisitSource, VisitSource]:
    """Find the two visits of a patient in two paths, or in one that holds exactly two.

    Parameters
    ----------
    baseline : Path
        The earlier visit; or a folder of two, which are put in order by their study dates, else by their names.
    follow_up : Path, optional
        The later visit. The order given is kept; `doubts_about` says where it looks wrong.
    study_code : str, optional
        Of the patient, instead of the codes taken from names.
    same_person : bool
        Whether a person vouches for both visits being of one patient where their headers speak of two.

    Returns
    -------
    pair of VisitSource
        The earlier and the later one, with different names and with what their headers say; of one study code but
        where both names bear a code and the headers do not say that they are one person's.

    Raises
    ------
    VisitProblem
        If a path holds another number of visits, both are the same, they are of two persons by their headers or, in a
        folder, by its names, or the order of its visits is not evident; with their names.
    """
    pair = _pair_in(baseline) if follow_up is None else _pair_of(baseline, follow_up)
    if _are_copies(*pair):
        raise VisitProblem(
            f"{pair[0].paths[0].name} and {pair[1].paths[0].name} are the same, byte for byte: one visit was copied "
            "twice. Give two visits of the patient."
        )
    pair = with_headers(pair[0]), with_headers(pair[1])
    if not same_person:
        refuse_two_persons(*pair, given=None if follow_up is None else (baseline, follow_up))
    if study_code is not None:
        return _told_apart(*(replace(visit, study_code=study_code) for visit in pair))
    return _told_apart(*_under_one_code(*pair))


def refuse_two_persons(
    baseline: VisitSource, follow_up: VisitSource, *, given: tuple[Path, Path] | None = None
) -> None:
    """Refuse two visits whose DICOM headers speak of two persons; headers that do not speak of any pass.

    Parameters
    ----------
    baseline, follow_up : VisitSource
        The visits.
    given : pair of Path, optional
        What a person gave for them, which may hold them folders deeper; the message names it.

    Raises
    ------
    VisitProblem
        With the files and which entries differ, never what they hold.
    """
    persons = compare_persons(headers_of(baseline), headers_of(follow_up))
    if persons.different:
        first, second = (path.name or path.resolve().name for path in given or (baseline.paths[0], follow_up.paths[0]))
        raise VisitProblem(
            f"{first} and {second} are of two persons by their DICOM headers "
            f"({persons.words}): what changed between them would mean nothing. Check the files; if both are of one "
            "person, such as under two pseudonyms, say so with --same-person."
        )


def doubts_about(baseline: VisitSource, follow_up: VisitSource) -> tuple[QualityFlag, ...]:
    """Say what looks wrong about a pair of visits: two persons, one examination twice, or the wrong order.

    Parameters
    ----------
    baseline, follow_up : VisitSource
        The visits as they will be compared.

    Returns
    -------
    tuple of QualityFlag
        Empty where nothing does. Dates and identities are compared, never told.
    """
    headers = headers_of(baseline), headers_of(follow_up)
    doubts = (
        _doubt_about_persons(compare_persons(*headers), (baseline.study_code, follow_up.study_code)),
        _doubt_about_examinations(*headers),
        _doubt_about_order(baseline, follow_up, by_dates=order_of_dates(*headers)),
    )
    return tuple(doubt for doubt in doubts if doubt is not None)


def _doubt_about_persons(persons: PersonsInHeaders, codes: tuple[str, str]) -> QualityFlag | None:
    if persons.differ and not persons.same:
        message = (
            f"By their DICOM headers the visits may be of two persons ({persons.words}): what changed between them "
            "means nothing unless both are one. Check the files."
        )
        return QualityFlag(check=ONE_PERSON, level="warn", message=message)
    if codes[0] != codes[1] and not any(map(is_neutral, codes)) and not persons.same:
        message = (
            f"The visits bear the codes of two persons ({codes[0]}, {codes[1]}): what changed between them means "
            "nothing unless both are one. Check the files; set one code with --study-code if they are."
        )
        return QualityFlag(check=ONE_PERSON, level="fail", message=message)
    return None


def _doubt_about_examinations(baseline: VisitHeaders, follow_up: VisitHeaders) -> QualityFlag | None:
    if not baseline.examinations & follow_up.examinations:
        return None
    message = (
        "Both visits are of one examination by their headers (Study Instance UID): one may have been given twice. "
        "Check the files."
    )
    return QualityFlag(check=TWO_EXAMINATIONS, level="fail", message=message)


def _doubt_about_order(baseline: VisitSource, follow_up: VisitSource, *, by_dates: Order) -> QualityFlag | None:
    by_names = order_of_names(baseline.visit, follow_up.visit)
    names = _in_role(follow_up, "follow-up"), _in_role(baseline, "baseline")
    if by_dates == "later":
        message = (
            f"By the study dates in their headers {names[0]} was scanned before {names[1]}: what is called new may be "
            "gone, what grew may have shrunk. If so, give the visits in the other order."
        )
        return QualityFlag(check=ORDER, level="warn", message=message)
    if by_names == "later":
        return _doubt_about_names(*names, by_dates=by_dates)
    return None


def _doubt_about_names(follow_up: str, baseline: str, *, by_dates: Order) -> QualityFlag:
    message = f"By their names {follow_up} came before {baseline}."
    if by_dates == "earlier":
        message += " The study dates in their headers say the order used here. Check which is the earlier."
        return QualityFlag(check="names of the visits", level="warn", message=message)
    return QualityFlag(check=ORDER, level="warn", message=f"{message} Check which is the earlier.")


def _in_role(visit: VisitSource, role: str) -> str:
    """The follow-up (visit-2); its name is left out where it says no more."""
    if visit.visit in _ROLES:
        return f"the {role}" if visit.visit == role else f"the {role} (named {visit.visit})"
    return f"the {role} ({visit.visit})"


def _pair_in(folder: Path) -> tuple[VisitSource, VisitSource]:
    found = find_visits(folder)
    if len(found) != 2:
        raise VisitProblem(f"{_how_many(folder, found)}; give two, or a folder of two.")
    first, second = map(with_headers, found)
    headers = headers_of(first), headers_of(second)
    if first.study_code != second.study_code and not compare_persons(*headers).same:
        raise VisitProblem(
            f"{folder.name} holds one visit each of two persons by its names ({_told(first)} of {first.study_code}, "
            f"{_told(second)} of {second.study_code}). Give a folder of one person; if they are one, {_IN_ORDER}."
        )
    order = order_of_dates(*headers)
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
    """One code for both, of the baseline first, unless both names bear codes that the headers do not overrule."""
    shown = [visit.study_code for visit in (first, second) if not is_neutral(visit.study_code)]
    same = compare_persons(headers_of(first), headers_of(second)).same
    if len(set(shown)) > 1 and not same:
        return first, second
    code = shown[0] if shown else first.study_code
    notes: tuple[str, ...] = ()
    if len(set(shown)) > 1:
        notes = (_names_against_headers(*shown),)
    elif not same and first.study_code != second.study_code:
        notes = (_one_code_for_two_names(code),)
    return replace(first, study_code=code), replace(second, study_code=code, notes=(*second.notes, *notes))


def _one_code_for_two_names(code: str) -> str:
    return (
        f"The names of the two visits do not show that they are of one person; {code} was taken as the code of both. "
        "Check that they are, and give the code with --study-code."
    )


def _names_against_headers(first: str, second: str) -> str:
    return (
        f"Names and headers contradict each other: by their names the visits are of two persons ({first}, {second}), "
        f"by their DICOM headers of one; {first} was taken as the code of both. Check that the names are right, and "
        "give the code with --study-code."
    )


def _told_apart(first: VisitSource, second: VisitSource) -> tuple[VisitSource, VisitSource]:
    """Two visits of one name, also where the second was numbered for it, are baseline and follow-up."""
    numbered = first.visit == f"{second.visit}-2" or second.visit == f"{first.visit}-2"
    if first.visit == second.visit or (numbered and order_of_names(first.visit, second.visit) == "not known"):
        return replace(first, visit="baseline"), replace(second, visit="follow-up")
    return first, second


def _how_many(path: Path, visits: list[VisitSource]) -> str:
    count = "one visit" if len(visits) == 1 else f"{len(visits)} visits"
    return f"{path.name} holds {count} ({', '.join(visit.name for visit in visits)})"


def _told(visit: VisitSource) -> str:
    return f"{visit.visit} ({visit.paths[0].name})"
