"""A result says what it found in the language of the page, with the numbers of the report."""

from __future__ import annotations

import pytest

from cohortex.server.catalogue import catalogue
from cohortex.server.pages.findings import finding_of

ITALIAN = catalogue("it")


def result(kind: str, **summary: object) -> dict[str, object]:
    return {"kind": kind, "headline": "As the report says.", "summary": summary}


def test_in_the_language_of_the_report_its_own_words_stand():
    assert finding_of(result("visit", lesion_count=2, lesion_volume_ml=1.0), catalogue("en")) == "As the report says."


def test_a_visit_says_count_and_volume():
    assert (
        finding_of(result("visit", lesion_count=2, lesion_volume_ml=13.52), ITALIAN) == "2 lesioni, 13,5 ml in tutto."
    )
    assert finding_of(result("visit", lesion_count=0, lesion_volume_ml=0.0), ITALIAN) == "Nessuna lesione delineata."


def test_a_comparison_says_what_became_of_the_lesions_and_of_their_volume():
    found = result("comparison", event_counts={"new": 1, "same": 4}, lesion_volume_ml=12.0, change_ml=-3.0)
    expected = "Lesioni: una nuova, 4 invariate; volume totale 15,0 → 12,0 ml (−20 %)."
    assert finding_of(found, ITALIAN) == expected


def test_a_volume_that_was_nothing_before_has_no_share():
    found = result("comparison", event_counts={"new": 2}, lesion_volume_ml=3.0, change_ml=3.0)
    assert finding_of(found, ITALIAN) == "Lesioni: 2 nuove; volume totale 0,0 → 3,0 ml."


def test_a_deviation_says_how_many_regions_and_of_how_many_others():
    found = result("deviation", groups_intensity=15, groups_volume=6, n=7)
    assert finding_of(found, ITALIAN).startswith(
        "15 regioni di altra luminosità e 6 di altro volume rispetto agli altri 7"
    )


@pytest.mark.parametrize("kind", ["visit", "comparison", "deviation"])
def test_what_has_no_numbers_says_what_the_report_says(kind):
    assert finding_of(result(kind), ITALIAN) == "As the report says."
