"""Clinical values as rows and back, without loss."""

from __future__ import annotations

from typing import cast

from cohortex.study.database.tables import RecordEntry
from cohortex.study.records.fields import Missing, field
from cohortex.study.records.value import ClinicalValue, Comparator

_YES, _NO = "yes", "no"


def text_of(value: ClinicalValue) -> str | None:
    """Write the value of a field as text: numbers with all digits, yes or no, days, names of choices."""
    match value.value:
        case None:
            return None
        case bool(yes):
            return _YES if yes else _NO
        case float(number):
            return repr(number)
    return str(value.value)


def value_of(entry: RecordEntry) -> ClinicalValue:
    """Read a row back into the value it holds."""
    value: float | int | str | bool | None = entry.value
    if entry.value is not None:
        kind = field(entry.field).kind
        if kind == "number":
            value = float(entry.value)
        elif kind == "day":
            value = int(entry.value)
        elif kind == "yes-no":
            value = entry.value == _YES
    return ClinicalValue(
        field=entry.field,
        value=value,
        unit=entry.unit,
        comparator=cast(Comparator, entry.comparator),
        missing=cast(Missing, entry.missing),
    )
