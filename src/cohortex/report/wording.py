"""Numbers as a reader wants them: rounded to what is known, signs that are signs, a dash for what is not known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeGuard

from cohortex.report.catalogue import NUMBER_WORDS

NOT_KNOWN = "–"
_NARROW = "\u202f"  # no-break space between a number and its unit


def volume_text(volume_ml: float | None) -> str:
    """Volume in ml, with 3 decimals below 0.1, 2 below 10, 1 below 100, none above."""
    return NOT_KNOWN if not _is_number(volume_ml) else _fixed(volume_ml, _volume_decimals(volume_ml))


def volume_with_sd_text(volume_ml: float | None, volume_sd_ml: float | None, *, decimals: int | None = None) -> str:
    """Volume and its standard deviation in ml, both with the same decimals: those its size asks for, or those given."""
    return _with_sd(volume_ml, volume_sd_ml, _fixed, decimals)


def change_with_sd_text(change_ml: float | None, change_sd_ml: float | None, *, decimals: int | None = None) -> str:
    """Change of a volume with its sign, and its standard deviation, in ml; decimals as of a volume."""
    return _with_sd(change_ml, change_sd_ml, _signed, decimals)


def decimals_of_row(volumes_ml: Sequence[float | None], sds_ml: Sequence[float | None]) -> int:
    """Decimals in which volumes and their change stand in one row: those of the largest, and no sd is shown as zero."""
    decimals = min((_volume_decimals(volume) for volume in volumes_ml if _is_number(volume) and volume), default=2)
    sds = [sd for sd in sds_ml if _is_number(sd) and sd > 0]
    while decimals < 3 and any(sd < 0.5 * 10**-decimals for sd in sds):
        decimals += 1
    return decimals


def change_text(change_ml: float | None) -> str:
    """Change of a volume in ml with its sign."""
    return NOT_KNOWN if not _is_number(change_ml) else _signed(change_ml, _volume_decimals(change_ml))


def percent_text(percent: float | None) -> str:
    """Change in whole percent with its sign: "+64 %"; "0 %" for none."""
    return NOT_KNOWN if not _is_number(percent) else f"{_signed(percent, 0)}{_NARROW}%"


def number_text(value: float | None, *, decimals: int) -> str:
    """A number with a fixed count of decimals and a true minus sign."""
    return NOT_KNOWN if not _is_number(value) else _fixed(value, decimals)


def signed_text(value: float | None, *, decimals: int) -> str:
    """A number with a fixed count of decimals and its sign."""
    return NOT_KNOWN if not _is_number(value) else _signed(value, decimals)


def count_text(count: int, *, start: bool = False) -> str:
    """A count in words up to twelve, in figures above; `start` of a sentence takes a capital."""
    words = NUMBER_WORDS[count] if 0 <= count < len(NUMBER_WORDS) else str(count)
    return words[0].upper() + words[1:] if start else words


def percent_change(before: float, after: float) -> float | None:
    """Change in percent of `before`; None from zero."""
    return 100 * (after - before) / before if before > 0 else None


def _with_sd(value: float | None, sd: float | None, write: Callable[[float, int], str], decimals: int | None) -> str:
    if not _is_number(value):
        return NOT_KNOWN
    if not _is_number(sd):
        return write(value, _volume_decimals(value) if decimals is None else decimals)
    if decimals is None:
        decimals = decimals_of_row([value], [sd])
    return f"{write(value, decimals)} ± {_fixed(sd, decimals)}"


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _volume_decimals(volume_ml: float) -> int:
    size = abs(volume_ml)
    return 3 if 0 < size < 0.0995 else 2 if size < 9.995 else 1 if size < 99.95 else 0


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def _signed(value: float, decimals: int) -> str:
    text = _fixed(value, decimals)
    return text if text.startswith("−") or float(text) == 0 else f"+{text}"
