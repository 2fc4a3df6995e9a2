"""What the study page shows: one template version in a viewer, the map on equal axes, statistics, contributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cohortex.server.catalogue import Catalogue
from cohortex.server.pages.map_labels import placed_labels
from cohortex.server.pages.scenes import template_viewer
from cohortex.server.pages.statistics_views import statistics_views

Json = Mapping[str, Any]
MARGIN = 0.08  # of the span of the map, on every side
SMALLEST_SPAN = 1e-6


def study_context(
    *,
    study: Json,
    template: Json,
    version: int | None,
    study_map: Json,
    statistics: Json,
    contributions: Json,
    words: Catalogue,
) -> dict[str, Any]:
    """Join what the template ``study.html`` shows.

    Parameters
    ----------
    study, template, study_map, statistics, contributions : mapping
        The answers of ``GET /api/study`` and ``/api/study/template``, ``/map``, ``/statistics``, ``/contributions``.
    version : int or None
        The template version asked for; None or an unknown one shows the current.
    words : Catalogue
        For names.

    Returns
    -------
    dict
        The template's variables.
    """
    versions = sorted(template["versions"], key=lambda one: one["version"], reverse=True)
    by_number = {one["version"]: one for one in versions}
    shown = by_number.get(version) or by_number.get(template["current"])
    return {
        "study": study,
        "versions": versions,
        "current": template["current"],
        "shown": shown,
        "scene": template_viewer(shown, words) if shown else None,
        "map": study_map,
        "map_data": map_data(study_map, words) if study_map["shown"] else None,
        "map_domain": map_domain(study_map) if study_map["shown"] else None,
        "statistics": statistics,
        "views": statistics_views(statistics, words),
        "contributions": contributions["centres"],
    }


def map_data(study_map: Json, words: Catalogue) -> dict[str, list[dict[str, Any]]]:
    """The map as rows for a chart: own patients, the template, their names, the density's cells."""
    density = study_map["density"]
    cells = []
    if density:
        half_x, half_y = _half_step(density["x"]), _half_step(density["y"])
        cells = [
            {"x0": x - half_x, "x1": x + half_x, "y0": y - half_y, "y1": y + half_y, "value": value}
            for y, row in zip(density["y"], density["values"], strict=True)
            for x, value in zip(density["x"], row, strict=True)
        ]
    template = [study_map["template"]] if study_map["template"] else []
    named = [(words("study.map_template"), place) for place in template]
    named += [(point["patient"], point) for point in study_map["points"]]
    labels = placed_labels(named, map_domain(study_map))
    bold, plain = labels[: len(template)], labels[len(template) :]
    return {
        "points": list(study_map["points"]),
        "template": template,
        "density": cells,
        "names": plain,
        "template_name": bold,
    }


def map_domain(study_map: Json) -> dict[str, list[float]]:
    """Axes of one span around everything shown: a distance on the map is the same in every direction."""
    density = study_map["density"] or {"x": [], "y": []}
    places = [*study_map["points"], *([study_map["template"]] if study_map["template"] else [])]
    ends = {axis: _ends([*density[axis], *(place[axis] for place in places)]) for axis in ("x", "y")}
    half = max(SMALLEST_SPAN, *(high - low for low, high in ends.values())) * (0.5 + MARGIN)
    return {axis: [(low + high) / 2 - half, (low + high) / 2 + half] for axis, (low, high) in ends.items()}


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return (min(values), max(values)) if values else (0.0, 0.0)


def _half_step(centres: Sequence[float]) -> float:
    return (centres[1] - centres[0]) / 2 if len(centres) > 1 else 0.5
