"""BIDS JSON sidecars: which metadata entry bears which BIDS name, both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cohortex import __version__
from cohortex.image import Image

BIDS_NAMES: dict[str, str] = {
    "modality": "Modality",
    "magnetic_field_strength_t": "MagneticFieldStrength",
    "imaging_frequency_mhz": "ImagingFrequency",
    "manufacturer": "Manufacturer",
    "manufacturer_model_name": "ManufacturersModelName",
    "software_versions": "SoftwareVersions",
    "body_part_examined": "BodyPartExamined",
    "patient_position": "PatientPosition",
    "mr_acquisition_type": "MRAcquisitionType",
    "series_description": "SeriesDescription",
    "protocol_name": "ProtocolName",
    "scanning_sequence": "ScanningSequence",
    "sequence_variant": "SequenceVariant",
    "scan_options": "ScanOptions",
    "sequence_name": "SequenceName",
    "image_type": "ImageType",
    "series_number": "SeriesNumber",
    "acquisition_time": "AcquisitionTime",
    "acquisition_number": "AcquisitionNumber",
    "slice_thickness_mm": "SliceThickness",
    "spacing_between_slices_mm": "SpacingBetweenSlices",
    "sar_w_per_kg": "SAR",
    "number_of_averages": "NumberOfAverages",
    "echo_number": "EchoNumber",
    "echo_time_s": "EchoTime",
    "repetition_time_s": "RepetitionTime",
    "inversion_time_s": "InversionTime",
    "flip_angle_deg": "FlipAngle",
    "contrast_bolus_agent": "ContrastBolusIngredient",
    "percent_phase_field_of_view": "PercentPhaseFOV",
    "percent_sampling": "PercentSampling",
    "echo_train_length": "EchoTrainLength",
    "pixel_bandwidth_hz": "PixelBandwidth",
    "image_orientation_patient": "ImageOrientationPatientDICOM",
    "in_plane_phase_encoding_direction": "InPlanePhaseEncodingDirectionDICOM",
    "kvp": "KVP",
    "convolution_kernel": "ConvolutionKernel",
    "series_instance_uid": "SeriesInstanceUID",
    "study_instance_uid": "StudyInstanceUID",
}
"""Metadata entry to BIDS (or dcm2niix) name; times are in seconds on both sides."""

_KEYS = {name: key for key, name in BIDS_NAMES.items()} | {"BodyPart": "body_part_examined"}
_UID_ENTRIES = ("series_instance_uid", "study_instance_uid")
_IDENTIFYING = ("PatientName", "PatientID", "PatientBirth", "PatientAddress", "OtherPatient", "AccessionNumber")
_PEOPLE = ("Physician", "OperatorsName", "PersonName")


def sidecar(image: Image) -> dict[str, object]:
    """Write the metadata of an image as a BIDS JSON sidecar.

    Parameters
    ----------
    image : Image
        Any image; what its metadata lack is left out.

    Returns
    -------
    dict
        BIDS names to plain values: times in s, angles in degrees, field in tesla; `ConversionSoftware` says who
        wrote it, `Units` the unit of the values, `Warnings` what looked wrong on reading. No identities.

    References
    ----------
    .. [1] Brain Imaging Data Structure specification 1.10, "Magnetic Resonance Imaging data".
    """
    result: dict[str, object] = {}
    for key, name in BIDS_NAMES.items():
        value = image.metadata.get(key)
        if value is not None and key not in _UID_ENTRIES:
            result[name] = value
    if image.metadata.get("b_value_s_per_mm2") is not None:
        result["DiffusionBValue"] = image.metadata["b_value_s_per_mm2"]
    if image.unit != "arbitrary":
        result["Units"] = image.unit
    if image.metadata.get("warnings"):
        result["Warnings"] = image.metadata["warnings"]
    result["ConversionSoftware"] = "cohortex"
    result["ConversionSoftwareVersion"] = __version__
    return result


def metadata_beside(path: Path) -> dict[str, object]:
    """Read the sidecar that lies beside an image file, where there is one.

    Parameters
    ----------
    path : Path
        The image file; its sidecar has the same name ending in .json.

    Returns
    -------
    dict
        Our metadata names, and the whole sidecar less identities under "bids_sidecar"; empty without a sidecar.
        An unreadable sidecar gives a "warnings" entry, since the image itself is whole.
    """
    beside = path.with_name(_stem(path.name) + ".json")
    if not beside.is_file() or beside == path:
        return {}
    try:
        entries = json.loads(beside.read_text(encoding="utf-8"))
        if not isinstance(entries, dict):
            raise ValueError("not an object")
    except (ValueError, OSError) as error:
        return {"warnings": [f"the sidecar {beside.name} cannot be read ({error}); it was ignored"]}
    kept = without_identities(entries)
    return {**{_KEYS[name]: value for name, value in kept.items() if name in _KEYS}, "bids_sidecar": kept}


def without_identities(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Drop entries of a sidecar that name a person."""
    return {
        name: value
        for name, value in entries.items()
        if not name.startswith(_IDENTIFYING) and not any(word in name for word in _PEOPLE)
    }


def _stem(name: str) -> str:
    lowered = name.lower()
    for ending in (".nii.gz", ".hdr.gz", ".img.gz"):
        if lowered.endswith(ending):
            return name[: -len(ending)]
    return name.rsplit(".", 1)[0]
