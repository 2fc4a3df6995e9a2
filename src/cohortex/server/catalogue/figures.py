"""Numbers, dates, sizes and spans of time as each language writes them."""

from __future__ import annotations

import math
from datetime import date, datetime

from cohortex.server.catalogue.words import Language

MONTHS: dict[Language, tuple[str, ...]] = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "it": ("gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"),
}
SEPARATORS: dict[Language, tuple[str, str]] = {"en": (",", "."), "it": (".", ",")}  # thousands, decimal
NOTHING = "–"
BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")


def format_number(value: float | None, digits: int, language: Language, *, sign: bool = False) -> str:
    """Write a number with a fixed count of decimals; a dash for none.

    Parameters
    ----------
    value : float or None
        The number; None and NaN become a dash.
    digits : int
        Decimals.
    language : {"en", "it"}
        Whose separators.
    sign : bool
        Write + before a positive number, too. A real minus sign is always used.

    Returns
    -------
    str
        Such as ``"1,234.5"`` or ``"1.234,5"``.
    """
    if value is None or math.isnan(value):
        return NOTHING
    thousands, decimal = SEPARATORS[language]
    text = f"{abs(value):,.{digits}f}".replace(",", "\0").replace(".", decimal).replace("\0", thousands)
    is_zero = not any(figure in text for figure in "123456789")
    if value < 0 and not is_zero:
        return f"−{text}"
    return f"+{text}" if sign and not is_zero else text


def format_entry(value: float | str | None, language: Language) -> str:
    """Write a value as one types it: no more digits than it has, no thousands; empty for none."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    text = f"{value:.0f}" if float(value).is_integer() else repr(float(value))
    return text.replace(".", SEPARATORS[language][1])


def format_date(value: str | date | None, language: Language) -> str:
    """Write a day, such as ``"3 Mar 2024"``; a dash for none."""
    if not value:
        return NOTHING
    day = value if isinstance(value, date) else date.fromisoformat(value[:10])
    return f"{day.day} {MONTHS[language][day.month - 1]} {day.year}"


def format_moment(value: str | datetime | None, language: Language) -> str:
    """Write a day and the time of day (UTC), such as ``"3 Mar 2024, 14:05"``; a dash for none."""
    if not value:
        return NOTHING
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value.replace("Z", "+00:00"))
    return f"{format_date(moment.date(), language)}, {moment:%H:%M}"


def format_size(n_bytes: int | None, language: Language) -> str:
    """Write a size in decimal units, such as ``"12.4 MB"``; a dash for none."""
    if n_bytes is None:
        return NOTHING
    size, unit = float(n_bytes), 0
    while size >= 1000 and unit < len(BYTE_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{format_number(size, 0 if unit == 0 or size >= 100 else 1, language)} {BYTE_UNITS[unit]}"
