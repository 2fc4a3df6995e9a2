"""A study in which only checks and statistics work, and one of three centres whose patients are drawn brains."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import pydicom
import pytest
from scipy import ndimage
from sqlalchemy import select

from cohortex.image import Image, Labels
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
    Patient,
    Result,
    Series,
    TemplateMember,
    TemplateVersion,
    TraceEntry,
    Upload,
    Visit,
)
from cohortex.study.jobs import work
from cohortex.study.patients import shift_of
from cohortex.study.people import add_centre, add_uploader
from cohortex.study.processing.checking import check
from cohortex.study.processing.following import visit_processed
from cohortex.study.processing.handlers import handlers
from cohortex.study.processing.summarising import statistics
from cohortex.templates import AlignedBrain, mni152
from cohortex.templates.tissue_scale import TISSUE_LEVELS

DAY = date(2024, 1, 15)
BORN = date(1961, 4, 13)
HANDLERS = handlers(write_visit_report=write_visit_report, write_comparison_report=write_comparison_report)
Figure = dict[str, Any]


@dataclass
class Desk:
    """What a test asks of the study behind the people who send."""

    study: Study
    processed: list[str] = field(default_factory=list)

    def settle(self) -> None:
        """Do all waiting work but the pipeline's, which is noted."""
        work(self.study, {"check": check, "visit": self._noted, "statistics": statistics}, until_idle=True)

    def _noted(self, study: Study, job: Job, progress: object) -> Callable[[object], None]:
        del study, progress
        self.processed.append(str(job.visit_id))
        return lambda _: None

    def upload(self, key: str) -> Upload:
        with self.study.session(THE_STUDY) as session:
            return session.get_one(Upload, key)

    def patient(self, code: str) -> Patient:
        with self.study.session(THE_STUDY) as session:
            return session.scalars(select(Patient).where(Patient.code == code)).one()

    def visit(self, key: str) -> Visit:
        with self.study.session(THE_STUDY) as session:
            return session.get_one(Visit, key)

    def series(self, upload: str, *, withdrawn: bool = False) -> list[Series]:
        """Give the series that came of an upload, with their instances."""
        with self.study.session(THE_STUDY) as session:
            found = session.scalars(select(Series).where(Series.upload_id == upload).order_by(Series.id)).all()
            for series in found:
                _ = series.instances
            return [series for series in found if (series.withdrawn_at is not None) == withdrawn]

    def datasets(self, series: Series) -> list[pydicom.Dataset]:
        """Read the objects of a series, by instance number."""
        found = [pydicom.dcmread(io.BytesIO(self.study.objects.read(i.sha256))) for i in series.instances]
        return sorted(found, key=lambda dataset: dataset.InstanceNumber)

    def objects_on_disk(self) -> set[str]:
        return {path.name for path in self.study.objects.path.glob("??/??/*")}

    def day_shift(self, code: str) -> int:
        return shift_of(self.study, self.patient(code).id).days

    def jobs(self, *, upload: str | None = None, visit: str | None = None) -> list[Job]:
        with self.study.session(THE_STUDY) as session:
            query = select(Job).order_by(Job.created_at)
            if upload is not None:
                query = query.where(Job.upload_id == upload)
            if visit is not None:
                query = query.where(Job.visit_id == visit)
            return list(session.scalars(query))

    def trace(self, code: str) -> list[tuple[str, str, str]]:
        """Give who did what, and what was said of it, in order."""
        with self.study.session(THE_STUDY) as session:
            entries = session.scalars(
                select(TraceEntry)
                .join(Patient, Patient.id == TraceEntry.patient_id)
                .where(Patient.code == code)
                .order_by(TraceEntry.id)
            )
            return [(entry.uploader.login, entry.action, entry.detail) for entry in entries]


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Iterator[Desk]:
    study = Study.create(tmp_path_factory.mktemp("desk") / "study", name="Lesions")
    for centre, login in (("AA", "anna"), ("AA", "bruno"), ("BB", "carla")):
        if login != "bruno":
            add_centre(study, code=centre, name=f"Centre {centre}")
        add_uploader(study, centre=centre, login=login, name=login, password="correct horse")
    yield Desk(study)
    study.close()


@pytest.fixture(scope="module")
def anna(desk, person_of):
    """Sends."""
    return person_of(desk.study, "anna")


@pytest.fixture(scope="module")
def bruno(desk, person_of):
    """Decides, in the same centre."""
    return person_of(desk.study, "bruno")


@pytest.fixture(scope="session")
def new_person() -> Callable[[], int]:
    """Give the number of a phantom person nobody has sent yet."""
    numbers = itertools.count(1)
    return lambda: next(numbers)


@pytest.fixture
def person(new_person) -> int:
    return new_person()


