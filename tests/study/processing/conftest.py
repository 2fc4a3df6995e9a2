"""A study at whose uploads only the check and the statistics work; what would be processed is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy import ndimage
from sqlalchemy import select

from cohortex.image import Image, Labels
from cohortex.study import Study
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Job, Patient, Series, TraceEntry, Upload, Visit
from cohortex.study.jobs import work
from cohortex.study.people import add_centre, add_uploader
from cohortex.study.processing.checking import check
from cohortex.study.processing.summarising import statistics
from cohortex.templates import AlignedBrain, mni152
from cohortex.templates.tissue_scale import TISSUE_LEVELS


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
def drawn_brain() -> Callable[[int], AlignedBrain]:
    """A healthy brain in template space, drawn by its seed: the tissues of MNI152 and smooth variation."""

    def draw(seed: int) -> AlignedBrain:
        template = mni152(spacing_mm=2.0)
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
