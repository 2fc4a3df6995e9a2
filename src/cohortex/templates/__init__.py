"""Average brains, and an image beside them: alignment, difference, place."""

from cohortex.templates.deviation import DeviatingGroup, Deviation, deviating_groups
from cohortex.templates.inflow import fluid_inflow_on
from cohortex.templates.matching import MatchedTemplate, TissueColours, matched_to, tissue_colours
from cohortex.templates.mni152 import MNI152_FRAME, Template, mni152
from cohortex.templates.regions import REGIONS, Place, describe_place, region_numbers
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
    "DeviatingGroup",
    "Deviation",
    "MatchedTemplate",
    "Place",
    "Template",
    "TemplateAlignment",
    "TissueColours",
    "align_to_template",
    "describe_place",
    "deviating_groups",
    "difference_to_template",
    "fluid_inflow_on",
    "log_jacobian",
    "matched_to",
    "mni152",
    "region_numbers",
    "tissue_colours",
    "tissue_on",
]
