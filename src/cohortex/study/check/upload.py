"""Checking an upload: untrusted bytes are read in a confined process only, and its answer is believed no further."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import re
import stat
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from cohortex.errors import LimitReached, TargetExists
from cohortex.progress import Progress, ProgressCallback, silent
from cohortex.study.check.agreement import EnteredFacts
from cohortex.study.check.confined import run_confined
from cohortex.study.check.limits import CheckLimits
from cohortex.study.check.verdict import CheckProblem, UploadCheck
from cohortex.study.pseudonyms import Pseudonyms

_FUNCTION = "cohortex.study.check.reading:check"
_FILE_NAME = re.compile(r"\d{3,}-\d{5,}\.dcm")
_TASKS = ("unpacking", "reading headers", "taking out identities")


def check_upload(
    path: Path,
    *,
    output: Path,
    pseudonyms: Pseudonyms,
    centre: str,
    patient_code: str,
    day_shift: int,
    entered: EnteredFacts,
    limits: CheckLimits | None = None,
    known_instances: Collection[str] = (),
    scratch: Path | None = None,
    progress: ProgressCallback = silent,
) -> UploadCheck:
    """Find out what an upload holds, and write its de-identified objects, before anything of it is stored.

    It is unpacked and read in a process of its own with limits, so that a damaged or hostile file can harm nothing
    but its own check. Nothing in the result tells who the patient is: files are called by their number.

    Parameters
    ----------
    path : Path
        Zip, tar (also compressed) or one DICOM file, whatever it is called.
    output : Path
        Empty or new folder for the de-identified files of accepted and held series.
    pseudonyms : Pseudonyms
        Of the study.
    centre : str
        Code of the centre it came from; hospital numbers are compared within it.
    patient_code : str
        The study's name of the patient it was sent for.
    day_shift : int
        Days added to every date of this patient, not zero.
    entered : EnteredFacts
        What the headers are compared with, as it truly is: given to the confined process, which answers only with the
        names of the facts that disagree.
    limits : CheckLimits, optional
        On memory, time and files.
    known_instances : collection of str
        SOP Instance UIDs, as the study writes them, that are stored already.
    scratch : Path, optional
        Folder in which it is unpacked, and which the caller can wipe should this process be killed; the system's
        temporary folder when omitted.
    progress : callable, optional
        Told how far it is; the check ends when it raises, and leaves nothing in `output`.

    Returns
    -------
    UploadCheck
        A verdict per series. What cannot be read at all, or ran into a limit, is a result too, with one problem that
        has a reason and a remedy.

    Raises
    ------
    TargetExists
        If `output` holds anything.
    FileNotFoundError
        If there is no upload at `path`.
    ValueError
        If `patient_code`, `centre` or `day_shift` cannot be used.
    """
    limits = limits or CheckLimits()
    if not path.is_file():
        raise FileNotFoundError("there is no upload at this place; it may have been wiped.")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", patient_code) or not centre:
        raise ValueError("patient_code or centre is no code of the study; give letters, digits, dots and hyphens.")
    if day_shift == 0:
        raise ValueError("day_shift is 0 and would leave every date as it is; give Pseudonyms.day_shift.")
    output.mkdir(parents=True, exist_ok=True)
    if any(output.iterdir()):
        raise TargetExists(f"{output.name} is not empty; give a new folder for the files of this upload.")

    def relay(told: Progress) -> None:
        task = told.task if told.task in _TASKS else "checking"  # only words of ours leave the confined process
        progress(Progress(task=task, done=told.done, total=told.total))

    with _emptied_on_failure(output), tempfile.TemporaryDirectory(prefix="check-", dir=scratch) as folder:
        arguments = {
            "path": str(path.absolute()),
            "output": str(output.absolute()),
            "scratch": folder,
            "secret": base64.b64encode(pseudonyms.secret).decode(),
            "centre": centre,
            "patient_code": patient_code,
            "day_shift": day_shift,
            "known": sorted(known_instances),
            "entered": entered.as_entries(),
            "archive": dataclasses.asdict(limits.archive),
        }
        try:
            answer = run_confined(_FUNCTION, arguments, scratch=Path(folder), limits=limits, progress=relay)
            found = UploadCheck.from_json(json.dumps(answer))
            _check_files(found, output)
        except (LimitReached, ValueError) as error:
            _empty(output)
            return UploadCheck(problems=(_problem(error),))
    return found


def _problem(error: LimitReached | ValueError) -> CheckProblem:
    if isinstance(error, LimitReached):
        return CheckProblem(reason=error.reason, remedy=error.remedy)
    return CheckProblem(
        reason="the check broke down and its answer does not agree with the files it wrote.",
        remedy="Export the scan again from the scanner or the archive; if it fails again, send the series one by one.",
    )


def _check_files(found: UploadCheck, output: Path) -> None:
    """Believe nothing of a process that read untrusted bytes: its files must be plain, here, and those it names."""
    named: dict[str, int] = {}
    for series in found.series:
        for instance in series.instances:
            if not _FILE_NAME.fullmatch(instance.file) or instance.file in named:
                raise ValueError("a file is named in another way than the check names files.")
            named[instance.file] = instance.size
    for file in output.iterdir():
        about = file.lstat()
        if not stat.S_ISREG(about.st_mode) or named.pop(file.name, -1) != about.st_size:
            raise ValueError("a file in the output is not one that the check named.")
    if named:
        raise ValueError("a file that the check named is missing.")


@contextlib.contextmanager
def _emptied_on_failure(output: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _empty(output)
        raise


def _empty(output: Path) -> None:
    for file in output.iterdir():
        file.unlink()
