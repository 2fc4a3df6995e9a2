"""Where one brain differs from the template: connected groups of voxels far from what is expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cc3d
import numpy as np
from scipy import ndimage

from cohortex.image import Image, Labels
from cohortex.measure.slice_axis import slice_axis

_LEAST_Z = 3.0  # 0.3 % of normally distributed healthy voxels lie beyond; after the blur, far fewer
_BLUR_MM = 1.5  # sigma: less than the template's own blur, enough to bind a region together
_LEAST_VOLUME_ML = 0.1
_FACES: Literal[6] = 6


@dataclass(frozen=True, kw_only=True)
class DeviatingGroup:
    """A connected group of voxels that differs from the template.

    Attributes
    ----------
    label : int
        Its number in the label image, 1 for the largest.
    volume_ml : float
        Volume, ml.
    mean_z : float
        Mean difference in units of the spread of healthy tissue; positive is brighter.
    centroid_mm : tuple of float
        Centre of the voxel nearest to the centre of mass that belongs to the group, world mm.
    slice_index : int
        Index, along `measure.slice_axis`, of the slice where the group is largest.
    """

    label: int
    volume_ml: float
    mean_z: float
    centroid_mm: tuple[float, float, float]
    slice_index: int


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """The groups, largest first, and where they lie."""

    groups: tuple[DeviatingGroup, ...]
    labels: Labels


def deviating_groups(
    difference: Image,
    *,
    brain: Labels,
    least_z: float = _LEAST_Z,
    least_volume_ml: float = _LEAST_VOLUME_ML,
) -> Deviation:
    """Gather the voxels that differ most from the template into groups.

    Parameters
    ----------
    difference : Image
        z of the visit against the contrast-matched template, shape (I, J, K).
    brain : Labels
        Brain mask on the same grid; nothing outside is looked at.
    least_z : float
        Least absolute value of z after a Gaussian blur of 1.5 mm inside the brain.
    least_volume_ml : float
        Smaller groups are left out, ml.

    Returns
    -------
    Deviation
        All groups by falling volume. Brighter and darker voxels never share a group.

    Raises
    ------
    ValueError
        If the grids differ.

    Notes
    -----
    The spread is that of one visit's healthy tissue, not of a healthy population: the groups show where to look and are
    no statistical test.
    """
    if not difference.grid.same_as(brain.grid):
        raise ValueError("difference and brain lie on different grids; bring them onto one first.")
    inside = brain.mask
    sigma = [_BLUR_MM / spacing for spacing in difference.grid.spacing_mm]
    weight = ndimage.gaussian_filter(inside.astype(np.float32), sigma)
    z = np.where(inside, np.nan_to_num(difference.values), 0).astype(np.float32)
    smooth = np.where(inside, ndimage.gaussian_filter(z, sigma) / np.maximum(weight, 1e-3), 0)
    sign = np.where(smooth >= least_z, 1, np.where(smooth <= -least_z, 2, 0)).astype(np.uint8)
    components = cc3d.connected_components(sign, connectivity=_FACES)
    counts = np.bincount(components.ravel())
    voxel_ml, axis = difference.grid.voxel_volume_mm3 / 1000, slice_axis(difference.grid)
    found = [n for n in np.argsort(-counts, kind="stable") if n and counts[n] * voxel_ml >= least_volume_ml]
    labels = np.zeros(components.shape, dtype=np.int16)
    boxes = ndimage.find_objects(components)
    groups = []
    for label, component in enumerate(found, start=1):
        box = boxes[component - 1]
        index = np.argwhere(components[box] == component) + [side.start for side in box]
        labels[tuple(index.T)] = label
        middle = index[np.argmin(np.sum((index - index.mean(axis=0)) ** 2, axis=1))]
        groups.append(
            DeviatingGroup(
                label=label,
                volume_ml=float(len(index) * voxel_ml),
                mean_z=float(difference.values[tuple(index.T)].mean()),
                centroid_mm=tuple(float(x) for x in difference.grid.world_of(middle)),  # type: ignore[arg-type]
                slice_index=int(np.argmax(np.bincount(index[:, axis]))),
            )
        )
    return Deviation(groups=tuple(groups), labels=Labels(labels, difference.grid))
