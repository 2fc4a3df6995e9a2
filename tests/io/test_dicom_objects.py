"""Enhanced objects, mosaics, segmentations, encodings, and objects that hold no picture."""

import struct

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless, RLELossless

from cohortex.errors import GeometryError, NotAnImage, UnreadableFile
from cohortex.image import Labels
from cohortex.io import read_image, read_series, read_upload

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"


def item(**elements: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def nested(keyword: str, **elements: object) -> Dataset:
    return item(**{keyword: Sequence([item(**elements)])})


def multi_frame(dicom_slice, pixels, groups, **elements):
    dataset = dicom_slice(values=pixels[0], NumberOfFrames=len(pixels), **elements)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(dataset, keyword)
    dataset.PixelData = pixels.tobytes()
    shared = item(
        PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]),
        PixelMeasuresSequence=Sequence([item(PixelSpacing=[2.0, 1.5], SliceThickness=3.0)]),
    )
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    return dataset


def plane(z: float, **sequences: object) -> Dataset:
    group = nested("PlanePositionSequence", ImagePositionPatient=[1.0, 2.0, z])
    for keyword, value in sequences.items():
        setattr(group, keyword, value)
    return group


def test_frames_of_an_enhanced_object_lie_where_their_groups_say(dicom_slice, save_series):
    pixels = np.arange(3 * 20, dtype=np.uint16).reshape(3, 4, 5)
    groups = [plane(z) for z in (6.0, 0.0, 3.0)]
    image = read_image(save_series([multi_frame(dicom_slice, pixels, groups)]))
    assert_allclose(image.grid.world_of((1, 1, 2)), (2.5, 4.0, 6.0))
    assert_array_equal(image.values[0, 0], [20, 40, 0])


def test_each_frame_of_an_enhanced_object_has_its_own_slope(dicom_slice, save_series):
    pixels = np.full((2, 4, 5), 10, np.uint16)
    groups = [
        plane(3.0 * k, PixelValueTransformationSequence=Sequence([item(RescaleSlope=k + 0.5, RescaleIntercept=1.0)]))
        for k in range(2)
    ]
    image = read_image(save_series([multi_frame(dicom_slice, pixels, groups)]))
    assert_allclose(image.values[0, 0], [6.0, 16.0])


