"""Which contrast an image shows: from what a person said, the header, the sidecar, the name, and physics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from cohortex.image import Image
from cohortex.pipeline.label_images import stem_of, why_even, why_mask
from cohortex.pipeline.visits.study_code import without_visit

Contrast = Literal["T1", "T1c", "T2", "FLAIR", "DWI", "ADC", "CT", "PD", "other"]
"""What an image shows; T1c is T1 with contrast agent."""

_BIDS_SUFFIXES = (
    "T1w",
    "T2w",
    "FLAIR",
    "PDw",
    "dwi",
    "bold",
    "asl",
    "swi",
    "T2starw",
    "angio",
    "T1map",
    "T2map",
    "sbref",
)
_LATE_ECHO_S = 0.05

# In the order in which they are asked: words that would mislead further down come first.
_NAMED: tuple[tuple[Contrast, str], ...] = (
    ("other", r"localizer|localiser|scout|survey|\b3 ?plane|smart ?brain|calibration|asset cal|b1 ?map|field ?map"),
    ("ADC", r"\b[ed]?adc\b|apparent diffusion"),
    ("other", r"\b(fa|colfa|tensor|md)\b|fractional anisotropy"),
    ("other", r"\b(swi|swan|swip|mip|minip|mra|tof|angio|mrv|p?c?asl|perf(usion)?|pwi|dsc|dce|rcbv|rcbf|qsm)\b"),
    (
        "other",
        r"\b(bold|fmri|epfid2d\w*|rest(ing)?|func(tional)?|mrs|spectroscopy|stir|hemo|gre ?t2)\b|\bt2 ?(\*|star)",
    ),
    ("DWI", r"\b(dwi|dti|diff(usion)?|tracew?|hardi|resolve)\b|\bb ?(0|[5-9]00|[123][05]00)s?\b"),
    ("T1", r"\bt1w? flair\b|\bt1 ?(tirm|ir)\b"),
    ("FLAIR", r"flair|\bfla\b|dark ?fluid|\btirm\b|\btir2d"),
    ("T1", r"\bt1(w|wi|c|ce|gd|km)?\b|mp ?rage|\bf?spgr\b|\bbravo\b|\btfe\b|\bvibe\b|\btfl3d"),
    ("PD", r"\bpdw?\b|proton dens"),
    ("T2", r"\bt2(w|wi)?\b"),
)
_AGENT = r"\b(t1c|t1ce|t1gd|t1km|gd|gado?|gadolinium|post|postcontrast|contrast|kontrast|km|ce)\b|\+ ?c\b|\bc ?\+"
_NO_AGENT = r"\b(pre|nativ|native)\b|\b(without|w ?o|no|non|ohne) ?(contrast|kontrast|gd|gad|gadolinium|km|c)\b"


@dataclass(frozen=True, kw_only=True)
class ContrastGuess:
    """What an image shows, and how that is known.

    Attributes
    ----------
    contrast : str
        One of `Contrast`.
    reason : str
        For the report: the words or numbers it was read from; for "other" why it is none of these.
    """

    contrast: Contrast
    reason: str


def recognise_contrast(image: Image, *, chosen: Mapping[str, Contrast] | None = None) -> ContrastGuess:
    """Say which contrast an image shows.

    Asked in this order: what a person chose; whether it is a mask; CT by modality or Hounsfield units; the image
    type and b-value of the header; the words of the series description, protocol, sequence and file names; the
    repetition, echo and inversion times. A contrast agent in the header or the words makes T1 into T1c. Words
    come before times because vendors write effective times in different ways; times decide where words are silent.

    Parameters
    ----------
    image : Image
        With the metadata of `cohortex.io`.
    chosen : mapping of str to Contrast, optional
        What a person said: file name, series description or pattern with * and ? → contrast.

    Returns
    -------
    ContrastGuess
        "other" where nothing is known, never a guess without a reason.

    Raises
    ------
    ValueError
        If `chosen` names something that is no contrast.

    References
    ----------
    .. [1] Westbrook and Talbot, *MRI in Practice*, 5th ed., 2018, chapters 2 and 5: the times of each weighting.
    """
    for contrast in (chosen or {}).values():
        if contrast not in get_args(Contrast):
            raise ValueError(f"{contrast!r} is no contrast; choose from {', '.join(get_args(Contrast))}.")
    metadata = image.metadata
    name = Path(_text(metadata, "source")).name
    described = [_text(metadata, key) for key in ("series_description", "protocol_name", "sequence_name")]
    for pattern, contrast in (chosen or {}).items():
        if any(text and (text == pattern or fnmatch(text, pattern)) for text in (name, described[0])):
            return ContrastGuess(contrast=contrast, reason="chosen by a person")
    if reason := why_mask(image, name):
        return ContrastGuess(contrast="other", reason=f"{reason}: labels, not a scan")
    if reason := _why_ct(image):
        return ContrastGuess(contrast="CT", reason=reason)
    return (
        _from_image_type(metadata)
        or _from_words(described, "header", metadata)
        or _from_words([_own_words(name)], "file name", metadata)
        or _from_times(metadata)
        or _unknown(image)
    )


def _unknown(image: Image) -> ContrastGuess:
    if reason := why_even(image):
        return ContrastGuess(contrast="other", reason=f"{reason}: labels, not a scan")
    return ContrastGuess(contrast="other", reason="neither header nor name says what it is")


def _why_ct(image: Image) -> str | None:
    modality = _text(image.metadata, "modality").upper()
    if modality == "CT":
        return "the header says modality CT"
    if modality:
        return None
    values = image.values
    if image.unit == "HU":
        return "its unit is HU"
    if image.is_scalar and values.dtype.kind in "iuf":
        sample = values[:: max(1, values.shape[0] // 64)]
        finite = sample[np.isfinite(sample)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        if -4096 <= low <= -900 and 500 <= high <= 32767:
            return f"its values lie between {low:g} and {high:g}, as Hounsfield units do"
    return None


def _from_image_type(metadata: Mapping[str, object]) -> ContrastGuess | None:
    kinds = metadata.get("image_type")
    parts = {str(part).upper() for part in kinds} if isinstance(kinds, list | tuple) else set()
    if "ADC" in parts:
        return ContrastGuess(contrast="ADC", reason="the header says image type ADC")
    for word in ("FA", "TENSOR", "LOCALIZER", "PERFUSION", "MIP", "MNIP", "SWI", "ASL"):
        if word in parts:
            return ContrastGuess(contrast="other", reason=f"the header says image type {word}")
    for word in ("DIFFUSION", "TRACEW"):
        if word in parts:
            return ContrastGuess(contrast="DWI", reason=f"the header says image type {word}")
    b_value = _number(metadata, "b_value_s_per_mm2")
    if b_value:
        return ContrastGuess(contrast="DWI", reason=f"the header says b = {b_value:g} s/mm²")
    return None


def _from_words(texts: list[str], where: str, metadata: Mapping[str, object]) -> ContrastGuess | None:
    for text in texts:
        words = _words(text)
        for contrast, pattern in _NAMED:
            if found := re.search(pattern, words):
                if contrast == "PD" and "t2" in words and (_number(metadata, "echo_time_s") or 0) > _LATE_ECHO_S:
                    return ContrastGuess(contrast="T2", reason=f"the late echo of a double-echo series ({where})")
                reason = f"the {where} says “{found.group().strip()}”"
                return _with_agent(contrast, reason, _words(" ".join(texts)), metadata)
    return None


def _with_agent(contrast: Contrast, reason: str, words: str, metadata: Mapping[str, object]) -> ContrastGuess:
    if contrast != "T1":
        return ContrastGuess(contrast=contrast, reason=reason)
    if _text(metadata, "contrast_bolus_agent").strip().lower() not in ("", "no", "none", "n", "0", "false"):
        return ContrastGuess(contrast="T1c", reason=f"{reason}; the header names a contrast agent")
    if (found := re.search(_AGENT, words)) and not re.search(_NO_AGENT, words):
        return ContrastGuess(contrast="T1c", reason=f"{reason} and “{found.group().strip()}”")
    return ContrastGuess(contrast="T1", reason=reason)


def _from_times(metadata: Mapping[str, object]) -> ContrastGuess | None:
    if "EP" in _text(metadata, "scanning_sequence").upper():
        return None  # echo-planar: diffusion or function, whose times look like PD
    repetition, echo = _number(metadata, "repetition_time_s"), _number(metadata, "echo_time_s")
    inversion = _number(metadata, "inversion_time_s") or 0.0
    if repetition is None or echo is None:
        return None
    contrast: Contrast | None = None
    if inversion >= 1.4 and repetition >= 4 and echo >= 0.06:
        contrast = "FLAIR"
    elif (_number(metadata, "flip_angle_deg") or 90) <= 40 and 0.012 <= echo <= 0.06 and not inversion:
        return None  # gradient echo with a late echo: T2*
    elif echo <= 0.035 and (repetition <= 1.0 or 0.3 <= inversion <= 1.3):
        contrast = "T1"  # spin echo, spoiled gradient echo, MPRAGE
    elif echo >= 0.06 and repetition >= 1.8 and not inversion:
        contrast = "T2"
    elif echo <= 0.035 and repetition >= 1.8 and not inversion:
        contrast = "PD"
    if contrast is None:
        return None
    times = f"TR {1000 * repetition:g}, TE {1000 * echo:g}" + (f", TI {1000 * inversion:g}" if inversion else "")
    return _with_agent(contrast, f"header times ({times} ms)", "", metadata)


def _own_words(name: str) -> str:
    """The name without visit and what the image was aligned to ("T1_regtoFLAIR" is a T1); of a BIDS name its suffix."""
    stem = re.sub(
        r"(?i)(?:reg\w*|[_-])(?:to|2|in|on)[_-]?(?:flair|t1|t2|pd|mni|adc|dwi|ct)[a-z0-9]*",
        " ",
        without_visit(stem_of(name)),  # the 2 of "visit-2_FLAIR" is no "to"
    )
    head, _, suffix = stem.rpartition("_")
    return suffix if head.startswith("sub-") and suffix in _BIDS_SUFFIXES and "ce-" not in head else stem


def _words(text: str) -> str:
    """Lower case, camel and underscores apart: "MRHR_T1_AX-POST" reads "mrhr t1 ax post"."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", text)
    return re.sub(r"[_\-./()\[\],;:=]+", " ", apart).lower()


def _text(metadata: Mapping[str, object], key: str) -> str:
    value = metadata.get(key)
    return "" if value is None else " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _number(metadata: Mapping[str, object], key: str) -> float | None:
    value = metadata.get(key)
    return float(value) if isinstance(value, int | float) else None
