"""Average brains, and an image beside them: alignment, difference, place."""

from cohortex.templates.mni152 import MNI152_FRAME, Template, mni152
from cohortex.templates.regions import REGIONS, Place, describe_place, region_numbers

__all__ = ["MNI152_FRAME", "REGIONS", "Place", "Template", "describe_place", "mni152", "region_numbers"]
