"""One series of an upload: its identity taken out file by file, then read as the pipeline will read it, and judged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cohortex.errors import CohortexError
from cohortex.image import Image
from cohortex.io.dicom_file import DicomFile, read_dicom_file, whole_dataset
from cohortex.io.dicom_objects import Found, images_of_files
from cohortex.pipeline.contrast import recognise_contrast
from cohortex.study.check.agreement import EnteredFacts, disagreements
from cohortex.study.check.child import limit_of
from cohortex.study.check.files import Member
from cohortex.study.check.verdict import CheckedInstance, CheckProblem, Fact, Question, SeriesVerdict, in_order
from cohortex.study.check.wording import file_problem, series_problem
from cohortex.study.identity import deidentify, why_held, why_refused
from cohortex.study.pseudonyms import Pseudonyms

_LOOK_FIRST = "Look at its pictures: accept the series only if no name, number or face is in them."
_ONE_PERSON = "Send each person's scan in an upload of its own, to the visit of that person."
_NO_IMAGES = "Send the images themselves; what the report says belongs into the record of the visit."


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the series of one upload share.

    Attributes
    ----------
    output : Path
        Folder for the de-identified files.
    pseudonyms, patient_code, day_shift
        As for `deidentify`.
    known : collection of str
        SOP Instance UIDs that the study has already.
    total : int
        Files in the upload.
    two_persons : str
        Why the upload may be of two persons; empty where nothing says so.
    entered : EnteredFacts
        What the original headers are compared with.
    """

    output: Path
    pseudonyms: Pseudonyms
    patient_code: str
    day_shift: int
    known: Collection[str]
    total: int
    two_persons: str
    entered: EnteredFacts


@dataclass(kw_only=True)
class _Written:
    """The de-identified files of a series, and what happened to the others."""

    files: dict[str, CheckedInstance] = field(default_factory=dict)  # by file name
    members: list[DicomFile] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    broken: list[CheckProblem] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    disagreements: set[Fact] = field(default_factory=set)


def judge_series(
    members: Sequence[Member], *, number: int, setting: Setting, tick: Callable[[], None]
) -> SeriesVerdict:
    """Write the de-identified files of a series and say what becomes of it.

    Parameters
    ----------
    members : sequence of Member
        Its files.
    number : int
        Counts the series of the upload, for the names of its files.
    setting : Setting
        What all series share.
    tick : callable
        Called after each file.

    Returns
    -------
    SeriesVerdict
        Files of a series that is refused or a duplicate are gone from the output again.
    """
    written = _Written()
    for member in members:
        _write_member(member, f"{number:03d}-{len(written.files) + 1:05d}.dcm", setting, written)
        tick()
    verdict = _judged(written, len(members), setting)
    wanted = {instance.file for instance in verdict.instances}
    for file in setting.output.glob(f"{number:03d}-*"):
        if file.name not in wanted:
            file.unlink()
    return verdict


def _write_member(member: Member, name: str, setting: Setting, written: _Written) -> None:
    called = f"file {member.number} of {setting.total}"
    target = setting.output / name
    try:
        file = read_dicom_file(member.path, name=called)
        if file.broken is not None:
            raise file.broken
        if reason := why_refused(file.header):
            written.refused.append(reason)
            return
        dataset = whole_dataset(file)
        if reason := why_held(dataset):
            written.held.append(reason)
        written.disagreements |= disagreements(file.header, setting.entered)
        clean = deidentify(
            dataset,
            pseudonyms=setting.pseudonyms,
            patient_code=setting.patient_code,
            day_shift=setting.day_shift,
        ).dataset
        clean.save_as(target, enforce_file_format=True)
    except Exception as error:  # the libraries raise anything on a damaged file
        if isinstance(error, OSError) and limit_of(error) != "breakdown":
            raise  # no room, or no more files: of the whole check
        problem = file_problem(error)
        written.broken.append(CheckProblem(reason=f"{called}: {problem.reason}", remedy=problem.remedy))
        return
    with target.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    written.files[name] = CheckedInstance(
        uid=str(clean.SOPInstanceUID), file=name, sha256=digest, size=target.stat().st_size
    )
    written.members.append(read_dicom_file(target, name=called))


