"""Average brains, and an image beside them: alignment, difference, place."""

from cohortex.templates.aligned import AlignedBrain, aligned_to_template
from cohortex.templates.deviation import DeviatingGroup, Deviation, deviating_groups
from cohortex.templates.deviation_from_study import (
    DeviationMap,
    StudyDeviation,
    StudyGroup,
    deviation_from_study,
    why_no_deviation,
)
from cohortex.templates.distances import BrainDistance, BrainFeatures, brain_distance, brain_features
from cohortex.templates.inflow import fluid_inflow_on
from cohortex.templates.matching import MatchedTemplate, TissueColours, matched_to, tissue_colours
from cohortex.templates.mni152 import MNI152_FRAME, Template, mni152
from cohortex.templates.regions import REGIONS, Place, describe_place, region_numbers
from cohortex.templates.study_template import StudyTemplate, average_brains
from cohortex.templates.tissue_scale import TISSUE_LEVELS, TissueScale, tissue_scale
from cohortex.templates.visit_alignment import (
    TemplateAlignment,
    align_to_template,
    difference_to_template,
    log_jacobian,
    tissue_on,
)

__all__ = [
    "MNI152_FRAME",
    "REGIONS",
    "TISSUE_LEVELS",
    "AlignedBrain",
    "BrainDistance",
    "BrainFeatures",
    "DeviatingGroup",
    "Deviation",
    "DeviationMap",
    "MatchedTemplate",
    "Place",
    "StudyDeviation",
    "StudyGroup",
    "StudyTemplate",
    "Template",
    "TemplateAlignment",
    "TissueColours",
    "TissueScale",
    "align_to_template",
    "aligned_to_template",
    "average_brains",
    "brain_distance",
    "brain_features",
    "describe_place",
    "deviating_groups",
    "deviation_from_study",
    "difference_to_template",
    "fluid_inflow_on",
    "log_jacobian",
    "matched_to",
    "mni152",
    "region_numbers",
    "tissue_colours",
    "tissue_on",
    "tissue_scale",
    "why_no_deviation",
]
