"""Transforms named target-from-source: they act on points in mm, compose with @ and invert."""

from cohortex.transform.chain import Chain
from cohortex.transform.displacement import Displacement, displacement_of, jacobian_determinant
from cohortex.transform.linear import Affine, Rigid
from cohortex.transform.transform import Transform
from cohortex.transform.warping import warp

__all__ = [
    "Affine",
    "Chain",
    "Displacement",
    "Rigid",
    "Transform",
    "displacement_of",
    "jacobian_determinant",
    "warp",
]
