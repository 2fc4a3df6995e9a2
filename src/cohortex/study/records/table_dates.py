"""Dates of visits in a table: 2024-03-01, or as a spreadsheet rewrites them where the column shows the order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Literal

Order = Literal["day first", "month first", "not shown"]

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_LOCAL = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})")


def order_of_dates(texts: Iterable[str]) -> Order:
    """Find whether day or month comes first in a column of dates such as 31/01/2024.

    Returns
    -------
    {"day first", "month first", "not shown"}
        "not shown" where every date can be read both ways, or where some can only be read one way and some the other.
    """
    found = [match for text in texts if (match := _LOCAL.fullmatch(text.strip()))]
    day_first = any(int(match[1]) > 12 for match in found)
    month_first = any(int(match[3]) > 12 for match in found)
    if day_first == month_first:
        return "not shown"
    return "day first" if day_first else "month first"


def read_date(text: str, order: Order) -> date | None:
    """Read a date; None where it is none, or may be two.

    Parameters
    ----------
    text : str
        2024-03-01 in any case; 01/03/2024, 1.3.2024 or 01-03-2024 where `order` says how.
    order : {"day first", "month first", "not shown"}
        Of the column it is from.
    """
    local = _LOCAL.fullmatch(text)
    if iso := _ISO.fullmatch(text):
        year, month, day = map(int, iso.groups())
    elif local and (order != "not shown" or local[1] == local[3]):
        first, second, year = int(local[1]), int(local[3]), int(local[4])
        day, month = (second, first) if order == "month first" else (first, second)
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def may_be_two_dates(text: str, order: Order) -> bool:
    """Whether a text is a date of which only the order of day and month is not known."""
    return order == "not shown" and _LOCAL.fullmatch(text) is not None
