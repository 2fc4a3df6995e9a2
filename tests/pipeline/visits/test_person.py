"""Two visits are of one person or of two by most of what both headers say."""

import pytest

from cohortex.pipeline.visits.person import PersonsInHeaders


@pytest.mark.parametrize(
    ("agree", "differ", "same", "different"),
    [
        ((), (), False, False),
        (("patient ID",), (), True, False),
        (("birth date",), (), False, False),  # many share one
        (("name",), (), False, False),  # the trial's
        (("name", "birth date"), (), True, False),
        (("patient ID", "birth date"), ("name",), True, False),  # a marriage
        (("name", "birth date"), ("patient ID",), True, False),  # another hospital
        (("patient ID",), ("name",), False, False),
        (("birth date",), ("patient ID", "name"), False, True),  # twins
        ((), ("patient ID",), False, True),
        ((), ("patient ID", "name", "birth date"), False, True),
    ],
)
def test_most_entries_decide(agree, differ, same, different):
    persons = PersonsInHeaders(agree=agree, differ=differ)
    assert (persons.same, persons.different) == (same, different)


@pytest.mark.parametrize(
    ("differ", "words"),
    [
        (("name",), "name differs"),
        (("patient ID", "name"), "patient ID and name differ"),
        (("patient ID", "name", "birth date"), "patient ID, name and birth date differ"),
    ],
)
def test_what_differs_is_told_in_words(differ, words):
    assert PersonsInHeaders(agree=(), differ=differ).words == words
