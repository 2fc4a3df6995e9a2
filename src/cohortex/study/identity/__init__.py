"""Taking the identity out: the allow-list, and what a person has to look at first."""

from cohortex.study.identity.attributes import ALLOWED, Kept
from cohortex.study.identity.deidentify import DeidentifiedInstance, deidentify
from cohortex.study.identity.kinds import why_held, why_refused
from cohortex.study.identity.words import clean_text

__all__ = [
    "ALLOWED",
    "DeidentifiedInstance",
    "Kept",
    "clean_text",
    "deidentify",
    "why_held",
    "why_refused",
]
