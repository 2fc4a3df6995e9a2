"""What the patient page shows: chosen and joined from the answers of the API, nothing computed anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cohortex.server.catalogue import Catalogue, format_date
from cohortex.server.pages.findings import finding_of
from cohortex.server.pages.scenes import patient_scenes

Json = Mapping[str, Any]


def chosen_results(patient: Json) -> list[Any]:
    """The ids of the results whose files and lesions the page needs: each visit's current one, the newest others."""
    chosen = [result["id"] for visit in patient["visits"] if (result := current_result(visit))]
    comparison = newest(patient["comparisons"])
    return [*chosen, *(result["id"] for result in (comparison, patient["deviation"]) if result)]


def current_result(visit: Json) -> Json | None:
    """The result of a visit that counts now; the newest while a new one is being made."""
    return newest([result for result in visit["results"] if result["kind"] == "visit"])


def newest(results: Sequence[Json]) -> Json | None:
    """The current result made last, else the last one made; None for none."""
    return max(results, key=lambda result: (result["current"], result["made_at"]), default=None)


def patient_context(
    patient: Json, details: Mapping[Any, Json], template: Json | None, words: Catalogue
) -> dict[str, Any]:
    """Join what the template ``patient.html`` shows.

    Parameters
    ----------
    patient : Patient
        The answer of ``GET /api/patients/{code}``.
    details : mapping of result id to Result
        What ``chosen_results`` asked for.
    template : template version or None
        The study template's current version with its files.
    words : Catalogue
        For names.

    Returns
    -------
    dict
        The template's variables.
    """
    visits = patient["visits"]
    visit_results = {
        visit["id"]: details[result["id"]]
        for visit in visits
        if (result := current_result(visit)) and result["id"] in details
    }
    brief = newest(patient["comparisons"])
    comparison = details.get(brief["id"]) if brief else None
    deviation = details.get(patient["deviation"]["id"]) if patient["deviation"] else None
    last = next((visit for visit in reversed(visits) if visit["id"] in visit_results), None)
    shown = comparison or (visit_results[last["id"]] if last else None)
    events = comparison["events"] if comparison else []
    lesions = _changed_lesions(comparison, visit_results) if comparison else _lesions(last, visit_results)
    return {
        "patient": patient,
        "status": _status(visits),
        "headline": finding_of(shown, words) if shown else None,
        "report_url": f"/api/results/{shown['id']}/report" if shown else None,
        "figures": _figures(visits, visit_results, comparison),
        "scenes": patient_scenes(
            visits=visits,
            visit_results=visit_results,
            comparison=comparison,
            deviation=deviation,
            template=template,
            words=words,
        ),
        "lesions": lesions,
        "shown_results": " ".join(sorted(map(str, details))),
        "first_points": lesions[0]["points"] if lesions else {},
        "events": events,
        "events_dates": _dates(comparison, visits) if comparison else None,
        "volume_points": _volume_points(visits, words),
        "results": [{**result, "finding": finding_of(result, words)} for result in _all_results(patient)],
        "uploads": [upload for visit in reversed(visits) for upload in visit["uploads"]],
    }


def _status(visits: Sequence[Json]) -> str:
    order = ("attention", "processing", "waiting", "ready", "empty")
    return min((visit["status"] for visit in visits), key=order.index, default="empty")


def _figures(visits: Sequence[Json], visit_results: Mapping[Any, Json], comparison: Json | None) -> dict[str, Any]:
    made = [visit for visit in visits if visit["id"] in visit_results]
    figures: dict[str, Any] = dict.fromkeys(
        ("lesion_count", "volume_ml", "volume_before_ml", "change_percent", "events", "date", "days_between")
    )
    if made:
        last = visit_results[made[-1]["id"]]["summary"]
        figures |= {
            "lesion_count": last["lesion_count"],
            "volume_ml": last["lesion_volume_ml"],
            "date": made[-1]["date"],
        }
    if comparison:
        pair = [visit for visit in visits if visit["id"] in comparison["visits"]]
        if made and made[-1]["id"] == pair[-1]["id"]:
            figures |= _jointly(comparison["summary"])
        figures["events"] = comparison["summary"]["event_counts"]
        figures["days_between"] = pair[-1]["day"] - pair[0]["day"]
    return figures


def _jointly(summary: Json) -> dict[str, Any]:
    """Count and volumes as the comparison has them, which knows both visits: those its headline tells."""
    after, change = summary.get("lesion_volume_ml"), summary.get("change_ml")
    if after is None or change is None:
        return {}
    before = after - change
    return {
        "lesion_count": summary["lesion_count"],
        "volume_ml": after,
        "volume_before_ml": before,
        "change_percent": 100 * change / before if before else None,
    }


def _lesions(visit: Json | None, visit_results: Mapping[Any, Json]) -> list[dict[str, Any]]:
    if visit is None:
        return []
    return [
        {
            "number": lesion["label"],
            "place": lesion["place"],
            "event": None,
            "before_ml": None,
            "after_ml": lesion["volume_ml"],
            "change_percent": None,
            "points": _points(lesion, visit["id"]),
        }
        for lesion in visit_results[visit["id"]]["lesions"]
    ]


def _changed_lesions(comparison: Json, visit_results: Mapping[Any, Json]) -> list[dict[str, Any]]:
    """One line per event, with its place in every space a viewer may show."""
    return [
        {
            "number": event["number"],
            "place": event["place"],
            "event": event["event"],
            "before_ml": event["baseline_volume_ml"],
            "after_ml": event["follow_up_volume_ml"],
            "change_percent": event["change_percent"],
            "points": _event_points(event, comparison, visit_results),
        }
        for event in comparison["events"]
    ]


def _event_points(event: Json, comparison: Json, visit_results: Mapping[Any, Json]) -> dict[str, Any]:
    points = {f"midway {comparison['id']}": event["midway_mm"]} if event["midway_mm"] else {}
    if event["template_mm"]:
        points["template"] = event["template_mm"]
    lesions = {(lesion["visit"], lesion["label"]): lesion for lesion in comparison["lesions"]}
    for visit, labels in zip(comparison["visits"], (event["baseline_labels"], event["follow_up_labels"]), strict=True):
        own = [lesions[visit, label] for label in labels if (visit, label) in lesions]
        if own and visit in visit_results:
            points[f"native {visit}"] = max(own, key=lambda lesion: lesion["volume_ml"] or 0.0)["centroid_mm"]
    return points


def _points(lesion: Json, visit: Any) -> dict[str, Any]:
    points = {f"native {visit}": lesion["centroid_mm"]}
    if lesion["template_mm"]:
        points["template"] = lesion["template_mm"]
    return points


def _dates(comparison: Json, visits: Sequence[Json]) -> list[str]:
    return [visit["date"] for visit in visits if visit["id"] in comparison["visits"]]


def _volume_points(visits: Sequence[Json], words: Catalogue) -> list[dict[str, Any]]:
    points = []
    for visit in visits:
        result = current_result(visit)
        if result and result["summary"]["lesion_volume_ml"] is not None:
            points.append(
                {
                    "day": visit["day"],
                    "volume": result["summary"]["lesion_volume_ml"],
                    "count": result["summary"]["lesion_count"],
                    "date": format_date(visit["date"], words.language),
                }
            )
    return points


def _all_results(patient: Json) -> list[Json]:
    results = [result for visit in patient["visits"] for result in visit["results"]]
    results += patient["comparisons"]
    if patient["deviation"]:
        results.append(patient["deviation"])
    unique = {result["id"]: result for result in results}.values()
    return sorted(unique, key=lambda result: (result["current"], result["made_at"]), reverse=True)
