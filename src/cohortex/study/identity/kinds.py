"""Which kinds of object can be proved clean, which a person has to look at, and which are never taken."""

from __future__ import annotations

import re

from pydicom.dataset import Dataset
from pydicom.uid import UID

from cohortex.io.dicom_file import PIXEL_KEYWORDS, number_of, sop_class

_PROVABLE = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.2",  # CT
        "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT
        "1.2.840.10008.5.1.4.1.1.2.2",  # Legacy Converted Enhanced CT
        "1.2.840.10008.5.1.4.1.1.4",  # MR
        "1.2.840.10008.5.1.4.1.1.4.1",  # Enhanced MR
        "1.2.840.10008.5.1.4.1.1.4.4",  # Legacy Converted Enhanced MR
        "1.2.840.10008.5.1.4.1.1.128",  # PET
        "1.2.840.10008.5.1.4.1.1.128.1",  # Legacy Converted Enhanced PET
        "1.2.840.10008.5.1.4.1.1.130",  # Enhanced PET
        "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
        "1.2.840.10008.5.1.4.1.1.30",  # Parametric Map
    }
)  # pictures computed by a scanner or on its grid, into which no program writes text
_MODALITIES = frozenset({"CT", "MR", "PT", "SEG", "OT", ""})
_PERSON_SHOWN = {
    "US": "ultrasound, where devices write the name into the picture",
    "IVUS": "ultrasound, where devices write the name into the picture",
    "XA": "angiography, where devices write the name into the picture",
    "RF": "fluoroscopy, where devices write the name into the picture",
    "ES": "endoscopy, a photograph",
    "XC": "a photograph, on which a face may be",
    "GM": "a photograph of a specimen, on which a label may be",
    "SM": "microscopy, on whose slide a label may be",
    "OP": "a photograph of an eye",
    "OT": "of an unspecified kind",
}
_SCREENS = frozenset(
    {"SCREEN", "SCREENSAVE", "SCREENSHOT", "SCREENCAPTURE", "SNAPSHOT", "CAPTURE", "DOSE", "REPORT", "PROTOCOL", "SAVE",
     "CSA REPORT", "CSA BLACK IMAGE", "PASTED", "PRESENTATION", "PRINT", "FILM", "DIGITIZED"}
)  # fmt: skip
_SCREEN_TEXT = re.compile(
    r"screen ?(save|shot|cap|dump)|\b(dose|patient) ?(report|protocol|info|record|summary)|\bprotocol (page|sheet)|"
    r"snapshot|secondary capture|\bkey ?images?\b|\bscanned\b|\bpaper\b",
    re.IGNORECASE,
)
_NEVER = (
    ("Encapsulated", "a document, whose text names the person"),
    ("SR Storage", "a report, whose text names the person"),
    (" SR", "a report, whose text names the person"),
    ("Structured", "a report, whose text names the person"),
    ("Key Object", "a list of marked images, not an image"),
    ("Presentation State", "a way of showing images, with texts of a person, not an image"),
    ("Waveform", "a waveform, not an image"),
    ("Raw Data", "raw data, in which an identity cannot be found"),
    ("Spectroscopy", "spectra, not an image"),
    ("Structure Set", "drawings for radiotherapy, not an image"),
    ("RT Plan", "a plan for radiotherapy, not an image"),
    ("Surface", "a surface, not an image"),
    ("Media Storage Directory", "a list of files, not an image"),
    ("Video", "a film with sound and faces"),
)


def registered(uid: str) -> bool:
    """Whether the standard gives a UID a name: a kind of object, a transfer syntax, a well-known frame."""
    return UID(uid).name != uid


def why_refused(dataset: Dataset) -> str:
    """Say why an object is never taken.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Its header at least.

    Returns
    -------
    str
        Reason in words that go on from "it is"; empty where it may be taken.
    """
    kind = sop_class(dataset)
    if not registered(kind):
        return "of a kind that the DICOM standard does not know" if kind else "without a kind (SOP class)"
    name = UID(kind).name
    for words, reason in _NEVER:
        if words in name:
            return reason
    if "EncapsulatedDocument" in dataset:
        return "a document, whose text names the person"
    if not any(keyword in dataset for keyword in PIXEL_KEYWORDS):
        return "without a picture"
    return ""


def why_held(dataset: Dataset) -> str:
    """Say why a person has to look at a picture before it is taken: what cannot be proved clean.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Header of an object with a picture, before its identity is taken out.

    Returns
    -------
    str
        Reason in words that go on from "it is"; empty where text in the picture or a face is ruled out.
    """
    modality = _text(dataset, "Modality").upper()
    if _text(dataset, "BurnedInAnnotation").upper() == "YES":
        return "marked as having text burned into the picture"
    if _text(dataset, "RecognizableVisualFeatures").upper() == "YES":
        return "marked as showing a recognisable face"
    if modality in _PERSON_SHOWN and not (modality == "OT" and _is_map(dataset)):
        return _PERSON_SHOWN[modality]
    kind = sop_class(dataset)
    if "Secondary Capture" in UID(kind).name or "ConversionType" in dataset:
        return "a secondary capture, such as a screen, a scanned paper or an export"
    if kind not in _PROVABLE or modality not in _MODALITIES:
        return f"of a kind ({UID(kind).name if registered(kind) else 'unknown'}) in which text is common"
    words = {part.upper() for value in _values(dataset, "ImageType") for part in (value, *re.split(r"[ _]", value))}
    if words & _SCREENS:
        return "marked as a picture of a screen or a dose report"
    if any(_SCREEN_TEXT.search(_text(dataset, key)) for key in ("SeriesDescription", "ImageComments", "ProtocolName")):
        return "described as a picture of a screen or a report"
    if int(number_of(dataset.get("SamplesPerPixel"), 1)) > 1 or "PALETTE" in _text(
        dataset, "PhotometricInterpretation"
    ):
        return "a colour picture, into which programs write legends and names"
    if not _has_place(dataset):
        return "without a place in the patient, as pictures of a screen are"
    return ""


def _is_map(dataset: Dataset) -> bool:
    return sop_class(dataset) in _PROVABLE and sop_class(dataset).endswith((".30", ".66.4"))


def _has_place(dataset: Dataset) -> bool:
    """Whether the header says where in the patient the picture lies, or each of its frames does."""
    if "ImagePositionPatient" in dataset and "ImageOrientationPatient" in dataset:
        return True
    if "VFRAME" in _values(dataset, "ImageType"):
        return True  # slices tiled into one picture; private elements tell where each lies
    groups = [
        *(dataset.get("PerFrameFunctionalGroupsSequence") or []),
        *(dataset.get("SharedFunctionalGroupsSequence") or []),
    ]
    return any("PlanePositionSequence" in group for group in groups)


def _text(dataset: Dataset, keyword: str) -> str:
    return " ".join(_values(dataset, keyword))


def _values(dataset: Dataset, keyword: str) -> list[str]:
    try:
        value = dataset.get(keyword)
    except Exception:  # pydicom raises anything on a damaged element
        return []
    if value is None:
        return []
    parts = [value] if isinstance(value, str | int | float) else list(value)
    return [str(part) for part in parts]
