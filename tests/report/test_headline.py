"""The one sentence: what differs, what changed, in words a physician would say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from cohortex.lesions.lesion import EventKind, LesionEvent
from cohortex.measure import QualityFlag
from cohortex.pipeline.results import ComparisonResult, VisitResult
from cohortex.pipeline.visits.pair import ONE_PERSON, ORDER, TWO_EXAMINATIONS
from cohortex.report import headline
from cohortex.report.catalogue import ENGLISH
from cohortex.report.headline import IMPORTANCE, by_importance


def event(
    kind: EventKind, before: float, after: float, *, place: str = "left frontal white matter", label: int = 1
) -> LesionEvent:
    return LesionEvent(
        event=kind,
        baseline_labels=(label,) if before else (),
        follow_up_labels=(label,) if after else (),
        baseline_volume_ml=before,
        follow_up_volume_ml=after,
        change_ml=after - before,
        change_sd_ml=0.05,
        change_percent=100 * (after - before) / before if before else None,
        place=place,
    )


@pytest.fixture
def told(comparison: ComparisonResult) -> Callable[..., str]:
    def tell(*events: LesionEvent) -> str:
        before = sum(e.baseline_volume_ml for e in events)
        after = sum(e.follow_up_volume_ml for e in events)
        return headline(replace(comparison, events=events, baseline_total_ml=before, follow_up_total_ml=after))

    return tell


def test_three_lesions_are_told_from_the_most_urgent(told: Callable[..., str]) -> None:
    assert told(
        event("same", 0.5, 0.5), event("grown", 1.6, 2.624), event("new", 0, 0.42)
    ) == (
        "Three lesions: one new (left frontal white matter, 0.42 ml), one grown (+64\u202f%), one unchanged; "
        "total lesion volume 2.10 → 3.54 ml (+69\u202f%)."
    )  # fmt: skip


def test_one_lesion_is_told_in_the_singular(told: Callable[..., str]) -> None:
    assert told(event("grown", 1.0, 1.5)) == (
        "One lesion: grown (left frontal white matter, +50\u202f%); total lesion volume 1.00 → 1.50 ml (+50\u202f%)."
    )
    assert told(event("same", 1.0, 1.1)).startswith("One lesion, unchanged; total lesion volume 1.00 → 1.10 ml")


def test_a_first_lesion_has_no_percentage(told: Callable[..., str]) -> None:
    assert told(event("new", 0, 0.42)) == (
        "One lesion: new (left frontal white matter, 0.42 ml); total lesion volume 0.00 → 0.42 ml."
    )


def test_a_last_lesion_gone_says_what_it_was(told: Callable[..., str]) -> None:
    assert told(event("gone", 0.42, 0)) == (
        "One lesion: gone (left frontal white matter, was 0.42 ml); total lesion volume 0.42 → 0.00 ml (−100\u202f%)."
    )


def test_no_lesion_at_all_is_said_plainly(told: Callable[..., str]) -> None:
    assert told() == "No lesion was outlined at either visit."


@pytest.mark.parametrize(
    ("count", "start"),
    [(2, "Two lesions, both unchanged;"), (5, "Five lesions, all unchanged;"), (13, "13 lesions, all unchanged;")],
)
def test_unchanged_lesions_are_counted(told: Callable[..., str], count: int, start: str) -> None:
    assert told(*(event("same", 1, 1) for _ in range(count))).startswith(start)


def test_of_several_of_one_kind_the_most_is_told(told: Callable[..., str]) -> None:
    sentence = told(event("new", 0, 1), event("new", 0, 2), event("split", 3, 3), event("gone", 2, 0))
    assert sentence.startswith(
        "Four lesions: two new (most: left frontal white matter, +2.00 ml), one split, one gone; "
    )
    assert told(event("new", 0, 1), event("new", 0, 2)).startswith("Two lesions, all new; ")


def test_events_are_ordered_by_kind_then_change() -> None:
    events = [event(kind, 1, 2) for kind in reversed(IMPORTANCE)] + [event("new", 0, 9)]
    ordered = by_importance(events)
    assert ordered[0].follow_up_volume_ml == 9
    assert [e.event for e in ordered[1:]] == list(IMPORTANCE)
    assert by_importance(ordered[::-1]) == ordered


def test_visit_is_told_in_one_sentence(visit: VisitResult) -> None:
    lesion = replace(visit.lesions[0], volume_ml=0.42)
    one = replace(visit, lesions=(lesion,), differing_regions=visit.differing_regions[:1])
    assert headline(one) == "One lesion outlined on FLAIR: left frontal white matter, 0.42 ml."
    assert headline(replace(one, lesions=(), differing_regions=())) == "No lesion was outlined on FLAIR."
    two = replace(visit, lesions=(lesion, replace(lesion, volume_ml=2.1, place="brain stem")))
    assert headline(two) == "Two lesions outlined on FLAIR, 2.52 ml together, the largest 2.10 ml (brain stem)."


def test_every_event_has_its_word() -> None:
    assert all(ENGLISH[kind] for kind in IMPORTANCE)


def test_what_was_not_looked_for_is_not_called_absent(visit: VisitResult):
    result = replace(visit, lesions=(), not_outlined="the alignment with the template failed")
    assert headline(result).startswith("Lesions were not outlined: the alignment with the template failed;")


def test_nothing_is_said_about_the_template_where_the_alignment_with_it_failed(visit: VisitResult) -> None:
    lost = replace(
        visit,
        lesions=(),
        not_outlined="the alignment with the template failed",
        alignment=replace(visit.alignment, converged=False),
    )
    assert headline(lost) == "Lesions were not outlined: the alignment with the template failed."


def test_all_differing_regions_are_counted_where_no_lesion_was_looked_for(visit: VisitResult) -> None:
    many = replace(visit, lesions=(), not_outlined="CT alone", differing_regions=visit.differing_regions[:1] * 31)
    assert headline(many).endswith("; 31 regions differ from the template.")


def test_of_many_kinds_the_most_urgent_is_told_and_the_rest_counted(told: Callable[..., str]) -> None:
    events = [event(kind, 1 if kind != "new" else 0, 2 if kind != "gone" else 0) for kind in IMPORTANCE]
    assert told(*events[:5]).startswith(
        "Five lesions: one new (left frontal white matter, 2.00 ml), one grown, one merged, one split, one shrunk; "
    )
    for count in range(1, 1 + len(events)):
        sentence = told(*events[:count])
        assert len(sentence.split(" ")) <= 26, sentence
    assert all(ENGLISH[kind] in told(*events[1:]) for kind in IMPORTANCE[1:])


@pytest.mark.parametrize(
    ("place", "counted"),
    [
        ("left temporal white matter", "two grown, one merged, one split, six others"),
        ("left parietal and frontal white matter", "two grown, one merged, seven others"),
    ],
)
def test_the_largest_new_lesion_keeps_its_place_among_many_kinds(
    told: Callable[..., str], place: str, counted: str
) -> None:
    small = [event("grown", 1, 2), event("grown", 1, 2), *(event(k, 1, 1) for k in ("merged", "split", "shrunk"))]
    events = [event("new", 0, 0.31, place=place), *small, event("gone", 1, 0), *[event("same", 1, 1)] * 4]
    sentence = told(*events)
    assert sentence.startswith(f"Eleven lesions: one new ({place}, 0.31 ml), {counted}; ")
    assert len(sentence.split(" ")) <= 26
    with_one_more = told(event("new", 0, 0.2), *events)
    assert with_one_more.startswith(f"Twelve lesions: two new (most: {place}, +0.31 ml), ")


def test_a_kind_that_is_alone_is_named_and_not_called_another(told: Callable[..., str]) -> None:
    place = "left parietal and frontal white matter beside the ventricle"
    new, grown = event("new", 0, 0.31, place=place), event("grown", 1, 2)
    assert told(new, event("new", 0, 0.1), grown).split(";")[0].endswith(f"(most: {place}, +0.31 ml), one grown")
    assert told(new, grown, event("gone", 1, 0)).split(";")[0].endswith(f"({place}, 0.31 ml), two others")


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (ORDER, "Perhaps in the wrong order."),
        (ONE_PERSON, "Perhaps of two persons."),
        (TWO_EXAMINATIONS, "Perhaps one visit twice."),
        ("names of the visits", ""),
    ],
)
def test_what_puts_the_comparison_in_doubt_stands_before_what_changed(
    comparison: ComparisonResult, check: str, words: str
) -> None:
    flag = QualityFlag(check=check, level="warn", message="Check it.")
    doubted = replace(comparison, notices=(flag,))
    assert headline(doubted) == f"{words} {headline(comparison)}".strip()
    nothing = replace(doubted, events=())
    assert headline(nothing) == f"{words} No lesion was outlined at either visit.".strip()
