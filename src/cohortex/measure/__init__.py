"""Measures of images and shapes: quality, noise, histogram, volume, surface, diameters."""

from cohortex.measure.diameters import Diameters, diameters
from cohortex.measure.foreground import foreground_mask
from cohortex.measure.histogram import Histogram, histogram
from cohortex.measure.noise import SignalToNoise, signal_to_noise
from cohortex.measure.quality import QualityFlag, QualityLevel
from cohortex.measure.quality_checks import check_quality
from cohortex.measure.shape import sphericity, surface_area_mm2, volume_ml

__all__ = [
    "Diameters",
    "Histogram",
    "QualityFlag",
    "QualityLevel",
    "SignalToNoise",
    "check_quality",
    "diameters",
    "foreground_mask",
    "histogram",
    "signal_to_noise",
    "sphericity",
    "surface_area_mm2",
    "volume_ml",
]
