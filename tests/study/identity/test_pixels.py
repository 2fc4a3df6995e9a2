"""Pixels: the same values, and room for nothing else."""

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from numpy.testing import assert_array_equal
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from cohortex.errors import NotDeidentified
from cohortex.io import read_image
from cohortex.study.identity import deidentify


@pytest.fixture
def clean_of(pseudonyms):
    return lambda dataset: deidentify(dataset, pseudonyms=pseudonyms, patient_code="C1-0007", day_shift=-5).dataset


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_a_compressed_picture_is_written_with_the_same_values(syntax, dicom_object, clean_of):
    values = np.random.default_rng(1).integers(0, 4096, (3, 32, 40)).astype(np.uint16)
    dataset = dicom_object(values)
    dataset.compress(syntax)
    clean = clean_of(dataset)
    assert clean.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert_array_equal(clean.pixel_array, values)


def test_what_hides_in_a_compressed_stream_is_gone(dicom_object, clean_of, bytes_of):
    values = np.random.default_rng(1).integers(0, 4096, (32, 40)).astype(np.uint16)
    dataset = dicom_object(values)
    dataset.compress(JPEG2000Lossless)
    stream = bytes(dataset.PixelData)
    comment = b"\xff\x64" + (2 + 2 + 12).to_bytes(2, "big") + b"\0\1ROSSI^MARIA "
    start = stream.index(b"\xff\x52")  # before the coding style, where comments may stand
    length = int.from_bytes(stream[stream.index(b"\xfe\xff\x00\xe0", 8) + 4 :][:4], "little")
    at = stream.index(length.to_bytes(4, "little"), 8)
    dataset.PixelData = (
        stream[:at] + (length + len(comment)).to_bytes(4, "little") + stream[at + 4 : start] + comment + stream[start:]
    )
    assert b"ROSSI" in bytes_of(dataset)
    clean = clean_of(dataset)
    assert b"ROSSI" not in bytes_of(clean)
    assert_array_equal(clean.pixel_array, values)


def test_lossless_jpeg_is_written_with_the_same_values(tmp_path, clean_of):

    values = np.random.default_rng(1).integers(0, 4096, (32, 40)).astype(np.uint16)
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.SetCompressor("JPEG")
    writer.UseCompressionOn()
    writer.SetFileName(str(tmp_path / "jpeg.dcm"))
    writer.Execute(sitk.GetImageFromArray(values))
    assert_array_equal(clean_of(pydicom.dcmread(tmp_path / "jpeg.dcm")).pixel_array, values)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.uint8, np.uint32])
def test_every_kind_of_number_stays_as_it_is(syntax, kind, dicom_object, clean_of, as_read):
    values = np.random.default_rng(1).integers(0, 200, (5, 7)).astype(kind) - (100 if kind is np.int16 else 0)
    dataset = dicom_object(values.astype(kind))
    dataset.file_meta.TransferSyntaxUID = syntax
    assert_array_equal(clean_of(as_read(dataset)).pixel_array, values)


def test_a_big_endian_picture_is_turned_round(dicom_object, clean_of, as_read):
    values = np.arange(24, dtype=np.uint16).reshape(4, 6)
    dataset = dicom_object(values)
    dataset.PixelData = values.astype(">u2").tobytes()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    assert_array_equal(clean_of(as_read(dataset)).pixel_array, values)


@pytest.mark.parametrize("signed", [False, True])
def test_an_overlay_beside_the_stored_bits_is_cleared(signed, dicom_object, clean_of, tmp_path):
    values = np.random.default_rng(1).integers(-2048 if signed else 0, 2048 if signed else 4096, (4, 6))
    stored = (values & 0x0FFF).astype(np.uint16)
    hidden = stored | np.uint16(0xA000)
    dataset = dicom_object(hidden, BitsStored=12, HighBit=11, PixelRepresentation=int(signed))
    dataset.save_as(tmp_path / "before.dcm", enforce_file_format=True)
    clean = clean_of(dataset)
    assert_array_equal(np.frombuffer(clean.PixelData, "<i2" if signed else "<u2").reshape(4, 6), values)
    clean.save_as(tmp_path / "after.dcm", enforce_file_format=True)
    assert_array_equal(read_image(tmp_path / "after.dcm").values, read_image(tmp_path / "before.dcm").values)


def test_bytes_after_the_picture_are_cut_off(dicom_object, clean_of, bytes_of):
    dataset = dicom_object()
    dataset.PixelData = dataset.PixelData + b"ROSSI^MARIA "
    assert b"ROSSI" not in bytes_of(clean_of(dataset))


def test_colours_become_plain_red_green_blue(dicom_object, clean_of):
    values = np.random.default_rng(1).integers(0, 256, (4, 6, 3)).astype(np.uint8)
    dataset = dicom_object(
        values[..., 0], SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL", PlanarConfiguration=0
    )
    dataset.PixelData = values.tobytes()
    clean = clean_of(dataset)
    assert (clean.PhotometricInterpretation, clean.SamplesPerPixel, clean.PlanarConfiguration) == ("RGB", 3, 0)
    assert len(clean.PixelData) == values.size


def test_pixels_that_are_cut_off_are_refused(dicom_object, clean_of):
    dataset = dicom_object()
    dataset.PixelData = dataset.PixelData[:-2]
    with pytest.raises(NotDeidentified, match="46 of 48 bytes"):
        clean_of(dataset)


def test_pixels_that_do_not_decode_are_refused(dicom_object, clean_of):
    dataset = dicom_object(np.zeros((32, 40), np.uint16))
    dataset.compress(JPEG2000Lossless)
    dataset.PixelData = dataset.PixelData[:20] + b"\0" * (len(dataset.PixelData) - 20)
    with pytest.raises(NotDeidentified, match=r"do not decode \(JPEG 2000"):
        clean_of(dataset)


@pytest.mark.parametrize(
    "layout",
    [{"BitsStored": 12, "HighBit": 15}, {"BitsStored": 20}, {"BitsStored": 0, "HighBit": 0}],
)  # fmt: skip
def test_a_layout_with_room_beside_the_picture_is_refused(layout, dicom_object, clean_of):
    with pytest.raises(NotDeidentified, match="room for something else"):
        clean_of(dicom_object(**layout))


def test_a_strange_number_of_bits_is_refused(dicom_object, clean_of):
    with pytest.raises(NotDeidentified, match="12 bits allocated"):
        clean_of(dicom_object(BitsAllocated=12))


def test_two_pictures_in_one_object_are_refused(dicom_object, clean_of):
    with pytest.raises(NotDeidentified, match="2 pixel data elements"):
        clean_of(dicom_object(FloatPixelData=b"\0" * 96))


def test_a_picture_without_rows_is_refused(dicom_object, clean_of):
    with pytest.raises(NotDeidentified, match="no rows or columns"):
        clean_of(dicom_object(Rows=0))
