"""The fields of a record as the tables of docs/records.md, so that the page cannot fall behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cohortex.study.records.fields import Choice, Field, all_fields, sources
from cohortex.study.records.number_text import written_number
from cohortex.study.records.wording import SECTION_WORDS


def fields_markdown() -> str:
    """Write every field with codes, units, limits, source and certainty as Markdown, section by section."""
    parts = []
    for section, words in SECTION_WORDS.items():
        inside = [known for known in all_fields() if known.section == section]
        parts += [f"### {words.en}\n", _table(_HEADER, map(_row, inside))]
        parts += [_choices(known) for known in inside if known.kind == "choice"]
    parts += ["### Sources\n", _table(("key", "source"), sources().items())]
    return "\n".join(parts)


_HEADER = ("field", "label", "asked at", "kind", "LOINC", "limits (ask beyond)", "other units", "source", "mark")


def _row(known: Field) -> Sequence[str]:
    others = [f"{unit} × {factor}" for unit, factor in known.units.items() if unit != known.unit]
    return (
        f"`{known.name}`",
        f"{known.label.en} / {known.label.it}",
        "both" if len(known.applies_to) > 1 else known.applies_to[0],
        f"number, {known.unit}" if known.unit else known.kind,
        known.loinc,
        _limits(known),
        ", ".join(others),
        known.source,
        known.certainty,
    )


def _limits(known: Field) -> str:
    limits = known.limits
    if limits is None:
        return ""
    asked = [written_number(limit) for limit in (limits.ask_low, limits.ask_high) if limit is not None]
    return f"{written_number(limits.low)} to {written_number(limits.high)}" + (
        f" ({', '.join(asked)})" if asked else ""
    )


def _choices(known: Field) -> str:
    rows = [(f"`{choice.value}`", choice.label.en, choice.label.it, _codes(choice)) for choice in known.choices]
    return f"`{known.name}`:\n\n" + _table(("choice", "English", "Italian", "codes"), rows)


def _codes(choice: Choice) -> str:
    return ", ".join(f"{code.system} {code.value} [{code.certainty}]" for code in choice.codes)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
