"""The MNI152 template: version 0 of every study, with its tissue maps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from nilearn.datasets import load_mni152_gm_template, load_mni152_template, load_mni152_wm_template
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.image import Image, Labels, reorient, resample

MNI152_FRAME = "MNI152"
"""Frame of reference of everything in template space."""

_BRAIN_THRESHOLD = 0.2  # of the template's maximum, as in nilearn.datasets.load_mni152_brain_mask
_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, kw_only=True)
class Template:
    """An average brain with its tissues, all on one grid in template space.

    Attributes
    ----------
    t1 : Image
        Skull-stripped T1-weighted average, 0 to 1, arbitrary unit.
    grey, white, csf : Image
        Fraction of each tissue in a voxel, 0 to 1, unit "1"; they add up to 1 in the brain.
    brain : Labels
        1 in the brain with its inner and outer fluid.
    version : int
        0 for MNI152; a study template counts up.
    """

    t1: Image
    grey: Image
    white: Image
    csf: Image
    brain: Labels
    version: int = 0

    @property
    def grid(self) -> Grid:
        """The grid all maps lie on."""
        return self.t1.grid

    @property
    def tissues(self) -> dict[str, Image]:
        """The fractions by name: grey, white, csf."""
        return {"grey": self.grey, "white": self.white, "csf": self.csf}


@lru_cache(maxsize=4)
def mni152(*, spacing_mm: float = 1.0) -> Template:
    """Give the MNI152 2009a symmetric template that nilearn carries [1]_.

    Parameters
    ----------
    spacing_mm : float
        Isotropic spacing, mm, 1 or more; beyond 1 mm the maps are blurred before they are sampled.

    Returns
    -------
    Template
        Maps on a grid whose axes run to the left, back and top (LPS), frame of reference "MNI152", version 0.
        The fluid is what grey and white matter leave of the brain.

    Raises
    ------
    ValueError
        If the spacing is below 1 mm or not a number.

    References
    ----------
    .. [1] Fonov et al., *Unbiased average age-appropriate atlases for pediatric studies*, NeuroImage 54, 2011,
       10.1016/j.neuroimage.2010.07.033.
    """
    if not spacing_mm >= 1:
        raise ValueError(f"spacing_mm is {spacing_mm:g}; the template has 1 mm voxels, give 1 or more.")
    if spacing_mm > 1:
        return _at_spacing(mni152(), spacing_mm)
    t1 = _image(load_mni152_template(resolution=1))
    brain = ndimage.binary_fill_holes(t1.values > _BRAIN_THRESHOLD)
    grey = np.clip(_image(load_mni152_gm_template(resolution=1)).values, 0, 1) * brain
    white = np.clip(_image(load_mni152_wm_template(resolution=1)).values, 0, 1) * brain
    total = np.maximum(grey + white, 1)  # the two maps are smoothed apart and exceed 1 by a little in places
    grey, white = grey / total, white / total
    csf = np.clip(brain - grey - white, 0, 1)
    return Template(
        t1=t1,
        grey=Image(grey.astype(np.float32), t1.grid, "1"),
        white=Image(white.astype(np.float32), t1.grid, "1"),
        csf=Image(csf.astype(np.float32), t1.grid, "1"),
        brain=Labels(brain, t1.grid),
    )


def _image(nifti: Any) -> Image:
    """Put a nilearn image into LPS mm."""
    grid = Grid(nifti.shape, _LPS_FROM_RAS @ nifti.affine, MNI152_FRAME)
    values: NDArray[np.float32] = np.asarray(nifti.dataobj, dtype=np.float32)
    return reorient(Image(values, grid), "LPS")


def _coarser(image: Image, spacing_mm: float) -> Image:
    """Blur away what the new spacing cannot hold, then sample."""
    sigma = 0.42 * np.sqrt(spacing_mm**2 - 1)  # FWHM of the new voxel against that of 1 mm
    blurred = image.with_values(ndimage.gaussian_filter(image.values, sigma, mode="constant"))
    return resample(blurred, onto=image.grid.with_spacing(spacing_mm, keep="extent"))


def _at_spacing(fine: Template, spacing_mm: float) -> Template:
    mask = _coarser(Image(fine.brain.values.astype(np.float32), fine.grid), spacing_mm)
    return Template(
        t1=_coarser(fine.t1, spacing_mm),
        grey=_coarser(fine.grey, spacing_mm),
        white=_coarser(fine.white, spacing_mm),
        csf=_coarser(fine.csf, spacing_mm),
        brain=Labels(mask.values >= 0.5, mask.grid),
    )
