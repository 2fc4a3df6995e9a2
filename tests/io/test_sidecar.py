"""Sidecars: BIDS names both ways, and nobody's name in them."""

import json

import numpy as np

from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.io import read_image, sidecar, write_image

GRID = Grid.from_parts((2, 2, 2))


def test_times_are_in_seconds_under_bids_names(dicom_slice, save_series):
    image = read_image(save_series([dicom_slice(EchoTime=30, RepetitionTime=2000, FlipAngle=90, Manufacturer="GE")]))
    entries = sidecar(image)
    assert entries["EchoTime"] == 0.03
    assert entries["RepetitionTime"] == 2.0
    assert entries["FlipAngle"] == 90
    assert entries["Manufacturer"] == "GE"
    assert entries["ConversionSoftware"] == "cohortex"


def test_nobody_is_named(dicom_slice, save_series):
    image = read_image(save_series([dicom_slice(PatientBirthDate="19700101", ReferringPhysicianName="Doctor^A")]))
    text = json.dumps(sidecar(image))
    for word in ("Person", "T-1", "1970", "Doctor", "1.2.3.4"):
        assert word not in text


def test_unit_and_warnings_are_told():
    entries = sidecar(Image(np.zeros((2, 2, 2)), GRID, "HU", {"warnings": ["odd"]}))
    assert entries["Units"] == "HU"
    assert entries["Warnings"] == ["odd"]


def test_what_the_sidecar_says_comes_back_with_the_image(tmp_path):
    image = Image(np.zeros((2, 2, 2)), GRID, "arbitrary", {"echo_time_s": 0.1, "series_description": "T2"})
    write_image(image, tmp_path / "scan.nii.gz")
    (tmp_path / "scan.json").write_text(json.dumps(sidecar(image)))
    metadata = read_image(tmp_path / "scan.nii.gz").metadata
    assert metadata["echo_time_s"] == 0.1
    assert metadata["series_description"] == "T2"
