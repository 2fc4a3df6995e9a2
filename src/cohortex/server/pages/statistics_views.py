"""What the statistics of the study show: all patients, and by leukaemia and phase; what is hidden is only named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from types import MappingProxyType
from typing import Any

from cohortex.server.catalogue import Catalogue, format_unit

Json = Mapping[str, Any]
_COLOURS = tuple(f"--chart-{number}" for number in range(1, 7))
_GREY = "--ink-3"
_SHAPES = ("circle", "square", "triangle-up", "cross", "diamond", "triangle-down", "triangle-right")
_PUT_TOGETHER = ("others", "not_known")
_COURSE_HEIGHT, _SURVIVAL_HEIGHT, _LINE = 190, 240, 17  # pixels; a legend takes a line for each group
_APART = 0.55  # between the points of two groups on the axis, which goes by the root of the days


def statistics_views(statistics: Json, words: Catalogue) -> list[dict[str, Any]]:
    """Give what each tab of the statistics shows.

    Parameters
    ----------
    statistics : mapping
        The answer of ``GET /api/study/statistics``.
    words : Catalogue
        For units and titles.

    Returns
    -------
    list of dict
        All patients, then each grouping: ``name``, ``title``, ``tables``, ``courses``, ``survival``, ``too_few``.
        Statistics that were made before there were groupings have the first only; none where nothing is shown.
    """
    if not statistics["shown"]:
        return []
    curve = statistics["survival"]
    everyone: dict[str, Any] = {
        "name": "all",
        "title": words("study.all_patients"),
        "tables": [table for table in statistics["tables"] if any(not row["hidden"] for row in table["rows"])],
        "courses": _with_points(
            [{**course, "unit": format_unit(course["unit"], words.language)} for course in statistics["courses"]]
        ),
        "survival": _survival([curve] if curve and not curve["hidden"] else [], words),
        "too_few": [] if curve is None or not curve["hidden"] else [words("study.survival_curve")],
    }
    seen = {one["name"] for one in (*everyone["tables"], *everyone["courses"])}
    everyone["too_few"] += [
        one["title"] for one in (*statistics["tables"], *statistics["courses"]) if one["name"] not in seen
    ]
    return [everyone, *(_grouping(found, words) for found in statistics["groupings"])]


def _grouping(found: Json, words: Catalogue) -> dict[str, Any]:
    courses = []
    for course in found["courses"]:
        groups = [{**group, "group": group["title"]} for group in _with_points(course["groups"])]
        unit = format_unit(course["unit"], words.language)
        points = [{**point, "group": group["title"]} for group in groups for point in group["points"]]
        if groups:
            courses.append({**course, "unit": unit, "groups": groups, "points": points})
    tables = [_matrix(table) for table in found["tables"] if not table["hidden"]]
    seen = {one["name"] for one in (*tables, *courses)}
    too_few = [one["title"] for one in (*found["tables"], *found["courses"]) if one["name"] not in seen]
    named = [(group["name"], group["title"]) for course in courses for group in course["groups"]]
    named += [(curve["value"], curve["label"]) for curve in found["survival"]]
    names = {title: value for value, title in named}
    survival = _survival(found["survival"], words, names)
    for course in courses:
        shown = [group["title"] for group in course["groups"]]
        course |= {"shown": shown, "height": _COURSE_HEIGHT + _LINE * len(shown), **_by_group(names, shown)}
    return {
        "name": found["name"],
        "title": found["title"],
        "tables": tables,
        "courses": courses,
        "survival": survival,
        "too_few": too_few if survival else [words("study.survival_curve"), *too_few],
    }


def _with_points(courses: Sequence[Json]) -> list[dict[str, Any]]:
    """Courses with what they show; those that show nothing are left out."""
    shown = [{**course, "points": [point for point in course["points"] if not point["hidden"]]} for course in courses]
    return [course for course in shown if course["points"]]


def _matrix(table: Json) -> dict[str, Any]:
    """A table of groups as rows of categories, with a cell for each group."""
    labels = {row["value"]: row["label"] for group in table["groups"] for row in group["rows"]}
    cells = [{row["value"]: row for row in group["rows"]} for group in table["groups"]]
    rows = [{"label": label, "cells": [group.get(value) for group in cells]} for value, label in labels.items()]
    return {**table, "rows": rows}


def _survival(curves: Sequence[Json], words: Catalogue, names: Json = MappingProxyType({})) -> dict[str, Any] | None:
    """Curves as a table and as points of a chart, which begins with everyone alive; None where there are none."""
    if not curves:
        return None
    shown = [{**curve, "points": [point for point in curve["points"] if not point["hidden"]]} for curve in curves]
    points = []
    for place, curve in enumerate(shown):
        start = {"day": 0, "survival": 1, "low": None, "high": None, "at_risk": curve["n"], "deaths": 0}
        aside = _APART * (place - (len(shown) - 1) / 2)
        points += [
            {**point, "group": curve["label"], "at": (sqrt(point["day"]) + aside) ** 2 if point["day"] else 0}
            for point in (start, *curve["points"])
        ]
    days = [0, *(point["day"] for point in shown[0]["points"])]
    return {
        "curves": shown,
        "points": points,
        "days": days,
        "title": words("study.survival_curve"),
        "height": _SURVIVAL_HEIGHT + (_LINE * len(shown) if names else 0),
        **_by_group(names, [curve["label"] for curve in curves]),
    }


def _by_group(names: Json, shown: Sequence[str]) -> dict[str, Any]:
    """Colour and shape by group: the same in all charts of a tab, grey what was put together; alone, no legend."""
    field = {"field": "group", "type": "nominal"}
    if not names:
        return {"colour": {"value": _COLOURS[0]}, "shape": {"value": _SHAPES[0]}}
    legend = {
        "title": None,
        "orient": "bottom",
        "columns": 1,
        "labelLimit": 240,
        "symbolOpacity": 1,
        "values": list(shown),
    }
    own = iter(_COLOURS * len(names))
    colours = [_GREY if value in _PUT_TOGETHER else next(own) for value in names.values()]
    shapes = [_SHAPES[place % len(_SHAPES)] for place in range(len(names))]
    return {
        "colour": {**field, "scale": {"domain": [*names], "range": colours}, "legend": legend},
        "shape": {**field, "scale": {"domain": [*names], "range": shapes}, "legend": legend},
    }
