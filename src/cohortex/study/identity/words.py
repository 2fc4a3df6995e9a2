"""What survives of a text that people typed: words of the trade and small numbers; every other word goes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cohortex.study.identity.vocabulary import WORDS

_TOKEN = re.compile(r"[+*]?[A-Za-z0-9\0]+[+*]?")  # +C and C+, *tfl and t2* are words of the trade
_DOTTED_TOKEN = re.compile(rf"(?<![0-9A-Za-z.])[0-9]{{1,3}}(?:\.[0-9]{{1,4}}){{1,4}}(?![0-9A-Za-z.])|{_TOKEN.pattern}")
_DATE_LIKE = re.compile(r"(^|\.)(19|20)[0-9]{2}(\.|$)")
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")
_RUNS = re.compile(r"[A-Za-z]+|[0-9]+")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LETTERS_BESIDE_NUMBERS = frozenset("abcdefhijkmnpqrstuvwx")
_LONGEST_NUMBER = 4
_LONGEST_RUN = 5  # digits of neighbouring numbers: more may be a telephone or a date
_YEARS = range(1900, 2100)


def clean_text(
    text: str, *, words: frozenset[str] = WORDS, never: frozenset[str] = frozenset(), dotted: bool = False
) -> str:
    """Keep of a text what stands in a vocabulary, and small numbers that make no date, telephone or record number.

    Parameters
    ----------
    text : str
        What a person or a scanner wrote.
    words : frozenset of str
        Lower-case words that may stay.
    never : frozenset of str
        Words that must go although the vocabulary has them: those of the patient's name and numbers.
    dotted : bool
        Whether dotted numbers such as 5.3.1.3 may stay, if no part is a year.

    Returns
    -------
    str
        ASCII; neighbours that stay keep what separated them, a gap becomes one blank. Unchanged where all may stay.
    """
    plain = _NOT_ASCII.sub("\0", text.strip(" \0"))  # an accent ends no word: "Rossì" must not leave a "Ross"
    tokens = list((_DOTTED_TOKEN if dotted else _TOKEN).finditer(plain))
    keep = [_token_may_stay(token.group(), words, never) for token in tokens]
    _drop_number_runs(plain, tokens, keep)
    if all(keep):
        return plain if tokens else ""
    kept: list[str] = []
    for n, token in enumerate(tokens):
        if not keep[n]:
            continue
        if kept:
            kept.append(plain[tokens[n - 1].end() : token.start()] if keep[n - 1] else " ")
        kept.append(token.group())
    return "".join(kept)


def _token_may_stay(token: str, words: frozenset[str], never: frozenset[str]) -> bool:
    core = token.strip("+*")
    if "." in core:
        return not _DATE_LIKE.search(core)
    return may_stay(core, words=words, never=never)


def may_stay(token: str, *, words: frozenset[str], never: frozenset[str] = frozenset()) -> bool:
    """Whether one run of letters and digits is a word of the vocabulary, put together from such, or a small number."""
    lowered = token.lower()
    if lowered in never or "\0" in token:
        return False
    if token.isdigit():
        return len(token) <= _LONGEST_NUMBER and int(token) not in _YEARS
    if lowered in words:
        return True
    runs = _RUNS.findall(token)
    return all(_run_may_stay(run, runs, words, never) for run in runs)


def _run_may_stay(run: str, runs: list[str], words: frozenset[str], never: frozenset[str]) -> bool:
    if run.isdigit():
        single = len(runs[0]) == 1 and runs[0] not in "bB"  # P1234 is a record number, b1000 a weighting
        return len(run) <= (2 if single else _LONGEST_NUMBER)
    if run.lower() in never:
        return False
    if run.lower() in words:
        return True
    parts = _CAMEL.findall(run)
    if any(part.lower() in never for part in parts):
        return False
    beside_number = len(runs) > 1
    return all(
        part.lower() in words or (len(part) == 1 and beside_number and part.lower() in _LETTERS_BESIDE_NUMBERS)
        for part in parts
    )


def _drop_number_runs(text: str, tokens: list[re.Match[str]], keep: list[bool]) -> None:
    """Take out numbers in a row that may be a date or a telephone: 13/04/61, 331 555 0142."""
    start = 0
    while start < len(tokens):
        end = start
        while end < len(tokens) and tokens[end].group().isdigit() and (end == start or _close(text, tokens, end)):
            end += 1
        digits = sum(len(token.group()) for token in tokens[start:end])
        if end - start > 2 or digits > _LONGEST_RUN or not all(keep[start:end]):
            keep[start:end] = [False] * (end - start)
        start = max(end, start + 1)


def _close(text: str, tokens: list[re.Match[str]], n: int) -> bool:
    between = text[tokens[n - 1].end() : tokens[n].start()]
    return len(between) <= 2 and not between.isalpha()


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Lower-case words of names and numbers, for `never`: of letters from two on, with digits from three on."""
    found = (token.lower() for text in texts for token in re.findall(r"[A-Za-z0-9]+", text))
    return frozenset(word for word in found if len(word) >= (2 if word.isalpha() else 3))
