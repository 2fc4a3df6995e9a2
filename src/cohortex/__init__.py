"""cohortex: research imaging that hospitals share. Research use only, not a medical device."""

from cohortex import transform
from cohortex.geometry import Grid
from cohortex.image import Image, Labels, reorient, resample
from cohortex.progress import Progress

__version__ = "0.1.0"

__all__ = ["Grid", "Image", "Labels", "Progress", "__version__", "reorient", "resample", "transform"]
