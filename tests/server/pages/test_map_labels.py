"""Names on the map stand beside their marks and cover neither marks nor each other."""

from __future__ import annotations

from itertools import combinations

from cohortex.server.pages.map_labels import CHART_PX, placed_labels

DOMAIN = {"x": [-18.0, 18.0], "y": [-18.0, 18.0]}
PX = 36.0 / CHART_PX  # units of the map in a pixel


def apart(one, other):
    """Whether two names of nine letters, 10 px high, leave each other free."""
    return abs(one["x"] - other["x"]) >= 54 * PX or abs(one["y"] - other["y"]) >= 10 * PX


def test_a_name_alone_stands_above_its_mark():
    (label,) = placed_labels([("AA-000001", {"x": 1.0, "y": 2.0})], DOMAIN)
    assert (label["label"], label["x"]) == ("AA-000001", 1.0)
    assert 0 < label["y"] - 2.0 < 20 * PX


def test_names_of_marks_that_are_close_leave_each_other_and_the_marks_free():
    places = [(0.0, 0.0), (0.5, 1.2), (-0.4, -1.0), (1.5, 0.3)]
    marks = [{"x": x, "y": y} for x, y in places]
    labels = placed_labels([(f"AA-00000{n}", mark) for n, mark in enumerate(marks)], DOMAIN)
    assert all(apart(one, other) for one, other in combinations(labels, 2))
    for label in labels:
        for mark in marks:
            assert abs(label["x"] - mark["x"]) >= 27 * PX or abs(label["y"] - mark["y"]) >= 6 * PX


def test_names_at_the_rim_stay_in_the_chart():
    for x, y in ((-18, 18), (18, 18), (-18, -18), (18, -18)):
        (label,) = placed_labels([("AA-000001", {"x": x, "y": y})], DOMAIN)
        assert max(abs(label["x"]) + 27 * PX, abs(label["y"]) + 5 * PX) <= 18 + 1e-9