def test_echoes_of_an_enhanced_object_are_images_of_their_own(dicom_slice, save_series):
    pixels = np.arange(4 * 20, dtype=np.uint16).reshape(4, 4, 5)
    groups = [
        plane(3.0 * (n // 2), MREchoSequence=Sequence([item(EffectiveEchoTime=(5.0, 50.0)[n % 2])])) for n in range(4)
    ]
    images = read_series(save_series([multi_frame(dicom_slice, pixels, groups)]))
    assert [image.metadata["echo_time_s"] for image in images] == [0.005, 0.05]
    assert_array_equal(images[1].values[0, 0], [20, 60])


def segmentation(dicom_slice, pixels, numbers, heights, **elements):
    groups = [
        plane(z, SegmentIdentificationSequence=Sequence([item(ReferencedSegmentNumber=n)]))
        for z, n in zip(heights, numbers, strict=True)
    ]
    dataset = multi_frame(
        dicom_slice, pixels, groups, SOPClassUID=SEGMENTATION, Modality="SEG",
        **{"SegmentationType": "BINARY", "BitsStored": 8} | elements,
    )  # fmt: skip
    dataset.SegmentSequence = Sequence([item(SegmentNumber=n, SegmentLabel=f"part {n}") for n in sorted(set(numbers))])
    return dataset


def test_segments_that_do_not_overlap_are_one_label_image(dicom_slice, save_series):
    pixels = np.zeros((3, 4, 5), np.uint8)
    pixels[0, 0, 0] = pixels[1, 1, 1] = pixels[2, 2, 2] = 1
    image = read_image(save_series([segmentation(dicom_slice, pixels, [1, 2, 2], [0.0, 0.0, 9.0])]))
    assert isinstance(image, Labels)
    assert image.metadata["label_names"] == {1: "part 1", 2: "part 2"}
    assert (image.values[0, 0, 0], image.values[1, 1, 0], image.values[2, 2, -1]) == (1, 2, 2)
    assert_allclose(image.grid.world_of((0, 0, image.grid.shape[2] - 1)), (1, 2, 9))


def test_overlapping_segments_are_images_of_their_own(dicom_slice, save_series):
    pixels = np.zeros((2, 4, 5), np.uint8)
    pixels[:, 1, 1] = 1
    images = read_series(save_series([segmentation(dicom_slice, pixels, [1, 2], [0.0, 0.0])]))
    assert [int(image.values.max()) for image in images] == [1, 2]


def test_a_fractional_segment_is_a_fraction(dicom_slice, save_series):
    pixels = np.full((1, 4, 5), 51, np.uint8)
    dataset = segmentation(dicom_slice, pixels, [1], [0.0], SegmentationType="FRACTIONAL", MaximumFractionalValue=255)
    image = read_image(save_series([dataset]))
    assert not isinstance(image, Labels)
    assert float(image.values.max()) == pytest.approx(0.2)


def test_a_segmentation_without_places_is_refused(dicom_slice, save_series):
    dataset = segmentation(dicom_slice, np.ones((1, 4, 5), np.uint8), [1], [0.0])
    del dataset.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence
    with pytest.raises(GeometryError, match="no place in the patient"):
        read_image(save_series([dataset]))


def test_a_segmentation_off_any_even_grid_is_refused(dicom_slice, save_series):
    dataset = segmentation(dicom_slice, np.ones((3, 4, 5), np.uint8), [1, 1, 1], [0.0, 1.0, 2.5])
    with pytest.raises(GeometryError, match="one even grid"):
        read_image(save_series([dataset]))


def test_a_segmentation_of_two_orientations_is_refused(dicom_slice, save_series):
    dataset = segmentation(dicom_slice, np.ones((2, 4, 5), np.uint8), [1, 1], [0.0, 3.0])
    dataset.PerFrameFunctionalGroupsSequence[1].PlaneOrientationSequence = Sequence(
        [item(ImageOrientationPatient=[0, 1, 0, 0, 0, -1])]
    )
    with pytest.raises(GeometryError, match="several orientations"):
        read_image(save_series([dataset]))


def test_a_frame_that_names_no_segment_is_refused(dicom_slice, save_series):
    dataset = segmentation(dicom_slice, np.ones((1, 4, 5), np.uint8), [1], [0.0])
    del dataset.PerFrameFunctionalGroupsSequence[0].SegmentIdentificationSequence
    with pytest.raises(GeometryError, match="which segment"):
        read_image(save_series([dataset]))


def csa_header(**entries: list[str]) -> bytes:
    """A Siemens CSA2 header with the given text entries."""
    result = b"SV10\4\3\2\1" + struct.pack("<2i", len(entries), 77)
    for name, values in entries.items():
        result += name.encode().ljust(64, b"\0") + struct.pack("<i4s3i", len(values), b"FD\0\0", 0, len(values), 77)
        for value in values:
            text = value.encode() + b"\0"
            result += struct.pack("<4i", len(text), len(text), 77, len(text)) + text.ljust(
                -(-len(text) // 4) * 4, b"\0"
            )
    return result


def mosaic(dicom_slice, tiles: np.ndarray, **elements):
    """Three slices of 4 rows and 5 columns in a 2 × 2 mosaic whose first slice starts at (10, 20, 30)."""
    pixels = np.zeros((8, 10), np.uint16)
    pixels[:4, :5], pixels[:4, 5:], pixels[4:, :5] = tiles
    corner = (10 - 1.5 * 5 / 2, 20 - 2.0 * 4 / 2, 30)
    dataset = dicom_slice(
        position=corner, values=pixels, ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"], SpacingBetweenSlices=4.0,
        Manufacturer="SIEMENS", **elements,
    )  # fmt: skip
    block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x10, "OB", csa_header(NumberOfImagesInMosaic=["3"], SliceNormalVector=["0.0", "0.0", "1.0"]))
    return dataset


def test_a_siemens_mosaic_is_taken_apart(dicom_slice, save_series):
    tiles = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    image = read_image(save_series([mosaic(dicom_slice, tiles)]))
    assert_array_equal(image.values, tiles.transpose(2, 1, 0))
    assert_allclose(image.grid.world_of((0, 0, 0)), (10, 20, 30))
    assert_allclose(image.grid.world_of((1, 1, 2)), (11.5, 22, 38))


def test_mosaics_in_a_row_become_time(dicom_slice, save_series):
    tiles = np.ones((3, 4, 5), np.uint16)
    image = read_image(save_series([mosaic(dicom_slice, tiles * t, number=t) for t in (3, 1, 2)]))
    assert_array_equal(image.values[0, 0, 0], [1, 2, 3])


def test_a_mosaic_without_its_private_header_is_refused(dicom_slice, save_series):
    dataset = mosaic(dicom_slice, np.ones((3, 4, 5), np.uint16))
    dataset.remove_private_tags()
    with pytest.raises(UnreadableFile, match=r"tiled into one picture.*single slices"):
        read_image(save_series([dataset]))


def test_a_united_imaging_frame_without_its_private_header_is_refused(dicom_slice, save_series):
    dataset = dicom_slice(ImageType=["ORIGINAL", "PRIMARY", "M", "VFRAME"])
    with pytest.raises(UnreadableFile, match="tiled into one picture"):
        read_image(save_series([dataset]))


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_lossless_compression_changes_no_value(dicom_slice, save_series, syntax):
    values = np.random.default_rng(1).integers(0, 4096, (32, 40)).astype(np.uint16)
    dataset = dicom_slice(values=values)
    dataset.compress(syntax)
    image = read_image(save_series([dataset]))
    assert_array_equal(image.values[:, :, 0], values.T)


def test_lossless_jpeg_changes_no_value(tmp_path):
    values = np.random.default_rng(1).integers(0, 4096, (32, 40)).astype(np.uint16)
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.SetCompressor("JPEG")
    writer.UseCompressionOn()
    writer.SetFileName(str(tmp_path / "jpeg.dcm"))
    writer.Execute(sitk.GetImageFromArray(values))
    image = read_image(tmp_path / "jpeg.dcm")
    assert_array_equal(np.squeeze(image.values), values.T)


def test_pixels_that_do_not_decode_are_refused_with_the_encoding(dicom_slice, save_series):
    dataset = dicom_slice(values=np.zeros((32, 40), np.uint16))
    dataset.compress(JPEG2000Lossless)
    dataset.PixelData = dataset.PixelData[:20] + b"\0" * (len(dataset.PixelData) - 20)
    with pytest.raises(UnreadableFile, match=r"000.dcm: its pixels do not decode \(JPEG 2000"):
        read_image(save_series([dataset]))


def test_a_report_is_no_image(dicom_slice, save_series):
    dataset = dicom_slice(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", Modality="SR")
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(dataset, keyword)
    with pytest.raises(NotAnImage, match="SR object"):
        read_image(save_series([dataset]))


def test_a_report_beside_a_scan_is_listed_and_the_scan_read(dicom_slice, save_series):
    report = dicom_slice(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", Modality="SR", series="1.2.3.5")
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(report, keyword)
    upload = read_upload(save_series([dicom_slice(), report]))
    assert len(upload.images) == 1
    assert [name for name, _ in upload.ignored] == ["001.dcm"]


def test_an_image_without_pixels_is_refused(dicom_slice, save_series):
    dataset = dicom_slice()
    del dataset.PixelData
    with pytest.raises(UnreadableFile, match="without pixel data"):
        read_image(save_series([dataset]))


def test_whole_slide_tiles_are_refused_by_name(dicom_slice, save_series):
    dataset = dicom_slice(SOPClassUID="1.2.840.10008.5.1.4.1.1.77.1.6", Modality="SM")
    with pytest.raises(NotAnImage, match="whole-slide microscopy"):
        read_image(save_series([dataset]))


def test_a_modality_table_is_applied(dicom_slice, save_series):
    dataset = dicom_slice(values=np.array([[0, 1, 2]], np.uint8))
    dataset.ModalityLUTSequence = Sequence(
        [item(LUTDescriptor=[3, 0, 16], LUTData=[100, 300, 500], ModalityLUTType="US")]
    )
    dataset.ModalityLUTSequence[0]["LUTDescriptor"].VR = "US"
    dataset.ModalityLUTSequence[0]["LUTData"].VR = "US"
    assert_array_equal(read_image(save_series([dataset])).values[:, 0, 0], [100, 300, 500])
