"""Results, series and template versions, fetched on behalf of an asker; what a result says of lesions and events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from sqlalchemy import select

from cohortex.errors import NotThere
from cohortex.study.database import StudySession
from cohortex.study.database.tables import Result, Series, TemplateVersion
from cohortex.study.home import Study
from cohortex.transform import Affine

Record = dict[str, Any]
_SIDES = ("baseline", "follow_up")
_LARGEST_ID = 2**63 - 1


def result_of(session: StudySession, result: str) -> Result:
    """Fetch a result.

    Raises
    ------
    NotThere
        If there is none, or none the asker may see.
    """
    found = session.scalar(select(Result).where(Result.id == result))
    if found is None:
        raise NotThere("There is no such result.")
    return found


def series_of(session: StudySession, series: str) -> Series:
    """Fetch a series by the digits of its key.

    Raises
    ------
    NotThere
        If there is none, or none the asker may see.
    """
    number = _number(series)
    found = None if number is None else session.scalar(select(Series).where(Series.id == number))
    if found is None:
        raise NotThere("There is no such series.")
    return found


def template_of(session: StudySession, version: str) -> TemplateVersion:
    """Fetch a version of the study's template; open to every centre.

    Raises
    ------
    NotThere
        If it was never released.
    """
    number = _number(version)
    found = None if number is None else session.get(TemplateVersion, number)
    if found is None:
        raise NotThere("There is no such version of the template.")
    return found


def file_of(files: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Find a file among those of a result or a template version.

    Raises
    ------
    NotThere
        If it has no such file.
    """
    found: Mapping[str, Any] | None = files.get(name)
    if found is None:
        raise NotThere("There is no such file.")
    return found


def record_of(study: Study, result: Result) -> Record:
    """Read what a result says, as its `report.json` was written.

    Raises
    ------
    DamagedResult
        If it is missing from the objects or damaged.
    """
    record: Record = json.loads(study.objects.read(result.record))
    return record


def lesions_of(result: Result, record: Record) -> list[Record]:
    """List the lesions of a result with the visit each belongs to; those of a comparison know of the other visit."""
    if result.kind == "visit":
        return [{**lesion, "visit": result.visit_id} for lesion in record["lesions"]]
    if result.kind == "comparison":
        visits = (result.earlier_visit_id, result.visit_id)
        return [
            {**lesion, "visit": visit}
            for side, visit in zip(_SIDES, visits, strict=True)
            for lesion in record[side]["lesions"]
        ]
    return []


def events_of(result: Result, record: Record) -> list[Record]:
    """List what became of each lesion between the visits of a comparison.

    Parameters
    ----------
    result : Result
        Any; only a comparison has events.
    record : dict
        What it says.

    Returns
    -------
    list of dict
        The events of the record, each with `midway_mm` and `template_mm`: the centre of its largest part, at the
        follow-up, or at the baseline where nothing is left; None where it is not known.
    """
    if result.kind != "comparison":
        return []
    lesions = {side: {lesion["label"]: lesion for lesion in record[side]["lesions"]} for side in _SIDES}
    found = []
    for event in record["events"]:
        side = "follow_up" if event["follow_up_labels"] else "baseline"
        parts = [lesions[side][label] for label in event[f"{side}_labels"] if label in lesions[side]]
        largest = max(parts, key=lambda lesion: lesion["volume_ml"], default=None)
        places = {"midway_mm": None, "template_mm": None}
        if largest is not None:
            side_from_midway = Affine(file_of(result.files, f"transforms/{side}_from_midway.tfm")["matrix"])
            places["midway_mm"] = side_from_midway.inverse()(np.asarray(largest["centroid_mm"])).tolist()
            places["template_mm"] = largest["template_mm"]
        found.append({**event, **places})
    return found


def transforms_of(session: StudySession, result: Result, visit: str | None) -> Mapping[str, Mapping[str, Any]]:
    """Find the stored transforms between a visit of a result and the template.

    Parameters
    ----------
    session : StudySession
        Of the asker.
    result : Result
        Any; a deviation has none of its own and takes those of its visit.
    visit : str or None
        Which visit of a comparison; the later one when omitted.

    Returns
    -------
    mapping of str to file
        "template_from_visit" and "visit_from_template".

    Raises
    ------
    NotThere
        If the result is not about that visit.
    """
    if visit not in (None, result.visit_id, result.earlier_visit_id):
        raise NotThere("There is no such visit in this result.")
    if result.kind == "deviation":
        own = session.scalar(
            select(Result)
            .where(Result.visit_id == result.visit_id, Result.kind == "visit")
            .order_by(Result.stale_at.is_not(None), Result.made_at.desc())
            .limit(1)
        )
        result = own or result
    side = "" if result.kind != "comparison" else "baseline_" if visit == result.earlier_visit_id else "follow_up_"
    return {
        way: file_of(result.files, f"transforms/{side}{way}.nii.gz")
        for way in ("template_from_visit", "visit_from_template")
    }


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text) <= _LARGEST_ID else None