def _judged(written: _Written, count: int, setting: Setting) -> SeriesVerdict:
    if not written.files:
        return _nothing_left(written, count)
    by_file = {member.path.name: member for member in written.members}
    found, reason = _read(list(by_file.values()))
    first = written.members[0]
    about = replace(_described(first, found.images, count), disagreements=in_order(written.disagreements))
    if written.broken:
        lost = written.broken[0]
        more = f" So are {len(written.broken) - 1} more of its files." if len(written.broken) > 1 else ""
        text = f"{lost.reason}{more} Without it the series has gaps."
        return replace(about, verdict="refused", reason=text, remedy=lost.remedy)
    if not found.images:
        problem = reason or CheckProblem(reason="it holds no picture.", remedy=_NO_IMAGES)
        return replace(about, verdict="refused", reason=problem.reason, remedy=problem.remedy)
    once = {instance.uid: instance for instance in reversed(written.files.values())}  # a repeated file counts once
    new = tuple(instance for instance in sorted(once.values(), key=_by_file) if instance.uid not in setting.known)
    if not new:
        text = f"all {len(once)} objects of this series are in the study already."
        return replace(about, verdict="duplicate", reason=text, remedy="Nothing has to be done.")
    notes = _notes(written, found, len(once), len(new), reason)
    question, held = _why_held(written, setting)
    if held:
        remedy = _ONE_PERSON if question == "two-patients" else _LOOK_FIRST
        why = " ".join([held, *notes])
        return replace(about, verdict="held", question=question, reason=why, remedy=remedy, instances=new)
    return replace(about, verdict="accepted", reason=" ".join(notes), instances=new)


def _by_file(instance: CheckedInstance) -> str:
    return instance.file


def _nothing_left(written: _Written, count: int) -> SeriesVerdict:
    if written.broken:
        problem = written.broken[0]
    else:
        problem = CheckProblem(reason=f"it is {written.refused[0]}.", remedy=_NO_IMAGES)
    return SeriesVerdict(
        series_uid="", instance_count=count, verdict="refused", reason=problem.reason, remedy=problem.remedy
    )


def _read(members: list[DicomFile]) -> tuple[Found, CheckProblem | None]:
    """Read the clean files as the pipeline will; with the first problem in words."""
    try:
        found = images_of_files(members, gaps="refuse", uneven="refuse", progress=lambda _: None)
    except CohortexError as error:
        return Found(images=(), problems=(), ignored=()), series_problem(error)
    problems = [error for _, error in found.problems]
    return found, series_problem(problems[0]) if problems else None


def _described(first: DicomFile, images: Sequence[Image], count: int) -> SeriesVerdict:
    """What is known about a series before it is judged."""
    guesses = [recognise_contrast(image) for image in images]
    dates = (first.text(key) for key in ("AcquisitionDate", "SeriesDate", "ContentDate", "StudyDate"))
    day = next((date for date in dates if len(date) == 8), None)
    return SeriesVerdict(
        series_uid=first.text("SeriesInstanceUID"),
        number=first.integer("SeriesNumber") if first.text("SeriesNumber") else None,
        modality=first.text("Modality"),
        description=first.text("SeriesDescription") or first.text("ProtocolName"),
        contrast=", ".join(dict.fromkeys(guess.contrast for guess in guesses)) or "other",
        contrast_reason="; ".join(dict.fromkeys(guess.reason for guess in guesses)),
        instance_count=count,
        shape=tuple(images[0].values.shape) if images else (),
        spacing_mm=tuple(images[0].grid.spacing_mm) if images else (),
        acquired=None if day is None else f"{day[:4]}-{day[4:6]}-{day[6:]}",
        verdict="refused",
    )


def _why_held(written: _Written, setting: Setting) -> tuple[Question, str]:
    if setting.two_persons:
        return "two-patients", setting.two_persons
    if written.held:
        return "burned-in", f"it is {written.held[0]}."
    return "", ""


def _notes(written: _Written, found: Found, count: int, new: int, problem: CheckProblem | None) -> list[str]:
    notes = []
    if new < count:
        notes.append(f"{count - new} of its {count} objects are in the study already; {new} are new.")
    if count < len(written.files):
        notes.append(f"{len(written.files) - count} files repeat others and were left out.")
    if written.refused:
        notes.append(f"{len(written.refused)} objects of it were left out: {written.refused[0]}.")
    if problem is not None:
        notes.append(f"{len(found.problems)} of its images cannot be read: {problem.reason}")
    return notes
