"""Checks in this process, where only the verdicts are asked about, and archives made to order."""

from __future__ import annotations

import base64
import dataclasses
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cohortex.io import ArchiveLimits
from cohortex.study.check import EnteredFacts, UploadCheck
from cohortex.study.check.reading import check

CODE, DAYS = "C1-0007", -123


@pytest.fixture
def checked(tmp_path, pseudonyms) -> Callable[..., UploadCheck]:
    """Check an upload in this process; its files lie in the folder "output" of the test."""
    runs = iter(range(100))

    def run(
        path: Path,
        *,
        known: tuple[str, ...] = (),
        entered: EnteredFacts | None = None,
        limits: ArchiveLimits | None = None,
    ) -> UploadCheck:
        scratch, output = tmp_path / f"scratch-{next(runs)}", tmp_path / "output"
        scratch.mkdir()
        output.mkdir(exist_ok=True)
        for file in output.iterdir():
            file.unlink()
        arguments = {
            "path": str(path), "output": str(output), "scratch": str(scratch),
            "secret": base64.b64encode(pseudonyms.secret).decode(), "centre": "C1", "patient_code": CODE,
            "day_shift": DAYS, "known": list(known), "entered": (entered or EnteredFacts()).as_entries(),
            "archive": dataclasses.asdict(limits or ArchiveLimits()),
        }  # fmt: skip
        return UploadCheck.from_json(json.dumps(check(arguments, lambda *_: None)))

    return run


@pytest.fixture
def zip_of(tmp_path) -> Callable[..., Path]:
    def pack(files: Mapping[str, bytes], name: str = "upload.zip") -> Path:
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in files.items():
                archive.writestr(member, content)
        return tmp_path / name

    return pack


@pytest.fixture
def stack(dicom_object, bytes_of) -> Callable[..., dict[str, bytes]]:
    """The files of a series of slices 3 mm apart."""

    def make(count: int = 4, *, series: str = "1.2.3.2", **elements: object) -> dict[str, bytes]:
        files = {}
        for n in range(count):
            dataset = dicom_object(
                SOPInstanceUID=f"{series}.{n + 1}", SeriesInstanceUID=series, InstanceNumber=n + 1, SeriesNumber=7,
                ImagePositionPatient=[0, 0, 3.0 * n], SeriesDescription="t1 mprage ROSSI", StudyDate="20240115",
                PatientBirthDate="19610413", **elements,
            )  # fmt: skip
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            files[f"ROSSI_MARIA/{series}/{n:03d}.dcm"] = bytes_of(dataset)
        return files

    return make
