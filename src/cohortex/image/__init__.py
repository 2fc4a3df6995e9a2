"""Images and labels on grids, resampling, and storing values in small integers."""

from cohortex.image.image import Image, Labels
from cohortex.image.packing import Packing, PackingVerdict, judge_packing, lossless_packing
from cohortex.image.resampling import Interpolation, reorient, resample, sample_at_points

__all__ = [
    "Image",
    "Interpolation",
    "Labels",
    "Packing",
    "PackingVerdict",
    "judge_packing",
    "lossless_packing",
    "reorient",
    "resample",
    "sample_at_points",
]
