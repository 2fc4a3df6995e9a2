"""Places of the brain in Italian: every phrase the analysis can make, and none it cannot."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from cohortex.server.catalogue import place_in_words
from cohortex.templates import describe_place
from cohortex.templates.regions import REGIONS, _words


@pytest.mark.parametrize(
    ("place", "italian"),
    [
        ("left frontal white matter", "sostanza bianca frontale, a sinistra"),
        ("right parietal and frontal white matter", "sostanza bianca parietale e frontale, a destra"),
        ("left temporal periventricular white matter", "sostanza bianca periventricolare temporale, a sinistra"),
        ("right basal ganglia", "nuclei della base, a destra"),
        ("bilateral corpus callosum and frontal", "corpo calloso e regione frontale, bilaterale"),
        ("fourth ventricle", "quarto ventricolo"),
        ("left insular grey matter, reaching the thalamus", "sostanza grigia insulare, fino al talamo, a sinistra"),
        ("outside the brain", "fuori dall'encefalo"),
    ],
)
def test_a_place_is_said_in_italian_with_its_side(place, italian):
    assert place_in_words(place, "it") == italian
    assert place_in_words(place, "en") == place


def test_every_phrase_of_the_analysis_is_known():
    phrases = set()
    named = [region for region in REGIONS if region != "outside"]
    pairs = [[first] for first in named] + [list(pair) for pair in itertools.permutations(named, 2)]
    for side, tissue, regions, near, z in itertools.product(
        ("left", "right", "midline", "both"), ("grey matter", "white matter", "fluid"), pairs, (False, True), (-30, 20)
    ):
        phrases.add(_words(side, tissue, regions, near, np.array([0.0, 40.0, z])))
    assert len(phrases) > 300
    assert sorted(phrase for phrase in phrases if place_in_words(phrase, "it") == phrase) == []


def test_left_and_right_stay_what_they_are():
    left, right = describe_place((30, 10, 30)).words, describe_place((-30, 10, 30)).words
    assert place_in_words(left, "it").endswith("a sinistra")
    assert place_in_words(right, "it").endswith("a destra")


def test_words_that_are_not_known_stay_as_they_are():
    assert place_in_words("near the pineal gland", "it") == "near the pineal gland"
