"""Headers in the style of three scanners, with the identity planted where hospitals leave it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from cohortex.image import Image
from cohortex.phantoms.dicom_pixels import StoredPixels
from cohortex.phantoms.identity import PlantedIdentity
from cohortex.phantoms.scanner import Vendor

_SEQUENCE_NAMES = {
    "T1": "*tfl3d1_16", "T1c": "*tfl3d1_16", "T2": "*tse2d1_17", "FLAIR": "*tir2d1_16", "b0": "*ep_b0",
    "trace": "*ep_b1000t", "ADC": "*ep_b0_1000",
}  # fmt: skip
_SCANNING = {
    "T1": ("GR", "SK"), "T1c": ("GR", "SK"), "T2": ("SE", "SK"), "FLAIR": (["SE", "IR"], "SK"),
    "b0": ("EP", "SK"), "trace": ("EP", "SK"), "ADC": ("EP", "SK"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class HeaderStyle:
    """Habits of one vendor's files.

    Attributes
    ----------
    vendor : str
        Whose.
    reverse_instances : bool
        Whether instance 1 is the last slice.
    file_name : callable
        From identity, series, instance and running number to the path inside the archive.
    add_private : callable
        Adds private elements to a data set.
    """

    vendor: Vendor
    reverse_instances: bool
    file_name: Callable[[PlantedIdentity, int, int, int], str]
    add_private: Callable[[Dataset, Image, PlantedIdentity, StoredPixels], None]


def header_style(vendor: Vendor) -> HeaderStyle:
    """Give the habits of a vendor.

    Raises
    ------
    ValueError
        If the vendor is not one the phantom imitates.
    """
    if vendor not in _STYLES:
        raise ValueError(f"scanner is {vendor!r}; give one of {', '.join(_STYLES)}.")
    return _STYLES[vendor]


def series_uid(image: Image, seed: int, series_number: int, instance: int = 0) -> str:
    """UID of a series (instance 0) or of one of its instances, from the seed: the same every time."""
    frame = image.grid.frame_of_reference or "phantom"
    return _uid(f"{seed}/{frame}/{series_number}/{instance}")


def header(
    image: Image,
    style: HeaderStyle,
    identity: PlantedIdentity,
    *,
    seed: int,
    series_number: int,
    pixels: StoredPixels,
) -> Dataset:
    """Write everything that the slices of a series share.

    Parameters
    ----------
    image : Image
        The scan; its metadata hold the acquisition in SI units.
    style : HeaderStyle
        Habits.
    identity : PlantedIdentity
        Who is planted.
    seed, series_number : int
        Make the UIDs.
    pixels : StoredPixels
        The integers that follow.

    Returns
    -------
    Dataset
        Without position, instance number and pixels.
    """
    facts = image.metadata
    date = str(facts.get("study_date", "20240115"))
    frame = image.grid.frame_of_reference or "phantom"
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.Modality = str(facts.get("modality", "MR"))
    dataset.Manufacturer = str(facts.get("manufacturer", "PHANTOM"))
    dataset.ManufacturerModelName = str(facts.get("manufacturer_model_name", "PHANTOM"))
    image_type = facts.get("image_type", ["ORIGINAL", "PRIMARY"])
    dataset.ImageType = [str(part) for part in image_type] if isinstance(image_type, list) else [str(image_type)]
    dataset.StudyInstanceUID = _uid(f"{seed}/{frame}/study")
    dataset.SeriesInstanceUID = series_uid(image, seed, series_number)
    dataset.FrameOfReferenceUID = frame if frame.startswith("2.25.") else _uid(f"{seed}/{frame}/frame")
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = date
    dataset.StudyTime = "080000.000000"
    dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = f"08{series_number:02d}00.000000"
    dataset.SeriesNumber = series_number
    dataset.AcquisitionNumber = 1
    dataset.StudyID = "1"
    dataset.StudyDescription = "NEURO^PHANTOM"
    dataset.SeriesDescription = str(facts.get("series_description", "phantom"))
    dataset.ProtocolName = str(facts.get("protocol_name", "phantom"))
    dataset.BodyPartExamined = "HEAD"
    dataset.PatientPosition = "HFS"
    _plant(dataset, identity)
    _describe_acquisition(dataset, image)
    _describe_pixels(dataset, image, pixels)
    style.add_private(dataset, image, identity, pixels)
    return dataset


def _plant(dataset: Dataset, identity: PlantedIdentity) -> None:
    dataset.PatientName = identity.patient_name
    dataset.PatientID = identity.patient_id
    dataset.PatientBirthDate = identity.birth_date
    dataset.PatientSex = identity.sex
    dataset.PatientAge = identity.age
    dataset.PatientAddress = identity.address
    dataset.PatientTelephoneNumbers = identity.telephone
    dataset.OtherPatientIDs = identity.other_id
    dataset.ReferringPhysicianName = identity.referring_physician
    dataset.OperatorsName = identity.operator
    dataset.InstitutionName = identity.institution
    dataset.InstitutionAddress = identity.institution_address
    dataset.StationName = identity.station
    dataset.AccessionNumber = identity.accession_number
    dataset.PatientComments = identity.comment
    request = Dataset()
    request.RequestedProcedureDescription = identity.comment[:64]
    request.ScheduledProcedureStepID = identity.accession_number
    dataset.RequestAttributesSequence = [request]


def _describe_acquisition(dataset: Dataset, image: Image) -> None:
    facts = image.metadata

    def number(key: str, factor: float = 1.0) -> str | None:
        value = facts.get(key)
        return None if not isinstance(value, int | float) else f"{value * factor:.6g}"

    entries = {
        "EchoTime": number("echo_time_s", 1000),
        "RepetitionTime": number("repetition_time_s", 1000),
        "InversionTime": number("inversion_time_s", 1000),
        "FlipAngle": number("flip_angle_deg"),
        "MagneticFieldStrength": number("magnetic_field_strength_t"),
        "KVP": number("kvp"),
        "ContrastBolusAgent": facts.get("contrast_bolus_agent"),
        "ConvolutionKernel": facts.get("convolution_kernel"),
        "SliceThickness": number("slice_thickness_mm") or f"{image.grid.spacing_mm[2]:.6g}",
    }
    for keyword, value in entries.items():
        if value is not None:
            setattr(dataset, keyword, str(value))
    if dataset.Modality == "MR":
        contrast = str(facts.get("phantom_contrast", "T1"))
        dataset.ScanningSequence, dataset.SequenceVariant = _SCANNING.get(contrast, ("GR", "SK"))
        dataset.ScanOptions = ""
        dataset.MRAcquisitionType = "3D" if contrast in ("T1", "T1c") else "2D"
        dataset.SpacingBetweenSlices = f"{image.grid.spacing_mm[2]:.6g}"


def _describe_pixels(dataset: Dataset, image: Image, pixels: StoredPixels) -> None:
    grid = image.grid
    dataset.ImageOrientationPatient = [f"{c:.10f}" for c in (*grid.direction[:, 0], *grid.direction[:, 1])]
    dataset.PixelSpacing = [f"{grid.spacing_mm[1]:.8g}", f"{grid.spacing_mm[0]:.8g}"]
    dataset.Columns, dataset.Rows = grid.shape[0], grid.shape[1]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 16
    dataset.BitsStored = pixels.bits_stored
    dataset.HighBit = pixels.bits_stored - 1
    dataset.PixelRepresentation = int(pixels.signed)
    if pixels.slope is not None and pixels.intercept is not None:
        dataset.RescaleSlope = f"{pixels.slope:.10g}"
        dataset.RescaleIntercept = f"{pixels.intercept:.10g}"
        dataset.RescaleType = "HU" if image.unit == "HU" else "normalized"
    if image.unit == "HU":
        dataset.WindowCenter, dataset.WindowWidth = "40", "80"
    else:
        top = float(np.percentile(pixels.values[::4, ::4, ::2], 99.5)) * (pixels.slope or 1.0)
        dataset.WindowCenter, dataset.WindowWidth = f"{top / 2:.6g}", f"{max(top, 1e-6):.6g}"


def _siemens(dataset: Dataset, image: Image, identity: PlantedIdentity, _: StoredPixels) -> None:
    dataset.SequenceName = _SEQUENCE_NAMES.get(str(image.metadata.get("phantom_contrast")), "*phantom")
    dataset.SoftwareVersions = "syngo MR E11 (imitated)"
    dataset.DeviceSerialNumber = "167001"
    block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    text = f'SV10 imitated\0PatientName="{identity.patient_name}"\0tReferenceImage0\0'
    block.add_new(0x10, "OB", text.encode() + b"\0" * (len(text.encode()) % 2))
    block.add_new(0x08, "CS", "IMAGE NUM 4")
    b_value = image.metadata.get("b_value_s_per_mm2")
    if isinstance(b_value, int | float):
        block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        block.add_new(0x0C, "IS", str(int(b_value)))


def _ge(dataset: Dataset, image: Image, identity: PlantedIdentity, _: StoredPixels) -> None:
    dataset.SoftwareVersions = ["27", "LX", "MR Software release (imitated)"]
    block = dataset.private_block(0x0009, "GEMS_IDEN_01", create=True)
    block.add_new(0x01, "LO", "GE_GENESIS_FF")
    block.add_new(0xE3, "UI", _uid(identity.patient_id))
    block = dataset.private_block(0x0043, "GEMS_PARM_01", create=True)
    block.add_new(0x62, "LO", identity.patient_name)
    b_value = image.metadata.get("b_value_s_per_mm2")
    if isinstance(b_value, int | float):
        block.add_new(0x39, "IS", [str(int(1_000_000_000 + b_value)), "8", "0", "0"])


def _philips(dataset: Dataset, image: Image, identity: PlantedIdentity, pixels: StoredPixels) -> None:
    dataset.SoftwareVersions = ["5.3.1", "5.3.1.3 (imitated)"]
    dataset.PerformedProcedureStepDescription = identity.comment
    block = dataset.private_block(0x2001, "Philips Imaging DD 001", create=True)
    block.add_new(0x18, "SL", image.grid.shape[2])
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    if pixels.slope is not None and dataset.Modality == "MR":
        block.add_new(0x0E, "FL", 1 / pixels.slope)
    block.add_new(0x13, "PN", identity.operator)
    b_value = image.metadata.get("b_value_s_per_mm2")
    if isinstance(b_value, int | float):
        dataset.DiffusionBValue = float(b_value)


def _uid(text: str) -> str:
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, 'cohortex phantom ' + text).int}"


_STYLES: dict[Vendor, HeaderStyle] = {
    "siemens-like": HeaderStyle(
        vendor="siemens-like",
        reverse_instances=False,
        file_name=lambda person, series, instance, _: (
            f"DICOM/{person.patient_name.replace('^', '_')}.MR.HEAD.{series:04d}.{instance:04d}.IMA"
        ),
        add_private=_siemens,
    ),
    "ge-like": HeaderStyle(
        vendor="ge-like",
        reverse_instances=True,
        file_name=lambda person, series, instance, _: f"{person.patient_id}/S{series:04d}/I{instance:04d}.dcm",
        add_private=_ge,
    ),
    "philips-like": HeaderStyle(
        vendor="philips-like",
        reverse_instances=False,
        file_name=lambda *names: f"DICOM/IM_{names[-1]:05d}",
        add_private=_philips,
    ),
}
