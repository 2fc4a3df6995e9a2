"""The statistics in a real browser: the groups by the keyboard, every chart drawn, the chosen tab kept over news."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from served import Served

from cohortex.server.assets import STATIC
from cohortex.study import Study
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import OpenFigure
from cohortex.study.people import add_centre, add_uploader
from cohortex.study.records import PatientFacts, VisitFacts, parse_value, study_statistics

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]
PASSWORD = "correct horse battery"
expect.set_options(timeout=30_000)  # the machines of the tests are shared


def visit(day: int, **typed: object) -> VisitFacts:
    values = {name: parse_value(name, raw) for name, raw in typed.items()}
    return VisitFacts(day=day, values=values, lesion_count=2, lesion_volume_ml=4.0, brain_volume_ml=1200.0)


def everyone(per_group: int) -> list[PatientFacts]:
    """Two leukaemias, half of each dead on day 50."""
    people = []
    for leukaemia, cause, crp in (("ALL", "aspergillus", "80 mg/L"), ("AML", "nocardia", "40 mg/L")):
        for number in range(per_group):
            first = visit(0, leukaemia_type=leukaemia, cause=cause, crp=crp, treatment_phase="induction")
            later = visit(400, alive=True, crp=crp) if number % 2 else visit(400, death_day=50)
            people.append(PatientFacts(centre="AB"[number // 2 % 2], sex="F", age_band="40-49", visits=(first, later)))
    return people


def count(study: Study, per_group: int) -> None:
    found = study_statistics(everyone(per_group))
    content = {language: found.to_json(language) for language in ("en", "it")}
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        session.add(OpenFigure(kind="statistics", content=content))


@pytest.fixture
def study(tmp_path):
    if not (STATIC / "vendor" / "versions.json").is_file():
        pytest.skip("the browser libraries are not here; run: make install")
    study = Study.create(tmp_path / "study", name="Brain lesions")
    add_centre(study, code="NORD", name="Hospital North", country="IT")
    add_uploader(study, centre="NORD", login="anna", name="Anna", password=PASSWORD, language="en")
    count(study, 20)
    yield study
    study.close()


def test_groups_are_reached_by_the_keyboard_and_stay_when_figures_come_anew(study, window):
    with Served(study.settings.home) as served:
        page = window(reduced_motion="reduce")
        page.goto(f"{served.address}/sign-in")
        page.locator("#login").fill("anna")
        page.locator("#password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/patients")
        page.goto(f"{served.address}/study")
        page.get_by_role("tab", name="All patients").focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name="By leukaemia")).to_have_attribute("aria-selected", "true")
        panel = page.get_by_role("tabpanel", name="By leukaemia")
        causes = panel.get_by_role("region", name="Causes of the lesions")
        expect(causes.get_by_role("row", name="Aspergillus")).to_contain_text("100 % (84–100 %)")
        charts = panel.locator("vega-chart")
        assert charts.count() == 7  # survival, CRP, lesions, two volumes and their changes
        for number in range(charts.count()):
            charts.nth(number).scroll_into_view_if_needed()
            expect(charts.nth(number)).to_have_attribute("data-state", "drawn")
        numbers = panel.locator("details").first
        numbers.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(numbers.get_by_role("row", name="1 20 80.00")).to_be_visible()

        count(study, 24)
        page.evaluate("document.body.dispatchEvent(new CustomEvent('cohortex:study'))")
        expect(page.get_by_text("48 patients, 2 centres")).to_be_visible()
        expect(page.get_by_role("tabpanel", name="By leukaemia")).to_be_visible()
        expect(page.get_by_role("tab", name="All patients")).to_have_attribute("aria-selected", "false")
        page.close()  # before the server ends its events
