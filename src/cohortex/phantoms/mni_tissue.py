"""The MNI152 maps that nilearn carries, as arrays in LPS order: what the digital head's brain is made of.

ICBM 2009a nonlinear symmetric, 1 mm, already skull-stripped, stored as bytes 0..255. One average anatomy: never
evidence about patients.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from cohortex.geometry import Grid

BRAIN_THRESHOLD = 0.2
"""Share of the brightest T1 value above which nilearn calls a voxel brain: 1,883 ml."""

_RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, kw_only=True)
class MniTissue:
    """The bundled maps on one grid.

    Attributes
    ----------
    grid : Grid
        197 × 233 × 189 voxels of 1 mm, axes towards left, posterior, superior.
    t1 : ndarray of uint8
        Skull-stripped T1 template, 0..255.
    grey, white, csf : ndarray of uint8
        Fractions times 255; zero outside the brain mask, where the three add up to 255. CSF is what grey and
        white leave of the mask.
    brain : ndarray of uint8
        255 inside the brain mask of nilearn (T1 above a fifth of its maximum), else 0.
    """

    grid: Grid
    t1: NDArray[np.uint8]
    grey: NDArray[np.uint8]
    white: NDArray[np.uint8]
    csf: NDArray[np.uint8]
    brain: NDArray[np.uint8]


@lru_cache(maxsize=1)
def mni_tissue() -> MniTissue:
    """Load the maps once per process.

    Returns
    -------
    MniTissue
        Read-only arrays; about 45 MB.

    References
    ----------
    .. [1] Fonov et al., *Unbiased nonlinear average age-appropriate brain templates*, NeuroImage 47, 2009,
       10.1016/S1053-8119(09)70884-5; bundled by nilearn.
    """
    t1, grid = _read("t1")
    grey, _ = _read("gm")
    white, _ = _read("wm")
    inside = t1 > BRAIN_THRESHOLD * t1.max()
    grey = np.where(inside, grey, 0).astype(np.uint8)
    white = np.where(inside, white, 0).astype(np.uint8)
    csf = np.where(inside, 255 - grey - white, 0).astype(np.uint8)  # grey + white never exceeds 255 in these maps
    maps = {"t1": t1, "grey": grey, "white": white, "csf": csf, "brain": np.where(inside, 255, 0).astype(np.uint8)}
    for values in maps.values():
        values.setflags(write=False)
    return MniTissue(grid=grid, **maps)


def _read(name: str) -> tuple[NDArray[np.uint8], Grid]:
    """Read one map and flip its first two axes, so that indices grow towards left and posterior."""
    entry = resources.files("nilearn") / "datasets" / "data" / f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz"
    with resources.as_file(entry) as path:
        picture: Any = nibabel.load(path)
        stored = np.asarray(picture.dataobj, dtype=np.uint8)
        ras_from_index = np.asarray(picture.affine, dtype=float)
    flip = np.eye(4)
    for axis in (0, 1):
        flip[axis, axis] = -1.0
        flip[axis, 3] = stored.shape[axis] - 1
    grid = Grid(stored.shape, _RAS_FROM_LPS @ ras_from_index @ flip, "MNI152")
    return np.ascontiguousarray(stored[::-1, ::-1]), grid
