"""Which objects are taken at once, which a person looks at first, and which are never taken."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cohortex.study.identity import why_held, why_refused

CLASSES = "1.2.840.10008.5.1.4.1.1."


def test_a_plain_slice_is_taken(dicom_object):
    assert why_held(dicom_object()) == ""
    assert why_refused(dicom_object()) == ""


@pytest.mark.parametrize("vendor", ["siemens-like", "ge-like", "philips-like"])
def test_phantom_scans_are_taken(vendor, phantom_zip, objects_of):
    assert {why_held(dataset) + why_refused(dataset) for dataset in objects_of(phantom_zip(vendor, "T1", "CT"))} == {""}


@pytest.mark.parametrize(
    ("elements", "word"),
    [
        ({"BurnedInAnnotation": "YES"}, "burned"),
        ({"RecognizableVisualFeatures": "YES"}, "face"),
        ({"Modality": "US"}, "ultrasound"),
        ({"Modality": "XA"}, "angiography"),
        ({"Modality": "XC"}, "photograph"),
        ({"Modality": "OT"}, "unspecified"),
        ({"SOPClassUID": CLASSES + "7"}, "secondary capture"),
        ({"SOPClassUID": CLASSES + "7.2"}, "secondary capture"),
        ({"SOPClassUID": CLASSES + "6.1"}, "text is common"),
        ({"SOPClassUID": CLASSES + "20", "Modality": "NM"}, "text is common"),
        ({"Modality": "DOC"}, "text is common"),
        ({"ConversionType": "WSD"}, "secondary capture"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "screen"),
        ({"ImageType": ["DERIVED", "SECONDARY", "DOSE_INFO"]}, "dose"),
        ({"SeriesDescription": "Dose Report"}, "report"),
        ({"SeriesDescription": "Patient Protocol"}, "report"),
        ({"SeriesDescription": "Screen Save"}, "screen"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "colour"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "colour"),
    ],
)
def test_what_may_show_a_name_or_a_face_is_held(elements, word, dicom_object):
    assert word in why_held(dicom_object(**elements))


def test_a_picture_without_a_place_is_held(dicom_object):
    dataset = dicom_object()
    del dataset.ImagePositionPatient
    assert "without a place" in why_held(dataset)


def test_frames_with_a_place_each_are_taken(dicom_object):
    dataset = dicom_object(np.zeros((2, 4, 6), np.uint16), SOPClassUID=CLASSES + "4.1")
    del dataset.ImagePositionPatient
    group = Dataset()
    group.PlanePositionSequence = Sequence([Dataset()])
    dataset.PerFrameFunctionalGroupsSequence = Sequence([group, group])
    assert why_held(dataset) == ""


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("88.33", "report"),
        ("88.67", "report"),
        ("104.1", "document"),
        ("11.1", "way of showing"),
        ("88.59", "list of marked"),
        ("66", "raw data"),
        ("4.2", "spectra"),
        ("481.3", "drawings"),
        ("9.1.1", "waveform"),
        ("77.1.4.1", "film"),
    ],
)
def test_what_is_no_image_is_refused(kind, word, dicom_object):
    assert word in why_refused(dicom_object(SOPClassUID=CLASSES + kind))


def test_a_kind_the_standard_does_not_know_is_refused(dicom_object):
    assert "does not know" in why_refused(dicom_object(SOPClassUID="1.3.12.2.1107.5.9.1"))
    assert "without a kind" in why_refused(dicom_object(SOPClassUID=""))


def test_an_object_without_a_picture_is_refused(dicom_object):
    dataset = dicom_object()
    del dataset.PixelData
    assert "without a picture" in why_refused(dataset)
    assert "document" in why_refused(dicom_object(EncapsulatedDocument=b"%PDF"))
