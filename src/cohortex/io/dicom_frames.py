"""Frames: each picture of a DICOM object with its own place, scaling and timing, whatever object it came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from cohortex.io.dicom_file import DicomFile, number_of, sop_class

ENHANCED = "PerFrameFunctionalGroupsSequence"


@dataclass(frozen=True, eq=False, kw_only=True)
class Plane:
    """Where a picture lies in the patient.

    Attributes
    ----------
    position_mm : ndarray, shape (3,)
        Centre of the first pixel, LPS mm.
    directions : ndarray, shape (3, 2)
        Unit vectors of growing column index and of growing row index.
    pixel_spacing_mm : tuple of float
        Between columns (along a row) and between rows.
    """

    position_mm: NDArray[np.float64]
    directions: NDArray[np.float64]
    pixel_spacing_mm: tuple[float, float]

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector from slice to slice: along a row × down a column, as DICOM defines it."""
        normal = np.cross(self.directions[:, 0], self.directions[:, 1])
        return np.asarray(normal / np.linalg.norm(normal))


@dataclass(frozen=True, eq=False, kw_only=True)
class Frame:
    """One picture: rows by columns somewhere in the patient.

    Attributes
    ----------
    file : DicomFile
        The object it is stored in.
    index : int
        Number of the frame in the object, from 0.
    shape : tuple of int
        Rows and columns.
    tile : tuple of int, optional
        First row and column in the decoded frame, where several slices are tiled into one picture.
    plane : Plane, optional
        Its place in the patient; None for a picture without one.
    pixel_spacing_mm : tuple of float, optional
        Between columns and between rows, where the header gives it.
    slope, intercept : float
        value = slope * stored + intercept.
    unit : str
        Of the value.
    layers : tuple of Dataset
        Where its header entries are looked up, most particular first.
    """

    file: DicomFile
    index: int = 0
    shape: tuple[int, int]
    tile: tuple[int, int] | None = None
    plane: Plane | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    slope: float = 1.0
    intercept: float = 0.0
    unit: str = "arbitrary"
    colour: bool = False
    image_type: tuple[str, ...] = ()
    echo_time_ms: float | None = None
    inversion_time_ms: float | None = None
    flip_angle_deg: float | None = None
    b_value: float | None = None
    gradient: tuple[float, ...] | None = None
    temporal_index: int | None = None
    trigger_time_ms: float | None = None
    instance_number: int = 0
    order: int = 0
    layers: tuple[Dataset, ...] = field(default=(), repr=False)


def plane_of(frame: Frame) -> Plane:
    """The place of a frame that must have one.

    Raises
    ------
    ValueError
        If it has none.
    """
    if frame.plane is None:
        raise ValueError(f"{frame.file.name} has no place in the patient; stack only frames that have one.")
    return frame.plane


def frames_of(file: DicomFile) -> list[Frame]:
    """List the frames of an object that stores one slice per frame.

    Parameters
    ----------
    file : DicomFile
        Single-frame object, enhanced multi-frame object, or an older multi-frame object (cine).

    Returns
    -------
    list of Frame
        In the order of storage.
    """
    header = file.header
    count = max(1, file.integer("NumberOfFrames", 1))
    groups = header.get(ENHANCED) or []
    shared = _first_item(header, "SharedFunctionalGroupsSequence") or Dataset()
    if groups:
        return [frame_from((group, shared, header), file, index) for index, group in enumerate(groups[:count])]
    return [frame_from((header,), file, index) for index in range(count)]


