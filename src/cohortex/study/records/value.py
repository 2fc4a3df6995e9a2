"""One clinical value: read from what was typed, checked against its field, said in words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, cast

from cohortex.study.records.fields import JSON, Choice, Field, Limits, Missing
from cohortex.study.records.fields import field as field_named
from cohortex.study.records.number_text import NumberText, read_number, shown, unit_named, written_number
from cohortex.study.records.wording import DAY, MISSING_WORDS, NO, NOTHING_FOUND, PROBLEMS, YES, Language, Words

Comparator = Literal["", "<", ">"]

_PARTS = frozenset({"value", "unit", "comparator", "missing", "code"})
_REASONS = {
    text.replace(" ", "_"): reason for reason, words in MISSING_WORDS.items() for text in (reason, words.en, words.it)
}
_YES = frozenset({"yes", "y", "true", "sì", "si", "s", "vero", "1"})
_NO = frozenset({"no", "n", "false", "falso", "0"})


class RecordProblem(ValueError):
    """Something entered that its field does not take; the message holds no text that may be a name.

    Attributes
    ----------
    field : str
        Name of the field.
    message, remedy : Words
        What is wrong and what to do, in every language.
    """

    def __init__(self, field: str, message: Words, remedy: Words) -> None:
        super().__init__(f"{message.en} {remedy.en}")
        self.field = field
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, kw_only=True)
class ClinicalValue:
    """A value of a field, in the field's own unit, or the reason why it is missing.

    Attributes
    ----------
    field : str
        Name of the field.
    value : float, int, str, bool or None
        A float for a number, whole days from the first examination for a day, the choice's name for a choice; None
        where it is missing.
    unit : str
        The field's UCUM unit; empty where it has none.
    comparator : {"", "<", ">"}
        Kept beside the number, never inside it.
    missing : {"", "not_done", "unknown", "refused", "below_detection"}
        Why there is no value.
    """

    field: str
    value: float | int | str | bool | None = None
    unit: str = ""
    comparator: Comparator = ""
    missing: Missing = ""

    def __post_init__(self) -> None:
        if (self.value is None) == (self.missing == ""):
            raise ValueError(f"{self.field}: give a value, or a reason why it is missing, and not both.")

    @property
    def number(self) -> float | None:
        """The value as a number, where it is one."""
        return self.value if isinstance(self.value, float) else None

    @property
    def days(self) -> int | None:
        """The value as days from the first examination, where it is a day."""
        return self.value if isinstance(self.value, int) and not isinstance(self.value, bool) else None

    def to_json(self) -> dict[str, JSON]:
        """Give value, unit, comparator and missing as `parse_value` takes them."""
        return {"value": self.value, "unit": self.unit, "comparator": self.comparator, "missing": self.missing}


def parse_value(field: Field | str, raw: object, *, first_examination: date | None = None) -> ClinicalValue:
    """Read one value of a field.

    Parameters
    ----------
    field : Field or str
        The field, or its name.
    raw : str, number, bool or mapping
        A text as people type it ("<0,6 mg/dL", "AML", "C92.0", "not_done"), or a mapping with some of `value`,
        `unit`, `comparator`, `missing` and `code`.
    first_examination : date, optional
        Needed where a day may be given as a date; the date itself is not kept.

    Returns
    -------
    ClinicalValue
        In the field's unit, exactly converted.

    Raises
    ------
    RecordProblem
        If the field does not take it: which field, what was found, what to do.
    """
    known = field_named(field) if isinstance(field, str) else field
    parts = _parts(known, raw)
    missing = _missing(known, parts)
    if missing:
        return ClinicalValue(field=known.name, missing=missing)
    if known.kind == "number":
        return _number(known, parts)
    if parts.get("unit"):
        raise _problem(known, "no_unit")
    if sign := parts.get("comparator"):
        raise _problem(known, "comparator", found=_sign_shown(sign))
    given = parts.get("value")
    if known.kind == "choice":
        return ClinicalValue(field=known.name, value=_choice(known, given, parts.get("code")).value)
    if known.kind == "day":
        return ClinicalValue(field=known.name, value=_day(known, given, first_examination))
    return ClinicalValue(field=known.name, value=_yes_no(known, given))


def value_text(value: ClinicalValue, language: Language = "en") -> str:
    """Say a value in words: "< 0.6 mg/L", "acute myeloid (AML)", "day -30", "not done"."""
    known = field_named(value.field)
    if value.missing:
        return MISSING_WORDS[value.missing].in_language(language)
    if isinstance(value.value, bool):
        return (YES if value.value else NO).in_language(language)
    if isinstance(value.value, str):
        return known.choice(value.value).label.in_language(language)
    if isinstance(value.value, int):
        return DAY.filled(day=str(value.value)).in_language(language)
    number = f"{cast(float, value.value):.6g}"
    number = number.replace(".", ",") if language == "it" else number
    unit = "" if value.unit.startswith("{") else value.unit
    return " ".join(part for part in (value.comparator, number, unit) if part)


def _parts(field: Field, raw: object) -> Mapping[str, object]:
    if isinstance(raw, Mapping):
        for part in raw:
            if part not in _PARTS:
                raise _problem(field, "part", found=shown(part))
        return cast(Mapping[str, object], raw)
    return {"value": raw}


def _missing(field: Field, parts: Mapping[str, object]) -> Missing:
    given, reason = parts.get("value"), parts.get("missing") or ""
    empty = given is None or (isinstance(given, str) and not given.strip())
    if empty and parts.get("code"):
        return ""
    if not reason and isinstance(given, str):
        reason = _REASONS.get(_plain(given), "")
        empty = empty or bool(reason)
    if not reason:
        if empty:
            raise _problem(field, "empty")
        return ""
    if not empty:
        raise _problem(field, "both")
    if reason not in field.missing:
        raise _problem(field, "reason", found=MISSING_WORDS.get(str(reason)) or shown(reason))
    return reason


def _choice(field: Field, given: object, code: object) -> Choice:
    named = _choice_named(field, given) if given not in (None, "") else None
    if code in (None, ""):
        if named is None:
            raise _problem(field, "choice", found=shown(given), choices=_choices(field))
        return named
    coded = _choice_named(field, code)
    if coded is None:
        raise _problem(field, "choice", found=shown(code), choices=_choices(field))
    if named is None and given not in (None, ""):
        raise _problem(field, "choice", found=shown(given), choices=_choices(field))
    if named is not None and named is not coded:
        raise _problem(field, "code", found=shown(code), choice=named.label)
    return coded


def _choice_named(field: Field, given: object) -> Choice | None:
    if isinstance(given, bool) or not isinstance(given, str | int):
        return None
    text = _plain(str(given))
    for choice in field.choices:
        names = {choice.value, choice.label.en, choice.label.it}
        names |= {name for code in choice.codes for name in (code.value, f"{code.system} {code.value}")}
        if text in {_plain(name) for name in names}:
            return choice
    return None


def _number(field: Field, parts: Mapping[str, object]) -> ClinicalValue:
    given = parts.get("value")
    read = _number_read(field, given)
    comparator = _comparator(field, read.comparator, parts.get("comparator"))
    unit = _unit(field, read.unit, parts.get("unit"), given)
    limits = cast(Limits, field.limits)  # every number has them
    factor = field.units[unit]
    number = read.number * factor

    low, high = Decimal(repr(limits.low)), Decimal(repr(limits.high))  # 0.02 as written, not its nearest float

    def within(wanted: Decimal) -> bool:
        return low <= wanted <= high and not (comparator == "<" and wanted <= low)

    if read.thousands is not None and within(number) and within(read.thousands * factor):
        raise _problem(field, "two_readings", found=shown(given), small=_same(read.number), large=_same(read.thousands))
    if not within(number):
        raise _problem(
            field,
            "limits",
            found=shown(f"{comparator}{written_number(float(read.number))}"),
            given_unit=unit,
            low=written_number(limits.low),
            high=written_number(limits.high),
            unit=field.unit,
            units=_same(", ".join(field.units)),
        )
    return ClinicalValue(field=field.name, value=float(number) + 0.0, unit=field.unit, comparator=comparator)


def _number_read(field: Field, given: object) -> NumberText:
    if isinstance(given, str):
        read = read_number(given)
        if read is not None:
            return read
    elif isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given):
        return NumberText("", Decimal(repr(given)), "", None)
    raise _problem(field, "number", found=shown(given))


def _comparator(field: Field, written: str, named: object) -> Comparator:
    allowed = ("<", ">") if field.comparators else ()
    sign = written or (named or "")
    if sign and (sign not in allowed or (written and named and written != named)):
        words = Words("< or >, once", "< o >, una volta") if allowed else Words("the number alone", "solo il numero")
        raise _problem(field, "comparator", found=_sign_shown(sign), comparators=words)
    return cast(Comparator, sign)


def _sign_shown(sign: object) -> Words:
    return _same(str(sign)) if sign in ("<", ">", "<=", ">=", "≤", "≥") else shown(sign)


def _unit(field: Field, written: str, named: object, given: object) -> str:
    units = _same(", ".join(field.units))
    texts = [str(text) for text in (written, named) if text]
    found = [unit_named(text, field.units) for text in texts]
    for text, unit in zip(texts, found, strict=True):
        if unit is None:
            raise _problem(field, "unit", found=shown(text), units=units)
    if not found:
        if field.unit_needed:
            raise _problem(field, "unit_needed", found=shown(given), units=units)
        return field.unit
    if len(set(found)) > 1:
        raise _problem(field, "two_units")
    return cast(str, found[0])


def _day(field: Field, given: object, first_examination: date | None) -> int:
    text = str(given).strip().replace("−", "-")
    if isinstance(given, float) and given.is_integer():
        text = str(int(given))
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        if first_examination is None:
            raise _problem(field, "day_without_first")
        try:
            days = (date.fromisoformat(text) - first_examination).days
        except ValueError as error:
            raise _problem(field, "day", found=shown(given)) from error
    elif isinstance(given, bool) or not re.fullmatch(r"[-+]?\d{1,6}", text):
        raise _problem(field, "day", found=shown(given))
    else:
        days = int(text)
    limits = field.limits
    if limits is not None and not limits.low <= days <= limits.high:
        bounds = {"low": str(int(limits.low)), "high": str(int(limits.high))}
        raise _problem(field, "day_limits", found=shown(days), **bounds)
    return days


def _yes_no(field: Field, given: object) -> bool:
    text = str(given).strip().casefold()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise _problem(field, "yes_no", found=shown(given))


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", "_", text.strip().casefold())


def _same(text: object) -> Words:
    return Words(str(text), str(text))


def _choices(field: Field) -> Words:
    names = ", ".join(choice.value for choice in field.choices)
    return Words(names, names)


def _problem(field: Field, key: str, **parts: Words | str) -> RecordProblem:
    message, remedy = PROBLEMS[key]
    filling: dict[str, Words | str] = {
        "field": field.label,
        "found": NOTHING_FOUND,
        "reasons": ", ".join(field.missing),
        "comparators": Words("the value alone", "solo il valore"),
        **parts,
    }
    return RecordProblem(field.name, message.filled(**filling), remedy.filled(**filling))
