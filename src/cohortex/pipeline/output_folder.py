"""The folder of one report: whose it is, whether it can be written, and what runs leave in it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cohortex.errors import CohortexError, DamagedResult, StepFailed, TargetExists, UnwritableOutput
from cohortex.pipeline import visit_steps as steps
from cohortex.pipeline.store import ResultStore

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
    if not os.path.exists(output / RECORD):  # Path.exists raises below a folder that may not be entered
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


@contextmanager
def folder_for_output(output: Path) -> Iterator[None]:
    """Make a folder and see that it can be written; where nothing comes to lie in it, it goes with what failed.

    Parameters
    ----------
    output : Path
        The folder; those above it are made too, and removed again.

    Raises
    ------
    UnwritableOutput
        If it is a file, or nothing can be written into it.
    """
    made = [folder for folder in (output, *output.parents) if not os.path.exists(folder)]
    try:
        try:
            output.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=output):
                pass
        except (FileExistsError, NotADirectoryError) as error:
            raise UnwritableOutput(
                f"{_folder(output)}: the output cannot be written there: it is a file, or lies below one. Give a "
                "folder."
            ) from error
        except OSError as error:
            raise UnwritableOutput(
                f"{_folder(output)}: the output cannot be written there ({error.strerror}). Give another folder, or "
                "have the right to write into this one."
            ) from error
        yield
    except BaseException:
        for folder in made:
            with suppress(OSError):  # not empty, or never made
                folder.rmdir()
        raise


@contextmanager
def folder_for_run(output: Path, store: Path) -> Iterator[None]:
    """Make the folder of a run, as `folder_for_output`; a run that failed keeps only results that took long.

    Parameters
    ----------
    output : Path
        The folder.
    store : Path
        Where the results of steps are kept. One that was not there before is removed where the run was refused or
        failed and nothing but reading and looking was done; where more was, the message of a failed step says so.
    """
    fresh = not os.path.exists(store)
    with folder_for_output(output):
        try:
            yield
        except CohortexError as error:
            if fresh and _holds_only_what_was_read(store):
                shutil.rmtree(store, ignore_errors=True)
            elif isinstance(error, StepFailed):
                error.args = (
                    f"{error} The steps that were finished are kept in {store.name}, and the next run goes on from "
                    "there; it can be deleted.",
                )
            raise


def _holds_only_what_was_read(store: Path) -> bool:
    kept = ResultStore(store)
    quick = (steps.read_visit.name, steps.look_at.name, None)  # None: a value that was given
    try:
        return all(kept.provenance(key).get("step") in quick for key in kept.keys())  # noqa: SIM118
    except DamagedResult:
        return False


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
