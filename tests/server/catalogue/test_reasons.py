"""Reasons of uploads are said in the language of the page; what a person wrote stays as it is."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest

from cohortex.errors import CohortexError
from cohortex.server.catalogue import reason_in_words
from cohortex.study.check import wording
from cohortex.study.processing import questions

TABLE = json.loads(files("cohortex.server.catalogue").joinpath("reasons_it.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("everything in it is stored already.", "tutto il contenuto è già conservato."),
        (
            "everything in it is stored already, for AA-0001, visit 2 and AA-0002, visit 1.",
            "tutto il contenuto è già conservato, per AA-0001, visita 2 e AA-0002, visita 1.",
        ),
        ("withdrawn: sent to the wrong visit 2", "ritirato: sent to the wrong visit 2"),
        ("visit 1: not finished within 14 days.", "visita 1: non concluso entro 14 giorni."),
        ("file 3 of 9: it is truncated: its pixels break off.",
         "file 3 di 9: è troncato: i suoi pixel si interrompono."),
        (
            "the headers disagree with what was entered for AA-0001, visit 2: the sex, the birth date. Some series may "
            "show a name or a face in the picture itself.",
            "le intestazioni non concordano con quanto inserito per AA-0001, visita 2: il sesso, la data di nascita. "
            "Alcune serie potrebbero mostrare un nome o un volto nell'immagine stessa.",
        ),
        ("Wrong person. Sent again.", "Wrong person. Sent again."),
        ("words nobody put into the table", "words nobody put into the table"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_reason_is_said_in_the_language(written, said):
    assert reason_in_words(written, "it") == said
    assert reason_in_words(written, "en") == written


def test_every_question_and_every_broken_archive_has_words():
    names = {"code": "AA-0001", "suspected": "AA-0002", "visit": 2, "facts": "the sex, the birth date"}
    asked = [text.format(**names) for pair in questions._WORDS.values() for text in pair]
    problems = [wording.archive_problem(CohortexError(phrase)) for phrase, *_ in wording._ARCHIVE]
    told = [*asked, *(text for problem in problems for text in (problem.reason, problem.remedy))]
    told += [reason for _, reason in wording._FILE]
    assert [text for text in told if reason_in_words(text, "it") == text] == []


def test_both_sides_of_the_table_hold_the_same_and_no_text_is_cut():
    for written, said in TABLE.items():
        assert sorted(set(re.findall(r"\{(\w+)\}", written))) == sorted(set(re.findall(r"\{(\w+)\}", said)))
        assert written.endswith(".") == said.endswith(".")
