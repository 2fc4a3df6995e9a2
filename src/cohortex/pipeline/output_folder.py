"""The folder of one report: whose it is, and what an earlier run of the same visits left in it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from cohortex.errors import TargetExists

RECORD = "report.json"
"""The figures of the report; names the visits and the files written with it."""

_WRITTEN = (".nii.gz", ".tfm")  # endings of what a run writes


def refuse_other_visits(output: Path, *, study_code: str, visits: Sequence[str]) -> None:
    """Refuse a folder that holds the report of another patient, visit or comparison.

    Parameters
    ----------
    output : Path
        The folder, which need not exist.
    study_code : str
        Of the patient the folder is wanted for.
    visits : sequence of str
        The visit, or baseline and follow-up.

    Raises
    ------
    TargetExists
        If its `report.json` is of others, or nothing a run wrote, with both and the remedy.
    """
    if not (output / RECORD).exists():
        return
    wanted, found = _name(study_code, visits), _whose(_earlier(output))
    if found is None:
        raise TargetExists(
            f"{_folder(output)}: its {RECORD} is no report of cohortex and would be replaced by that of {wanted}. "
            "Give another folder, or move the file away."
        )
    if found != wanted:
        raise TargetExists(
            f"{_folder(output)}: it holds the report of {found}; that of {wanted} and its images would be mixed with "
            "it. Give another folder."
        )


def remove_outdated(output: Path, files: Collection[str]) -> None:
    """Remove what an earlier run of the same visits wrote and this one did not; nothing else is touched.

    Parameters
    ----------
    output : Path
        The folder, with the `report.json` of the earlier run.
    files : collection of str
        What this run wrote, relative to it.
    """
    earlier = _earlier(output).get("files")
    if not isinstance(earlier, Mapping):
        return
    kept = {_identity(path) for path in (output / name for name in files) if path.is_file()}
    for name in map(str, earlier.values()):
        path = output / name
        if name in files or not name.endswith(_WRITTEN) or not _is_inside(path, output):
            continue
        if path.is_file() and _identity(path) not in kept:  # a case-blind disk knows one file by two names
            path.unlink()
            if name.startswith("images/"):  # a series has a sidecar
                path.with_name(path.name.removesuffix(".nii.gz") + ".json").unlink(missing_ok=True)


def _earlier(output: Path) -> Mapping[str, Any]:
    """Read the earlier record; empty where there is none."""
    try:
        record = json.loads((output / RECORD).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # not JSON, or not UTF-8
        return {}
    return record if isinstance(record, dict) else {}


def _whose(record: Mapping[str, Any]) -> str | None:
    """Say whose report a record is; None for what is no report."""
    try:
        if str(record["schema"]).startswith("cohortex.visit-report/"):
            return _name(record["study_code"], [record["visit"]])
        if str(record["schema"]).startswith("cohortex.comparison-report/"):
            return _name(record["study_code"], [record[side]["visit"] for side in ("baseline", "follow_up")])
    except (KeyError, TypeError):
        pass
    return None


def _name(study_code: str, visits: Sequence[str]) -> str:
    return f"{study_code} {' → '.join(visits)}"


def _folder(output: Path) -> str:
    return output.resolve().name or "/"


def _is_inside(path: Path, output: Path) -> bool:
    return path.parent.resolve().is_relative_to(output.resolve())


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
