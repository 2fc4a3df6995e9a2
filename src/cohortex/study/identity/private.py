"""The few private elements that stay: numbers of diffusion, scaling and tiling, read out and written anew."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nibabel calls its DICOM readers experimental; only its CSA parser is used here
    from nibabel.nicom.csareader import CSAReadError, get_csa_header


@dataclass(frozen=True, kw_only=True)
class SafePrivate:
    """A private element that holds numbers and nothing else.

    Attributes
    ----------
    group, creator, element : int, str, int
        Where it is, by its private creator.
    vr : str
        Value representation it is written in.
    most : int
        Values it may have.
    reason : str
        What needs it.
    """

    group: int
    creator: str
    element: int
    vr: str
    most: int
    reason: str


def _safe(group: int, creator: str, reason: str, *elements: tuple[int, str, int]) -> list[SafePrivate]:
    return [
        SafePrivate(group=group, creator=creator, element=element, vr=vr, most=most, reason=reason)
        for element, vr, most in elements
    ]


SAFE_PRIVATE: tuple[SafePrivate, ...] = (
    *_safe(0x0019, "SIEMENS MR HEADER", "slices in a mosaic", (0x0A, "US", 1)),
    *_safe(0x0019, "SIEMENS MR HEADER", "diffusion weighting", (0x0C, "IS", 1), (0x0E, "FD", 3), (0x27, "FD", 6)),
    *_safe(0x0019, "SIEMENS MR HEADER", "distortion and slice times", (0x28, "FD", 1), (0x29, "FD", 1024)),
    *_safe(0x0043, "GEMS_PARM_01", "diffusion weighting", (0x39, "IS", 4)),
    *_safe(0x0019, "GEMS_ACQU_01", "diffusion direction", (0xBB, "DS", 1), (0xBC, "DS", 1), (0xBD, "DS", 1)),
    *_safe(0x2001, "Philips Imaging DD 001", "diffusion weighting", (0x03, "FL", 1)),
    *_safe(0x2001, "Philips Imaging DD 001", "number of slices", (0x18, "SL", 1)),
    *_safe(0x2005, "Philips MR Imaging DD 001", "scaling to true values", (0x0D, "FL", 1), (0x0E, "FL", 1)),
    *_safe(
        0x2005, "Philips MR Imaging DD 001", "diffusion direction", (0xB0, "FL", 1), (0xB1, "FL", 1), (0xB2, "FL", 1)
    ),
    *_safe(0x7053, "Philips PET Private Group", "scaling to uptake values", (0x00, "DS", 1), (0x09, "DS", 1)),
    *_safe(0x0065, "Image Private Header", "diffusion weighting", (0x09, "FD", 1), (0x37, "FD", 3)),
    *_safe(0x0065, "Image Private Header", "slices tiled into one picture", (0x50, "DS", 1)),
)
"""Every private element that stays, beside the rebuilt tiling of Siemens and United Imaging."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_PACKED = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d"}
_TILE_SIZE = re.compile(r"\d{1,4}\*\d{1,4}")
_LONGEST_NUMBER = 32


def copy_safe_private(source: Dataset, target: Dataset) -> list[str]:
    """Copy the safe private elements of a data set, as numbers.

    Parameters
    ----------
    source : pydicom.Dataset
        As it came.
    target : pydicom.Dataset
        Without private elements yet; gets those that hold what they should.

    Returns
    -------
    list of str
        Tags that were copied, such as "(0019,0C) SIEMENS MR HEADER".
    """
    copied: list[str] = []
    for safe in SAFE_PRIVATE:
        value = _value(source, safe.group, safe.creator, safe.element)
        numbers = None if value is None else _numbers(value, safe.vr)
        if numbers and len(numbers) <= safe.most:
            _write(target, safe.group, safe.creator, safe.element, safe.vr, numbers)
            copied.append(f"({safe.group:04X},{safe.element:02X}) {safe.creator}")
    copied += _copy_siemens_tiling(source, target)
    copied += _copy_united_imaging_tiling(source, target)
    return copied


def _value(source: Dataset, group: int, creator: str, element: int) -> Any:
    try:
        return source.private_block(group, creator)[element].value
    except Exception:  # pydicom raises anything on a damaged element; what cannot be read does not stay
        return None


def _write(target: Dataset, group: int, creator: str, element: int, vr: str, value: Any) -> None:
    if isinstance(value, list) and len(value) == 1 and vr != "SQ":
        value = value[0]
    target.private_block(group, creator, create=True).add_new(element, vr, value)


