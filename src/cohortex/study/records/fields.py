"""The fields of a clinical record: what may be entered, with which codes, units and limits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal, TypedDict, cast

from cohortex.study.records.wording import MISSING_WORDS, SECTION_WORDS, Language, Words

Section = Literal["clinical", "treatment", "laboratory", "microbiology", "outcome"]
Kind = Literal["choice", "number", "day", "yes-no"]
Occasion = Literal["first", "follow-up"]
Missing = Literal["", "not_done", "unknown", "refused", "below_detection"]
Certainty = Literal["C", "C2", "G", "D"]
"""C read in the source, C2 in a page that summarises it, G general knowledge, D a choice made here as a draft."""

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


@dataclass(frozen=True)
class Code:
    """A code of a published system.

    Attributes
    ----------
    system, value : str
        ICD-10, SNOMED CT or NCBI Taxonomy, and the code in it.
    certainty : {"C", "C2"}
        Where it was read; what nobody confirmed has no code.
    """

    system: str
    value: str
    certainty: Certainty


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One answer to a field of kind "choice".

    Attributes
    ----------
    value : str
        As it is stored.
    label : Words
        As it is read.
    group : str
        What it has in common with other choices (fungus, acute, allogeneic); empty where nothing.
    codes : tuple of Code
        Codes that mean it, the usual one first; empty where none is confirmed.
    """

    value: str
    label: Words
    group: str = ""
    codes: tuple[Code, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a number or day may be, in the unit of the field; None where there is no limit.

    Attributes
    ----------
    low, high : float
        Outside is refused.
    ask_low, ask_high : float or None
        Outside is asked about.
    """

    low: float
    high: float
    ask_low: float | None = None
    ask_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a clinical record.

    Attributes
    ----------
    name : str
        Code name, as in files and the database.
    section : {"clinical", "treatment", "laboratory", "microbiology", "outcome"}
        Where it stands in the form.
    kind : {"choice", "number", "day", "yes-no"}
        What a value is; a day counts from the patient's first examination. No field takes free text.
    label, help : Words
        What people read.
    choices : tuple of Choice
        For a choice.
    loinc : str
        LOINC code of a laboratory field.
    unit : str
        UCUM unit values are kept in; empty where there is none.
    units : mapping of str to Decimal
        UCUM units that are accepted; a number times the factor is in `unit`, exactly.
    unit_needed : bool
        Whether a number without a unit is refused.
    comparators : bool
        Whether < and > are accepted.
    limits : Limits or None
        For a number or day.
    missing : tuple of str
        Reasons why it may be missing.
    applies_to : tuple of str
        The first examination, follow-ups, or both.
    source : str
        Where codes and limits come from; keys of `sources`.
    certainty : {"C", "C2", "G", "D"}
        How sure that is.
    """

    name: str
    section: Section
    kind: Kind
    label: Words
    help: Words
    choices: tuple[Choice, ...]
    loinc: str
    unit: str
    units: Mapping[str, Decimal]
    unit_needed: bool
    comparators: bool
    limits: Limits | None
    missing: tuple[Missing, ...]
    applies_to: tuple[Occasion, ...]
    source: str
    certainty: Certainty

    def choice(self, value: str) -> Choice:
        """Give the choice that is stored as `value`.

        Raises
        ------
        ValueError
            If there is none.
        """
        for choice in self.choices:
            if choice.value == value:
                return choice
        raise ValueError(f"{self.name} has no such choice; it has {', '.join(c.value for c in self.choices)}.")


def all_fields() -> tuple[Field, ...]:
    """Give every field, in the order of the form."""
    return tuple(_table().values())


def field(name: str) -> Field:
    """Give one field by its name.

    Raises
    ------
    ValueError
        If no field has the name.
    """
    found = _table().get(name)
    if found is None:
        raise ValueError(f"No field of a record has the name that was given; the fields are {', '.join(_table())}.")
    return found


def fields_for(occasion: Occasion) -> tuple[Field, ...]:
    """Give the fields that are asked at the first examination, or at a follow-up."""
    return tuple(found for found in all_fields() if occasion in found.applies_to)


def sources() -> Mapping[str, str]:
    """Give what each source key of the fields stands for."""
    return MappingProxyType(_data()["sources"])


def field_json(field: Field, language: Language = "en") -> dict[str, JSON]:
    """Give a field as the web form reads it.

    Parameters
    ----------
    field : Field
        Which field.
    language : {"en", "it"}
        Language of labels and help.

    Returns
    -------
    dict
        Name, section, label, kind, choices, unit, units, comparators, missing, limits, applies_to, help, loinc.
    """
    return {
        "name": field.name,
        "section": field.section,
        "label": field.label.in_language(language),
        "kind": field.kind,
        "choices": [_choice_json(choice, language) for choice in field.choices],
        "unit": field.unit,
        "units": list(field.units),
        "unit_needed": field.unit_needed,
        "comparators": field.comparators,
        "missing": [{"value": r, "label": MISSING_WORDS[r].in_language(language)} for r in field.missing],
        "limits": _limits_json(field.limits),
        "applies_to": list(field.applies_to),
        "help": field.help.in_language(language),
        "loinc": field.loinc,
    }


def form_json(language: Language = "en") -> dict[str, JSON]:
    """Give the whole form: sections in order, each with its fields."""
    return {
        "sections": [
            {
                "name": name,
                "label": words.in_language(language),
                "fields": [field_json(found, language) for found in all_fields() if found.section == name],
            }
            for name, words in SECTION_WORDS.items()
        ]
    }


def _limits_json(limits: Limits | None) -> JSON:
    if limits is None:
        return {"low": None, "high": None, "ask_low": None, "ask_high": None}
    return {"low": limits.low, "high": limits.high, "ask_low": limits.ask_low, "ask_high": limits.ask_high}


def _choice_json(choice: Choice, language: Language) -> JSON:
    usual = choice.codes[0] if choice.codes else Code("", "", "C")
    return {
        "value": choice.value,
        "label": choice.label.in_language(language),
        "code": usual.value,
        "system": usual.system,
    }


class _ChoiceRow(TypedDict, total=False):
    value: str
    en: str
    it: str
    group: str
    codes: list[list[str]]


class _FieldRow(TypedDict, total=False):
    name: str
    section: Section
    kind: Kind
    en: str
    it: str
    help_en: str
    help_it: str
    choices: list[_ChoiceRow] | str
    loinc: str
    unit: str
    units: dict[str, str] | str
    unit_needed: bool
    comparators: bool
    limits: dict[str, float]
    missing: list[Missing]
    applies_to: list[Occasion]
    source: str
    certainty: Certainty


class _Data(TypedDict):
    sources: dict[str, str]
    intents: list[_ChoiceRow]
    cell_units: dict[str, str]
    fields: list[_FieldRow]


@cache
def _data() -> _Data:
    text = resources.files(__package__).joinpath("fields.json").read_text(encoding="utf-8")
    return cast(_Data, json.loads(text))


@cache
def _table() -> Mapping[str, Field]:
    data = _data()
    return MappingProxyType({row["name"]: _field_from(row, data) for row in data["fields"]})


def _field_from(row: _FieldRow, data: _Data) -> Field:
    choices = data["intents"] if row.get("choices") == "intents" else row.get("choices", [])
    units = data["cell_units"] if row.get("units") == "cell_units" else row.get("units", {})
    return Field(
        name=row["name"],
        section=row["section"],
        kind=row["kind"],
        label=Words(row["en"], row["it"]),
        help=Words(row["help_en"], row["help_it"]),
        choices=_choices_from(cast(Sequence[_ChoiceRow], choices)),
        loinc=row.get("loinc", ""),
        unit=row.get("unit", ""),
        units=MappingProxyType({unit: Decimal(by) for unit, by in cast(Mapping[str, str], units).items()}),
        unit_needed=row.get("unit_needed", False),
        comparators=row.get("comparators", False),
        limits=Limits(**row["limits"]) if "limits" in row else None,
        missing=tuple(row["missing"]),
        applies_to=tuple(row["applies_to"]),
        source=row["source"],
        certainty=row["certainty"],
    )


def _choices_from(rows: Sequence[_ChoiceRow]) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            value=row["value"],
            label=Words(row["en"], row["it"]),
            group=row.get("group", ""),
            codes=tuple(Code(system, value, cast(Certainty, mark)) for system, value, mark in row.get("codes", [])),
        )
        for row in rows
    )
