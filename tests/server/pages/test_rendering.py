"""Every page renders in every language, escapes what people typed, and keeps to the strict content policy."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from cohortex.server.catalogue import LANGUAGES, catalogue
from cohortex.server.pages import render
from cohortex.server.pages.patient_page import patient_context
from cohortex.server.pages.study_page import study_context
from cohortex.server.pages.visit_page import visit_context
from cohortex.study.database.tables import TraceAction

PAGES = (
    "sign-in",
    "patients",
    "patients-none",
    "patient-new",
    "patient",
    "patient-empty",
    "visit",
    "upload",
    "jobs",
    "study",
    "error",
)


def field(name: str, kind: str, **changes: object) -> dict[str, object]:
    return {
        "name": name,
        "label": name.upper(),
        "kind": kind,
        "choices": [],
        "unit": None,
        "units": [],
        "unit_needed": False,
        "comparators": True,
        "missing": [{"value": "unknown", "label": "unknown"}],
        "limits": {},
        "applies_to": ["follow-up"],
        "help": "<u>help</u>",
    } | changes


@pytest.fixture
def draw(who, patient, details, template, study_answers):
    """Render a page by name in a language."""
    job = {
        "id": 1,
        "kind": "visit",
        "title": "<u>x</u>",
        "patient": "C1-0001",
        "visit": 11,
        "state": "failed",
        "progress": 0.5,
        "task": "t",
        "cause": "upload",
        "reason": "<i>why</i>",
        "remedy": "do",
        "attempts": 2,
        "created_at": "2024-03-02T08:00:00Z",
        "started_at": None,
        "finished_at": None,
        "lease_until": None,
    }
    listed = {
        "code": "C1-0001",
        "sex": "F",
        "age_at_first": 34.96,
        "diagnosis": {"value": "x", "label": "<u>dx</u>"},
        "phase": None,
        "visits": 2,
        "last_visit": "2024-02-05",
        "lesions": {"count": 1, "volume_ml": 2.0},
        "change": {"new": 1},
        "status": "ready",
        "created_at": "2024-02-05T00:00:00Z",
    }
    fields = {
        "sections": [
            {
                "name": "s",
                "label": "<u>S</u>",
                "fields": [
                    field("a", "choice", choices=[{"value": "x", "label": "X"}]),
                    field("b", "number", unit="g", units=["g", "kg"]),
                    field("e", "number", unit="g", units=["g", "kg"], unit_needed=True),
                    field("c", "day"),
                    field("d", "yes-no"),
                    field("first-only", "day", applies_to=["first"]),
                ],
            }
        ]
    }
    held = {"value": 3.5, "label": None, "unit": "kg", "comparator": "<", "missing": None}
    record = {
        "values": {"b": held, "c": held | {"value": -30, "unit": ""}},
        "findings": [{"rule": "r", "level": "warning", "field": "b", "message": "<u>ask</u>"}],
    }
    visits = [
        {key: one[key] for key in ("id", "patient", "number", "kind", "date", "day")} for one in patient["visits"]
    ]
    visits.append(visits[0] | {"id": 31, "patient": "C1-0009"})
    nobody = patient | {"visits": [], "comparisons": [], "deviation": None}
    filters = {"search": '"><u>', "status": "", "address": "/patients"}

    jobs = {
        "jobs": [job, job | {"id": 2, "state": "running"}],
        "counts": dict.fromkeys(("failed", "running", "queued", "done"), 1),
        "state": "",
        "workers": 0,
        "address": "/jobs",
    }

    def drawn(name: str, language: str = "en", **changes: object) -> str:
        words = catalogue(language)
        contexts = {
            "sign-in": ("sign-in.html", {"who": None, "after": "/patients", "page": ""}),
            "patients": ("patients.html", {"patients": [listed], "total": 1, **filters}),
            "patients-none": ("patients.html", {"patients": [], "total": 0, **filters}),
            "patient-new": ("patient-new.html", {}),
            "patient": ("patient.html", patient_context(patient, details, template, words) | {"all_visits": visits}),
            "patient-empty": ("patient.html", patient_context(nobody, {}, None, words)),
            "visit": ("visit.html", visit_context(patient["visits"][1], visits, fields, record)),
            "upload": ("upload.html", {"patients": [listed], "patient": patient, "visit": patient["visits"][0]}),
            "jobs": ("jobs.html", jobs),
            "study": ("study.html", study_context(**study_answers, version=None, words=words)),
            "error": ("error.html", {"code": 404, "message": "<u>no</u>", "remedy": ""}),
        }
        file, context = contexts[name]
        return render(file, language=language, **({"who": who, "page": name} | context | changes))

    return drawn


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_renders_and_says_research_use_only(draw, name, language):
    page = draw(name, language)
    assert f'<html lang="{language}">' in page
    assert catalogue(language)("frame.research_use") in page
    assert "Undefined" not in page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_inline_script_style_or_handler(draw, name):
    page = draw(name)
    for script in re.findall(r"<script[^>]*>", page):
        assert 'src="/static/' in script or 'type="application/json"' in script
    assert "<style" not in page
    assert re.findall(r"<[^>]*\s(?:style|on\w+)=[\"']", page) == []
    assert re.findall(r"(?:src|href|action)=[\"'](?:https?:)?//", page) == []


@pytest.mark.parametrize("name", PAGES)
def test_what_people_typed_is_never_markup(draw, name):
    page = re.sub(r'<script type="application/json".*?</script>', "", draw(name), flags=re.S)
    assert "<script>alert" not in page
    assert "<u>" not in page
    assert "onclick='" not in page


@pytest.mark.parametrize("name", PAGES)
def test_every_field_has_a_label_and_every_picture_a_text(draw, name):
    page = draw(name)
    labelled = set(re.findall(r'<label[^>]*\sfor="([^"]+)"', page))
    for field in re.findall(r"<(?:input|select|textarea)\b[^>]*>", page):
        kind = re.search(r'type="(\w+)"', field)
        if kind and kind[1] in ("hidden", "radio"):
            continue  # a radio button stands inside its label
        identifier = re.search(r'\sid="([^"]+)"', field)
        assert "aria-label=" in field or (identifier and identifier[1] in labelled), field
    assert re.findall(r"<img(?![^>]*\salt=)[^>]*>", page) == []


@pytest.mark.parametrize("name", ["patients", "patient", "visit"])
def test_an_age_is_in_completed_years(draw, name):
    text = draw(name)
    assert "34 y" in text
    assert "35 y" not in text


@pytest.mark.parametrize("name", PAGES)
def test_no_identifier_is_given_twice(draw, name):
    identifiers = re.findall(r'\sid="([^"]+)"', draw(name))
    assert len(identifiers) == len(set(identifiers))


def test_a_held_upload_asks_its_question_and_can_be_decided(draw):
    page = draw("patient")
    assert "This may be another patient" in page
    assert 'data-api="/api/uploads/u-held/decision"' in page
    assert "It looks like C1-0009." in page


def test_a_stored_upload_can_be_moved_and_withdrawn_but_a_refused_one_cannot(draw):
    page = draw("patient")
    assert 'data-api="/api/uploads/u-committed/move"' in page
    assert 'data-api="/api/uploads/u-committed/withdraw"' in page
    assert "/api/uploads/u-refused/" not in page


@pytest.mark.parametrize("page", ["patient", "visit"])
def test_a_held_upload_can_be_moved_to_any_visit_and_first_to_the_patient_it_looks_like(draw, page):
    dialog = re.search(r'<dialog id="decide-u-held".*?</dialog>', draw(page), flags=re.S)[0]
    assert 'value="move" data-api="/api/uploads/u-held/move" data-then="/visits/{visit}"' in dialog
    assert re.findall(r'<optgroup label="([^"]+)">', dialog) == ["C1-0001", "C1-0009"]
    assert re.findall(r'<option value="(\d+)" selected>([^<]+)<', dialog) == [("31", "C1-0009 · Visit 1 · 5 Jan 2024")]


def test_a_stored_upload_can_be_moved_to_another_patient_and_goes_nowhere_unasked(draw):
    dialog = re.search(r'<dialog id="move-u-committed".*?</dialog>', draw("visit"), flags=re.S)[0]
    assert re.findall(r'<option value="(\d*)"', dialog) == ["", "12", "31"]
    assert " selected" not in dialog


def test_where_there_is_no_other_visit_that_is_said_and_what_to_do(draw, patient):
    page = draw("visit", all_visits=patient["visits"][1:])
    assert page.count("There is no other visit yet.") == 2
    assert 'value="move"' not in page
    assert "/move" not in re.sub(r'<form data-api="/api/uploads/u-committed/move".*?</form>', "", page, flags=re.S)


def test_scans_of_two_patients_are_not_offered_another_visit(draw, patient):
    patient["visits"][1]["uploads"][0]["question"] = "two-patients"
    assert 'value="move"' not in draw("visit")


def card_of(page, upload):
    """The head, the words and the verdicts of an upload as text, and the looks of its chips."""
    card = re.search(rf'<article class="card flush upload" id="upload-{upload}">.*?</article>', page, flags=re.S)[0]
    card = re.sub(r"<dialog.*?</dialog>", "", card, flags=re.S)
    return re.sub(r"<[^>]+>", " ", card), re.findall(r'<span class="chip ([a-z]*)"', card)


def test_what_is_stored_already_is_here_and_not_refused(draw, patient):
    sent = patient["visits"][1]["uploads"][2]
    assert card_of(draw("visit"), "u-refused")[1][0] == "bad"
    sent["verdicts"] = [verdict | {"verdict": "duplicate", "series": None} for verdict in sent["verdicts"]]
    page = draw("visit")
    words, looks = card_of(page, "u-refused")
    assert "Already here" in words
    assert "Refused" not in words
    assert looks == ["", ""]
    assert "notice bad" not in page


def test_series_that_are_not_stored_any_more_are_not_shown_as_accepted(draw, patient):
    sent = patient["visits"][1]["uploads"][1]
    assert "Accepted" in card_of(draw("visit"), "u-committed")[0]
    sent["state"] = "withdrawn"
    sent["verdicts"] = [verdict | {"series": None} for verdict in sent["verdicts"]]
    words, looks = card_of(draw("visit"), "u-committed")
    assert words.count("Withdrawn") == 2
    assert "Accepted" not in words
    assert looks == ["", ""]


def test_the_trace_names_the_study_where_it_did_something_and_whose_upload_it_was(draw):
    trace = re.search(r'<ol class="trace.*?</ol>', draw("patient"), flags=re.S)[0]
    steps = [" ".join(re.sub(r"<[^>]+>", " ", step).split()) for step in re.findall(r"<li>.*?</li>", trace)]
    assert steps[0].endswith("Anna refused a held upload: twice")
    assert steps[1].endswith("cohortex holds an upload of Anna: one")
    assert "Anna sent an upload for" in steps[2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_action_of_the_trace_has_words(language):
    words = catalogue(language)
    assert all(words.has(f"trace.{action.replace(' ', '_')}") for action in get_args(TraceAction))


def test_a_failed_job_shows_its_reason_and_remedy(draw):
    page = draw("jobs")
    assert "&lt;i&gt;why&lt;/i&gt;" in page
    assert 'data-api="/api/jobs/1/retry"' in page
    assert "No worker is running" in page


def test_a_superseded_result_stays_readable_with_its_version(draw):
    page = draw("patient")
    assert "Superseded" in page
    assert "headline 3" in page
    assert "/api/results/3/report" not in page  # a deviation is a map, its report is the page itself
    assert "/api/results/4/report" in page


def test_the_record_shows_only_fields_of_this_kind_of_visit_with_what_is_held(draw):
    page = draw("visit")
    assert 'data-field="first-only"' not in page
    assert 'value="3.5"' in page
    assert 'value="-30"' in page  # a day is counted from the first examination, and no date
    assert 'type="date"' not in page
    assert re.search(r'<option value="kg" selected', page)
    assert "field-warning" in page


def test_a_unit_that_matters_is_chosen_by_the_person(draw):
    units = dict(re.findall(r'data-part="unit" aria-label="Unit of (\w)">(.*?)</select>', draw("visit"), flags=re.S))
    assert units["E"].startswith('<option value="">unit …</option>')
    assert " selected" not in units["E"]
    assert units["B"].count(" selected") == 1
    assert '<option value="">' not in units["B"]


def test_an_uploader_is_offered_no_release(draw, who):
    assert 'data-opens="release"' in draw("study")
    who["role"] = "uploader"
    assert 'data-opens="release"' not in draw("study")


def test_a_template_that_does_not_exist_is_refused_by_name(who):
    with pytest.raises(Exception, match=r"nothing\.html"):
        render("nothing.html", language="en", who=who)


def test_figures_of_a_centre_keep_their_names_where_the_table_folds(draw):
    row = re.search(r"<h2 id=\"contributions\">.*?<tbody>(<tr.*?</tr>)", draw("study"), flags=re.S)[1]
    assert re.findall(r'<td[^>]*data-name="([^"]+)"', row) == ["Patients", "Visits", "Series", "Complete records"]
