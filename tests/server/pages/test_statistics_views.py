"""The statistics show all patients and groups side by side; what is hidden is named, and nothing of it drawn."""

from __future__ import annotations

from math import sqrt

import pytest

from cohortex.server.catalogue import catalogue
from cohortex.server.pages import render
from cohortex.server.pages.statistics_views import statistics_views
from cohortex.server.pages.study_page import study_context

ENGLISH = catalogue("en")


@pytest.fixture
def statistics(study_answers):
    return study_answers["statistics"]


@pytest.fixture
def drawn(who, study_answers):
    def draw():
        context = study_context(**study_answers, version=None, words=ENGLISH)
        return render("study.html", language="en", who=who, page="study", **context)

    return draw


def test_there_is_a_tab_for_all_patients_and_one_for_each_grouping(statistics, drawn):
    views = statistics_views(statistics, ENGLISH)
    assert [(view["name"], view["title"]) for view in views] == [
        ("all", "All patients"),
        ("diagnosis", "By leukaemia"),
        ("phase", "By phase"),
    ]
    page = drawn()
    assert page.count('role="tab"') == page.count('role="tabpanel"') == 3
    for view in views:
        assert f'id="statistics-{view["name"]}" aria-controls="statistics-of-{view["name"]}"' in page


def test_statistics_that_were_stored_before_there_were_groupings_are_shown_as_they_were(statistics, drawn):
    statistics |= {"survival": None, "groupings": []}
    (view,) = statistics_views(statistics, ENGLISH)
    assert (view["survival"], view["too_few"]) == (None, [])
    assert 'role="tab"' not in drawn()


def test_where_nothing_is_shown_there_is_no_view(statistics, drawn):
    statistics |= {"shown": False, "reason": "Statistics are shown from 5 patients of 2 centres on."}
    assert statistics_views(statistics, ENGLISH) == []
    assert "from 5 patients of 2 centres on" in drawn()


def test_survival_begins_with_everyone_alive_and_leaves_hidden_days_out(statistics):
    survival = statistics_views(statistics, ENGLISH)[0]["survival"]
    assert [(point["day"], point["survival"], point["at_risk"]) for point in survival["points"]] == [
        (0, 1, 30),
        (30, 0.8, 24),
    ]
    assert survival["days"] == [0, 30]
    assert survival["points"][1]["at"] == pytest.approx(30)


def test_points_of_groups_stand_beside_each_other_around_their_day(statistics):
    found = statistics["groupings"][0]
    (curve,) = found["survival"]
    found["survival"] = [curve | {"value": "ALL", "label": "ALL"}, curve | {"value": "others", "label": "others"}]
    survival = statistics_views(statistics, ENGLISH)[1]["survival"]
    places = [sqrt(point["at"]) for point in survival["points"] if point["day"] == 30]
    assert sum(places) / 2 == pytest.approx(sqrt(30))
    assert places[0] < places[1]
    assert survival["colour"]["scale"]["range"][-1] == "--ink-3"  # what was put together is grey


def test_a_group_has_one_colour_and_shape_in_every_chart(statistics):
    found = statistics["groupings"][0]
    (course,) = found["courses"]
    (group,) = course["groups"]
    found["courses"] = [
        course | {"groups": [group | {"name": name, "title": name} for name in names]}
        for names in (("ALL", "AML"), ("AML",))
    ]
    view = statistics_views(statistics, ENGLISH)[1]
    first, second = view["courses"]
    assert first["colour"]["scale"] == second["colour"]["scale"] == view["survival"]["colour"]["scale"]
    assert second["colour"]["legend"]["values"] == ["AML"]
    assert len(set(first["colour"]["scale"]["range"])) == 3


def test_a_point_of_a_group_that_is_hidden_is_not_drawn(statistics):
    (group,) = statistics["groupings"][0]["courses"][0]["groups"]
    group["points"].append(dict.fromkeys(group["points"][0]) | {"visit": 2, "hidden": True})
    (course,) = statistics_views(statistics, ENGLISH)[1]["courses"]
    assert [point["visit"] for point in course["points"]] == [1]


def test_what_is_hidden_in_a_group_is_named_with_from_how_many_on(statistics, drawn):
    assert statistics_views(statistics, ENGLISH)[1]["too_few"] == ["Course"]
    assert statistics_views(statistics, ENGLISH)[2]["too_few"] == ["Survival from the first examination"]
    page = drawn()
    assert page.count("from 5 patients of 2 centres on") == 2  # under the named, and where there is nothing at all
    assert "Nothing can be shown by group yet" in page


def test_survival_that_is_hidden_is_named(statistics):
    statistics["survival"] |= {"hidden": True, "n": None}
    view = statistics_views(statistics, ENGLISH)[0]
    assert view["survival"] is None
    assert view["too_few"] == ["Survival from the first examination"]
