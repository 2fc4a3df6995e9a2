"""What is said about the quality of an image: one finding of one check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

QualityLevel = Literal["pass", "warn", "fail"]
"""Fit to process, fit with reservations, not fit."""


@dataclass(frozen=True, kw_only=True)
class QualityFlag:
    """The finding of one check of one image.

    Attributes
    ----------
    check : str
        Name of the check, such as "missing slices".
    level : {"pass", "warn", "fail"}
        Fit to process, fit with reservations, not fit.
    message : str
        What was found and, unless it passed, what to do.
    value : float or None
        The figure the finding rests on, in the unit the message names.
    """

    check: str
    level: QualityLevel
    message: str
    value: float | None = None
