"""Labels that lie beside scans, such as masks and drawings: known by their names and by their values."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortex.image import Image, Labels

_MASK_WORDS = re.compile(
    "mask|brainmask|lesionmask|d?seg|segmentation|labels?|lesions?|gt|parcellation|aparc|aseg|consensus|"
    "groundtruth|truth|rois?|annotation"
)
_MASK_RUNS = ("brainmask", "goldstandard", "groundtruth", "gold_standard")
_FEW = 16  # distinct values; a scan has more
_EVEN = 0.7  # of neighbours inside are equal in labels; in an 8-bit scan some 0.1


def stem_of(name: str) -> str:
    """Cut the endings of image files and archives off a name: "scan.nii.gz" gives "scan"."""
    return re.sub(
        r"(\.(nii|hdr|img|mha|mhd|nrrd|nhdr|mgz|mgh|dcm|zip|tar|tgz|png|gz))+$", "", name, flags=re.IGNORECASE
    )


def is_mask_name(name: str) -> bool:
    """Whether a file is named like labels beside a scan, such as brain_mask.nii.gz or gt.nii.gz."""
    stem = stem_of(name).lower()
    words = [word.rstrip("0123456789") for word in re.split(r"[^a-z0-9]+", stem)]
    return any(map(_MASK_WORDS.fullmatch, words)) or any(run in stem for run in _MASK_RUNS)


def why_mask(image: Image, name: str) -> str | None:
    """Say why an image must be labels, whatever its words say."""
    if isinstance(image, Labels):
        return "the file holds labels"
    if _may_be_labels(image):
        distinct = len(np.unique(_thinned(image.values)))
        if distinct <= _FEW and 1 < (distinct := len(np.unique(image.values))) <= (_FEW if is_mask_name(name) else 3):
            return f"it has only {distinct} distinct values"
        if is_mask_name(name) and _equal_neighbours(image.values) > _EVEN:
            return f"it is named like a mask ({name}) and its values are even over regions"
    return None


def _may_be_labels(image: Image) -> bool:
    values = image.values
    if not image.is_scalar or values.dtype.kind not in "buif":
        return False
    sample = _thinned(values)
    return bool(np.all(sample == np.rint(sample)) and np.min(sample) >= 0)  # NaN is no label


def why_even(image: Image) -> str | None:
    """Say why an image without a telling name must be labels: whole numbers, equal over regions."""
    if image.metadata.get("modality") or not _may_be_labels(image) or not np.any(image.values):
        return None
    if np.ptp(image.values) > 0 and _equal_neighbours(image.values) > _EVEN:
        return "its values are even over regions"
    return None


def _thinned(values: NDArray[Any]) -> NDArray[Any]:
    return values[tuple(slice(None, None, max(1, n // 48)) for n in values.shape)]


def _equal_neighbours(values: NDArray[Any]) -> float:
    """Fraction of neighbours along the first axis, of which one is not 0, that are equal."""
    here, there = values[:-1], values[1:]
    inside = (here != 0) | (there != 0)
    return float(np.mean((here == there)[inside])) if np.any(inside) else 1.0
