"""The secret of a study, and the keys that come from it: one for each purpose, none of them stored."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cohortex.errors import StudyProblem

Purpose = Literal["intake", "pseudonyms", "contents"]

_BYTES = 32


@dataclass(frozen=True)
class StudyKeys:
    """All keys of a study.

    Attributes
    ----------
    secret : bytes
        32 random bytes; whoever has them can tell which study code belongs to which hospital number.
    """

    secret: bytes = field(repr=False)

    @classmethod
    def make(cls, path: Path) -> StudyKeys:
        """Draw a new secret and write it where only the owner can read it.

        Raises
        ------
        FileExistsError
            If there is one: another secret would orphan everything made with it.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        secret = secrets.token_bytes(_BYTES)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secret.hex() + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        return cls(secret)

    @classmethod
    def load(cls, path: Path) -> StudyKeys:
        """Read the secret.

        Raises
        ------
        StudyProblem
            If it is missing or no secret.
        """
        try:
            secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
        except (OSError, ValueError) as error:
            raise StudyProblem(
                f"{path.name}: the secret of the study is missing or unreadable. Bring it back from where it is kept "
                "(it lies outside database and backup); without it no upload that waits can be opened."
            ) from error
        if len(secret) != _BYTES:
            raise StudyProblem(f"{path.name}: holds {len(secret)} bytes where a study's secret has {_BYTES}.")
        return cls(secret)

    def for_purpose(self, purpose: Purpose) -> bytes:
        """Derive the 32-byte key of one purpose (HKDF-SHA256, RFC 5869)."""
        return HKDF(algorithm=SHA256(), length=_BYTES, salt=None, info=f"cohortex {purpose}".encode()).derive(
            self.secret
        )
