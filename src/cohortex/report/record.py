"""The data of a report as plain values: what `report.json` holds and what the page is written from."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from cohortex.image import Image
from cohortex.lesions.lesion import Lesion, LesionEvent
from cohortex.pipeline.results import ComparisonResult, MethodRecord, SeriesRecord, VisitResult
from cohortex.report.catalogue import ENGLISH
from cohortex.report.headline import IMPORTANCE, by_importance, headline
from cohortex.report.wording import percent_change

Record = dict[str, Any]
"""Plain values as JSON knows them."""

POOR_SIMILARITY = 0.4
"""Correlation with the template below which an alignment is called poor: 0.9 and more for phantoms, 0.6 for good
ones of real heads, whose folds the template does not have."""

_LONGEST_NAME = 36
_LEVELS = ("pass", "warn", "fail")


def visit_record(result: VisitResult, *, text: Mapping[str, str] = ENGLISH) -> Record:
    """Write everything said about a visit, without its pictures, as plain values.

    Parameters
    ----------
    result : VisitResult
        What was found; largest lesion first is not assumed.
    text : mapping
        The catalogue of words.

    Returns
    -------
    dict
        Keys are the field names of the result (units in the names) and derived ones; lesions and regions largest first;
        numbers that are not finite are null, and so are count and volume where lesions were not outlined, with the
        reason in "lesions_not_outlined_because". How long a step took is left out: the same scan gives the same report.
    """
    return {
        "schema": "cohortex.visit-report/2",
        "research_use": text["research_use"],
        "headline": headline(result, text=text),
        **_visit_fields(result),
        "notices": _notices([result], text),
        "cohortex_version": result.cohortex_version,
    }


def comparison_record(result: ComparisonResult, *, text: Mapping[str, str] = ENGLISH) -> Record:
    """Write everything said about two visits, without pictures, as plain values; events most urgent first.

    Parameters are those of `visit_record`.
    """
    events = by_importance(result.events)
    baseline = {lesion.label: lesion for lesion in result.baseline.lesions}
    follow_up = {lesion.label: lesion for lesion in result.follow_up.lesions}
    outlined = not (result.baseline.not_outlined or result.follow_up.not_outlined)  # what was not is not zero either
    notices = [{"level": flag.level, "message": flag.message} for flag in result.notices]
    notices += _notices([result.baseline, result.follow_up], text)
    notices.sort(key=lambda notice: -_LEVELS.index(notice["level"]))
    if not result.alignment_converged:
        notices.insert(0, {"level": "fail", "message": text["notice_visits_alignment"]})
    return {
        "schema": "cohortex.comparison-report/2",
        "research_use": text["research_use"],
        "headline": headline(result, text=text),
        "study_code": result.study_code,
        "event_counts": {kind: sum(e.event == kind for e in events) if outlined else None for kind in IMPORTANCE},
        "events": [_event_fields(n, event, baseline, follow_up) for n, event in enumerate(events, start=1)],
        "baseline_total_ml": plain(result.baseline_total_ml),
        "baseline_total_sd_ml": total_sd_ml(result.baseline.lesions) if outlined else None,
        "follow_up_total_ml": plain(result.follow_up_total_ml),
        "follow_up_total_sd_ml": total_sd_ml(result.follow_up.lesions) if outlined else None,
        "total_change_ml": plain(result.follow_up_total_ml - result.baseline_total_ml),
        "total_change_sd_ml": _root_sum_of_squares(e.change_sd_ml for e in events) if outlined else None,
        "total_change_percent": plain(percent_change(result.baseline_total_ml, result.follow_up_total_ml)),
        "alignment_similarity": plain(result.alignment_similarity),
        "alignment_converged": result.alignment_converged,
        "motion_mm": plain(result.motion_mm),
        "notices": notices,
        "baseline": _visit_fields(result.baseline),
        "follow_up": _visit_fields(result.follow_up),
        "methods": [_method_fields(method) for method in result.methods],
        "files": plain(dict(result.files)),
        "cohortex_version": result.cohortex_version,
    }


def json_text(record: Record) -> str:
    """Write a record as JSON text: readable, every digit kept, never NaN."""
    return json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def total_sd_ml(lesions: Sequence[Lesion]) -> float | None:
    """Standard deviation of the summed volume for independent errors, ml."""
    return _root_sum_of_squares(lesion.volume_sd_ml for lesion in lesions)


def worst_level(levels: Sequence[str]) -> str:
    """The gravest of quality levels; "pass" for none."""
    return max(levels, key=_LEVELS.index, default="pass")


def plain(value: object) -> Any:
    """Turn a value of a result into JSON's plain values.

    Numbers that are not finite become None, paths their last part (no folder of a machine belongs into a report),
    functions their name, arrays lists.

    Raises
    ------
    TypeError
        For a value that has no plain form, such as an image.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Sequence):
        return [plain(entry) for entry in value]
    if isinstance(value, set | frozenset):
        return [plain(entry) for entry in sorted(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type | Image):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    raise TypeError(f"{type(value).__name__} has no plain form for a report; give numbers, words or lists of them.")


def _root_sum_of_squares(sds: Iterable[float]) -> float | None:
    value = math.sqrt(sum(sd**2 for sd in sds))
    return value if math.isfinite(value) else None


def _visit_fields(result: VisitResult) -> Record:
    lesions = sorted(result.lesions, key=lambda lesion: (-lesion.volume_ml, lesion.label))
    outlined = not result.not_outlined  # what was not looked for is not zero
    regions = sorted(result.differing_regions, key=lambda region: -region.volume_ml)
    return {
        "study_code": result.study_code,
        "visit": result.visit,
        "lesion_contrast": result.lesion_contrast,
        "lesions_not_outlined_because": result.not_outlined,
        "lesion_count": len(lesions) if outlined else None,
        "total_lesion_volume_ml": plain(sum(lesion.volume_ml for lesion in lesions)) if outlined else None,
        "total_lesion_volume_sd_ml": total_sd_ml(lesions) if outlined else None,
        "lesions": [plain(lesion) for lesion in lesions],
        "brain_volume_ml": plain(result.brain_volume_ml),
        "tissue_volumes_ml": plain(dict(result.tissue_volumes_ml)),
        "alignment": plain(result.alignment),
        "differing_regions": [plain(region) for region in regions],
        "quality": worst_level(
            [f.level for s in result.series if _is_used(s) for f in s.quality]
        ),  # of the images used
        "series": [_series_fields(series) for series in result.series],
        "methods": [_method_fields(method) for method in result.methods],
        "files": plain(dict(result.files)),
    }


def _series_fields(series: SeriesRecord) -> Record:
    fields: Record = plain(series)
    return {**fields, "quality_level": worst_level([flag.level for flag in series.quality])}


def _method_fields(method: MethodRecord) -> Record:
    fields: Record = plain(method)
    del fields["seconds"]  # differs from run to run; the provenance keeps it
    return fields


def _event_fields(
    number: int, event: LesionEvent, baseline: Mapping[int, Lesion], follow_up: Mapping[int, Lesion]
) -> Record:
    before = [baseline[label] for label in event.baseline_labels if label in baseline]
    after = [follow_up[label] for label in event.follow_up_labels if label in follow_up]
    fields: Record = plain(event)
    return {
        "number": number,
        **fields,
        "baseline_volume_sd_ml": total_sd_ml(before),
        "follow_up_volume_sd_ml": total_sd_ml(after),
        "baseline_lesions": [_brief(lesion) for lesion in before],
        "follow_up_lesions": [_brief(lesion) for lesion in after],
    }


def _brief(lesion: Lesion) -> Record:
    fields: Record = plain(lesion)
    keys = ("label", "volume_ml", "volume_sd_ml", "longest_diameter_mm", "perpendicular_diameter_mm", "slice_number")
    return {key: fields[key] for key in keys}


def _notices(visits: Sequence[VisitResult], text: Mapping[str, str]) -> list[Record]:
    """What must be read before the figures; failures first, the same finding told once with all it concerns."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}  # level, message -> visit -> series

    def note(level: str, message: str, visit: VisitResult, series: str = "") -> None:
        found.setdefault((level, message), {}).setdefault(visit.visit, []).append(series)

    for visit in visits:
        alignment = visit.alignment
        if not alignment.converged:
            note("fail", text["notice_no_brain_alignment"], visit)
        elif not alignment.similarity >= POOR_SIMILARITY:
            note("warn", text["notice_poor_alignment"].format(similarity=f"{alignment.similarity:.2f}"), visit)
        if alignment.folded_percent > 0:
            note("warn", text["notice_folded"].format(percent=f"{alignment.folded_percent:.2g} %"), visit)
        for flag in visit.notices:
            note(flag.level, flag.message, visit)
        for series in visit.series:
            for flag in series.quality:
                if flag.level == "fail" or (flag.level == "warn" and _is_used(series)):
                    note(flag.level, flag.message, visit, _short_name(series, visit.series))
    notices = []
    for (level, message), concerned in found.items():
        names = list(dict.fromkeys(name for series in concerned.values() for name in series if name))
        words = f"{', '.join(names)}: {message}" if names else message
        if len(visits) > 1:
            words += f" ({', '.join(concerned)})"
        notices.append({"level": level, "message": words})
    return sorted(notices, key=lambda notice: -_LEVELS.index(notice["level"]))


def _is_used(series: SeriesRecord) -> bool:
    return not series.used_for.startswith("not used")


def _short_name(series: SeriesRecord, among: Sequence[SeriesRecord]) -> str:
    """The contrast where it names one series of the visit only, else the name, its middle left out if long."""
    if series.contrast != "other" and sum(other.contrast == series.contrast for other in among) == 1:
        return series.contrast
    name = series.name
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME // 2]}…{name[-_LONGEST_NAME // 2 :]}"
