"""A study empty or staffed, people who send phantom scans to it, and DICOM objects made to order."""

from __future__ import annotations

import io
import os
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from sqlalchemy import select

from cohortex import phantoms
from cohortex.study import Study
from cohortex.study.database import THE_STUDY, Asker, StudySession
from cohortex.study.database.tables import Sex, Uploader
from cohortex.study.patients import add_patient, add_visit, patient_of, visit_of
from cohortex.study.people import add_centre, add_uploader
from cohortex.study.pseudonyms import Pseudonyms
from cohortex.study.uploads import begin, complete, decide, move, upload_of, withdraw

_HERE = str(Path(__file__).parent)
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)

BORN = date(1961, 4, 13)
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
ObjectMaker = Callable[..., Dataset]


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

    def patient(self, *, born: date | None = None, sex: Sex = "F") -> str:
        """Enter a patient; gives the code."""
        with self.writing() as session:
            return add_patient(self.study, session, sex=sex, birth_date=born).code

    def visit(self, patient: str, on: date) -> str:
        """Enter a visit; gives its key."""
        with self.writing() as session:
            return add_visit(self.study, session, patient_of(session, patient), on=on).id

    def send(self, visit: str, archive: Path, *, file_name: str = "scan.zip") -> str:
        """Send an archive for a visit and hear that it came; gives the key of the upload."""
        upload = self.send_bytes(visit, archive.read_bytes(), file_name=file_name)
        with self.writing() as session:
            complete(self.study, session, upload_of(session, upload))
        return upload

    def send_bytes(self, visit: str, data: bytes, *, missing: int = 0, file_name: str = "scan.zip") -> str:
        """Send bytes for a visit, but for the last, and never hear what came of it; gives the key of the upload."""
        with self.writing() as session:
            size = len(data) + missing
            upload = begin(self.study, session, visit_of(session, visit), size=size, file_name=file_name).id
        appending = self.study.intake.append(upload, offset=0, most=len(data))
        appending.write(data)
        appending.close()
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
    """The archive of one scan of a phantom person: 24 slices of each contrast, other UIDs at every scan.

    All are women born on one day, as `Person.patient` enters them: only name and numbers tell them apart.
    """
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
        identity = replace(phantoms.invented_identity(seed=person), sex="F", birth_date=f"{BORN:%Y%m%d}")
        phantoms.write_dicom_zip(images, path, seed=1000 * person + scan, identity=identity)
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


@pytest.fixture(scope="session")
def pseudonyms() -> Pseudonyms:
    return Pseudonyms(bytes(range(32)))


@pytest.fixture(scope="session")
def standards() -> Path:
    """Folder of standards beside the checkout; its absence skips, and fails where CI promises it."""
    folder = Path(__file__).parents[2].parent / "shared" / "standards"
    folder = Path(os.environ.get("COHORTEX_STANDARDS", folder))
    if not folder.is_dir():
        message = "no standards at ../shared/standards; set COHORTEX_STANDARDS to their folder."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def head() -> phantoms.Head:
    return phantoms.head(spacing_mm=3.0)


@pytest.fixture(scope="session")
def phantom_zip(head, tmp_path_factory) -> Callable[..., Path]:
    """Zip of a phantom visit on one scanner, made once for each kind that is asked for."""
    made: dict[tuple[Any, ...], Path] = {}

    def make(scanner: phantoms.scanner.Vendor = "siemens-like", *contrasts: str, seed: int = 3) -> Path:
        key = (scanner, contrasts, seed)
        if key not in made:
            scans = [
                phantoms.scan(
                    head,
                    contrast,  # type: ignore[arg-type]
                    scanner=phantoms.SCANNERS[scanner],
                    slice_thickness_mm=12.0,
                    rng=np.random.default_rng(1),
                )
                for contrast in contrasts or ("T1",)
            ]
            path = tmp_path_factory.mktemp("phantom") / "PHANTOM ROSSI.zip"
            made[key] = phantoms.write_dicom_zip(scans, path, scanner=scanner, seed=seed)
        return made[key]

    return make


@pytest.fixture(scope="session")
def objects_of() -> Callable[[Path], list[Dataset]]:
    """Every DICOM object of a zip."""

    def read(path: Path) -> list[Dataset]:
        with zipfile.ZipFile(path) as archive:
            return [pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()]

    return read


def make_object(values: np.ndarray | None = None, **elements: Any) -> Dataset:
    """One MR slice of 4 rows and 6 columns with a place, unless the elements say otherwise."""
    pixels = np.arange(24, dtype=np.uint16).reshape(4, 6) if values is None else values
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = MR_IMAGE
    dataset.SOPInstanceUID, dataset.SeriesInstanceUID, dataset.StudyInstanceUID = "1.2.3.1", "1.2.3.2", "1.2.3.3"
    dataset.Modality = "MR"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    dataset.PatientName, dataset.PatientID = "ROSSI^MARIA", "0042137"
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [1.5, 2, 3], [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [2, 1.5]
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        dataset.NumberOfFrames = len(pixels)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.fixture(scope="session")
def dicom_object() -> ObjectMaker:
    return make_object


@pytest.fixture(scope="session")
def as_read() -> Callable[[Dataset], Dataset]:
    """A data set as it comes back from a file."""

    def read(dataset: Dataset) -> Dataset:
        return pydicom.dcmread(io.BytesIO(file_bytes(dataset)), force=True)

    return read


def file_bytes(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def bytes_of() -> Callable[[Dataset], bytes]:
    return file_bytes


@pytest.fixture(scope="session")
def csa_header() -> Callable[..., bytes]:
    """A Siemens CSA2 header with the given text entries."""

    def make(**entries: list[str]) -> bytes:
        result = b"SV10\4\3\2\1" + struct.pack("<2i", len(entries), 77)
        for name, values in entries.items():
            kind = b"LO\0\0" if name == "PatientName" else b"FD\0\0"
            result += name.encode().ljust(64, b"\0") + struct.pack("<i4s3i", len(values), kind, 0, len(values), 77)
            for value in values:
                text = value.encode() + b"\0"
                result += struct.pack("<4i", len(text), len(text), 77, len(text)) + text.ljust(
                    -(-len(text) // 4) * 4, b"\0"
                )
        return result

    return make
