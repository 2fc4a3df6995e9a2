"""What the check of an upload found: a verdict per series, and what was wrong with the upload as a whole."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

Verdict = Literal["accepted", "duplicate", "held", "refused"]
"""accepted: may be stored; duplicate: all stored already; held: a person decides; refused: never stored."""
Question = Literal["", "two-patients", "burned-in"]
"""What the person is asked who decides about a held series."""
Fact = Literal["date", "sex", "birth-date"]
"""What a header can say otherwise than it was entered."""
FACTS: tuple[Fact, ...] = get_args(Fact)
_FACT_NAMED: dict[str, Fact] = {fact: fact for fact in FACTS}


@dataclass(frozen=True, kw_only=True)
class CheckedInstance:
    """One de-identified object, written and ready to be stored.

    Attributes
    ----------
    uid : str
        Its SOP Instance UID in the study.
    file : str
        Name of its file in the output folder.
    sha256 : str
        Of the file, hexadecimal.
    size : int
        Bytes.
    """

    uid: str
    file: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class SeriesVerdict:
    """What becomes of one series. Nothing in it tells who the patient is.

    Attributes
    ----------
    series_uid : str
        In the study; empty where the series could not even be read that far.
    number : int or None
        As the scanner counted.
    modality, description : str
        Of the cleaned header.
    contrast, contrast_reason : str
        What it shows and how that is known; several images of one series separated by commas.
    instance_count : int
        Objects of the series in the upload.
    shape, spacing_mm : tuple
        Of its first image: voxels along each axis, mm between their centres. Empty where it could not be read.
    acquired : str or None
        Day of the scan, shifted, YYYY-MM-DD.
    verdict : str
        What becomes of it.
    question : str
        What a person has to decide, where it is held.
    reason, remedy : str
        Why, and what to do. A reason may also go with an accepted series: that some objects were known already.
    instances : tuple of CheckedInstance
        Objects to store: none of a duplicate or refused series, only the new ones of a series known in part.
    disagreements : tuple of {"date", "sex", "birth-date"}
        In what its original headers disagree with what was entered; never the values.
    """

    series_uid: str
    number: int | None = None
    modality: str = ""
    description: str = ""
    contrast: str = "other"
    contrast_reason: str = ""
    instance_count: int
    shape: tuple[int, ...] = ()
    spacing_mm: tuple[float, ...] = ()
    acquired: str | None = None
    verdict: Verdict
    question: Question = ""
    reason: str = ""
    remedy: str = ""
    instances: tuple[CheckedInstance, ...] = ()
    disagreements: tuple[Fact, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CheckProblem:
    """Something wrong with the upload, or with a part of it that belongs to no series.

    Attributes
    ----------
    reason, remedy : str
        What is wrong and what to do; files are named by their number, never by their name.
    """

    reason: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class UploadCheck:
    """Result of a check.

    Attributes
    ----------
    series : tuple of SeriesVerdict
        By series number.
    files_ignored : int
        Files that hold no image of a patient: text, lists of files, other formats.
    patient_hashes : tuple of str
        Keyed hashes of the hospital numbers found, each once; empty where the headers name nobody.
    problems : tuple of CheckProblem
        What was wrong beside the verdicts.
    """

    series: tuple[SeriesVerdict, ...] = ()
    files_ignored: int = 0
    patient_hashes: tuple[str, ...] = ()
    problems: tuple[CheckProblem, ...] = ()

    @property
    def disagreements(self) -> tuple[Fact, ...]:
        """In what the series that may be stored disagree with what was entered."""
        stored = [series for series in self.series if series.verdict in ("accepted", "held")]
        return in_order(fact for series in stored for fact in series.disagreements)

    def to_json(self) -> str:
        """Write as JSON; `from_json` reads it back."""
        return json.dumps(dataclasses.asdict(self))

    @staticmethod
    def from_json(text: str) -> UploadCheck:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            If it is not such a text.
        """
        try:
            return _check_from(json.loads(text))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not the JSON of an upload check; write it with to_json.") from error


def in_order(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Name each fact once, in the order of `FACTS`."""
    found = set(facts)
    return tuple(fact for fact in FACTS if fact in found)


def _check_from(entries: dict[str, Any]) -> UploadCheck:
    return UploadCheck(
        series=tuple(_series_from(series) for series in entries["series"]),
        files_ignored=int(entries["files_ignored"]),
        patient_hashes=tuple(map(str, entries["patient_hashes"])),
        problems=tuple(CheckProblem(**problem) for problem in entries["problems"]),
    )


def _series_from(entries: dict[str, Any]) -> SeriesVerdict:
    made = {
        "shape": tuple(int(count) for count in entries["shape"]),
        "spacing_mm": tuple(float(spacing) for spacing in entries["spacing_mm"]),
        "instances": tuple(CheckedInstance(**instance) for instance in entries["instances"]),
        "disagreements": in_order(_FACT_NAMED[name] for name in entries["disagreements"]),  # no other word comes in
    }
    return SeriesVerdict(**(entries | made))
