"""Where fresh fluid makes healthy FLAIR bright in every head: around the medulla and in the foramen magnum."""

from __future__ import annotations

import numpy as np

from cohortex.geometry import Grid
from cohortex.image import Image, Labels, resample
from cohortex.templates.mni152 import mni152
from cohortex.transform import Transform, warp

_WIDTH_MM = 28.0
_BACK_MM = (28.0, 60.0)  # LPS y of the template
_TOP_MM = -52.0  # LPS z of the template: below the pons
_COARSE_MM = 3.0  # a box without detail needs no finer grid


def fluid_inflow_on(grid: Grid, *, template_from_image: Transform) -> Labels:
    """Mark the medulla and what surrounds it, where fluid that flows into the slab is bright on FLAIR.

    Parameters
    ----------
    grid : Grid
        Grid of the image.
    template_from_image : Transform
        The alignment with MNI152, world mm.

    Returns
    -------
    Labels
        1 there, on `grid`.

    References
    ----------
    .. [1] Bakshi et al., *Intraventricular CSF pulsation artifact on fast fluid-attenuated inversion-recovery MR
       images*, American Journal of Neuroradiology 21, 2000, 503-508.
    """
    template = mni152().grid
    x, y, z = np.moveaxis(template.world_points(), -1, 0)
    there = (np.abs(x) <= _WIDTH_MM / 2) & (y >= _BACK_MM[0]) & (y <= _BACK_MM[1]) & (z <= _TOP_MM)
    coarse = grid.with_spacing([max(_COARSE_MM, s) for s in grid.spacing_mm], keep="extent")
    share = warp(Image(there.astype(np.float32), template), template_from_image, onto=coarse)
    return Labels((resample(share, onto=grid).values >= 0.5).astype(np.uint8), grid)
