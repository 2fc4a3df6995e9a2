"""The surface of a brain mask: bone peeled off where it shows, furrows closed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid

_PEEL_MM = 5.0  # no deeper: a dark lesion at the surface is not bone
_RING_MM = (1.0, 5.0)  # beyond the mask: mostly bone
_EDGE_MM = 1.3  # sigma of the edge that is cut


def closed(mask: NDArray[np.bool_], grid: Grid, *, radius_mm: float) -> NDArray[np.float32]:
    """Fill what a ball cannot enter from outside.

    Parameters
    ----------
    mask : ndarray of bool, shape (I, J, K)
        The brain.
    grid : Grid
        Its grid.
    radius_mm : float
        Radius of the ball.

    Returns
    -------
    ndarray of float32, shape (I, J, K)
        1 inside, 0 outside, a little blurred: 0.5 is a smooth edge, 0.3 lies 0.7 mm further out.
    """
    wide = ndimage.distance_transform_edt(~mask, sampling=grid.spacing_mm) <= radius_mm
    full = np.asarray(ndimage.distance_transform_edt(wide, sampling=grid.spacing_mm)) > radius_mm
    return np.asarray(ndimage.gaussian_filter(full.astype(np.float32), [_EDGE_MM / s for s in grid.spacing_mm]))


def peeled(
    mask: NDArray[np.bool_], values: NDArray[np.float32], grid: Grid, *, tissue_values: tuple[float, ...]
) -> NDArray[np.bool_]:
    """Take bone off the surface of a mask, where bone differs from every tissue within.

    Parameters
    ----------
    mask : ndarray of bool, shape (I, J, K)
        The brain, with bone at its surface perhaps.
    values : ndarray of float32, shape (I, J, K)
        The image there.
    grid : Grid
        Their grid.
    tissue_values : tuple of float
        Typical values of grey matter, white matter and fluid.

    Returns
    -------
    ndarray of bool, shape (I, J, K)
        The mask without what is closer to bone than to the nearest tissue, hangs together with the outside, and lies
        within 5 mm of the surface. Unchanged where bone is not outside the range of the tissues.
    """
    outside = ndimage.distance_transform_edt(~mask, sampling=grid.spacing_mm)
    ring = values[(outside > _RING_MM[0]) & (outside <= _RING_MM[1])]
    if ring.size == 0:
        return mask
    dark, bright = (float(q) for q in np.percentile(ring, (25, 75)))
    low, high = min(tissue_values), max(tissue_values)
    if dark < low:
        bone_like = values < (dark + low) / 2
    elif bright > high:
        bone_like = values > (bright + high) / 2
    else:
        return mask
    depth = ndimage.distance_transform_edt(mask, sampling=grid.spacing_mm)
    free = ~mask | (bone_like & (depth <= _PEEL_MM))
    return np.asarray(mask & ~ndimage.binary_propagation(~mask, mask=free))
