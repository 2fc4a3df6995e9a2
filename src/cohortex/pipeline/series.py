"""The series of one visit: what each is, whether it is good enough, and what it is used for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cohortex.errors import VisitProblem
from cohortex.lesions.outline import OUTLINED_FIRST
from cohortex.measure import QualityFlag

ALIGNED_FIRST = ("T1", "T1c", "T2", "FLAIR", "CT")
"""Which contrast is aligned with the template: the one whose grey and white matter are clearest."""
USED = frozenset(ALIGNED_FIRST)
"""Contrasts the pipeline works with; the others are converted, checked and listed."""
SAY_WHICH = "If it is T1, T1 with contrast agent, T2, FLAIR or CT, say so with --t1, --t1c, --t2, --flair or --ct."
"""What to do about a series that was not recognised; said once, however many there are."""

_THICK_MM = 2.5  # a 3-D sequence has thinner slices; a 2-D one is aligned only where there is no 3-D one


@dataclass(frozen=True, kw_only=True)
class SeriesLook:
    """One image of the visit, looked at but not yet used.

    Attributes
    ----------
    name : str
        Series description or file name.
    contrast, contrast_reason : str
        What it is and how that is known.
    shape : tuple of int
        Voxels along each axis, time or channels last.
    spacing_mm : tuple of float
        Distance between voxel centres, mm.
    orientation, unit : str
        Axis codes and unit of the values.
    is_volume : bool
        Whether it is one scalar volume of three axes, several slices and known orientation.
    quality : tuple of QualityFlag
        Findings of the quality control.
    warnings : tuple of str
        What the reader found odd and what it did about it.
    slice_numbers : tuple of int or None
        Number in the series of each slice along the third axis, as the scanner counted them; None where the format
        does not say and slices count from 1.
    """

    name: str
    contrast: str
    contrast_reason: str
    shape: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    orientation: str
    unit: str
    is_volume: bool
    quality: tuple[QualityFlag, ...]
    warnings: tuple[str, ...]
    slice_numbers: tuple[int, ...] | None = None

    @property
    def failures(self) -> tuple[str, ...]:
        """Reasons of the quality control not to use it."""
        return tuple(flag.message for flag in self.quality if flag.level == "fail")

    @property
    def usable(self) -> bool:
        """Whether the pipeline can work with it."""
        return self.is_volume and self.contrast in USED and not self.failures


@dataclass(frozen=True, kw_only=True)
class SeriesChoice:
    """What each series is used for, by its number in the visit.

    Attributes
    ----------
    outlined : int
        The series lesions are outlined on; everything is measured on its grid.
    aligned : int
        The series that is aligned with the template; may be the same.
    by_contrast : dict of str to int
        The series used for each contrast.
    """

    outlined: int
    aligned: int
    by_contrast: dict[str, int]

    def used_for(self, number: int) -> str:
        """Say what a series is used for."""
        uses = ["alignment"] if number == self.aligned else []
        uses += ["lesions"] if number == self.outlined else []
        if not uses and number in self.by_contrast.values():
            uses = ["support"]
        return " and ".join(uses) or "not used"


def choose_series(looks: Sequence[SeriesLook], *, outlined_contrast: str | None = None) -> SeriesChoice:
    """Choose among the usable series of a visit.

    Parameters
    ----------
    looks : sequence of SeriesLook
        All series of the visit.
    outlined_contrast : str, optional
        The contrast to outline, where another visit decides it; FLAIR, else T2, T1c, T1, CT when omitted.

    Returns
    -------
    SeriesChoice
        Of each contrast the series with the smallest voxels; lesions on FLAIR first; the alignment on T1 first,
        on a 3-D sequence before a 2-D one.

    Raises
    ------
    VisitProblem
        If no series can be used, with the reason for each; or none of `outlined_contrast` can.
    """
    by_contrast: dict[str, int] = {}
    for number, look in enumerate(looks):
        if look.usable:
            best = by_contrast.setdefault(look.contrast, number)
            if _coarseness(look) < _coarseness(looks[best]):
                by_contrast[look.contrast] = number
    if not by_contrast:
        found = "; ".join(f"{look.name}: {why_not(look)}" for look in looks) or "no image at all"
        raise VisitProblem(
            f"no usable {', '.join(ALIGNED_FIRST[:-1])} or {ALIGNED_FIRST[-1]} volume in this visit ({found}). Say "
            "which file or series is which with --t1, --t1c, --t2, --flair or --ct, or ask the centre to resend it."
        )
    if outlined_contrast is not None and outlined_contrast not in by_contrast:
        raise VisitProblem(f"this visit has no usable {outlined_contrast}; it has {', '.join(by_contrast)}.")
    outlined = outlined_contrast or next(c for c in OUTLINED_FIRST if c in by_contrast)
    aligned = min(
        by_contrast, key=lambda c: (max(looks[by_contrast[c]].spacing_mm) > _THICK_MM, ALIGNED_FIRST.index(c))
    )
    return SeriesChoice(outlined=by_contrast[outlined], aligned=by_contrast[aligned], by_contrast=by_contrast)


def shared_contrast(first: Sequence[SeriesLook], second: Sequence[SeriesLook]) -> str:
    """Choose the contrast to outline at both visits of a patient.

    Raises
    ------
    VisitProblem
        If no usable contrast is common to both.
    """
    has = [{look.contrast for look in looks if look.usable} for looks in (first, second)]
    for contrast in OUTLINED_FIRST:
        if contrast in has[0] & has[1]:
            return contrast
    raise VisitProblem(
        f"the visits share no usable contrast: the baseline has {_what_is_there(first)}, the follow-up "
        f"{_what_is_there(second)}. What is not the same contrast cannot be compared; "
        "where a series was taken for another contrast, say which it is with --t1, --t1c, --t2, --flair or --ct."
    )


def why_not(look: SeriesLook) -> str:
    """Say why a series is not used; empty where it could be."""
    if look.failures:
        return " ".join(look.failures)
    if not look.is_volume:
        return "not a single volume with known orientation"
    if look.contrast not in USED:
        return f"contrast {look.contrast} ({look.contrast_reason})"
    return ""


def _what_is_there(looks: Sequence[SeriesLook]) -> str:
    usable = ", ".join(sorted({look.contrast for look in looks if look.usable}))
    return usable or f"none ({'; '.join(f'{look.name}: {why_not(look)}' for look in looks) or 'no image at all'})"


def _coarseness(look: SeriesLook) -> tuple[float, float]:
    volume = look.spacing_mm[0] * look.spacing_mm[1] * look.spacing_mm[2]
    return round(max(look.spacing_mm), 1), volume