def frame_from(layers: Sequence[Dataset], file: DicomFile, index: int) -> Frame:
    """Read what the header says about one frame, from its functional groups or from the object itself."""
    lookup = _Lookup(layers)
    header = file.header
    orientation = lookup.numbers("PlaneOrientationSequence", "ImageOrientationPatient", 6)
    position = lookup.numbers("PlanePositionSequence", "ImagePositionPatient", 3)
    directions = _unit_directions(orientation)
    spacing = lookup.numbers("PixelMeasuresSequence", "PixelSpacing", 2)
    if spacing is None and directions is None:
        for keyword in ("ImagerPixelSpacing", "NominalScannedPixelSpacing"):
            spacing = spacing if spacing is not None else lookup.numbers("", keyword, 2)
    if spacing is not None and not np.all(spacing > 0):
        spacing = None
    between = None if spacing is None else (float(spacing[1]), float(spacing[0]))
    cine = file.integer("NumberOfFrames", 1) > 1 and not header.get(ENHANCED)
    plane = None
    if position is not None and directions is not None and between is not None and not cine:
        plane = Plane(position_mm=position, directions=directions, pixel_spacing_mm=between)
    slope, intercept, unit = _scaling(lookup, header)
    gradient = lookup.numbers("DiffusionGradientDirectionSequence", "DiffusionGradientOrientation", 3)
    return Frame(
        file=file,
        index=index,
        shape=(file.integer("Rows"), file.integer("Columns")),
        plane=plane,
        pixel_spacing_mm=between,
        slope=slope,
        intercept=intercept,
        unit=unit,
        colour=file.integer("SamplesPerPixel", 1) > 1 or file.text("PhotometricInterpretation") == "PALETTE COLOR",
        image_type=lookup.image_type(),
        echo_time_ms=lookup.number("MREchoSequence", "EffectiveEchoTime", "EchoTime"),
        inversion_time_ms=lookup.number("MRModifierSequence", "InversionTimes", "InversionTime"),
        flip_angle_deg=lookup.number("MRTimingAndRelatedParametersSequence", "FlipAngle"),
        b_value=b_value_of(lookup, header),
        gradient=None if gradient is None else tuple(np.round(gradient, 5).tolist()),
        temporal_index=_integer(
            lookup.number("FrameContentSequence", "TemporalPositionIndex", "TemporalPositionIdentifier")
        ),
        trigger_time_ms=lookup.number(
            "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", "TriggerTime"
        ),
        instance_number=file.integer("InstanceNumber"),
        order=index,
        layers=tuple(layers),
    )


class _Lookup:
    """Elements of a frame: in a functional group sequence where there is one, else in the object itself."""

    def __init__(self, layers: Sequence[Dataset]) -> None:
        self.layers = list(layers)

    def value(self, sequence: str, *keywords: str) -> Any:
        for layer in self.layers:
            places = [layer]
            item = _first_item(layer, sequence) if sequence else None
            if item is not None and len(item):
                places.insert(0, item)
            diffusion = _first_item(layer, "MRDiffusionSequence")
            if diffusion is not None and len(diffusion):
                places.append(diffusion)
                nested = _first_item(diffusion, sequence) if sequence else None
                if nested is not None and len(nested):
                    places.insert(0, nested)
            for place in places:
                for keyword in keywords:
                    value = place.get(keyword)
                    if value is not None and value != "":
                        return value
        return None

    def number(self, sequence: str, *keywords: str) -> float | None:
        value = self.value(sequence, *keywords)
        result = number_of(value, np.nan)
        return None if np.isnan(result) else result

    def numbers(self, sequence: str, keyword: str, count: int) -> NDArray[np.float64] | None:
        value = self.value(sequence, keyword)
        if not isinstance(value, MultiValue | list | tuple) or len(value) != count:
            return None
        try:
            result = np.asarray([float(part) for part in value])
        except (TypeError, ValueError):
            return None
        return result if np.all(np.isfinite(result)) else None

    def image_type(self) -> tuple[str, ...]:
        for sequence in ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence"):
            for layer in self.layers:
                item = _first_item(layer, sequence)
                if item is not None and item.get("FrameType"):
                    return tuple(str(part) for part in item.FrameType)
        value = self.value("", "ImageType")
        return () if value is None else tuple(str(p) for p in (value if isinstance(value, MultiValue) else [value]))


