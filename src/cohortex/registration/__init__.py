"""Bringing images of heads together: rigid, affine, deformable, and two visits halfway."""

from cohortex.registration.alignment import Alignment, DeformableAlignment, MidwayAlignment
from cohortex.registration.deformable import align_deformable
from cohortex.registration.linear import align_affine, align_rigid
from cohortex.registration.midway import align_midway
from cohortex.registration.similarity import Similarity, correlation, mutual_information

__all__ = [
    "Alignment",
    "DeformableAlignment",
    "MidwayAlignment",
    "Similarity",
    "align_affine",
    "align_deformable",
    "align_midway",
    "align_rigid",
    "correlation",
    "mutual_information",
]
