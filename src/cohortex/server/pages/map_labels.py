"""Where the names stand on the map: beside their marks, and none over another mark or name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

CHART_PX = 360.0
"""Width and height of the chart in ``charts/map.json``."""
_LETTER_PX, _HEIGHT_PX, _MARK_PX = 6.4, 13.0, 14.0
_STEPS = (14.0, 27.0, 40.0)  # px between a mark and its name, the nearest first
_Box = tuple[float, float, float, float]


def placed_labels(
    named: Sequence[tuple[str, Mapping[str, Any]]], domain: Mapping[str, Sequence[float]]
) -> list[dict[str, Any]]:
    """Find a place for the name of each mark.

    Parameters
    ----------
    named : sequence of (str, mapping)
        Names, and marks with ``x`` and ``y``.
    domain : mapping
        Ends of the axes, as `map_domain` gives them.

    Returns
    -------
    list of dict
        ``label`` and the ``x`` and ``y`` of its middle, in the units of the map. Above its mark where that is free,
        else below, beside or further away; where nothing is free, where it covers least.
    """
    scale = {axis: (high - low) / CHART_PX for axis, (low, high) in domain.items()}
    marks = [
        ((mark["x"] - domain["x"][0]) / scale["x"], (mark["y"] - domain["y"][0]) / scale["y"]) for _, mark in named
    ]
    taken = [_box(x, y, _MARK_PX, _MARK_PX) for x, y in marks]
    labels = []
    for (name, _), (x, y) in zip(named, marks, strict=True):
        width = _LETTER_PX * len(name)
        places = [(x + dx, y + dy) for dx, dy in _offsets(width)]
        best = min(places, key=lambda place: _covered(_box(place[0], place[1], width, _HEIGHT_PX), taken))
        taken.append(_box(best[0], best[1], width, _HEIGHT_PX))
        labels.append(
            {
                "label": name,
                "x": domain["x"][0] + best[0] * scale["x"],
                "y": domain["y"][0] + best[1] * scale["y"],
            }
        )
    return labels


def _offsets(width: float) -> list[tuple[float, float]]:
    """Ways from a mark to the middle of its name, px, the preferred first; y points up."""
    beside = width / 2 + _MARK_PX / 2 + 2
    near = [(0.0, _STEPS[0]), (0.0, -_STEPS[0]), (beside, 0.0), (-beside, 0.0)]
    return near + [(dx, sign * step) for step, dx, sign in product(_STEPS, (beside, -beside, 0.0), (1, -1))]


def _covered(box: _Box, taken: Sequence[_Box]) -> float:
    """How much of a box lies over others or out of the chart, px²."""
    x0, x1, y0, y1 = box
    within = max(0.0, min(x1, CHART_PX) - max(x0, 0.0)) * max(0.0, min(y1, CHART_PX) - max(y0, 0.0))
    over = sum(
        max(0.0, min(x1, b) - max(x0, a)) * max(0.0, min(y1, d) - max(y0, c)) for a, b, c, d in taken
    )  # fmt: skip
    return over + (x1 - x0) * (y1 - y0) - within


def _box(x: float, y: float, width: float, height: float) -> _Box:
    return x - width / 2, x + width / 2, y - height / 2, y + height / 2