def _first_item(dataset: Dataset | None, keyword: str) -> Dataset | None:
    sequence = dataset.get(keyword) if dataset is not None else None
    return sequence[0] if sequence else None


def _integer(number: float | None) -> int | None:
    return None if number is None else int(number)


def _unit_directions(orientation: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Column and row direction as unit vectors, made exactly perpendicular: headers round to a few digits."""
    if orientation is None:
        return None
    row, column = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if min(lengths) < 1e-6 or abs(row @ column) > 0.01 * lengths[0] * lengths[1]:
        return None
    row, column = row / lengths[0], column / lengths[1]
    return np.stack([row, column], axis=1)


def _scaling(lookup: _Lookup, header: Dataset) -> tuple[float, float, str]:
    """Slope, intercept and unit of the value."""
    slope = lookup.number("PixelValueTransformationSequence", "RescaleSlope")
    intercept = lookup.number("PixelValueTransformationSequence", "RescaleIntercept")
    kind = str(lookup.value("PixelValueTransformationSequence", "RescaleType") or "").upper()
    modality = str(header.get("Modality") or "")
    unit = "arbitrary"
    if int(number_of(header.get("SamplesPerPixel"), 1)) > 1:
        return 1.0, 0.0, unit  # colours are no measurement, whatever the header says
    real_world = _first_item(header, "RealWorldValueMappingSequence")
    for layer in lookup.layers:
        real_world = real_world or _first_item(layer, "RealWorldValueMappingSequence")
    if "Parametric Map" in pydicom.uid.UID(sop_class(header)).name and real_world is not None:
        codes = _first_item(real_world, "MeasurementUnitsCodeSequence")
        named = str(codes.get("CodeValue", "")) if codes is not None else ""
        slope = number_of(real_world.get("RealWorldValueSlope"), 1.0)
        return slope or 1.0, number_of(real_world.get("RealWorldValueIntercept"), 0.0), named or unit
    if modality == "CT" and kind in ("", "HU"):
        unit = "HU" if slope is not None else "arbitrary"
    elif modality == "PT":
        named = str(header.get("Units") or "").upper()
        unit = {"BQML": "Bq/mL", "CNTS": "counts", "CPS": "counts/s", "GML": "g/mL"}.get(named, "arbitrary")
    return slope or 1.0, 0.0 if intercept is None else intercept, unit


_PRIVATE_B_VALUES = (  # vendor, group, creator, element: where b-values lived before DICOM had a place for them
    ("SIEMENS", 0x0019, "SIEMENS MR HEADER", 0x0C),
    ("PHILIPS", 0x2001, "Philips Imaging DD 001", 0x03),
    ("UIH", 0x0065, "Image Private Header", 0x09),
    ("GE", 0x0043, "GEMS_PARM_01", 0x39),
)


def b_value_of(lookup: _Lookup, header: Dataset) -> float | None:
    """Diffusion weighting in s/mm²: the standard element, else the vendor's own; None where there is none."""
    value = lookup.number("", "DiffusionBValue")
    if value is not None:
        return value
    maker = str(header.get("Manufacturer") or "").upper()
    for vendor, group, creator, element in _PRIVATE_B_VALUES:
        if not maker.startswith(vendor):
            continue
        try:
            raw = header.private_block(group, creator)[element].value
        except KeyError:
            continue
        result = number_of(raw, np.nan)
        if np.isnan(result) or (vendor == "GE" and not _diffusion_weighted(header)):
            return None
        return result % 1e9 if result >= 1e9 else result  # GE adds 10⁹ to mark a derived value
    return None


def _diffusion_weighted(header: Dataset) -> bool:
    """GE writes a zero in its b-value element of every EPI; only diffusion scans mean it."""
    words = " ".join(str(header.get(k) or "") for k in ("SeriesDescription", "SequenceName", "ScanOptions")).upper()
    return "DIFF" in words or "DWI" in words or "DTI" in words or "TRACE" in words
