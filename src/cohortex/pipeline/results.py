"""What a processed visit and a comparison of two say: everything the report shows, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cohortex.image import Image, Labels
from cohortex.lesions.lesion import Lesion, LesionEvent
from cohortex.measure import QualityFlag


@dataclass(frozen=True, kw_only=True)
class SeriesRecord:
    """One image of the visit as it was read."""

    name: str  # series description or file name
    contrast: str  # T1, T1c, T2, FLAIR, …
    contrast_reason: str  # header, sidecar, file name, or chosen by a person
    shape: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    orientation: str  # axis codes, such as LPS
    unit: str
    used_for: str  # "alignment", "lesions", "alignment and lesions", "support", "not used", "not used: WHY"
    quality: tuple[QualityFlag, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TemplateAlignmentRecord:
    """How well the visit lies on the template."""

    template: str  # "MNI152 (template version 0)"
    similarity: float  # correlation inside the brain after alignment; 1 is perfect
    converged: bool
    folded_percent: float  # voxels whose Jacobian is not positive
    inverse_error_p95_mm: float


@dataclass(frozen=True, kw_only=True)
class DifferingRegion:
    """A connected group of voxels that differs from the template."""

    place: str
    volume_ml: float
    mean_z: float  # mean difference in units of the spread of healthy tissue; sign = brighter or darker
    template_mm: tuple[float, float, float]
    slice_number: int  # in the original series, from 1


@dataclass(frozen=True, kw_only=True)
class MethodRecord:
    """One step as it was run."""

    step: str
    version: int
    sentence: str  # for the methods text
    parameters: Mapping[str, object]
    seconds: float | None  # None when taken from earlier results


@dataclass(frozen=True, kw_only=True)
class VisitImages:
    """The pictures a visit's report is drawn from, all on the grid of the outlined series."""

    reference: Image  # the series that was outlined, bias corrected
    brain: Labels
    lesions: Labels
    difference: Image  # z against the contrast-matched template
    log_jacobian: Image  # natural log of the local volume, visit over template, less its mean in the brain


@dataclass(frozen=True, kw_only=True)
class VisitResult:
    """Everything said about one visit."""

    study_code: str
    visit: str
    lesion_contrast: str
    series: tuple[SeriesRecord, ...]
    lesions: tuple[Lesion, ...]
    not_outlined: str  # why lesions were not looked for; empty where they were
    brain_volume_ml: float
    tissue_volumes_ml: Mapping[str, float]  # grey, white, csf
    alignment: TemplateAlignmentRecord
    differing_regions: tuple[DifferingRegion, ...]
    methods: tuple[MethodRecord, ...]
    files: Mapping[str, str]  # what it is -> file name beside the report
    cohortex_version: str
    images: VisitImages
    notices: tuple[QualityFlag, ...] = ()  # what is odd about the files as a whole, and which were left out


@dataclass(frozen=True, kw_only=True)
class ComparisonImages:
    """The pictures of a comparison, all on the midway grid."""

    baseline: Image
    follow_up: Image
    difference: Image  # follow-up minus baseline, standardised intensity
    change: Labels  # 1 new or grown tissue, 2 gone or shrunk
    baseline_lesions: Labels
    follow_up_lesions: Labels
    brain: Labels | None = None  # of both visits; without it grey levels and maps are scaled on the whole head


@dataclass(frozen=True, kw_only=True)
class ComparisonResult:
    """Everything said about what changed between two visits."""

    study_code: str
    baseline: VisitResult
    follow_up: VisitResult
    events: tuple[LesionEvent, ...]
    baseline_total_ml: float  # NaN, and no event, where a visit was not outlined
    follow_up_total_ml: float
    alignment_similarity: float
    alignment_converged: bool
    motion_mm: float  # mean motion of the brain between the visits that alignment took out
    methods: tuple[MethodRecord, ...]
    files: Mapping[str, str]
    cohortex_version: str
    images: ComparisonImages
    notices: tuple[QualityFlag, ...] = ()  # what is doubtful about the pair: two persons, the wrong order
