"""Every visible word of the pages, per language, found by its key; a key that is missing is an error, never a blank."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

Language = Literal["en", "it"]
LANGUAGES: tuple[Language, ...] = ("en", "it")
FOR_SCRIPTS = "scripts"  # the group handed to the page's scripts, without its name


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The words of one language."""

    language: Language
    words: Mapping[str, str]  # "page.key": text with {placeholders}

    def __call__(self, key: str, **values: object) -> str:
        """Find a text and fill its placeholders.

        Parameters
        ----------
        key : str
            Group and name, such as ``"patients.title"``.
        **values : object
            What stands in the placeholders; more than the text uses is allowed.

        Returns
        -------
        str
            The text in this language.

        Raises
        ------
        KeyError
            If the catalogue has no such key, or a placeholder gets no value.
        """
        try:
            text = self.words[key]
        except KeyError:
            raise KeyError(f"The catalogue {self.language}.json has no {key!r}; add it to every language.") from None
        return text.format_map(values) if values else text

    def counted(self, key: str, n: int, **values: object) -> str:
        """Find the text for `n` things: ``key.one`` for exactly one, ``key.other`` else; ``{n}`` is the number."""
        return self(f"{key}.{'one' if n == 1 else 'other'}", n=n, **values)

    def has(self, key: str) -> bool:
        """Whether there is such a text: for codes a newer server may send."""
        return key in self.words

    def for_scripts(self) -> dict[str, str]:
        """Return the texts the page's scripts show, by their key there."""
        prefix = f"{FOR_SCRIPTS}."
        return {key.removeprefix(prefix): text for key, text in self.words.items() if key.startswith(prefix)}


@cache
def catalogue(language: Language) -> Catalogue:
    """Read the catalogue of one language (once).

    Parameters
    ----------
    language : {"en", "it"}
        Which one.

    Returns
    -------
    Catalogue
        Its words.

    Raises
    ------
    ValueError
        If there is no such language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"There is no catalogue for {language!r}; there are {', '.join(LANGUAGES)}.")
    tree = json.loads(files("cohortex.server.catalogue").joinpath(f"{language}.json").read_text(encoding="utf-8"))
    return Catalogue(language=language, words=MappingProxyType(dict(_flat(tree))))


def _flat(tree: Mapping[str, object], path: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", str(value)
