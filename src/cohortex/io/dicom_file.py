"""One DICOM file: telling it from others, its header without the pixels, and how whole it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cohortex.errors import UnreadableFile

PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
DIRECTORY_CLASS = "1.2.840.10008.1.3.10"  # Media Storage Directory Storage: a DICOMDIR
_PIXEL_TAGS = (0x7FE00010, 0x7FE00008, 0x7FE00009)
_DEFERRED_BYTES = 2048  # longer elements stay on disk until asked for: CSA blobs and pixels
_FIRST_GROUPS = (0x0002, 0x0008)
_SORTED_BY = (
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "InstanceNumber",
    "Modality", "PatientID", "PatientName",
)  # fmt: skip
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True, eq=False, kw_only=True)
class DicomFile:
    """A DICOM file as found in an upload.

    Attributes
    ----------
    path : Path
        Where it lies now.
    name : str
        Its name in the upload, for messages and metadata.
    header : pydicom.Dataset
        Everything but long elements, which are read from the file when asked for.
    warnings : list of str
        What was odd about the file.
    broken : UnreadableFile, optional
        Why its pixels cannot be read although its header tells which series it belongs to.
    """

    path: Path
    name: str
    header: Dataset
    warnings: list[str] = field(default_factory=list)
    broken: UnreadableFile | None = None

    @property
    def has_pixels(self) -> bool:
        """Whether there is a pixel data element."""
        return any(tag in self.header for tag in _PIXEL_TAGS)

    def text(self, keyword: str, default: str = "") -> str:
        """Value of an element as stripped text; `default` where it is missing or empty."""
        value = self.header.get(keyword)
        return default if value is None or value == "" else str(value).strip()

    def integer(self, keyword: str, default: int = 0) -> int:
        """Value of an element as integer; `default` where it is missing, empty or no number."""
        return int(number_of(self.header.get(keyword), default))


def number_of(value: Any, default: float = 0.0) -> float:
    """Read the first number of an element's value; `default` where there is none."""
    if isinstance(value, pydicom.multival.MultiValue | list | tuple):
        value = value[0] if len(value) else None
    try:
        return default if value is None or value == "" else float(value)
    except (TypeError, ValueError):
        return default


def looks_like_dicom(path: Path) -> bool:
    """Whether a file starts like DICOM: the DICM mark, or a first element of group 2 or 8."""
    with path.open("rb") as file:
        start = file.read(132)
    if start[128:132] == b"DICM":
        return True
    return _starts_with_element(start)


def _starts_with_element(start: bytes) -> bool:
    if len(start) < 12:
        return False
    for order in ("little", "big"):
        group, element = (int.from_bytes(start[n : n + 2], order) for n in (0, 2))
        if group not in _FIRST_GROUPS or element > 0x0100:
            continue
        if start[4:6].isalpha() and start[4:6].isupper():
            return True
        if int.from_bytes(start[4:8], "little") <= 256:
            return True
    return False


def read_dicom_file(path: Path, *, name: str | None = None) -> DicomFile:
    """Read the header of a DICOM file; a missing preamble is tolerated with a warning.

    Parameters
    ----------
    path : Path
        The file.
    name : str, optional
        What messages call it; its file name when omitted.

    Returns
    -------
    DicomFile
        Header and warnings. The pixels stay on disk.

    Raises
    ------
    UnreadableFile
        If the file is empty, no DICOM, or breaks off.
    """
    name = name or path.name
    size = path.stat().st_size
    if size == 0:
        raise UnreadableFile(f"{name}: the file is empty (0 bytes). Send it again.")
    noted: list[str] = []
    with path.open("rb") as file:
        start = file.read(132)
    if start[128:132] != b"DICM":
        if not _starts_with_element(start):
            raise UnreadableFile(f"{name}: not a DICOM file. Check that the right file was sent.")
        noted.append(f"{name}: the DICOM preamble is missing; read all the same")
    try:
        header = _parsed(path)
        for keyword in _SORTED_BY:
            header.get(keyword)  # pydicom interprets an element when it is asked for
    except Exception as error:  # pydicom raises anything on a damaged header
        raise UnreadableFile(f"{name}: the DICOM header breaks off or is corrupt ({error}). Send it again.") from error
    if len(header) == 0 and "MediaStorageSOPClassUID" not in header.file_meta:
        raise UnreadableFile(f"{name}: a DICOM mark but no object behind it; the file is truncated. Send it again.")
    return DicomFile(path=path, name=name, header=header, warnings=noted, broken=_damage(header, size, name))


def _parsed(path: Path) -> Dataset:
    header = pydicom.dcmread(path, force=True, defer_size=_DEFERRED_BYTES)
    if not hasattr(header, "file_meta"):
        header.file_meta = FileMetaDataset()
    return header


def whole_dataset(file: DicomFile) -> Dataset:
    """Read the whole file, pixels included, with a transfer syntax even where the file states none."""
    dataset = pydicom.dcmread(file.path, force=True)
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = (
            ImplicitVRLittleEndian if dataset.original_encoding[0] else ExplicitVRLittleEndian
        )
    return dataset


def _damage(header: Dataset, size: int, name: str) -> UnreadableFile | None:
    """Find out whether the last element ends where the file does, and whether a picture has pixels."""
    last = header.get_item(max(header.keys()), keep_deferred=True) if len(header) else None
    length, start = getattr(last, "length", None), getattr(last, "value_tell", 0)
    if length not in (None, _UNDEFINED) and start and start + length > size:
        return UnreadableFile(
            f"{name}: truncated: {max(0, size - start):,} of {length:,} bytes of its last element. Send it again."
        )
    if is_picture(header) and not any(tag in header for tag in _PIXEL_TAGS):
        return UnreadableFile(
            f"{name}: an {header.get('Modality', '')} image without pixel data; it was cut off or emptied. "
            "Send the original file."
        )
    return None


def is_picture(header: Dataset) -> bool:
    """Whether an object should hold pixels, by its SOP class or its rows."""
    name = pydicom.uid.UID(sop_class(header)).name
    return "Rows" in header or "Image Storage" in name or name.startswith(("Segmentation", "Parametric Map"))


def sop_class(header: Dataset) -> str:
    """SOP Class UID of an object, from the object or else from the file's own preamble."""
    return str(header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID") or "")


def patient_key(header: Dataset) -> str:
    """Short hash that tells two patients of one upload apart without naming them."""
    identity = f"{header.get('PatientID', '')}|{header.get('PatientName', '')}"
    return hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:12]
