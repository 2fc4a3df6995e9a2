"""One sentence that says what differs, or what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cohortex.lesions.lesion import EventKind, LesionEvent
from cohortex.pipeline.results import ComparisonResult, VisitResult
from cohortex.pipeline.visits.pair import ONE_PERSON, ORDER, TWO_EXAMINATIONS
from cohortex.report.catalogue import ENGLISH
from cohortex.report.wording import count_text, percent_change, percent_text, volume_text

IMPORTANCE: tuple[EventKind, ...] = ("new", "grown", "merged", "split", "shrunk", "gone", "same")
"""Events from what a reader must see first to what needs no look."""

_MOST_WORDS = 18  # for the events: with the total about 25, which is read at one glance
_WORDS_OF_OTHERS = 2  # "six others"
_DOUBTS = {ONE_PERSON: "doubt_person", TWO_EXAMINATIONS: "doubt_examination", ORDER: "doubt_order"}


def headline(result: VisitResult | ComparisonResult, *, text: Mapping[str, str] = ENGLISH) -> str:
    """Say in one sentence what was found at a visit, or what changed between two.

    Parameters
    ----------
    result : VisitResult or ComparisonResult
        What was found.
    text : mapping
        The catalogue of words.

    Returns
    -------
    str
        One sentence with its full stop; before it, what puts the whole comparison in doubt. Events are named from the
        most to the least urgent; one that is alone of its kind is told with its place, volume or change, of several
        new or grown ones the largest change, the most urgent first, as far as about 25 words go; beyond, new ones keep
        their place and the least urgent are counted together. Regions that differ from the template are counted
        where no lesion was looked for but the alignment with the template converged.
    """
    if isinstance(result, VisitResult):
        return _visit_sentence(result, text)
    return _comparison_sentence(result, text)


def by_importance(events: Sequence[LesionEvent]) -> list[LesionEvent]:
    """Order events for the reader: by kind as in `IMPORTANCE`, then the largest change or volume first."""
    return sorted(
        events,
        key=lambda e: (
            IMPORTANCE.index(e.event),
            -abs(e.change_ml) if e.event != "same" else 0.0,
            -max(e.baseline_volume_ml, e.follow_up_volume_ml),
            e.follow_up_labels,
            e.baseline_labels,
        ),
    )


def _visit_sentence(result: VisitResult, text: Mapping[str, str]) -> str:
    lesions = sorted(result.lesions, key=lambda lesion: -lesion.volume_ml)
    if result.not_outlined:
        found = text["not_outlined"].format(reason=result.not_outlined)
    elif not lesions:
        found = text["no_lesion"].format(contrast=result.lesion_contrast)
    elif len(lesions) == 1:
        found = text["one_lesion"].format(
            contrast=result.lesion_contrast, place=lesions[0].place, volume=volume_text(lesions[0].volume_ml)
        )
    else:
        found = text["lesions"].format(
            count=count_text(len(lesions), start=True),
            contrast=result.lesion_contrast,
            total=volume_text(sum(lesion.volume_ml for lesion in lesions)),
            volume=volume_text(lesions[0].volume_ml),
            place=lesions[0].place,
        )
    if not (result.not_outlined and result.alignment.converged):
        return f"{found}."  # among the regions that differ are the lesions; without an alignment they mean nothing
    n = len(result.differing_regions)
    key = "regions_none" if n == 0 else "regions_one" if n == 1 else "regions_many"
    return f"{found}; {text[key].format(count=count_text(n))}."


def _comparison_sentence(result: ComparisonResult, text: Mapping[str, str]) -> str:
    events = by_importance(result.events)
    doubt = "".join(f"{text[_DOUBTS[flag.check]]} " for flag in result.notices if flag.check in _DOUBTS)
    reason = result.baseline.not_outlined or result.follow_up.not_outlined
    if reason:
        return doubt + text["not_outlined"].format(reason=reason) + "."
    if not events:
        return doubt + text["no_lesion_twice"]
    return f"{doubt}{_events_told(events, text)}; {_total(result, text)}."


def _events_told(events: list[LesionEvent], text: Mapping[str, str]) -> str:
    kinds: dict[EventKind, list[LesionEvent]] = {}
    for event in events:
        kinds.setdefault(event.event, []).append(event)
    count = count_text(len(events), start=True)
    if len(kinds) == 1 and len(events) > 1:
        return _all_of_a_kind(events, count, text)
    if set(kinds) == {"same"}:
        return text["one_unchanged"]
    if len(events) == 1:
        return f"{text['one']}: {_told(events, text, alone=True)}"
    start = text["many"].format(count=count) + ": "
    for detailed in range(len(kinds), 0, -1):  # the table has what is left out here
        told = start + ", ".join(
            _told(group, text) if number < detailed else _counted(group, text)
            for number, group in enumerate(kinds.values())
        )
        if len(told.split(" ")) <= _MOST_WORDS:
            return told
    if "new" in kinds:
        return start + _new_and_others(list(kinds.values()), text, room=_MOST_WORDS - len(start.split()))
    return start + ", ".join(_counted(group, text) for group in kinds.values())


def _new_and_others(groups: list[list[LesionEvent]], text: Mapping[str, str], *, room: int) -> str:
    """Tell the new lesions in full and count other kinds as far as `room` words go; the rest are counted together."""
    told = _told(groups[0], text)
    for number, group in enumerate(groups[1:], start=1):
        longer = f"{told}, {_counted(group, text)}"
        rest = groups[number + 1 :]
        if rest and len(longer.split(" ")) + _WORDS_OF_OTHERS > room:
            others = text["others"].format(count=count_text(len(group) + sum(map(len, rest))))
            return f"{told}, {others}"
        told = longer
    return told


def _all_of_a_kind(events: list[LesionEvent], count: str, text: Mapping[str, str]) -> str:
    if events[0].event != "same":
        return text["all_of_a_kind"].format(count=count, event=text[events[0].event])
    return text["two_unchanged"] if len(events) == 2 else text["all_unchanged"].format(count=count)


def _told(events: list[LesionEvent], text: Mapping[str, str], *, alone: bool = False) -> str:
    """Tell the events of one kind: "one new (left frontal white matter, 0.42 ml)", "two grown"."""
    kind = events[0].event
    told = text[kind] if alone else _counted(events, text)
    event = events[0]
    if kind == "same":
        return told
    if len(events) > 1:
        if kind not in ("new", "grown"):
            return told
        volume = volume_text(event.change_ml)
        return f"{told} ({text['most'].format(place=event.place, volume=volume)})"
    if kind == "new":
        return f"{told} ({event.place}, {volume_text(event.follow_up_volume_ml)} ml)"
    if kind == "gone":
        return f"{told} ({event.place}, was {volume_text(event.baseline_volume_ml)} ml)"
    if kind in ("grown", "shrunk"):
        where = f"{event.place}, " if alone else ""
        return f"{told} ({where}{percent_text(event.change_percent)})"
    return f"{told} ({event.place})"


def _counted(events: list[LesionEvent], text: Mapping[str, str]) -> str:
    return f"{count_text(len(events))} {text[events[0].event]}"


def _total(result: ComparisonResult, text: Mapping[str, str]) -> str:
    before, after = result.baseline_total_ml, result.follow_up_total_ml
    percent = percent_change(before, after)
    key = "total_change_from_none" if percent is None else "total_change"
    return text[key].format(before=volume_text(before), after=volume_text(after), percent=percent_text(percent))
