"""A study in a temporary folder, empty or staffed; phantom scans as archives, and people who send them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import pydicom
import pytest
from sqlalchemy import select

from cohortex import phantoms
from cohortex.study import Study
from cohortex.study.database import THE_STUDY, Asker, StudySession
from cohortex.study.database.tables import Uploader
from cohortex.study.patients import add_patient, add_visit, patient_of, visit_of
from cohortex.study.people import add_centre, add_uploader
from cohortex.study.uploads import begin, complete, decide, move, upload_of, withdraw


@pytest.fixture
def study(tmp_path) -> Iterator[Study]:
    study = Study.create(tmp_path / "study", name="Lesions")
    yield study
    study.close()


@pytest.fixture
def staffed(study) -> Study:
    for code in ("AA", "BB", "CC"):
        add_centre(study, code=code, name=f"Centre {code}", country="IT")
        add_uploader(study, centre=code, login=f"anna.{code.lower()}", name=f"Anna {code}", password="correct horse")
    return study


class Person:
    """A person of a centre who enters patients and sends their scans, by the functions that the routes call."""

    def __init__(self, study: Study, login: str) -> None:
        self.study = study
        with study.session(THE_STUDY) as session:
            row = session.scalars(select(Uploader).where(Uploader.login == login)).one()
        self.asker = Asker(uploader_id=row.id, centre_id=row.centre_id, role=row.role)

    @contextmanager
    def writing(self) -> Iterator[StudySession]:
        with self.study.session(self.asker, writes=True) as session, session.begin():
            yield session

    def patient(self, *, born: date | None = None) -> str:
        """Enter a patient; gives the code."""
        with self.writing() as session:
            return add_patient(self.study, session, sex="F", birth_date=born).code

    def visit(self, patient: str, on: date) -> str:
        """Enter a visit; gives its key."""
        with self.writing() as session:
            return add_visit(self.study, session, patient_of(session, patient), on=on).id

    def send(self, visit: str, archive: Path, *, file_name: str = "scan.zip") -> str:
        """Send an archive for a visit to its last byte; gives the key of the upload."""
        data = archive.read_bytes()
        with self.writing() as session:
            upload = begin(self.study, session, visit_of(session, visit), size=len(data), file_name=file_name).id
        appending = self.study.intake.append(upload, offset=0, most=len(data))
        appending.write(data)
        appending.close()
        with self.writing() as session:
            complete(self.study, session, upload_of(session, upload))
        return upload

    def decide(self, upload: str, *, accept: bool, reason: str = "looked at it") -> None:
        with self.writing() as session:
            decide(session, upload_of(session, upload), accept=accept, reason=reason)

    def move(self, upload: str, visit: str, *, reason: str = "sent to the wrong visit") -> None:
        with self.writing() as session:
            move(session, upload_of(session, upload), visit_of(session, visit), reason=reason)

    def withdraw(self, upload: str, *, reason: str = "sent by mistake") -> None:
        with self.writing() as session:
            withdraw(session, upload_of(session, upload), reason=reason)


@pytest.fixture(scope="session")
def person_of() -> Callable[[Study, str], Person]:
    """Somebody who signed in to a study."""
    return Person


@pytest.fixture(scope="session")
def small_head() -> phantoms.Head:
    return phantoms.head(spacing_mm=5.0, rng=np.random.default_rng(1))


@pytest.fixture(scope="session")
def archive_of(small_head, tmp_path_factory) -> Callable[..., Path]:
    """The archive of one scan of a phantom person: 24 slices of each contrast, other UIDs at every scan."""
    folder = tmp_path_factory.mktemp("archives")

    def write(
        person: int,
        *,
        scan: int = 0,
        on: date = date(2024, 1, 15),
        contrasts: tuple[str, ...] = ("FLAIR",),
        change: Callable[[pydicom.Dataset], None] | None = None,
    ) -> Path:
        path = folder / f"{person}-{scan}-{on}-{'-'.join(contrasts)}{'-changed' if change else ''}.zip"
        if path.exists():
            return path
        images = [
            phantoms.scan(
                small_head, contrast, slice_thickness_mm=10.0, scanner=phantoms.SCANNERS["siemens-like"],
                rng=np.random.default_rng([person, scan]),
            ).with_metadata(study_date=f"{on:%Y%m%d}")
            for contrast in contrasts
        ]  # fmt: skip
        phantoms.write_dicom_zip(
            images, path, seed=1000 * person + scan, identity=phantoms.invented_identity(seed=person)
        )
        if change is not None:
            _rewrite(path, change)
        return path

    return write


def _rewrite(path: Path, change: Callable[[pydicom.Dataset], None]) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, dataset in members.items():
            change(dataset)
            buffer = io.BytesIO()
            dataset.save_as(buffer, enforce_file_format=True)
            archive.writestr(name, buffer.getvalue())
