"""The patient page chooses the right results and gives every lesion its place in every space."""

from __future__ import annotations

import pytest

from cohortex.server.catalogue import catalogue
from cohortex.server.pages.patient_page import chosen_results, newest, patient_context
from cohortex.server.pages.scenes import viewer_name


@pytest.fixture
def context(patient, details, template):
    return patient_context(patient, details, template, catalogue("en"))


def test_only_results_that_count_are_asked_for(patient):
    assert chosen_results(patient) == [1, 2, 4, 5]


def test_a_current_result_goes_before_a_later_one_that_is_stale(patient):
    current = patient["visits"][0]["results"][0]
    later = current | {"id": 9, "made_at": "2025-01-01T00:00:00Z", "current": False}
    assert newest([later, current])["id"] == current["id"]
    assert newest([]) is None


def test_scenes_stand_side_by_side_then_as_acquired_then_beside_the_template(context):
    shown = {scene["id"]: [viewer["name"] for viewer in scene["viewers"]] for scene in context["scenes"]}
    assert list(shown) == ["midway", "native", "template"]
    assert shown["midway"] == shown["native"] == ["First visit · 5 Jan 2024", "Follow-up · 5 Feb 2024"]
    assert shown["template"] == ["Follow-up · 5 Feb 2024", "Template, version 3"]


def test_viewers_of_one_scene_share_a_frame_only_where_their_points_agree(context):
    frames = {scene["id"]: [(v["space"], v["frame"]) for v in scene["viewers"]] for scene in context["scenes"]}
    assert frames["midway"] == [("midway", "4"), ("midway", "4")]
    assert frames["native"] == [("native", "11"), ("native", "12")]
    assert frames["template"] == [("template", ""), ("template", "")]


def test_a_native_viewer_knows_where_to_ask_for_the_way_to_the_template(context):
    native = context["scenes"][1]["viewers"]
    assert [v["place_url"] for v in native] == ["/api/results/1/place?visit=11", "/api/results/2/place?visit=12"]


def test_a_preview_opens_first_and_a_map_with_two_signs_gets_two_arms(context):
    midway, native, template = context["scenes"]
    assert native["viewers"][0]["bases"][0]["src"] == "/preview"
    assert native["viewers"][0]["bases"][0]["full"] == "/api/results/0/files/images/AX_FLAIR.nii.gz"
    assert midway["viewers"][0]["overlays"][0]["kind"] == "signed"
    assert midway["viewers"][0]["overlays"][0]["max"] == 40
    assert template["viewers"][0]["overlays"][0]["kind"] == "positive"


def test_an_event_has_its_place_in_every_space(context):
    grown = context["lesions"][0]["points"]
    assert grown == {
        "midway 4": [1.0, 2.0, 3.0],
        "template": [11.0, 20.0, 30.0],
        "native 11": [10.0, 20.0, 30.0],
        "native 12": [15.0, 20.0, 30.0],
    }


def test_a_new_lesion_has_no_place_in_the_visit_before_it(context):
    assert set(context["lesions"][1]["points"]) == {"midway 4", "template", "native 12"}


def test_a_viewer_opens_with_the_outlined_contrast_as_it_was_sent(context):
    native = context["scenes"][1]["viewers"]
    assert [[base["name"] for base in viewer["bases"]] for viewer in native] == [
        ["FLAIR", "T1", "FLAIR, shading removed"]
    ] * 2


def test_lesions_lie_over_the_image_at_first_and_the_brain_does_not(context):
    overlays = context["scenes"][1]["viewers"][0]["overlays"]
    assert [(overlay["name"], overlay["on"]) for overlay in overlays] == [("Lesions", True), ("Brain", False)]


def test_lesions_of_a_compared_visit_bear_the_numbers_of_the_event_table(context):
    urls = [viewer["overlays"][0]["url"] for viewer in context["scenes"][1]["viewers"]]
    assert urls == ["/api/results/0/files/lesions.nii.gz", "/api/results/0/files/follow_up_lesions.nii.gz"]


def test_two_series_of_one_contrast_are_told_apart(patient, details, template):
    visit = patient["visits"][0]
    visit["series"] = [*visit["series"], visit["series"][1] | {"description": "SAG FLAIR"}]
    context = patient_context(patient, details, template, catalogue("en"))
    assert context["scenes"][1]["viewers"][0]["bases"][0]["name"] == "FLAIR, AX FLAIR"


def test_one_visit_alone_shows_its_lesions_without_events(patient, details, template):
    patient |= {"visits": patient["visits"][:1], "comparisons": [], "deviation": None}
    context = patient_context(patient, details, template, catalogue("en"))
    assert [scene["id"] for scene in context["scenes"]] == ["native", "template"]
    assert context["events"] == []
    assert context["lesions"][0]["event"] is None
    assert context["lesions"][0]["points"]["native 11"] == [10.0, 20.0, 30.0]


def test_a_patient_without_visits_shows_nothing_made_up(patient):
    patient |= {"visits": [], "comparisons": [], "deviation": None}
    context = patient_context(patient, {}, None, catalogue("en"))
    assert context["scenes"] == []
    assert context["lesions"] == []
    assert context["headline"] is None
    assert context["status"] == "empty"


def test_the_most_urgent_visit_gives_the_status(context):
    assert context["status"] == "attention"


def test_results_that_count_stand_before_older_ones(context):
    assert [result["id"] for result in context["results"]] == [5, 4, 2, 1, 3]


def test_a_viewer_is_named_after_its_visit_in_the_language(patient):
    assert viewer_name(patient["visits"][1], catalogue("it")) == "Controllo · 5 feb 2024"


def test_the_figures_are_those_of_the_headline_where_two_visits_were_compared(patient, details, template):
    summary = {"lesion_count": 7, "lesion_volume_ml": 9.0, "change_ml": -1.0, "event_counts": {"gone": 1}}
    details[4]["summary"] = summary
    figures = patient_context(patient, details, template, catalogue("en"))["figures"]
    assert (figures["lesion_count"], figures["volume_ml"], figures["volume_before_ml"]) == (7, 9.0, 10.0)
    assert figures["change_percent"] == pytest.approx(-10.0)
