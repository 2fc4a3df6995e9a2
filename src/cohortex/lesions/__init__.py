"""Outlining lesions, measuring them, and following them from visit to visit."""

from cohortex.lesions.comparison import LesionComparison, compare_lesions
from cohortex.lesions.lesion import EventKind, Lesion, LesionEvent
from cohortex.lesions.measurement import measure_lesions
from cohortex.lesions.outline import LesionOutline, choose_contrast, outline_lesions
from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.volume import MeasuredLesion

__all__ = [
    "EventKind",
    "Lesion",
    "LesionComparison",
    "LesionEvent",
    "LesionOutline",
    "LesionParameters",
    "MeasuredLesion",
    "choose_contrast",
    "compare_lesions",
    "measure_lesions",
    "outline_lesions",
]
