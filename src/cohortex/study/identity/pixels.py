"""Pixels that hold the picture and nothing else: decoded, cut to their length, without bits beside the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cohortex.errors import NotDeidentified, UnreadableFile
from cohortex.io.dicom_file import PIXEL_KEYWORDS, number_of
from cohortex.io.dicom_pixels import decode_dataset

_AS_THEY_ARE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
_PLAIN_COLOURS = ("MONOCHROME1", "MONOCHROME2", "RGB")
_LOSSY = frozenset(
    f"1.2.840.10008.1.2.4.{number}" for number in ("50", "51", "81", "91", "93", "203")
)  # JPEG baseline and extended, JPEG-LS near-lossless, JPEG 2000, high-throughput JPEG 2000
_BITS = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}
_LAYOUT = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation",
)  # fmt: skip
_MOST_BYTES = 0xFFFFFFFE  # of an element with a length


def write_clean_pixels(source: Dataset, target: Dataset) -> bool:
    """Write the picture of an object, uncompressed and little-endian.

    A compressed picture is decoded, because its stream has room for comments and thumbnails; an uncompressed one is
    cut to the length its header gives, and bits beside the stored ones, where overlays used to hide, are cleared.

    Parameters
    ----------
    source : pydicom.Dataset
        Whole object with file meta information.
    target : pydicom.Dataset
        Gets the pixels and the attributes of their layout.

    Returns
    -------
    bool
        Whether the pixels had to be written anew in another form.

    Raises
    ------
    NotDeidentified
        If the pixels do not decode, are fewer than the header says, or are laid out in a way that leaves room for
        something else.
    """
    keywords = [keyword for keyword in PIXEL_KEYWORDS if keyword in source]
    if len(keywords) != 1:
        raise NotDeidentified(
            f"the object holds {len(keywords)} pixel data elements.", remedy="Send the original file, with one picture."
        )
    keyword = keywords[0]
    if int(number_of(source.get("Rows"))) < 1 or int(number_of(source.get("Columns"))) < 1:
        raise NotDeidentified("the header gives no rows or columns.", remedy="Send the original file.")
    syntax = source.file_meta.TransferSyntaxUID
    colours = str(source.get("PhotometricInterpretation") or "")
    if keyword == "PixelData" and (syntax not in _AS_THEY_ARE or colours not in _PLAIN_COLOURS):
        _write_decoded(source, target, lossy=syntax in _LOSSY)
        return True
    for layout in _LAYOUT:
        if layout in source:
            setattr(target, layout, source[layout].value)
    bits = _BITS.get(keyword) or int(number_of(source.get("BitsAllocated")))
    data = _cut(source, keyword, bits)
    clean = _without_spare_bits(source, data, bits) if keyword == "PixelData" else data
    setattr(target, keyword, clean + b"\0" * (len(clean) % 2))
    if keyword == "PixelData":
        target["PixelData"].VR = "OB" if bits <= 8 else "OW"
    return clean != data


def _write_decoded(source: Dataset, target: Dataset, *, lossy: bool) -> None:
    try:
        values = decode_dataset(source, name="the picture")
    except UnreadableFile as error:
        raise NotDeidentified(
            f"its pixels do not decode ({source.file_meta.TransferSyntaxUID.name}).",
            remedy="Send it again, uncompressed if the source can.",
        ) from error
    if values.dtype.kind not in "iu" or values.dtype.itemsize > 4 or values.nbytes > _MOST_BYTES:
        raise NotDeidentified(
            f"its pixels decode to {values.nbytes:,} bytes of {values.dtype}, which no element can hold.",
            remedy="Send it as several smaller objects.",
        )
    bits = 8 * values.dtype.itemsize
    colour = values.ndim == 4
    stored = int(number_of(source.get("BitsStored"), bits))
    target.SamplesPerPixel = 3 if colour else 1
    target.PhotometricInterpretation = "RGB" if colour else _grey(source)
    if colour:
        target.PlanarConfiguration = 0
    target.BitsAllocated = bits
    target.BitsStored = stored if 0 < stored <= bits and not colour else bits
    target.HighBit = target.BitsStored - 1
    target.PixelRepresentation = int(values.dtype.kind == "i")
    data = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"), copy=False)).tobytes()
    target.PixelData = data + b"\0" * (len(data) % 2)
    target["PixelData"].VR = "OB" if bits == 8 else "OW"
    if lossy:
        target.LossyImageCompression = "01"


def _grey(source: Dataset) -> str:
    named = str(source.get("PhotometricInterpretation") or "")
    return named if named in ("MONOCHROME1", "MONOCHROME2") else "MONOCHROME2"


def _cut(source: Dataset, keyword: str, bits: int) -> bytes:
    """The bytes of the picture, without what may follow it in the element."""
    if keyword == "PixelData" and bits not in (1, 8, 16, 32):
        raise NotDeidentified(
            f"its pixels have {bits} bits allocated.", remedy="Send it with 8, 16 or 32 bits per sample."
        )
    frames = max(1, int(number_of(source.get("NumberOfFrames"), 1)))
    samples = int(number_of(source.get("SamplesPerPixel"), 1))
    count = int(number_of(source.get("Rows"))) * int(number_of(source.get("Columns"))) * frames * max(1, samples)
    expected = -(-count * bits // 8)
    data = source[keyword].value
    if not isinstance(data, bytes) or len(data) < expected:
        found = len(data) if isinstance(data, bytes) else 0
        raise NotDeidentified(
            f"its pixels are cut off: {found:,} of {expected:,} bytes.", remedy="Send the original file."
        )
    return data[:expected]


def _without_spare_bits(source: Dataset, data: bytes, bits: int) -> bytes:
    if bits == 1:
        return data
    stored = int(number_of(source.get("BitsStored"), bits))
    high = int(number_of(source.get("HighBit"), stored - 1))
    if not 0 < stored <= bits or high != stored - 1:
        raise NotDeidentified(
            f"its pixels store {stored} of {bits} bits up to bit {high}, which leaves room for something else.",
            remedy="Send it with the stored bits at the lower end.",
        )
    if stored == bits:
        return data
    signed = bool(int(number_of(source.get("PixelRepresentation"))))
    kind = np.dtype(f"<{'i' if signed else 'u'}{bits // 8}")
    values: NDArray[Any] = np.frombuffer(data, kind)
    spare = bits - stored
    return ((values << spare) >> spare).astype(kind).tobytes()  # the shift back repeats the sign
