"""Measures of images and shapes: quality, noise, histogram, volume, surface, diameters."""

from cohortex.measure.quality import QualityFlag, QualityLevel

__all__ = ["QualityFlag", "QualityLevel"]
