"""What the files of results are called on pages, in the language of the page, and in which order they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cohortex.server.catalogue import Catalogue

Json = Mapping[str, Any]

_KINDS: tuple[tuple[str, str], ...] = (  # name without its ending -> key in the catalogue, the most telling first
    (r"images/(?P<sent>.+)", "sent"),
    (r"(?:baseline|follow_up)_common", "common"),
    (r"brain_template", "brain_template"),
    (r"template_mean", "template_mean"),
    (r"(?P<contrast>\w+)_corrected", "corrected"),
    (r"lesions_template", "lesions"),
    (r"lesions", "lesions"),
    (r"change(?:_common|_baseline|_follow_up)?", "change"),
    (r"difference", "difference"),
    (r"log_jacobian", "local_volume"),
    (r"deformation_template", "local_volume"),
    (r"deviation_intensity", "deviation_intensity"),
    (r"deviation_volume", "deviation_volume"),
    (r"template_sd", "template_sd"),
    (r"template_deformation", "template_deformation"),
    (r"brain", "brain"),
)
_SIDE = re.compile(r"(?:baseline|follow_up)_(?!common)")


def file_title(file: Json, visit: Json | None, words: Catalogue) -> str:
    """Name a file for a reader.

    Parameters
    ----------
    file : file of a result
        As the API shows it.
    visit : Visit or None
        Whose it is: a series that was sent is called by its contrast where no other of the visit has the same.
    words : Catalogue
        For the name.

    Returns
    -------
    str
        Such as "FLAIR" or "Lesions"; the API's own title for a kind of file that is not known here.
    """
    found = _found(file)
    if found is None:
        return str(file["title"])
    kind, parts = found
    if kind == "sent":
        return _contrast_of(parts["sent"], visit)
    return words(f"file.{kind}", contrast=parts.get("contrast", ""))


def file_rank(file: Json, visit: Json | None, *, first: str = "") -> tuple[int, bool, str]:
    """Sort files: what was sent before what was made of it, a contrast to begin with before the others."""
    found = _found(file)
    names = [key for _, key in _KINDS]
    if found is None:
        return len(names), True, str(file["title"])
    kind, parts = found
    title = _contrast_of(parts["sent"], visit) if kind == "sent" else ""
    return names.index(kind), not title.startswith(first), title


def _found(file: Json) -> tuple[str, dict[str, str]] | None:
    stem = _SIDE.sub("", re.sub(r"(\.nii\.gz|\.\w+)$", "", str(file["name"])), count=1)
    for pattern, kind in _KINDS:
        if match := re.fullmatch(pattern, stem):
            return kind, match.groupdict()
    return None


def _contrast_of(stem: str, visit: Json | None) -> str:
    series = visit["series"] if visit else []
    contrasts = [one["contrast"] for one in series]
    for one in series:
        if _as_in_names(one["description"]) == _as_in_names(stem) and one["contrast"]:
            unique = contrasts.count(one["contrast"]) == 1
            return str(one["contrast"]) if unique else f"{one['contrast']}, {one['description']}"
    return stem


def _as_in_names(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.lower())
