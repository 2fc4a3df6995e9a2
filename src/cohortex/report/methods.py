"""The methods as a reader wants them: each sentence once, each step once, and what held for one visit only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cohortex.report.catalogue import ENGLISH
from cohortex.report.record import Record

_NOT_SHOWN = frozenset({"slice_numbers"})  # 1 to N, of no use to a reader; the record keeps them


def methods_of(record: Record, *, text: Mapping[str, str] = ENGLISH) -> list[Record]:
    """Gather the methods of a visit or a comparison for its page.

    Parameters
    ----------
    record : dict
        `visit_record` or `comparison_record`.
    text : mapping
        The catalogue of words.

    Returns
    -------
    list of dict
        Parts with "title", "sentences" and "steps", in the order of the work. A part's sentences and steps are
        distinct. Of a comparison the first part holds what was done at each visit, where "visit" of a sentence or step
        is that of the only visit it was done at, else empty; the second what was done with both.
    """
    if "baseline" not in record:
        return [_part("", [(record["methods"], "")])]
    before, after = (record[side]["methods"] for side in ("baseline", "follow_up"))
    alone = {_key(method) for method in (*before, *after)}
    said = {method["sentence"] for method in (*before, *after)}
    together = [
        {**method, "sentence": "" if method["sentence"] in said else method["sentence"]}
        for method in record["methods"]
        if _key(method) not in alone
    ]
    return [
        _part(text["methods_each"], [(before, text["baseline"]), (after, text["follow_up"])]),
        _part(text["methods_both"], [(together, "")]),
    ]


def _part(title: str, sides: Sequence[tuple[Sequence[Record], str]]) -> Record:
    """One part, from the methods of each side and its name."""
    sentences: dict[str, list[str]] = {}  # words -> sides
    steps: dict[str, list[str]] = {}  # key -> sides
    records: dict[str, Record] = {}
    for methods, side in sides:
        for method in methods:
            key = _key(method)
            records.setdefault(key, {**method, "parameters": _shown(method)})
            steps.setdefault(key, []).append(side)
            if method["sentence"]:
                sentences.setdefault(method["sentence"], []).append(side)

    def only_at(found: Sequence[str]) -> str:
        return found[0] if len(set(found)) < len(sides) else ""

    return {
        "title": title,
        "sentences": [{"words": words, "visit": only_at(found)} for words, found in sentences.items()],
        "steps": [{**records[key], "visit": only_at(found)} for key, found in steps.items()],
    }


def _shown(method: Record) -> Record:
    return {name: value for name, value in method["parameters"].items() if name not in _NOT_SHOWN}


def _key(method: Record) -> str:
    return repr((method["step"], method["version"], sorted(_shown(method).items())))
