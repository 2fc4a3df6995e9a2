"""The study page shows the version asked for and a map whose distances are true in every direction."""

from __future__ import annotations

import pytest

from cohortex.server.catalogue import catalogue
from cohortex.server.pages.study_page import map_data, map_domain, study_context


def test_the_version_asked_for_is_shown_else_the_current(study_answers, template):
    older = template | {"version": 2}
    study_answers["template"]["versions"].append(older)
    for asked, shown in ((2, 2), (None, 3), (99, 3)):
        context = study_context(**study_answers, version=asked, words=catalogue("en"))
        assert context["shown"]["version"] == shown
        assert context["scene"]["bases"][0]["src"] == "/small"


def test_before_the_first_release_nothing_is_shown(study_answers):
    study_answers["template"] = {"current": None, "versions": []}
    context = study_context(**study_answers, version=None, words=catalogue("en"))
    assert context["shown"] is None
    assert context["scene"] is None


def test_a_hidden_map_has_no_data(study_answers):
    study_answers["study_map"] |= {"shown": False, "points": [], "density": None, "template": None}
    context = study_context(**study_answers, version=None, words=catalogue("en"))
    assert context["map_data"] is None


def test_cells_of_the_density_lie_around_their_centres(study_answers):
    cells = map_data(study_answers["study_map"], catalogue("en"))["density"]
    assert len(cells) == 6
    assert cells[0] == {"x0": -1.5, "x1": -0.5, "y0": -1.0, "y1": 0.0, "value": 1}
    assert cells[-1] == {"x0": 0.5, "x1": 1.5, "y0": 0.0, "y1": 1.0, "value": 6}


def test_both_axes_span_the_same_distance_and_hold_everything(study_answers):
    domain = map_domain(study_answers["study_map"])
    spans = {axis: high - low for axis, (low, high) in domain.items()}
    assert spans["x"] == pytest.approx(spans["y"])
    assert domain["x"][0] < -1.0
    assert domain["x"][1] > 3.0


def test_a_map_of_one_point_still_has_axes(study_answers):
    lone = study_answers["study_map"] | {"density": None, "points": [], "template": {"x": 2.0, "y": 2.0}}
    domain = map_domain(lone)
    assert domain["x"][0] < 2.0 < domain["x"][1]