@pytest.fixture
def visit(anna) -> tuple[str, str]:
    """A new patient's code and first visit."""
    code = anna.patient(born=BORN)
    return code, anna.visit(code, DAY)


@pytest.fixture(scope="session")
def second_series_shows_text() -> Callable[[pydicom.Dataset], None]:
    """Mark the pictures of the second series as showing text."""

    def mark(dataset: pydicom.Dataset) -> None:
        dataset.BurnedInAnnotation = "YES" if dataset.SeriesNumber == 2 else "NO"

    return mark


@dataclass
class Centres:
    """The study seen from its centres."""

    study: Study
    people: dict[str, Any]
    draw: Callable[[int], AlignedBrain]
    drawn: int = 0

    def drawn_patients(self, *centres: str) -> list[str]:
        """Enter patients with a processed visit: the brain is drawn, the rows are as the handlers write them."""
        visits = []
        for centre in centres:
            self.drawn += 1
            key = hashlib.sha256(f"brain {self.drawn}".encode()).hexdigest()
            brain = self.draw(self.drawn)
            ResultStore(self.study.settings.results).put(key, encode(brain), {"origin": "drawn"})
            person = self.people[centre]
            visits.append((person.visit(person.patient(), DAY), key))
        with self.study.session(THE_STUDY, writes=True) as session, session.begin():
            for visit_id, key in visits:
                visit = session.get_one(Visit, visit_id)
                summary = {"aligned_brain": key, "lesion_count": 2, "lesion_volume_ml": 1.5, "brain_volume_ml": 1200.0}
                owner = {"centre_id": visit.centre_id, "uploader_id": visit.uploader_id}
                upload = Upload(visit_id=visit.id, state="committed", size=1, verdicts=[], **owner)
                session.add(upload)
                session.flush()
                session.add(
                    Series(upload_id=upload.id, visit_id=visit.id, series_uid="2.25.1", modality="MR",
                           contrast="FLAIR", description="", shape=[], spacing_mm=[], **owner)
                )  # fmt: skip
                session.add(
                    Result(
                        kind="visit", key=key, patient_id=visit.patient_id, visit_id=visit.id, summary=summary,
                        record="0" * 64, files={}, **owner,
                    )
                )  # fmt: skip
                session.flush()
            for visit_id, _ in visits:
                visit_processed(session, session.get_one(Visit, visit_id), cause="upload")
        return [visit_id for visit_id, _ in visits]

    def settle(self) -> None:
        """Do all waiting work."""
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
def open_centres(tmp_path_factory, person_of, drawn_brain) -> Iterator[Callable[..., Centres]]:
    """Open a study of three centres with a person in each; brains are drawn on a grid of the spacing."""
    opened = []

    def open_them(*, spacing_mm: float) -> Centres:
        study = Study.create(tmp_path_factory.mktemp("centres") / "study", name="Lesions")
        opened.append(study)
        for code in ("AA", "BB", "CC"):
            add_centre(study, code=code, name=f"Centre {code}")
            add_uploader(study, centre=code, login=code.lower(), name=code, password="correct horse")
        people = {code: person_of(study, code.lower()) for code in ("AA", "BB", "CC")}
        return Centres(study, people, lambda seed: drawn_brain(seed, spacing_mm))

    yield open_them
    for study in opened:
        study.close()


@pytest.fixture(scope="session")
def drawn_brain() -> Callable[[int, float], AlignedBrain]:
    """A healthy brain in template space, drawn by its seed: the tissues of MNI152 and smooth variation."""

    def draw(seed: int, spacing_mm: float) -> AlignedBrain:
        template = mni152(spacing_mm=spacing_mm)
        grid, inside = template.grid, template.brain.mask
        coarse = grid.with_spacing([2 * spacing for spacing in grid.spacing_mm])
        rng = np.random.default_rng(seed)

        def noise(shape: tuple[int, ...]) -> np.ndarray:
            smooth = ndimage.gaussian_filter(rng.standard_normal(shape, dtype=np.float32), 2.0, mode="wrap")
            return smooth / smooth.std()

        expected = sum(TISSUE_LEVELS["FLAIR"][name] * tissue.values for name, tissue in template.tissues.items())
        return AlignedBrain(
            contrast="FLAIR",
            image=Image(np.where(inside, expected + 0.05 * noise(grid.shape), 0).astype(np.float32), grid,
                        "white matter"),
            log_jacobian=Image(np.where(inside, 0.1 * noise(grid.shape), 0).astype(np.float32), grid, "ln"),
            displacement=Image(np.stack([noise(coarse.shape) for _ in range(3)], axis=-1).astype(np.float32), coarse,
                               "mm", extra_axes=("vector",)),
            brain=template.brain,
            healthy=Labels(inside, grid),
            size_ln=0.0,
            tissue_values={"csf": 20.0, "grey": 120.0, "white": 100.0},
        )  # fmt: skip

    return draw
