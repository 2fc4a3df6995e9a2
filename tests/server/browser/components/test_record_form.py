"""The record form in a real browser: a unit that matters is asked for, and the word that it is saved is in no way."""

from __future__ import annotations

import json

import pytest

RECORD = "/record"
FORM = f"""
<record-form url="{RECORD}"><form novalidate><div data-errors></div>
{"<p>Other fields.</p>" * 60}
<div class="field" data-field="crp" data-kind="number"><label for="f-crp">CRP</label><div class="input-row">
<input class="input" id="f-crp" name="crp" data-part="value">
<select class="select" data-part="unit" aria-label="Unit"><option value="">unit …</option>
<option value="mg/L">mg/L</option><option value="mg/dL">mg/dL</option></select></div></div>
<div class="save-bar"><span data-changes></span>
<button class="button primary" type="submit" disabled>Save</button></div>
</form></record-form>"""
NEEDED = {"error": {"message": "Not saved.", "remedy": "", "fields": {"crp": "In which unit?"}}}
WARNING = {"rule": "r", "level": "warning", "field": "crp", "message": "Is it so high?"}


@pytest.fixture
def form(view, site):
    """The form before a server that needs the unit and asks about what is saved."""
    sent = []

    def answer(route):
        sent.append(route.request.post_data_json["values"]["crp"])
        said, status = ({"findings": [WARNING]}, 200) if sent[-1]["unit"] else (NEEDED, 422)
        route.fulfill(status=status, content_type="application/json", body=json.dumps(said))

    view.route(f"**{RECORD}", answer)
    view.goto(site.page(FORM))
    view.wait_for_selector('[type="submit"][disabled]')
    view.fill("#f-crp", "900")
    view.click('[type="submit"]')
    view.wait_for_selector(".field-error")
    assert sent == [{"value": 900, "unit": None, "comparator": None, "missing": None}]
    return view


def saved(form):
    form.select_option('[data-part="unit"]', "mg/L")
    form.click('[type="submit"]')
    form.wait_for_selector(".toast")


def test_a_value_without_the_unit_that_it_needs_is_refused_at_its_field(form):
    assert form.inner_text("[data-field=crp] .field-error") == "In which unit?"
    assert form.evaluate("document.activeElement.id") == "f-crp"
    assert form.locator(".toast").count() == 0
    saved(form)
    assert form.inner_text("[data-field=crp] .field-warning") == "Is it so high?"
    assert form.locator(".field-error").count() == 0


@pytest.mark.parametrize("width", [400, 1360])
def test_the_word_that_it_is_saved_says_what_to_check_and_leaves_the_button_free(form, width):
    form.set_viewport_size({"width": width, "height": 700})
    saved(form)
    assert form.inner_text(".toast") == "Saved; 1 value to check"
    toast, button = form.locator(".toast").bounding_box(), form.locator('[type="submit"]').bounding_box()
    assert toast["y"] + toast["height"] < button["y"]


def test_the_word_goes_by_itself_unless_one_points_at_it_or_is_in_it(form):
    form.clock.install()
    saved(form)
    form.hover(".toast")
    form.clock.run_for(20_000)
    form.mouse.move(5, 600)
    form.focus(".toast button")
    form.clock.run_for(20_000)
    assert form.locator(".toast").count() == 1
    form.focus("#f-crp")
    form.clock.run_for(5_000)
    assert form.locator(".toast").count() == 1
    form.clock.run_for(2_000)
    assert form.locator(".toast").count() == 0
