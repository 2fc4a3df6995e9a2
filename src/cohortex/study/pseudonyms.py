"""Keyed pseudonyms: the same person or UID always gets the same stand-in, and nobody can compute it without the key."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property

_SECRET_BYTES = 32
_LONGEST_SHIFT_DAYS = 3650
_NOBODY = re.compile(
    r"anon|(anonym|anonim|deident|pseudonym|remove|redact|unknown|unbekannt|sconosciut|inconnu)\w*|de|identified|none|"
    r"null|n|a|no|name|noname|patient|paziente|test|id|0+|x+"
)  # words that stand where a number was taken out: they tell no person from another


@dataclass(frozen=True, repr=False)
class Pseudonyms:
    """Stand-ins made with the secret of one study.

    Parameters
    ----------
    secret : bytes
        At least 32 random bytes, kept outside database and backup. Whoever has it can recognise a known number
        again; nobody can compute a number from its stand-in.

    Raises
    ------
    ValueError
        If the secret is shorter.

    References
    ----------
    .. [1] RFC 2104, HMAC; with SHA-256 and one derived key per purpose, so that no stand-in is comparable with
       that of another purpose.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < _SECRET_BYTES:
            raise ValueError(f"the secret has {len(self.secret)} bytes; give at least {_SECRET_BYTES} random ones.")

    def __repr__(self) -> str:
        return "Pseudonyms(secret kept)"

    @cached_property
    def _keys(self) -> dict[str, bytes]:
        purposes = ("uid", "day shift", "patient", "person", "word")
        return {
            purpose: hmac.digest(self.secret, f"cohortex {purpose}".encode(), hashlib.sha256) for purpose in purposes
        }

    def _digest(self, purpose: str, *parts: str) -> bytes:
        message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        return hmac.digest(self._keys[purpose], message, hashlib.sha256)

    def uid(self, original: str) -> str:
        """Replace a UID, the same one everywhere in the study, so that what refers to it still does.

        Parameters
        ----------
        original : str
            Any UID; padding is ignored.

        Returns
        -------
        str
            2.25. and 128 bits in decimal, at most 44 characters.

        Raises
        ------
        ValueError
            If it is empty.
        """
        plain = original.strip(" \0")
        if not plain:
            raise ValueError("an empty UID has no stand-in; leave out what bears it.")
        return f"2.25.{int.from_bytes(self._digest('uid', plain)[:16], 'big')}"

    def day_shift(self, patient: str) -> int:
        """Days by which every date of a patient moves: -1 to -3650, the same at every visit.

        Parameters
        ----------
        patient : str
            The study's own name of the patient, never one from a hospital.

        Returns
        -------
        int
            Added to every date, so that intervals and ages stay exact.

        Raises
        ------
        ValueError
            If `patient` is empty.
        """
        if not patient:
            raise ValueError("no patient to draw a day shift for; give the study's own name of the patient.")
        return -1 - int.from_bytes(self._digest("day shift", patient)[:8], "big") % _LONGEST_SHIFT_DAYS

    def patient_hash(self, centre: str, patient_id: str) -> str | None:
        """Recognise a hospital number that comes again in the same centre.

        Parameters
        ----------
        centre : str
            The study's code of the centre: the same number means another person elsewhere.
        patient_id : str
            As in the header; capitals, blanks and accents do not count.

        Returns
        -------
        str or None
            64 hexadecimal digits; None where the number names nobody ("ANONYMOUS", "0000", nothing at all).
        """
        words = _words(patient_id)
        if not words or all(_NOBODY.fullmatch(word) for word in words):
            return None
        return self._digest("patient", centre, " ".join(words)).hex()

    def person_hash(self, centre: str, entry: str) -> str | None:
        """Tell two persons of one upload apart by a name or a birth date.

        Parameters
        ----------
        centre, entry : str
            As in the header; the parts of a name count in any order.

        Returns
        -------
        str or None
            As `patient_hash`; None where the entry names nobody.
        """
        words = sorted(_words(entry.split("=")[0].replace("^", " ")))
        if not words or all(_NOBODY.fullmatch(word) for word in words):
            return None
        return self._digest("person", centre, " ".join(words)).hex()

    def word(self, text: str) -> str:
        """Stand-in for a word that only has to differ from others: X and six hexadecimal digits."""
        return f"X{self._digest('word', text).hex()[:6].upper()}"


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.strip(" \0")).casefold()
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).split()
