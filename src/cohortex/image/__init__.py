"""Images and labels on grids, resampling, and storing values in small integers."""

from cohortex.image.image import Image, Labels
from cohortex.image.packing import Packing, PackingVerdict, fewest_digits_packing, judge_packing, lossless_packing
from cohortex.image.quantisation import quantise
from cohortex.image.resampling import Interpolation, reorient, resample, sample_at_points
from cohortex.image.upsampling import upsample

__all__ = [
    "Image",
    "Interpolation",
    "Labels",
    "Packing",
    "PackingVerdict",
    "fewest_digits_packing",
    "judge_packing",
    "lossless_packing",
    "quantise",
    "reorient",
    "resample",
    "sample_at_points",
    "upsample",
]
