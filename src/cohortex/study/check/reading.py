"""The whole check, as it runs in the confined process: look, take the identity out, judge; plain values in and out."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from cohortex.errors import CohortexError
from cohortex.io import ArchiveLimits
from cohortex.io.quiet import quiet_dicom_library
from cohortex.io.upload import members
from cohortex.progress import Progress
from cohortex.study.check.agreement import EnteredFacts
from cohortex.study.check.child import Report
from cohortex.study.check.files import Inventory, neutral_name, take_inventory
from cohortex.study.check.series import Setting, judge_series
from cohortex.study.check.verdict import CheckProblem, SeriesVerdict, UploadCheck
from cohortex.study.check.wording import archive_problem
from cohortex.study.pseudonyms import Pseudonyms

_NO_IMAGE = "Send the folder or the zip that holds the DICOM files of the scan."


def check(arguments: dict[str, Any], report: Report) -> Any:
    """Check an upload; as `check_upload`, of plain values and in this process.

    Parameters
    ----------
    arguments : dict
        path, output, scratch, secret (base64), centre, patient_code, day_shift, entered facts, known and limits.
    report : callable
        Told how far it is.

    Returns
    -------
    dict
        The entries of an `UploadCheck`.
    """
    pseudonyms = Pseudonyms(base64.b64decode(arguments["secret"]))
    original = Path(arguments["path"])
    path = Path(arguments["scratch"]) / neutral_name(original)
    path.symlink_to(original.resolve())

    def unpacking(progress: Progress) -> None:
        report("unpacking", progress.done, progress.total)  # the reader's own words name the archive

    try:
        with (
            members(path, limits=ArchiveLimits(**arguments["archive"]), progress=unpacking) as (names, broken),
            quiet_dicom_library(),
        ):
            found = take_inventory(
                names,
                broken,
                pseudonyms=pseudonyms,
                centre=arguments["centre"],
                tick=lambda done: report("reading headers", done, len(names)),
            )
            setting = Setting(
                output=Path(arguments["output"]),
                pseudonyms=pseudonyms,
                patient_code=arguments["patient_code"],
                day_shift=arguments["day_shift"],
                known=frozenset(arguments["known"]),
                total=found.total,
                two_persons=found.two_persons,
                entered=EnteredFacts.from_entries(arguments["entered"]),
            )
            series = _judged(found, setting, report)
    except CohortexError as error:
        return json.loads(UploadCheck(problems=(archive_problem(error),)).to_json())
    return json.loads(_check(found, series).to_json())


def _judged(found: Inventory, setting: Setting, report: Report) -> list[SeriesVerdict]:
    total = sum(len(files) for files in found.series.values())
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        report("taking out identities", done, total)

    series = []
    for number, files in enumerate(found.series.values(), start=1):
        series.append(judge_series(files, number=number, setting=setting, tick=tick))
    return sorted(series, key=lambda verdict: (verdict.number is None, verdict.number or 0))


def _none_of(total: int) -> str:
    return "the file is no DICOM image." if total == 1 else f"none of the {total} files is a DICOM image."


def _check(found: Inventory, series: list[SeriesVerdict]) -> UploadCheck:
    problems = list(found.problems)
    if not series and not problems:
        problems.append(CheckProblem(reason=_none_of(found.total), remedy=_NO_IMAGE))
    return UploadCheck(
        series=tuple(series),
        files_ignored=found.ignored,
        patient_hashes=tuple(sorted(found.patients)),
        problems=tuple(problems),
    )
