"""The fifth new patient releases a template and statistics that other centres see; the fourth changes nothing there.

Four patients are brains drawn by their seed, put where the pipeline keeps its results; the fifth is a phantom whose
archive is uploaded and goes through every real handler.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from cohortex.io import read_image
from cohortex.pipeline import ResultStore
from cohortex.pipeline.codec import encode
from cohortex.report import write_comparison_report, write_visit_report
from cohortex.study import Study
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import (
    CountedPatient,
    Job,
    MapPoint,
    OpenFigure,
    Result,
    TemplateMember,
    TemplateVersion,
    Visit,
)
from cohortex.study.jobs import work
from cohortex.study.people import add_centre, add_uploader
from cohortex.study.processing.following import visit_processed
from cohortex.study.processing.handlers import handlers
from cohortex.study.record_entries import enter
from cohortex.study.results import record_of

DAY = date(2024, 1, 15)
pytestmark = pytest.mark.usefixtures("course")
Figure = dict[str, Any]
KINDS = ("statistics", "map")
HANDLERS = handlers(write_visit_report=write_visit_report, write_comparison_report=write_comparison_report)


@dataclass
class Centres:
    """The study seen from its centres."""

    study: Study
    people: dict[str, Any]
    make_brain: Callable[..., object]
    drawn: int = 0

    def drawn_patients(self, *centres: str) -> None:
        """Enter patients whose visit has been processed: the brain is drawn, the rows are as the handler writes."""
        visits = []
        for centre in centres:
            self.drawn += 1
            key = hashlib.sha256(f"brain {self.drawn}".encode()).hexdigest()
            brain = self.make_brain(self.drawn)
            ResultStore(self.study.settings.results).put(key, encode(brain), {"origin": "drawn"})
            person = self.people[centre]
            visits.append((person.visit(person.patient(), DAY), key))
        with self.study.session(THE_STUDY, writes=True) as session, session.begin():
            for visit_id, key in visits:
                visit = session.get_one(Visit, visit_id)
                summary = {"aligned_brain": key, "lesion_count": 2, "lesion_volume_ml": 1.5, "brain_volume_ml": 1200.0}
                session.add(
                    Result(
                        kind="visit", key=key, patient_id=visit.patient_id, visit_id=visit.id, summary=summary,
                        centre_id=visit.centre_id, uploader_id=visit.uploader_id, record="0" * 64, files={},
                    )
                )  # fmt: skip
                session.flush()
            for visit_id, _ in visits:
                visit_processed(session, session.get_one(Visit, visit_id), cause="upload")

    def settle(self) -> None:
        work(self.study, HANDLERS, until_idle=True)

    def jobs(self) -> list[Job]:
        with self.study.session(THE_STUDY) as session:
            return list(session.scalars(select(Job).order_by(Job.created_at)))

    def seen_by(self, centre: str) -> bytes:
        """What a person of a centre reads of the study as a whole, to the byte."""
        with self.study.session(self.people[centre].asker) as session:
            seen = {
                table.__tablename__: [
                    {column.name: getattr(row, column.name) for column in table.__table__.columns}
                    for row in session.scalars(select(table))
                ]
                for table in (OpenFigure, TemplateVersion, TemplateMember, MapPoint, CountedPatient)
            }
        return json.dumps(seen, default=str, sort_keys=True).encode()

    def figure(self, kind: str, *, centre: str) -> Figure:
        with self.study.session(self.people[centre].asker) as session:
            latest = session.scalars(select(OpenFigure).where(OpenFigure.kind == kind).order_by(OpenFigure.id.desc()))
            return latest.first().content

    def versions(self, *, centre: str) -> list[tuple[int, int, int, str]]:
        with self.study.session(self.people[centre].asker) as session:
            rows = session.scalars(select(TemplateVersion).order_by(TemplateVersion.number))
            return [(row.number, row.n_patients, row.n_centres, row.reason) for row in rows]

    def visit_results(self) -> dict[str, tuple[datetime | None, str]]:
        return {result.id: (result.stale_at, result.record) for result in self.results("visit")}

    def results(self, kind: str) -> list[Result]:
        with self.study.session(THE_STUDY) as session:
            return list(session.scalars(select(Result).where(Result.kind == kind).order_by(Result.made_at)))


@pytest.fixture(scope="module")
def centres(tmp_path_factory, person_of, drawn_brain) -> Iterator[Centres]:
    study = Study.create(tmp_path_factory.mktemp("release") / "study", name="Lesions")
    for code in ("AA", "BB", "CC"):
        add_centre(study, code=code, name=f"Centre {code}")
        add_uploader(study, centre=code, login=code.lower(), name=code, password="correct horse")
    yield Centres(study, {code: person_of(study, code.lower()) for code in ("AA", "BB", "CC")}, drawn_brain)
    study.close()


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
