"""A code for a person, from the name of a file or folder, or from content: never from the header, never a name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from cohortex.pipeline.label_images import stem_of

_NEUTRAL = "person-"
_DIGITS = (
    10  # two of 10 000 names share a code with a chance of 5 in 100 000; with 4 digits two of 300 names did by half
)
_VISIT_WORDS = r"ses|session|visit|study|timepoint|time|tp|scan|exam|week|month|year|day|v|w|m|y"
_VISIT = re.compile(
    rf"(?i)(?:^|[_\-. ])((?:{_VISIT_WORDS})[-_ ]?\d{{1,4}}|ses-[a-z0-9]+|baseline|follow[-_ ]?up[-_ ]?\d*|fu\d+|"
    r"screening|before|after)(?=$|[_\-. ])"
)
_PRE_POST = re.compile(r"(?i)(?:^|[_\-. ])(pre|post)(?=$|[_\-. ])")  # an operation, or in names of images the agent
_NO_PERSON = re.compile(
    r"(?i)flair|t1w?|t1c|t1gd|t2w?|pd|dwi|adc|swi|gre|mprage|tirm|stir|space|gd|contrast|native|2d|3d|axial|ax|tra|"
    r"sagittal|sag|coronal|cor|mri?|ct|scans?|images?|series|dicom|dcm|nifti|nii|anat|raw|data|brain|head|visits?|"
    r"session|timepoint|and"
)
_PLAIN = re.compile(
    r"(?i)sub|subj|subject|patient|pat|pt|case|phantom|participant|person|volunteer|control|demo|example|test|sample|"
    r"id|nr|no|study|trial|cohort|site|center|centre|group|arm|brain|head|mri?|ct|dicom|dcm|nifti|bids|anat|data|raw|"
    rf"series|image|images|{_VISIT_WORDS}|baseline|follow|followup|up|fu|screening|before|after|"
    r"flair|t1w?|t1c|t2w?|dwi|adc|pd|axial|ax|sagittal|sag|coronal|cor|pre|post|ms|glioma|stroke|lesion|lesions|"
    r"multicontrast|longitudinal|and|of|the|new|old|[a-z]|\d{1,4}|[a-z]{1,2}\d{1,5}"  # more digits may be a birth date
)


def study_code_from(name: str) -> str:
    """Give the study code that a file or folder name stands for.

    Parameters
    ----------
    name : str
        Name of a file or folder, without the path.

    Returns
    -------
    str
        "sub-07" gives "07". Else the name without file endings and visit words, if every part of it is a plain
        word or a code (patient-03, case12, A-17). A name with any other part may be a person's or hold a birth
        date, and gives a neutral code such as "person-3f9a2b61c8", always the same for the same name; the caller
        can set another code.

    Notes
    -----
    The neutral code is a hash without a key: it keeps a name from being read, not from being guessed by someone who
    tries names. Give codes of the study where that matters.
    """
    stem = stem_of(name)
    if found := re.search(r"(?:^|[_\-])sub-([A-Za-z0-9]+)", stem):
        return found.group(1)
    person = _without_visit(stem) or stem
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", person) if part]
    if person.isascii() and parts and all(_PLAIN.fullmatch(part) for part in parts):
        return "-".join(parts)
    return _NEUTRAL + hashlib.sha256(person.encode()).hexdigest()[:_DIGITS]


def study_code_from_content(paths: Sequence[Path]) -> str:
    """Give a neutral code to scans whose names name nobody: the same for the same bytes, another for another patient.

    Parameters
    ----------
    paths : sequence of Path
        Files, and folders with all in them that is not hidden; in any order.
    """
    files = [file for path in paths for file in (_shown_below(path) if path.is_dir() else [path])]
    whole = hashlib.sha256()
    for digest in sorted(map(_digest, files)):
        whole.update(digest)
    return _NEUTRAL + whole.hexdigest()[:_DIGITS]


def _shown_below(folder: Path) -> list[Path]:
    """Files below a folder, without what systems hide there (.DS_Store, __MACOSX): that comes and goes."""
    return [
        file
        for file in folder.rglob("*")
        if not any(part.startswith((".", "__MACOSX")) for part in file.relative_to(folder).parts) and file.is_file()
    ]


def _digest(file: Path) -> bytes:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def is_neutral(code: str) -> bool:
    """Whether a study code stands for a name that was not shown, or for none."""
    return re.fullmatch(rf"{_NEUTRAL}[0-9a-f]{{{_DIGITS}}}", code) is not None


def names_no_person(name: str) -> bool:
    """Whether a name holds only words of visits, times and contrasts: before.zip, visit1, t1.nii.gz, DICOM."""
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", _without_visit(stem_of(name))) if part]
    return name.isascii() and all(_NO_PERSON.fullmatch(part) for part in parts)


def visit_from(name: str, *, of_image: bool = False) -> str | None:
    """Give the visit that a file or folder name speaks of, such as "ses-02", "visit-2", "baseline" or "study1".

    "pre" and "post" are visits but in names `of_image`, which tell by them of the contrast agent.
    """
    stem = stem_of(name)
    found = _VISIT.search(stem) or (None if of_image else _PRE_POST.search(stem))
    return re.sub(r"[_ ]", "-", found.group(1)).lower() if found else None


def without_visit(stem: str) -> str:
    """Take the words of a visit out of a name: "case_visit-2_FLAIR" gives "case_FLAIR"; "pre" and "post" stay."""
    return _VISIT.sub("", stem)


def _without_visit(stem: str) -> str:
    return _PRE_POST.sub("", without_visit(stem)).strip("_-. ")
