"""Units as people read them: UCUM and those of images."""

from __future__ import annotations

import re

from cohortex.server.catalogue.words import Language, catalogue

_SILENT = ("", "1", "arbitrary", "label")  # a bare number says as much
_TO_WHITE_MATTER = ("white matter", "white matter = 1")
_POWERS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_unit(unit: str | None, language: Language) -> str:
    """Write a unit, such as ``10*9/L``, as a laboratory prints it: ``10⁹/L``; nothing where there is none to say."""
    if unit is None or unit in _SILENT:
        return ""
    if unit in _TO_WHITE_MATTER:
        return catalogue(language)("unit.white_matter")
    text = re.sub(r"\bu(?=[a-zA-Z])", "µ", units_printed(unit))
    return re.sub(r"\{(\w+)\}", lambda note: catalogue(language).words.get(f"unit.{note[1]}", note[1]), text)


def units_printed(text: str) -> str:
    """Write the units within a text as a laboratory prints them: 3 10*9/L as 3 10⁹/L, ug/mL as µg/mL."""
    text = re.sub(r"\b10\*(\d+)", lambda power: f"10{power[1].translate(_POWERS)}", text)
    return re.sub(r"\bu(?=(?:g|L)\b)", "µ", text)
