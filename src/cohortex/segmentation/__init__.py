"""Outlining what belongs together: the brain in a head."""

from cohortex.segmentation.brain_mask import BrainExtraction, brain_mask
from cohortex.segmentation.margin import with_margin

__all__ = ["BrainExtraction", "brain_mask", "with_margin"]
