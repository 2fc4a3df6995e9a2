"""Outlining what belongs together: the brain in a head."""

from cohortex.segmentation.brain_mask import BrainExtraction, brain_mask

__all__ = ["BrainExtraction", "brain_mask"]
