"""Phantom scans written as the DICOM series of scanners with different habits, one file per slice.

The headers imitate habits (names, private groups, scaling, order of slices); no manufacturer made these files, and
the people in them are invented.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, MRImageStorage

from cohortex.errors import TargetExists
from cohortex.image import Image
from cohortex.phantoms.dicom_header import header, header_style, series_uid
from cohortex.phantoms.dicom_pixels import StoredPixels, stored_pixels
from cohortex.phantoms.identity import PlantedIdentity, invented_identity
from cohortex.phantoms.scanner import Vendor

_EPOCH = (2024, 1, 15, 8, 0, 0)  # every entry of an archive bears this time: the same bits every time


def write_dicom_zip(
    images: Iterable[Image] | Mapping[str, Image],
    path: Path | str,
    *,
    scanner: Vendor = "siemens-like",
    identity: PlantedIdentity | None = None,
    seed: int = 0,
    reverse_instances: bool | None = None,
    overwrite: bool = False,
) -> Path:
    """Write scans as DICOM series into one zip file.

    Parameters
    ----------
    images : iterable or mapping of Image
        Scans of one visit, three axes at right angles, slices along the third; MR or CT by their metadata.
    path : Path or str
        The zip file.
    scanner : {"siemens-like", "ge-like", "philips-like"}
        Whose habits to follow.
    identity : PlantedIdentity, optional
        Whose name to plant; when omitted that of the person invented for the seed.
    seed : int
        Makes the UIDs and the person; another patient needs another seed.
    reverse_instances : bool, optional
        Number the slices from the far end; the GE-like habit when omitted.
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Path
        The file written. MR values are rounded to whole numbers (Philips-like: to 1/4095 of the maximum, with a
        rescale slope); ADC is stored in 10⁻⁶ mm²/s (Philips-like: rescaled to 10⁻³ mm²/s); CT is HU rounded and
        cut to -1024 … 3071.

    Raises
    ------
    TargetExists
        If the file exists and may not be replaced.
    ValueError
        If an image is not three-dimensional, or its axes are not at right angles.
    OverflowError
        If a value does not fit the integers of the scanner.
    """
    target = Path(path)
    if target.exists() and not overwrite:
        raise TargetExists(f"{target.name} exists; choose another name or allow overwriting.")
    files = _files(images, scanner, identity, seed, reverse_instances)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return target


def write_dicom_folder(
    images: Iterable[Image] | Mapping[str, Image],
    folder: Path | str,
    *,
    scanner: Vendor = "siemens-like",
    identity: PlantedIdentity | None = None,
    seed: int = 0,
    reverse_instances: bool | None = None,
) -> Path:
    """Write scans as DICOM series into a folder, laid out as in `write_dicom_zip`.

    Raises
    ------
    TargetExists
        If the folder holds anything already.
    """
    target = Path(folder)
    if target.exists() and any(target.iterdir()):
        raise TargetExists(f"{target.name} is not empty; choose another folder.")
    for name, content in _files(images, scanner, identity, seed, reverse_instances):
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return target


def _files(
    images: Iterable[Image] | Mapping[str, Image],
    scanner: Vendor,
    identity: PlantedIdentity | None,
    seed: int,
    reverse_instances: bool | None,
) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file, series by series, slice by slice."""
    scans = list(images.values()) if isinstance(images, Mapping) else list(images)
    if not scans:
        raise ValueError("no images to write; give at least one.")
    person = identity or invented_identity(seed=seed)
    style = header_style(scanner)
    written = 0
    for position, image in enumerate(scans, start=1):
        _refuse_what_has_no_slices(image)
        pixels = stored_pixels(image, scanner)
        base = header(image, style, person, seed=seed, series_number=position, pixels=pixels)
        backwards = style.reverse_instances if reverse_instances is None else reverse_instances
        count = image.grid.shape[2]
        for k in range(count):
            written += 1
            instance = count - k if backwards else k + 1
            name = style.file_name(person, position, instance, written)
            yield name, _slice_bytes(image, base, pixels, k, instance, seed=seed, series_number=position)


def _refuse_what_has_no_slices(image: Image) -> None:
    if image.grid.ndim != 3 or not image.is_scalar:
        raise ValueError("a DICOM series needs a scalar image of three axes; write volumes in time one by one.")
    if not image.grid.is_orthogonal:
        raise ValueError("the voxel axes are not at right angles; resample the image before writing slices.")


def _slice_bytes(
    image: Image, base: Dataset, pixels: StoredPixels, k: int, instance: int, *, seed: int, series_number: int
) -> bytes:
    """One slice as a DICOM file."""
    grid = image.grid
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage if base.Modality == "CT" else MRImageStorage
    meta.MediaStorageSOPInstanceUID = UID(series_uid(image, seed, series_number, instance))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", base, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.InstanceNumber = instance
    corner = grid.world_of((0, 0, k))
    dataset.ImagePositionPatient = [f"{c:.10g}"[:16] for c in corner]
    normal = np.cross(grid.direction[:, 0], grid.direction[:, 1])
    dataset.SliceLocation = f"{float(corner @ normal):.6f}"
    dataset.PixelData = np.ascontiguousarray(pixels.values[:, :, k].T).tobytes()
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
