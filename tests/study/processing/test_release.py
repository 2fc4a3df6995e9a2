"""The fifth new patient releases a template and statistics that other centres see; the fourth changes nothing there.

Four patients are brains drawn by their seed, put where the pipeline keeps its results; the fifth is a phantom whose
archive is uploaded and goes through every real handler.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from cohortex.io import read_image
from cohortex.pipeline import ResultStore
from cohortex.report import write_comparison_report, write_visit_report
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import (
    Job,
    MapPoint,
    OpenFigure,
    Result,
    TemplateMember,
    TemplateVersion,
    Upload,
    Visit,
)
from cohortex.study.processing.handlers import handlers
from cohortex.study.record_entries import enter
from cohortex.study.results import record_of
from cohortex.study.uploads import withdraw

DAY = date(2024, 1, 15)
pytestmark = pytest.mark.usefixtures("course")
Figure = dict[str, Any]
HANDLERS = handlers(write_visit_report=write_visit_report, write_comparison_report=write_comparison_report)
KINDS = ("statistics", "map")


@pytest.fixture(scope="module")
def centres(open_centres):
    return open_centres(spacing_mm=2.0)


@dataclass(frozen=True, kw_only=True)
class Course:
    """What was seen, and which jobs were started, while patient after patient came."""

    seen_before_fourth: dict[str, bytes]
    seen_after_fourth: dict[str, bytes]
    fourth: list[Job]
    fifth: list[Job]
    figures_of_five: dict[str, dict[str, Figure]]
    sixth_to_ninth: list[Job]
    visit_results_of_nine: dict[str, tuple[datetime | None, str]]
    tenth: list[Job]


@pytest.fixture(scope="module")
def course(centres, archive_of) -> Course:
    def seen() -> dict[str, bytes]:
        return {code: centres.seen_by(code) for code in ("BB", "CC")}

    def started(come: Callable[[], object]) -> list[Job]:
        before = {job.id for job in centres.jobs()}
        come()
        centres.settle()
        return [job for job in centres.jobs() if job.id not in before]

    def fifth_comes() -> None:
        anna = centres.people["AA"]
        anna.send(anna.visit(anna.patient(), DAY), archive_of(1))

    started(lambda: centres.drawn_patients("AA", "BB", "BB"))
    return Course(  # in this order
        seen_before_fourth=seen(),
        fourth=started(lambda: centres.drawn_patients("CC")),
        seen_after_fourth=seen(),
        fifth=started(fifth_comes),
        figures_of_five={c: {kind: centres.figure(kind, centre=c) for kind in KINDS} for c in ("AA", "BB")},
        sixth_to_ninth=started(lambda: centres.drawn_patients("BB", "BB", "CC", "AA")),
        visit_results_of_nine=centres.visit_results(),
        tenth=started(lambda: centres.drawn_patients("CC")),
    )


def kinds(jobs: list[Job]) -> Counter[str]:
    return Counter(job.kind for job in jobs)


def test_after_the_fourth_patient_the_others_see_to_the_byte_what_they_saw_before(course):
    assert course.seen_before_fourth == course.seen_after_fourth
    assert kinds(course.fourth) == {"statistics": 1}


def test_what_the_fifth_patient_started_is_exactly_what_depends_on_it(course):
    assert kinds(course.fifth) == {
        "check": 1,
        "visit": 1,
        "template": 1,
        "deviation": 5,
        "distances": 1,
        "statistics": 1,
    }
    assert {job.state for job in course.fifth} == {"done"}


def test_the_fifth_patient_at_one_centre_releases_a_template_the_others_see(centres):
    for centre in ("BB", "CC"):
        assert centres.versions(centre=centre)[:1] == [(1, 5, 3, "rule")]
        with centres.study.session(centres.people[centre].asker) as session:
            files = session.get_one(TemplateVersion, 1).files
            own = session.scalars(select(TemplateMember.centre_id).where(TemplateMember.version == 1)).all()
        assert set(files) == {"template_mean.nii.gz", "template_sd.nii.gz", "template_deformation.nii.gz"}
        assert all(file["sha256"] in centres.study.objects for file in files.values())
        assert set(own) == {centres.people[centre].asker.centre_id}


def test_the_template_is_the_mean_of_the_five_brains(centres, tmp_path):
    with centres.study.session(THE_STUDY) as session:
        version = session.get_one(TemplateVersion, 1)
        members = session.scalars(select(TemplateMember.visit_id).where(TemplateMember.version == 1)).all()
        keys = [
            session.scalars(select(Result).where(Result.visit_id == visit, Result.kind == "visit"))
            .one()
            .summary["aligned_brain"]
            for visit in members
        ]
    store = ResultStore(centres.study.settings.results)
    brains = [store.load(key) for key in keys]
    centres.study.objects.copy_to(version.files["template_mean.nii.gz"]["sha256"], tmp_path / "mean.nii.gz")
    mean = read_image(tmp_path / "mean.nii.gz")
    healthy = np.all([brain.healthy.mask for brain in brains], axis=0)
    expected = np.mean([brain.image.values for brain in brains], axis=0)
    step = np.ptp(mean.values) / 2**15  # NIfTI files hold 16-bit integers
    np.testing.assert_allclose(mean.values[healthy], expected[healthy], atol=step)


def test_the_fifth_patient_opens_statistics_and_the_density_of_the_map_to_the_others(centres, course):
    seen = course.figures_of_five
    for centre in ("AA", "BB"):
        statistics, chart = (seen[centre][kind] for kind in KINDS)
        for language in ("en", "it"):
            assert statistics[language]["shown"]
            assert (statistics[language]["n_patients"], statistics[language]["n_centres"]) == (5, 3)
        assert (chart["version"], chart["n"]) == (1, 5)
        assert np.max(chart["density"]["values"]) > 0
    assert seen["AA"] == seen["BB"]
    with centres.study.session(centres.people["BB"].asker) as session:
        dots = session.scalars(select(MapPoint).where(MapPoint.version == 1)).all()
        assert {dot.centre_id for dot in dots} == {centres.people["BB"].asker.centre_id}


def test_four_patients_later_the_others_still_see_the_same_figures_and_template(centres, course):
    assert kinds(course.sixth_to_ninth) == {"deviation": 4, "distances": 1, "statistics": 1}
    with centres.study.session(centres.people["BB"].asker) as session:
        of_the_first = select(OpenFigure).where(OpenFigure.template_version == 1)
        figures = {figure.kind: figure.content for figure in session.scalars(of_the_first.order_by(OpenFigure.id))}
    assert figures == course.figures_of_five["BB"]


def test_five_patients_later_the_second_version_makes_exactly_deviation_distances_and_statistics_anew(centres, course):
    assert kinds(course.tenth) == {"template": 1, "deviation": 10, "distances": 1, "statistics": 1}
    assert {job.state for job in course.tenth} == {"done"}
    assert centres.versions(centre="BB") == [(1, 5, 3, "rule"), (2, 10, 3, "rule")]
    statistics, chart = (centres.figure(kind, centre="BB") for kind in KINDS)
    assert statistics["en"]["n_patients"] == 10
    assert (chart["version"], chart["n"]) == (2, 10)


def test_no_visit_is_processed_again_for_a_new_template(centres, course):
    after = centres.visit_results()
    assert course.visit_results_of_nine.items() <= after.items()
    assert all(stale is None for stale, _ in after.values())


def test_results_of_the_first_version_stay_readable_beside_the_newer_ones(centres):
    results = centres.results("deviation")
    assert Counter(result.template_version for result in results) == {1: 9, 2: 10}
    newer = {result.id: result for result in results if result.template_version == 2}
    assert all(result.stale_at is None and result.superseded_by is None for result in newer.values())
    for old in (result for result in results if result.template_version == 1):
        assert old.stale_at is not None
        assert newer[old.superseded_by].patient_id == old.patient_id
        record = record_of(centres.study, old)
        assert record["template_version"] == 1
        assert set(old.files) >= {"report.json", "deviation_intensity.nii.gz", "deviation_volume.nii.gz"}
        for file in old.files.values():
            assert hashlib.sha256(centres.study.objects.read(file["sha256"])).hexdigest() == file["sha256"]
    for new in newer.values():
        assert record_of(centres.study, new)["template_patients"] == 10


def test_a_lone_clinical_value_recomputes_statistics_and_no_image_step(centres):
    before = {job.id for job in centres.jobs()}
    anna = centres.people["AA"]
    with anna.writing() as session:
        visit = session.scalars(select(Visit).order_by(Visit.created_at)).first()
        assert enter(centres.study, session, visit, {"leukaemia_type": "AML"}) == 1
    centres.settle()
    assert [job.kind for job in centres.jobs() if job.id not in before] == ["statistics"]


def test_what_was_withdrawn_while_it_was_processed_comes_to_nothing(centres):
    """Last in this module: it takes the fifth patient out."""
    anna = centres.people["AA"]
    [job] = [job for job in centres.jobs() if job.kind == "visit"]
    finish = HANDLERS["visit"](centres.study, job, lambda _: None)  # everything is in the store: this takes a moment
    with anna.writing() as session:
        upload = session.scalars(select(Upload).where(Upload.visit_id == job.visit_id)).one()
        withdraw(session, upload, reason="the patient left")
    with centres.study.session(THE_STUDY, writes=True) as session, session.begin():
        finish(session)
    centres.settle()
    of_visit = [result for kind in ("visit", "deviation") for result in centres.results(kind)]
    assert [result for result in of_visit if result.visit_id == job.visit_id and result.stale_at is None] == []
    assert centres.figure("statistics", centre="BB")["en"]["n_patients"] == 9
    again = HANDLERS["visit"](centres.study, job, lambda _: None)
    with centres.study.session(THE_STUDY, writes=True) as session, session.begin():
        assert again(session) is None
    centres.settle()
    assert {job.state for job in centres.jobs()} == {"done"}
