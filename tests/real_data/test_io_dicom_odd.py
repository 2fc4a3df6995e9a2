"""Every odd DICOM object is classified: an image, labels, a picture without a place, or a named refusal."""

import numpy as np
import pytest

from cohortex.errors import CohortexError, NotAnImage, UnreadableFile
from cohortex.image import Labels
from cohortex.io import read_image, read_series, read_upload

pytestmark = pytest.mark.real_data

PLACED = {  # shape, unit, type
    "MR-SIEMENS-DICOM-WithOverlays.dcm": ((484, 484, 1), "arbitrary", "uint16"),
    "bad_sequence.dcm": ((512, 512, 1), "HU", "int16"),
    "deid_ctbrain1.dcm": ((510, 456, 1, 3), "arbitrary", "uint8"),
    "eCT_Supplemental.dcm": ((512, 512, 2), "arbitrary", "int16"),
    "explicit_VR-UN.dcm": ((512, 512, 1), "HU", "int16"),
    "highdicom_ct_image.dcm": ((128, 128, 1), "HU", "int16"),
    "parametric_map_float.dcm": ((128, 128, 1), "1", "float32"),
}
PICTURES = {
    "HTJ2K_08_RGB.dcm": (640, 480, 3),
    "JPEG-LL.dcm": (256, 1024),
    "JPGLosslessP14SV1_1s_1f_8b.dcm": (1024, 768),
    "OT-PAL-8-face.dcm": (640, 480, 3),
    "SC_rgb_16bit.dcm": (100, 100, 3),
    "SC_ybr_full_uncompressed.dcm": (100, 100, 3),
    "US1_J2KR.dcm": (640, 480, 3),
    "deid_cookie_image1.dcm": (2048, 1536, 3),
    "deid_us_GREYSCALE_IMAGE.dcm": (1024, 768),
    "emri_small.dcm": (64, 64, 10),
    "emri_small_big_endian.dcm": (64, 64, 10),
    "highdicom_dx_image.dcm": (211, 169),
    "vlut_04.dcm": (512, 512),
}
LABELS = {
    "highdicom_seg_image_ct_binary.dcm": [(16, 16, 3)],
    "highdicom_seg_image_ct_binary_overlap.dcm": [(16, 16, 165)] * 2,
    "liver.dcm": [(512, 512, 3)],
}
REFUSED: dict[str, tuple[type[CohortexError], str]] = {
    "emri_small_jpeg_2k_lossless_too_short.dcm": (UnreadableFile, "without pixel data"),
    "highdicom_sm_image.dcm": (NotAnImage, "whole-slide microscopy"),
    "highdicom_sr_document.dcm": (NotAnImage, "SR object"),
    "liver_rle.dcm": (UnreadableFile, "do not decode.*RLE.*1 bits"),
}


def test_every_object_has_its_expected_class(shared_data):
    present = {file.name for file in (shared_data / "dicom-odd").glob("*.dcm")}
    assert present == PLACED.keys() | PICTURES.keys() | LABELS.keys() | REFUSED.keys()
    assert len(present) == 27


@pytest.mark.parametrize("name", PLACED)
def test_an_image_has_its_place_and_unit(shared_data, name):
    image = read_image(shared_data / "dicom-odd" / name)
    assert (image.values.shape, image.unit, str(image.dtype)) == PLACED[name]
    assert image.grid.orientation_known


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_no_left_and_right(shared_data, name):
    image = read_image(shared_data / "dicom-odd" / name)
    assert image.values.shape == PICTURES[name]
    assert not image.grid.orientation_known
    assert image.extra_axes == ((), ("channel",), ("time",))[
        0 if image.values.ndim == 2 else 2 if name.startswith("emri") else 1
    ]  # fmt: skip


@pytest.mark.parametrize("name", LABELS)
def test_a_segmentation_gives_labels(shared_data, name):
    images = read_series(shared_data / "dicom-odd" / name)
    assert [image.values.shape for image in images] == LABELS[name]
    assert all(isinstance(image, Labels) and image.mask.any() for image in images)
    assert all(image.metadata["label_names"] for image in images)


@pytest.mark.parametrize("name", REFUSED)
def test_the_others_are_refused_by_name(shared_data, name):
    kind, message = REFUSED[name]
    with pytest.raises(kind, match=f"{name}.*{message}"):
        read_image(shared_data / "dicom-odd" / name)


def test_byte_order_changes_nothing(shared_data):
    little, big = (read_image(shared_data / "dicom-odd" / f"emri_small{which}.dcm") for which in ("", "_big_endian"))
    np.testing.assert_array_equal(little.values, big.values)


def test_a_whole_folder_of_oddities_loses_no_good_one(shared_data):
    """All together, as one upload: what is readable alone is readable here."""
    upload = read_upload(shared_data / "dicom-odd")
    alone = len(PLACED) + len(PICTURES) + sum(map(len, LABELS.values()))
    # the big-endian object is the little-endian one under the same UID: left out; the report is no problem
    assert len(upload.images) == alone - 1
    assert len(upload.problems) == len(REFUSED) - 1
    assert {name for name, _ in upload.ignored} == {"README.md", "highdicom_sr_document.dcm"}
