"""Pages from templates: one Jinja environment per language, its words and figures at hand in every template."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, Undefined

import cohortex
from cohortex.server.assets import asset_address
from cohortex.server.catalogue import (
    Language,
    catalogue,
    format_date,
    format_entry,
    format_moment,
    format_number,
    format_size,
    format_unit,
)


def render(template: str, *, language: Language, who: Mapping[str, object] | None, **context: object) -> str:
    """Render one page.

    Parameters
    ----------
    template : str
        File name under ``server/templates``.
    language : {"en", "it"}
        Whose words and figures.
    who : Mapping or None
        The answer of ``GET /api/session``; None for a page anybody may see.
    **context : object
        What the template shows.

    Returns
    -------
    str
        The page as HTML; everything that was handed in is escaped.
    """
    return _environment(language).get_template(template).render(who=who, **context)


@cache
def _environment(language: Language) -> Environment:
    words = catalogue(language)
    environment = Environment(
        loader=FunctionLoader(_template_source), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(
        t=words,
        tn=words.counted,
        language=language,
        version=cohortex.__version__,
        asset=asset_address,
        script_words=words.for_scripts(),
        number=partial(_number, language=language),
        date=partial(format_date, language=language),
        moment=partial(format_moment, language=language),
        size=partial(format_size, language=language),
        entry=partial(_entry, language=language),
        unit=partial(format_unit, language=language),
    )
    environment.filters["sentence"] = _sentence
    environment.globals["ui"] = environment.get_template("macros.html").module
    return environment


def _number(value: float | None, digits: int, *, language: Language, sign: bool = False) -> str:
    return format_number(value, digits, language, sign=sign)


def _entry(value: float | str | Undefined | None, *, language: Language) -> str:
    return format_entry(None if isinstance(value, Undefined) else value, language)


def _sentence(text: str | None) -> str:
    """Begin with a capital letter, as errors in the middle of other words do not."""
    return text[:1].upper() + text[1:] if text else ""


def _template_source(name: str) -> str | None:
    source = files("cohortex.server").joinpath("templates").joinpath(name)
    return source.read_text(encoding="utf-8") if source.is_file() else None
