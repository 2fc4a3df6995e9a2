"""Volumes over time."""

from __future__ import annotations

import math

import pytest

from cohortex.display import svg_text
from cohortex.report.chart import Course, volume_chart


def course(*volumes_ml: float, name: str = "1 grown") -> Course:
    return Course(name=name, volumes_ml=volumes_ml, sds_ml=(0.1,) * len(volumes_ml), colour="#ff0000")


def test_axis_starts_at_zero_and_points_lie_at_their_volumes() -> None:
    figure = volume_chart(["a", "b", "c"], [course(1.0, 2.5, 2.0)], title="ml")
    axes = figure.axes[0]
    assert axes.get_ylim()[0] == 0
    points = next(line for line in axes.lines if line.get_marker() == "o")
    assert list(points.get_ydata()) == [1.0, 2.5, 2.0]
    assert list(points.get_xdata()) == [0, 1, 2]


def test_names_that_would_cover_each_other_are_left_out_the_least_important_first() -> None:
    ends = (2.0, 5.0, 2.1, 0.0)
    figure = volume_chart(["a", "b"], [course(1, end, name=f"{n} same") for n, end in enumerate(ends)], title="ml")
    assert [text.get_text() for text in figure.axes[0].texts] == ["0 same", "1 same", "3 same"]
    assert [text.get_position()[1] for text in figure.axes[0].texts] == [2.0, 5.0, 0.0]


def test_unknown_sd_and_zero_volumes_are_drawn() -> None:
    flat = Course(name="", volumes_ml=(0.0, 0.0), sds_ml=(math.nan, math.nan), colour="#00ff00")
    assert "<svg" in svg_text(volume_chart(["a", "b"], [flat], title="ml", values=True), name="chart")


def test_one_visit_no_course_or_missing_volumes_are_refused() -> None:
    with pytest.raises(ValueError, match="two visits or more"):
        volume_chart(["a"], [course(1)], title="ml")
    with pytest.raises(ValueError, match="at least one course"):
        volume_chart(["a", "b"], [], title="ml")
    with pytest.raises(ValueError, match="3 volumes for 2 visits"):
        volume_chart(["a", "b"], [course(1, 2, 3)], title="ml")
