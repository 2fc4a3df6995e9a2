"""What the header of a DICOM image says, under plain names and in SI units; never who the patient is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

TEXT_ENTRIES = {
    "Modality": "modality",
    "SeriesDescription": "series_description",
    "ProtocolName": "protocol_name",
    "SequenceName": "sequence_name",
    "SeriesInstanceUID": "series_instance_uid",
    "StudyInstanceUID": "study_instance_uid",
    "ContrastBolusAgent": "contrast_bolus_agent",
    "Manufacturer": "manufacturer",
    "ManufacturerModelName": "manufacturer_model_name",
    "SoftwareVersions": "software_versions",
    "PatientPosition": "patient_position",
    "ConvolutionKernel": "convolution_kernel",
    "StudyDate": "study_date",
    "AcquisitionTime": "acquisition_time",
    "BodyPartExamined": "body_part_examined",
    "ScanningSequence": "scanning_sequence",
    "SequenceVariant": "sequence_variant",
    "ScanOptions": "scan_options",
    "MRAcquisitionType": "mr_acquisition_type",
    "InPlanePhaseEncodingDirection": "in_plane_phase_encoding_direction",
    "PhotometricInterpretation": "photometric_interpretation",
    "BurnedInAnnotation": "burned_in_annotation",
}
"""DICOM keyword to metadata entry, as text."""

NUMBER_ENTRIES = {
    "EchoTime": ("echo_time_s", 1e-3),
    "EffectiveEchoTime": ("echo_time_s", 1e-3),
    "RepetitionTime": ("repetition_time_s", 1e-3),
    "InversionTime": ("inversion_time_s", 1e-3),
    "FlipAngle": ("flip_angle_deg", 1.0),
    "MagneticFieldStrength": ("magnetic_field_strength_t", 1.0),
    "ImagingFrequency": ("imaging_frequency_mhz", 1.0),
    "SliceThickness": ("slice_thickness_mm", 1.0),
    "SpacingBetweenSlices": ("spacing_between_slices_mm", 1.0),
    "KVP": ("kvp", 1.0),
    "PixelBandwidth": ("pixel_bandwidth_hz", 1.0),
    "NumberOfAverages": ("number_of_averages", 1.0),
    "SAR": ("sar_w_per_kg", 1.0),
    "PercentPhaseFieldOfView": ("percent_phase_field_of_view", 1.0),
    "PercentSampling": ("percent_sampling", 1.0),
}
"""DICOM keyword to metadata entry and the factor from DICOM's unit (ms) to ours (s)."""

INTEGER_ENTRIES = {
    "SeriesNumber": "series_number",
    "AcquisitionNumber": "acquisition_number",
    "EchoNumbers": "echo_number",
    "EchoTrainLength": "echo_train_length",
}

_NESTED = (  # where enhanced objects keep these, PS3.3 C.8.13
    "MREchoSequence",
    "MRTimingAndRelatedParametersSequence",
    "MRModifierSequence",
    "MRImageFrameTypeSequence",
    "CTImageFrameTypeSequence",
    "PixelMeasuresSequence",
    "CTReconstructionSequence",
)


def header_metadata(layers: Sequence[Dataset]) -> dict[str, object]:
    """Collect the entries of one image.

    Parameters
    ----------
    layers : sequence of pydicom.Dataset
        Where to look, the most particular first: functional groups of a frame, shared groups, the object itself.

    Returns
    -------
    dict
        Plain values; what is missing or empty is left out.
    """
    places = [place for layer in layers for place in _with_nested(layer)]
    result: dict[str, object] = {}
    for keyword, key in TEXT_ENTRIES.items():
        text = _text(_first(places, keyword))
        if text:
            result[key] = text
    if "acquisition_time" in result:
        result["acquisition_time"] = _clock(str(result["acquisition_time"]))
    for keyword, (key, factor) in NUMBER_ENTRIES.items():
        number = _number(_first(places, keyword))
        if number is not None and key not in result:
            result[key] = _plain(number * factor)
    for keyword, key in INTEGER_ENTRIES.items():
        number = _number(_first(places, keyword))
        if number is not None:
            result[key] = int(number)
    image_type = _first(places, "FrameType") or _first(places, "ImageType")
    if image_type:
        result["image_type"] = [str(part) for part in _listed(image_type)]
    return result


def _with_nested(layer: Dataset) -> list[Dataset]:
    """The layer itself and the items of the sequences that enhanced objects keep these entries in."""
    result = [layer]
    for keyword in _NESTED:
        sequence = layer.get(keyword)
        if sequence:
            result.append(sequence[0])
    return result


def _first(places: Sequence[Dataset], keyword: str) -> Any:
    for place in places:
        value = place.get(keyword)
        if value is not None and value != "" and (not isinstance(value, MultiValue) or len(value)):
            return value
    return None


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, MultiValue | list | tuple) else [value]


def _text(value: Any) -> str:
    return "" if value is None else "\\".join(str(part).strip() for part in _listed(value))


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(_listed(value)[0])
    except (TypeError, ValueError):
        return None


def _clock(text: str) -> str:
    """DICOM's 155249.295 as 15:52:49.295; anything else as it is."""
    digits, dot, fraction = text.partition(".")
    if len(digits) != 6 or not digits.isdigit():
        return text
    return f"{digits[:2]}:{digits[2:4]}:{digits[4:]}{dot}{fraction}"


def _plain(number: float) -> float:
    """A number without the noise of a change of unit: 0.03, not 0.030000000000000002."""
    return float(f"{number:.9g}")
