"""Private elements: a few numbers stay, and the slices of a mosaic find their places."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cohortex.io import read_image
from cohortex.study.identity import deidentify


@pytest.fixture
def clean_of(pseudonyms):
    return lambda dataset: deidentify(dataset, pseudonyms=pseudonyms, patient_code="C1-0007", day_shift=-5).dataset


def read(dataset, folder):
    dataset.save_as(folder, enforce_file_format=True)
    return read_image(folder)


@pytest.fixture
def mosaic(dicom_object, csa_header):
    tiles = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    pixels = np.zeros((8, 10), np.uint16)
    pixels[:4, :5], pixels[:4, 5:], pixels[4:, :5] = tiles
    dataset = dicom_object(
        pixels, ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"], SpacingBetweenSlices=4.0, Manufacturer="SIEMENS",
        ImagePositionPatient=[10 - 1.5 * 2.5, 20 - 2.0 * 2, 30],
    )  # fmt: skip
    blob = csa_header(
        NumberOfImagesInMosaic=["3"], SliceNormalVector=["0.0", "0.0", "1.0"], PatientName=["ROSSI^MARIA"],
        B_value=["1000"],
    )  # fmt: skip
    block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x10, "OB", blob + b"ROSSI ")
    block.add_new(0x20, "OB", b"ROSSI^MARIA ")
    return dataset


def test_a_mosaic_keeps_its_places_and_loses_the_name_in_its_header(mosaic, clean_of, bytes_of, tmp_path):
    old = read(mosaic, tmp_path / "before.dcm")
    clean = clean_of(mosaic)
    assert b"ROSSI" not in bytes_of(clean)
    new = read(clean, tmp_path / "after.dcm")
    assert_array_equal(new.values, old.values)
    assert_allclose(new.grid.world_from_index, old.grid.world_from_index)


def test_a_damaged_mosaic_header_goes(mosaic, clean_of, bytes_of):
    block = mosaic.private_block(0x0029, "SIEMENS CSA HEADER")
    block[0x10].value = b"SV10\4\3\2\1ROSSI^MARIA "
    clean = clean_of(mosaic)
    assert b"ROSSI" not in bytes_of(clean)
    assert not [tag for tag in clean.keys() if tag.is_private]  # noqa: SIM118


def test_tiles_of_united_imaging_keep_their_places(dicom_object, clean_of, bytes_of, tmp_path):
    places = []
    for z in (0.0, 4.0, 8.0):
        place = Dataset()
        place.ImagePositionPatient, place.PatientName = [1.0, 2.0, z], "ROSSI^MARIA"
        places.append(place)
    dataset = dicom_object(
        np.arange(80, dtype=np.uint16).reshape(8, 10),
        ImageType=["ORIGINAL", "PRIMARY", "M", "VFRAME"],
        Manufacturer="UIH",
    )
    block = dataset.private_block(0x0065, "Image Private Header", create=True)
    block.add_new(0x04, "SH", "5*4")
    block.add_new(0x50, "DS", "3")
    block.add_new(0x51, "SQ", Sequence(places))
    block.add_new(0x60, "LO", "ROSSI")
    old = read(dataset, tmp_path / "before.dcm")
    clean = clean_of(dataset)
    assert b"ROSSI" not in bytes_of(clean)
    new = read(clean, tmp_path / "after.dcm")
    assert_array_equal(new.values, old.values)
    assert_allclose(new.grid.world_from_index, old.grid.world_from_index)


@pytest.mark.parametrize(
    ("maker", "group", "creator", "element", "vr", "value"),
    [
        ("SIEMENS", 0x0019, "SIEMENS MR HEADER", 0x0C, "IS", "1000"),
        ("SIEMENS", 0x0019, "SIEMENS MR HEADER", 0x0C, "UN", b"1000"),
        ("Philips", 0x2001, "Philips Imaging DD 001", 0x03, "FL", 1000.0),
        ("UIH", 0x0065, "Image Private Header", 0x09, "FD", 1000.0),
        ("UIH", 0x0065, "Image Private Header", 0x09, "UN", np.float64(1000).tobytes()),
    ],
)
def test_a_b_value_stays(maker, group, creator, element, vr, value, dicom_object, clean_of, tmp_path):
    dataset = dicom_object(Manufacturer=maker)
    dataset.private_block(group, creator, create=True).add_new(element, vr, value)
    image = read(clean_of(dataset), tmp_path / "clean.dcm")
    assert image.metadata["b_value_s_per_mm2"] == 1000


@pytest.mark.parametrize(
    ("vr", "value"), [("LO", "ROSSI"), ("UN", b"ROSSI^"), ("IS", ["1", "2", "3"]), ("OB", b"ROSSI^MARIA ")]
)
def test_what_is_no_such_number_goes(vr, value, dicom_object, clean_of, bytes_of):
    dataset = dicom_object(Manufacturer="SIEMENS")
    dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0C, vr, value)
    clean = clean_of(dataset)
    assert not [tag for tag in clean.keys() if tag.is_private]  # noqa: SIM118
    assert b"ROSSI" not in bytes_of(clean)


def test_the_same_element_of_another_creator_goes(dicom_object, clean_of):
    dataset = dicom_object(Manufacturer="SIEMENS")
    dataset.private_block(0x0019, "ROSSI MR HEADER", create=True).add_new(0x0C, "IS", "1000")
    assert not [tag for tag in clean_of(dataset).keys() if tag.is_private]  # noqa: SIM118
