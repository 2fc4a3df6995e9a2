"""Numbers and units as people and laboratories write them: 0,6 and <0.6 mg/dl and 150 ×10⁹/L."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from cohortex.study.records.wording import DIGITS_FOUND, TEXT_FOUND, Words

_NUMBER = re.compile(
    r"(?P<comparator><=|>=|≤|≥|<|>|)\s*(?P<number>[-+]?\d+(?:[.,]\d+)?)(?![\d.,])\s*(?P<unit>.*)", re.DOTALL
)
_NO_UNIT = re.compile(r"[eE][-+]?\d|[-+]")  # 2e3 is what a spreadsheet makes of a code; 1-2 is a range
_MAYBE_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}[.,]\d{3}")
_PLAIN_SIGNS = str.maketrans({"−": "-", "–": "-", "\u00a0": " ", "\u202f": " ", "µ": "u", "μ": "u"})
_SUPERSCRIPTS = str.maketrans({"³": "3", "⁶": "6", "⁹": "9"})
_CODED = re.compile(r"[<>]?[-+]?[A-Z]?\d{1,6}(?:[.,]\d{1,4})?")
_LONGEST_SHOWN = 12
_DIGITS_SHOWN = 5  # a birth date or hospital number has more; zeros at the end do not count: 150000 is a platelet count


@dataclass(frozen=True)
class NumberText:
    """A number taken apart.

    Attributes
    ----------
    comparator : str
        "<", ">" or another sign that was written; empty where there is none.
    number : Decimal
        With a point or comma read as the decimal mark.
    unit : str
        What follows the number, as it was written.
    thousands : Decimal or None
        The number with its mark read as a separator of thousands, where that can be meant (1.500).
    """

    comparator: str
    number: Decimal
    unit: str
    thousands: Decimal | None


def read_number(text: str) -> NumberText | None:
    """Take a text such as "<0,6 mg/dL" apart; None where it is no number."""
    found = _NUMBER.fullmatch(text.translate(_PLAIN_SIGNS).strip())
    if found is None or _NO_UNIT.match(found["unit"]):
        return None
    number = found["number"]
    thousands = Decimal(re.sub(r"[.,]", "", number)) if _MAYBE_THOUSANDS.fullmatch(number) else None
    return NumberText(found["comparator"], Decimal(number.replace(",", ".")), found["unit"].strip(), thousands)


def written_number(number: float) -> str:
    """Write a number so that `read_number` reads it again to the bit, in one way only."""
    text = format(Decimal(repr(float(number))), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text}0" if _MAYBE_THOUSANDS.fullmatch(text) else text


def unit_named(text: str, accepted: Iterable[str]) -> str | None:
    """Find the accepted UCUM unit that a text means; None where it means none of them.

    Notes
    -----
    Beyond UCUM it knows what laboratories print: ×10⁹/L, 10^9/L, G/L, mg/dl, cells/µL, /mm3.
    """
    meant = _canonical(text)
    return next((unit for unit in accepted if _canonical(unit) == meant), None)


def _canonical(unit: str) -> str:
    plain = unit.translate(_PLAIN_SIGNS).replace("10³", "10*3").replace("10⁶", "10*6").replace("10⁹", "10*9")
    plain = re.sub(r"\s", "", plain.translate(_SUPERSCRIPTS)).removeprefix("×").replace("^", "*").replace("**", "*")
    plain = re.sub(r"^[xX](?=10)", "", plain)
    plain = "10*9/L" if plain in ("G/L", "Gpt/L") else plain  # before case is dropped: giga, not gram
    plain = plain.lower().replace("{", "").replace("}", "").replace("mmc", "mm3").replace("/mm3", "/ul")
    return re.sub(r"^(cells|cell|cellule)(?=/)", "", plain)


def shown(raw: object) -> Words:
    """Describe what was found without repeating what may be a name or a birth date.

    Parameters
    ----------
    raw : object
        What was given.

    Returns
    -------
    Words
        The text itself where it looks like a code or a measured number (C91.0, 9606, <0.6 mg/dL), else its length.
    """
    text = str(raw).strip()
    head = text.translate(_PLAIN_SIGNS).split(" ", 1)
    digits = re.sub(r"\D", "", head[0]).rstrip("0")
    coded = len(text) <= _LONGEST_SHOWN and _CODED.fullmatch(head[0]) and len(digits) <= _DIGITS_SHOWN
    if coded and (len(head) == 1 or re.fullmatch(r"[a-zA-Zµμ]{0,2}/[a-zA-Zµμ]{1,2}|10\*\d/u?L", head[1].strip())):
        return Words(text, text)
    if text.isdigit():
        return DIGITS_FOUND.filled(length=str(len(text)))
    return TEXT_FOUND.filled(length=str(len(text)))
