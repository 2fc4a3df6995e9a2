"""Average brains, and an image beside them: alignment, difference, place."""

from cohortex.templates.mni152 import MNI152_FRAME, Template, mni152

__all__ = ["MNI152_FRAME", "Template", "mni152"]
