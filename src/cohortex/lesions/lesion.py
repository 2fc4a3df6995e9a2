"""What is said about a lesion, and about what became of it between two visits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EventKind = Literal["same", "grown", "shrunk", "new", "gone", "split", "merged"]
"""What became of a lesion; splits and merges count once."""


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """One outlined lesion of one visit.

    Attributes
    ----------
    label : int
        Its number in the lesion labels of the visit.
    volume_ml, volume_sd_ml : float
        Volume with partial volume counted, and one standard deviation of the measurement, ml.
    longest_diameter_mm, perpendicular_diameter_mm : float
        The longest in any slice, and the longest across it in that slice, mm.
    centroid_mm : tuple of float
        Centre in the world of the visit's outlined image, LPS mm.
    template_mm : tuple of float or None
        The same place in the template, LPS mm.
    place : str
        Side, region and tissue in words.
    slice_number : int
        Slice of the original series with the longest diameter, counted from 1.
    contrast_to_noise : float
        Difference of pure lesion to healthy tissue over the noise of a voxel of the scan.
    kind : str
        Contrast and sign, such as "FLAIR hyperintense".
    """

    label: int
    volume_ml: float
    volume_sd_ml: float
    longest_diameter_mm: float
    perpendicular_diameter_mm: float
    centroid_mm: tuple[float, float, float]
    template_mm: tuple[float, float, float] | None
    place: str
    slice_number: int
    contrast_to_noise: float
    kind: str


@dataclass(frozen=True, kw_only=True)
class LesionEvent:
    """What became of one lesion (or of the parts of a split or merger) between two visits.

    Attributes
    ----------
    event : str
        "grown" and "shrunk" mean beyond the larger of 20 % of the smaller volume and twice the sd of the change.
    baseline_labels, follow_up_labels : tuple of int
        Labels of the parts at each visit; empty where there is none.
    baseline_volume_ml, follow_up_volume_ml : float
        Summed volumes, ml.
    change_ml, change_sd_ml : float
        Follow-up minus baseline and one standard deviation of that difference, ml.
    change_percent : float or None
        Of the baseline volume; None for a new lesion.
    place : str
        Side, region and tissue in words.
    """

    event: EventKind
    baseline_labels: tuple[int, ...]
    follow_up_labels: tuple[int, ...]
    baseline_volume_ml: float
    follow_up_volume_ml: float
    change_ml: float
    change_sd_ml: float
    change_percent: float | None
    place: str
