"""Reasons and remedies of uploads in other languages than the one the study writes them in."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

from cohortex.server.catalogue.words import Language

_NUMBER, _CODE, _ANYTHING = r"\d[\d.,]*", r"[\w-]+", r".+"
_HOLDS = {
    "code": _CODE,
    "visit": _CODE,
    "visits": r"[\w-]+, visit \d+(?: and [\w-]+, visit \d+)*",
    "facts": r"the [a-z ]+(?:, the [a-z ]+)*",
    "reason": _ANYTHING,
    "problem": _ANYTHING,
    "rest": _ANYTHING,
}
"""What may stand in a placeholder of the table; a number where it says nothing else."""
_END_OF_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z])")
_SAID_TOO = ("problem", "rest")
"""Placeholders that hold words of the study themselves; those of a person stay as they are."""


def reason_in_words(text: str, language: Language) -> str:
    """Say in a language why something became of an upload, or what to do.

    Parameters
    ----------
    text : str
        As the study words it.
    language : {"en", "it"}
        In which.

    Returns
    -------
    str
        The words of ``reasons_it.json``; a text that is not in it stays as it is.
    """
    if language == "en":
        return text
    for pattern, said in _table():
        if found := pattern.fullmatch(text):
            held = found.groupdict()
            for name in held.keys() & set(_SAID_TOO):
                held[name] = reason_in_words(held[name], language)
            if "visits" in held:
                held["visits"] = held["visits"].replace(", visit ", ", visita ").replace(" and ", " e ")
            if "facts" in held:
                held["facts"] = ", ".join(reason_in_words(fact, language) for fact in held["facts"].split(", "))
            return said.format_map(held)
    sentences = [f"{one[0].lower()}{one[1:]}" for one in _END_OF_SENTENCE.split(text) if one]
    if len(sentences) < 2:
        return text
    first, *others = said_each = [reason_in_words(one, language) for one in sentences]
    if any(one == said for one, said in zip(sentences, said_each, strict=True)):
        return text  # a person's own words
    return " ".join([first, *(f"{one[0].upper()}{one[1:]}" for one in others)])


@cache
def _table() -> list[tuple[re.Pattern[str], str]]:
    """The texts as patterns, those without placeholders first."""
    source = files("cohortex.server.catalogue").joinpath("reasons_it.json").read_text(encoding="utf-8")
    return [
        (_pattern(text), said) for text, said in sorted(json.loads(source).items(), key=lambda pair: "{" in pair[0])
    ]


def _pattern(text: str) -> re.Pattern[str]:
    seen: set[str] = set()

    def held(name: str) -> str:
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>{_HOLDS.get(name, _NUMBER)})"

    parts = re.split(r"\{(\w+)\}", text)
    return re.compile("".join(held(part) if place % 2 else re.escape(part) for place, part in enumerate(parts)), re.S)
