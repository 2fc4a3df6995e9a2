from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

import pytest

from cohortex.study.records.fields import all_fields, field, field_json, fields_for, form_json, sources
from cohortex.study.records.value import parse_value
from cohortex.study.records.wording import FINDINGS, MISSING_WORDS, PROBLEMS, SECTION_WORDS, TABLE

FIELDS = [pytest.param(known, id=known.name) for known in all_fields()]


def test_every_section_of_the_form_has_fields():
    assert {known.section for known in all_fields()} == set(SECTION_WORDS)


def test_no_field_takes_free_text_about_a_person():
    assert {known.kind for known in all_fields()} <= {"choice", "number", "day", "yes-no"}


@pytest.mark.parametrize("known", FIELDS)
def test_a_field_has_what_its_kind_needs(known):
    assert (known.kind == "choice") == bool(known.choices)
    assert (known.kind in ("number", "day")) == (known.limits is not None)
    assert (known.kind == "number") == bool(known.unit) == bool(known.loinc)
    assert known.missing
    assert set(known.missing) <= set(MISSING_WORDS)
    assert known.applies_to
    assert known.label.en
    assert known.label.it
    assert known.help.en
    assert known.help.it


@pytest.mark.parametrize("known", [p for p in FIELDS if p.values[0].kind == "number"])
def test_a_number_counts_one_for_one_in_its_own_unit(known):
    assert known.units[known.unit] == Decimal(1)
    assert known.limits.low < known.limits.high
    asked = [limit for limit in (known.limits.ask_low, known.limits.ask_high) if limit is not None]
    assert all(known.limits.low < limit < known.limits.high for limit in asked)


@pytest.mark.parametrize("known", [p for p in FIELDS if p.values[0].kind == "choice"])
def test_no_two_choices_answer_to_the_same_word_and_none_is_a_reason(known):
    words = Counter(
        word.casefold().replace(" ", "_")
        for choice in known.choices
        for word in {choice.value, choice.label.en, choice.label.it, *(code.value for code in choice.codes)}
    )
    by_choice = Counter(code for choice in known.choices for code in {(c.system, c.value) for c in choice.codes})
    assert max(by_choice.values(), default=1) == 1
    assert not set(words) & set(MISSING_WORDS)
    for choice in known.choices:
        for text in (choice.value, choice.label.en, choice.label.it):
            assert parse_value(known, text).value == choice.value


@pytest.mark.parametrize("known", FIELDS)
def test_sources_are_named_and_only_confirmed_codes_are_there(known):
    assert set(known.source.split(", ")) - {""} <= set(sources())
    assert bool(known.source) == (known.certainty != "D")
    assert {code.certainty for choice in known.choices for code in choice.codes} <= {"C", "C2"}


def test_the_form_is_json_and_speaks_both_languages():
    english, italian = (json.loads(json.dumps(form_json(language))) for language in ("en", "it"))
    assert [s["label"] for s in english["sections"]] != [s["label"] for s in italian["sections"]]
    assert sum(len(section["fields"]) for section in english["sections"]) == len(all_fields())


def test_a_field_for_the_form_holds_what_the_page_reads():
    crp = field_json(field("crp"), "it")
    assert crp["label"] == "Proteina C reattiva"
    assert crp["units"] == ["mg/L", "mg/dL", "ug/mL"]
    assert crp["limits"] == {"low": 0, "high": 1000, "ask_low": None, "ask_high": 500}
    assert crp["missing"][0] == {"value": "not_done", "label": "non eseguito"}
    assert crp["comparators"] is True
    leukaemia = field_json(field("leukaemia_type"))
    assert leukaemia["choices"][0] == {
        "value": "ALL",
        "label": "acute lymphoblastic (ALL)",
        "code": "C91.0",
        "system": "ICD-10",
    }


def test_a_first_examination_is_not_asked_for_its_outcome():
    assert "alive" not in {known.name for known in fields_for("first")}
    assert "leukaemia_type" not in {known.name for known in fields_for("follow-up")}


def test_a_field_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match=r"the fields are leukaemia_type, .*alive"):
        field("surname")
    with pytest.raises(ValueError, match="no such choice; it has ALL, AML"):
        field("leukaemia_type").choice("MDS")


def test_every_sentence_is_there_in_both_languages():
    pairs = [*(w for pair in (*PROBLEMS.values(), *TABLE.values()) for w in pair), *FINDINGS.values()]
    for words in pairs:
        assert words.en
        assert words.it
        assert words.en != words.it
        parts = [{part.split("}")[0] for part in text.split("{")[1:]} for text in (words.en, words.it)]
        assert parts[0] == parts[1]
