"""Lesion volumes over the visits, with error bars, as a drawing in the page's own ink."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cohortex.report.wording import volume_text

_INK = "#010203"  # becomes the page's ink


@dataclass(frozen=True, kw_only=True)
class Course:
    """The volumes of one lesion (or of all) over the visits, oldest first.

    Attributes
    ----------
    name : str
        Written at the end of the line.
    volumes_ml, sds_ml : tuple of float
        One per visit; an sd that is not known is NaN.
    colour : str
        Of the line.
    """

    name: str
    volumes_ml: tuple[float, ...]
    sds_ml: tuple[float, ...]
    colour: str


def volume_chart(
    visits: Sequence[str], courses: Sequence[Course], *, title: str, width_px: int = 400, values: bool = False
) -> Figure:
    """Draw volumes over the visits, zero-based, error bars of one sd.

    Parameters
    ----------
    visits : sequence of str
        Names of the visits, oldest first, at least two.
    courses : sequence of Course
        Most important first, at least one; named at their end where the names do not collide.
    title : str
        Above the chart, with the unit.
    width_px : int
        Width on the page, CSS pixels.
    values : bool
        Write each volume above its point: for a single course.

    Returns
    -------
    Figure
        For `display.svg_text`.

    Raises
    ------
    ValueError
        If there are fewer than two visits, no course, or a course does not have one volume per visit.
    """
    if len(visits) < 2:
        raise ValueError(f"a course needs two visits or more; there is {len(visits)}.")
    if not courses:
        raise ValueError("give at least one course to draw.")
    for course in courses:
        if not len(course.volumes_ml) == len(course.sds_ml) == len(visits):
            raise ValueError(f"{course.name}: {len(course.volumes_ml)} volumes for {len(visits)} visits.")
    named = any(course.name for course in courses)
    figure = Figure(figsize=(width_px / 96, 220 / 96), dpi=96)
    figure.patch.set_alpha(0.0)
    left, right = 34 / width_px, (110 if named else 12) / width_px
    axes = figure.add_axes((left, 0.12, 1 - left - right, 0.75))
    _draw(axes, visits, courses, title)
    if values:
        for course in courses:
            for place, (value, sd) in enumerate(zip(course.volumes_ml, course.sds_ml, strict=True)):
                _write_value(axes, place, value, sd)
    _name_lines(axes, courses, len(visits) - 1)
    return figure


def _draw(axes: Axes, visits: Sequence[str], courses: Sequence[Course], title: str) -> None:
    axes.patch.set_alpha(0.0)
    places = range(len(visits))
    for course in reversed(courses):  # the most important on top
        sds = [sd if math.isfinite(sd) else 0.0 for sd in course.sds_ml]
        axes.errorbar(
            places, course.volumes_ml, yerr=sds, color=course.colour, linewidth=1.8, elinewidth=1.0, capsize=3,
            marker="o", markersize=4,
        )  # fmt: skip
    highest = max(
        (v + (sd if math.isfinite(sd) else 0) for c in courses for v, sd in zip(c.volumes_ml, c.sds_ml, strict=True)),
        default=1.0,
    )
    axes.set_ylim(0, 1.22 * highest if highest > 0 else 1.0)
    axes.set_xlim(-0.25, len(visits) - 0.9)
    axes.set_xticks(list(places), labels=[_short(visit) for visit in visits])
    axes.set_title(title, loc="left", fontsize=9, color=_INK, pad=7)
    axes.tick_params(labelsize=8, colors=_INK, length=0, pad=4)
    axes.locator_params(axis="y", nbins=4)
    axes.grid(axis="y", color=_INK, alpha=0.13, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_INK)
        spine.set_alpha(0.4)


def _write_value(axes: Axes, place: int, value: float, sd: float) -> None:
    top = value + (sd if math.isfinite(sd) else 0)
    axes.annotate(
        volume_text(value),
        (place, top),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        fontsize=8.5,
        color=_INK,
    )


def _name_lines(axes: Axes, courses: Sequence[Course], last: int) -> None:
    """Name lines at their right end, the most important first; a name that would cover another is left out."""
    gap = 0.085 * axes.get_ylim()[1]
    taken: list[float] = []
    for course in courses:
        end = course.volumes_ml[-1]
        if course.name and all(abs(end - other) >= gap for other in taken):
            taken.append(end)
            axes.annotate(
                course.name, (last, end), xytext=(last + 0.14, end), textcoords="data", va="center", fontsize=8,
                color=_INK, annotation_clip=False,
            )  # fmt: skip


def _short(name: str, *, longest: int = 18) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"
