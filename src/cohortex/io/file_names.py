"""BIDS-like file names for the images of an upload, none twice."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cohortex.image import Image, Labels

_LONGEST = 40
_PARTS = {"P": "phase", "PHASE": "phase", "R": "real", "REAL": "real", "I": "imag", "IMAGINARY": "imag"}


def bids_names(images: Sequence[Image], suffixes: Sequence[str]) -> list[str]:
    """Name each image of an upload after its series, as BIDS orders the entities.

    Parameters
    ----------
    images : sequence of Image
        As `read_series` gives them.
    suffixes : sequence of str
        What each image shows: "T1w", "FLAIR", "ct", "mask" …

    Returns
    -------
    list of str
        Such as "acq-SAGMPRAGE220FOV_run-03_echo-1_T1w", without ending; where two would be equal, a "chunk" number
        tells them apart.
    """
    plain = [_name(image) for image in images]
    result: list[str] = []
    for number, (name, suffix) in enumerate(zip(plain, suffixes, strict=True)):
        same = [k for k in range(len(plain)) if (plain[k], suffixes[k]) == (name, suffix)]
        chunk = f"_chunk-{same.index(number) + 1}" if len(same) > 1 else ""
        result.append(f"{name}{chunk}_{suffix}")
    return result


def _name(image: Image) -> str:
    metadata = image.metadata
    stem = str(metadata.get("series_description") or metadata.get("protocol_name") or "")
    if not stem and "series_instance_uid" in metadata:
        stem = str(metadata.get("body_part_examined") or metadata.get("modality") or "series")
    if not stem:  # an image that is no DICOM is named after its file
        file = str(metadata.get("source") or "image").rsplit("/", 1)[-1]
        stem = re.sub(r"(\.nii)?\.\w{2,5}$", "", file)
    parts = [f"acq-{re.sub(r'[^A-Za-z0-9]', '', stem)[:_LONGEST] or 'image'}"]
    number = metadata.get("series_number")
    if isinstance(number, int):
        parts.append(f"run-{number:02d}")
    echo = metadata.get("echo_number")
    if isinstance(echo, int) and echo > 0:
        parts.append(f"echo-{echo}")
    kinds = metadata.get("image_type")
    part = next((_PARTS[kind] for kind in kinds if kind in _PARTS), None) if isinstance(kinds, list) else None
    if part:
        parts.append(f"part-{part}")
    if isinstance(image, Labels):
        names = metadata.get("label_names")
        if isinstance(names, dict) and len(names) == 1:
            parts.append("label-" + re.sub(r"[^A-Za-z0-9]", "", str(next(iter(names.values()))))[:_LONGEST])
    return "_".join(parts)
