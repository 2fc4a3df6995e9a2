"""One DICOM object without its identity: built anew from what is allowed, never emptied of what is not."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from cohortex.errors import NotDeidentified
from cohortex.io.dicom_file import PIXEL_KEYWORDS, number_of, sop_class
from cohortex.study.identity.attributes import CODES, REASON_OF
from cohortex.study.identity.codes import clean_code
from cohortex.study.identity.kinds import why_refused
from cohortex.study.identity.pixels import write_clean_pixels
from cohortex.study.identity.private import copy_safe_private
from cohortex.study.identity.values import Action, Patient, clean_value
from cohortex.study.identity.words import words_of
from cohortex.study.pseudonyms import Pseudonyms

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DEEPEST = 8  # sequences in sequences; the standard's images have four
_IMPLEMENTATION = UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, 'cohortex de-identification').int}")
_WRITTEN_BY_PIXELS = frozenset(
    {"SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit",
     "PixelRepresentation", *PIXEL_KEYWORDS}
)  # fmt: skip
_METHODS = (  # PS3.16 CID 7050: only what is truly done
    ("113100", "Basic Application Confidentiality Profile"),
    ("113105", "Clean Descriptors Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113108", "Retain Patient Characteristics Option"),
    ("113111", "Retain Safe Private Option"),
)
_PERSONS = (
    "PatientName", "PatientID", "OtherPatientNames", "OtherPatientIDs", "PatientBirthName", "PatientMotherBirthName",
    "ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "NameOfPhysiciansReadingStudy",
    "PhysiciansOfRecord", "RequestingPhysician", "ResponsiblePerson", "AccessionNumber",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class DeidentifiedInstance:
    """An object without its identity.

    Attributes
    ----------
    dataset : pydicom.FileDataset
        Ready to be written: explicit little-endian, with new file meta information and an empty preamble.
    actions : dict of str to str
        What was done to each attribute, by its keyword or tag; those in sequences after the sequence's name.
    """

    dataset: FileDataset
    actions: dict[str, Action]

    @property
    def counts(self) -> dict[str, int]:
        """How many attributes each action was done to."""
        return dict(sorted(Counter(self.actions.values()).items()))


def deidentify(dataset: Dataset, *, pseudonyms: Pseudonyms, patient_code: str, day_shift: int) -> DeidentifiedInstance:
    """Take the identity out of an object.

    Only attributes of the allow-list are written, each checked to be what it may be; UIDs are replaced by keyed ones,
    dates move by the patient's days, texts keep words of a fixed list, a few private numbers are written anew, and
    pixels are decoded or cut to their length.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Whole object with pixels and file meta information.
    pseudonyms : Pseudonyms
        Of the study.
    patient_code : str
        The study's name of the patient, written as name and ID: letters, digits, dots and hyphens.
    day_shift : int
        Days added to every date, as `Pseudonyms.day_shift` gives them; not zero.

    Returns
    -------
    DeidentifiedInstance
        New object; the given one is not changed.

    Raises
    ------
    NotDeidentified
        If its kind is never taken, it lacks its UIDs, or its pixels leave room for something else.
    ValueError
        If `patient_code` or `day_shift` is not as above.

    References
    ----------
    .. [1] DICOM PS3.15, edition 2024e, Annex E: the basic profile with the options named in `_METHODS`.
    """
    if not _CODE.fullmatch(patient_code):
        raise ValueError("patient_code has other characters than letters, digits, dots and hyphens; give the study's.")
    if day_shift == 0:
        raise ValueError("day_shift is 0 and would leave every date as it is; give Pseudonyms.day_shift.")
    if reason := why_refused(dataset):
        raise NotDeidentified(f"it is {reason}.", remedy="Send the images themselves.")
    kind = sop_class(dataset)
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        if not str(dataset.get(keyword) or "").strip(" \0"):
            raise NotDeidentified(
                f"it has no {keyword}.", remedy="Send the original file from the scanner or the archive."
            )
    names = words_of(_texts_of_persons(dataset))
    cleaning = _Cleaning(Patient(pseudonyms=pseudonyms, day_shift=day_shift, never=names), dataset)
    clean = cleaning.cleaned(dataset, "", 0)
    clean.SOPClassUID = kind
    _check_tables(clean)
    actions = cleaning.actions
    if write_clean_pixels(dataset, clean):
        actions["PixelData"] = "cleaned"
    for copied in copy_safe_private(dataset, clean):
        actions[copied] = "kept"
    _write_identity(clean, patient_code, actions)
    return DeidentifiedInstance(dataset=_with_meta(clean), actions=actions)


class _Cleaning:
    """The walk over one object."""

    def __init__(self, patient: Patient, dataset: Dataset) -> None:
        self.patient = patient
        self.actions: dict[str, Action] = {}
        self.signed = int(number_of(dataset.get("PixelRepresentation"))) == 1

    def cleaned(self, dataset: Dataset, path: str, depth: int) -> Dataset:
        """The allowed part of a data set or of an item."""
        if depth > _DEEPEST:
            raise NotDeidentified("its sequences are nested too deep.", remedy="Send the original file.")
        result = Dataset()
        for tag in sorted(dataset.keys()):
            keyword = "" if tag.is_private else keyword_for_tag(tag)
            if not path and keyword in _WRITTEN_BY_PIXELS:
                continue
            name = f"{path}{keyword or f'({tag.group:04X},{tag.element:04X})'}"
            if keyword not in REASON_OF:
                self.actions[name] = "removed"
                continue
            try:
                value = dataset[tag].value
            except Exception:  # pydicom raises anything on a damaged value; what cannot be read does not stay
                self.actions[name] = "removed"
                continue
            if dictionary_VR(tag) == "SQ":
                self._sequence(result, keyword, value, name, depth)
            else:
                cleaned = clean_value(keyword, value, self.patient, signed=self.signed)
                self.actions[name] = cleaned.action
                if cleaned.value is not None:
                    result.add_new(tag, cleaned.vr, cleaned.value)
        return result

    def _sequence(self, result: Dataset, keyword: str, value: Any, name: str, depth: int) -> None:
        items = list(value) if isinstance(value, Sequence) else [value]
        if not all(isinstance(item, Dataset) for item in items):
            self.actions[name] = "removed"
            return
        if keyword in CODES:
            items = [code for code in map(clean_code, items) if code is not None]
            self.actions[name] = "replaced" if items else "removed"
            if items:
                setattr(result, keyword, items)
            return
        self.actions[name] = "cleaned"
        setattr(result, keyword, [self.cleaned(item, f"{name}.", depth + 1) for item in items])


def _texts_of_persons(dataset: Dataset) -> Iterator[str]:
    for keyword in _PERSONS:
        try:
            yield str(dataset.get(keyword) or "")
        except Exception:  # a name that cannot be decoded has no words either
            continue


def _check_tables(clean: Dataset) -> None:
    """Refuse a table of values that is longer or shorter than it says: the rest could be anything."""
    for item in clean.get("ModalityLUTSequence") or []:
        descriptor, table = item.get("LUTDescriptor"), item.get("LUTData")
        entries = int(number_of(descriptor)) or 65536
        size = len(table) if isinstance(table, bytes) else 2 * len(table or [])
        if descriptor is None or size not in (2 * entries, entries + entries % 2):
            raise NotDeidentified("its table of values is not as long as it says.", remedy="Send the original file.")


def _write_identity(clean: Dataset, patient_code: str, actions: dict[str, Action]) -> None:
    """Write who the patient is in the study, and what was done (PS3.15 E.1.1, PS3.3 C.12.1)."""
    clean.PatientName = clean.PatientID = patient_code
    actions["PatientName"] = actions["PatientID"] = "replaced"
    for keyword in ("PatientBirthDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"):
        setattr(clean, keyword, "")  # the standard wants them, empty
    for keyword in ("PatientSex", "StudyDate"):
        if keyword not in clean:
            setattr(clean, keyword, "")
    clean.PatientIdentityRemoved = "YES"
    clean.DeidentificationMethod = "cohortex: allow-list, keyed UIDs, dates shifted once per patient"
    clean.LongitudinalTemporalInformationModified = "MODIFIED"
    methods = []
    for value, meaning in _METHODS:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
        methods.append(item)
    clean.DeidentificationMethodCodeSequence = methods
    for keyword in ("PatientIdentityRemoved", "DeidentificationMethod", "LongitudinalTemporalInformationModified"):
        actions[keyword] = "written"
    actions["DeidentificationMethodCodeSequence"] = "written"


def _with_meta(clean: Dataset) -> FileDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = clean.SOPClassUID
    meta.MediaStorageSOPInstanceUID = clean.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = "COHORTEX"
    return FileDataset("", clean, file_meta=meta, preamble=b"\0" * 128)