def _numbers(value: Any, vr: str) -> list[Any] | None:
    """The value as numbers of a representation, also where the file calls it unknown bytes."""
    if isinstance(value, bytes):
        if vr in _PACKED:
            size = struct.calcsize(f"<{_PACKED[vr]}")
            if not value or len(value) % size:
                return None
            return list(struct.unpack(f"<{len(value) // size}{_PACKED[vr]}", value))
        value = value.decode("ascii", "replace").strip(" \0").split("\\")
    parts = [value] if isinstance(value, str | int | float) else list(value)
    if vr in ("IS", "DS"):
        texts = [str(part).strip(" \0") for part in parts]
        good = all(_NUMBER.fullmatch(text) and len(text) <= _LONGEST_NUMBER for text in texts)
        return texts if good else None
    try:
        numbers = [float(part) for part in parts]
    except (TypeError, ValueError):
        return None
    if not all(np.isfinite(numbers)):
        return None
    return numbers if vr in ("FL", "FD") else [int(number) for number in numbers]


_CSA = ("SIEMENS CSA HEADER", 0x0029, 0x10)
_CSA_NUMBERS = {  # name, representation, values: what places the slices of a mosaic, and its diffusion weighting
    "NumberOfImagesInMosaic": ("US", 1),
    "SliceNormalVector": ("FD", 3),
    "B_value": ("IS", 1),
    "DiffusionGradientDirection": ("FD", 3),
    "BandwidthPerPixelPhaseEncode": ("FD", 1),
    "MosaicRefAcqTimes": ("FD", 1024),
}


def _copy_siemens_tiling(source: Dataset, target: Dataset) -> list[str]:
    """Write a new CSA header with nothing but the numbers that take a mosaic apart; the old one names the patient."""
    if "MOSAIC" not in (source.get("ImageType") or []):
        return []
    try:
        header = get_csa_header(source, "image")
    except (CSAReadError, KeyError, ValueError, struct.error, IndexError):
        return []
    numbers: dict[str, tuple[str, list[float]]] = {}
    for name, (vr, most) in _CSA_NUMBERS.items():
        items = ((header or {}).get("tags", {}).get(name) or {}).get("items") or []
        if items and len(items) <= most and all(isinstance(item, int | float) for item in items):
            numbers[name] = (vr, [float(item) for item in items])
    if "SliceNormalVector" not in numbers:
        return []
    creator, group, element = _CSA
    _write(target, group, creator, element, "OB", _csa_bytes(numbers))
    return [f"({group:04X},{element:02X}) {creator}, rebuilt from its numbers"]


def _csa_bytes(numbers: dict[str, tuple[str, list[float]]]) -> bytes:
    """A CSA2 header, as described in the NiBabel manual, "Siemens format DICOM with CSA header"."""
    result = b"SV10\4\3\2\1" + struct.pack("<2i", len(numbers), 77)
    for name, (vr, values) in numbers.items():
        result += name.encode().ljust(64, b"\0")
        result += struct.pack("<i4s3i", len(values), vr.encode().ljust(4, b"\0"), 0, len(values), 77)
        for value in values:
            text = (str(int(value)) if vr in ("US", "IS") else repr(value)).encode() + b"\0"
            result += struct.pack("<4i", len(text), len(text), 77, len(text)) + text.ljust(
                -(-len(text) // 4) * 4, b"\0"
            )
    return result + b"\0" * (len(result) % 2)


def _copy_united_imaging_tiling(source: Dataset, target: Dataset) -> list[str]:
    """Write the size of a tile and the place of each slice anew."""
    creator, group = "Image Private Header", 0x0065
    if "VFRAME" not in (source.get("ImageType") or []):
        return []
    size, items = _value(source, group, creator, 0x04), _value(source, group, creator, 0x51)
    text = size.decode("ascii", "replace") if isinstance(size, bytes) else str(size or "")
    places = _places(items)
    if not _TILE_SIZE.fullmatch(text.strip(" \0")) or not places:
        return []
    _write(target, group, creator, 0x04, "SH", text.strip(" \0"))
    _write(target, group, creator, 0x51, "SQ", places)
    return [f"({group:04X},04) {creator}", f"({group:04X},51) {creator}, rebuilt from its numbers"]


def _places(items: Any) -> list[Dataset]:
    result: list[Dataset] = []
    for item in items if isinstance(items, Sequence) and not isinstance(items, str | bytes) else []:
        numbers = _numbers(item.get("ImagePositionPatient") or [], "DS") if isinstance(item, Dataset) else None
        if not numbers or len(numbers) != 3:
            return []
        place = Dataset()
        place.ImagePositionPatient = numbers
        result.append(place)
    return result
