"""What an alignment returns: both directions, how good it is, and whether to trust it."""

from __future__ import annotations

from dataclasses import dataclass

from cohortex.geometry import Grid
from cohortex.transform import Rigid, Transform


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """Where the anatomy of one image lies in another.

    Attributes
    ----------
    moving_from_fixed : Transform
        Takes a fixed point to the moving point that shows the same anatomy, world mm: what `warp` needs.
    fixed_from_moving : Transform
        The way back.
    similarity : float
        What the similarity function says of the aligned samples.
    converged : bool
        Whether the overlap is ample and the optimum stands out from its surroundings. Look at the overlay where not.
    """

    moving_from_fixed: Transform
    fixed_from_moving: Transform
    similarity: float
    converged: bool


@dataclass(frozen=True, kw_only=True)
class DeformableAlignment(Alignment):
    """An alignment with a smooth deformation.

    Attributes
    ----------
    folded_fraction : float
        Fraction of voxels whose Jacobian determinant is 0 or less; 0 by construction, measured all the same.
    inverse_error_mm : float
        95th percentile of the distance between a fixed point and its image there and back, mm.
    """

    folded_fraction: float
    inverse_error_mm: float


@dataclass(frozen=True, kw_only=True)
class MidwayAlignment:
    """Two visits brought halfway to each other, so that neither is privileged.

    Attributes
    ----------
    baseline_from_midway, follow_up_from_midway : Rigid
        Take a point of the midway space to each visit, world mm.
    grid : Grid
        Midway grid that covers both visits with the finer of their spacings.
    similarity : float
        Correlation of the two visits inside the brain, by rank of contrast: 1 is perfect.
    converged : bool
        As in `Alignment`.
    """

    baseline_from_midway: Rigid
    follow_up_from_midway: Rigid
    grid: Grid
    similarity: float
    converged: bool

    @property
    def follow_up_from_baseline(self) -> Rigid:
        """Takes a point of the baseline to the follow-up, world mm."""
        motion = self.follow_up_from_midway @ self.baseline_from_midway.inverse()
        return Rigid(motion.matrix)  # type: ignore[attr-defined]
