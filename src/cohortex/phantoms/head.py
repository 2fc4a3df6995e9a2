"""The digital head: an anatomy of known tissues, and the true way between it and the template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.phantoms.anatomy import LABEL_NAMES, VENTRICLES, TemplateAnatomy, cut_regions, template_anatomy
from cohortex.phantoms.flow import random_flow, ventricle_flow
from cohortex.transform import Displacement, Rigid, Transform

_SLAB_POINTS = 1_500_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """A head we know everything about; one anatomy, deformed: never evidence about patients.

    Attributes
    ----------
    grid : Grid
        Isotropic grid along left, posterior, superior, in the head's own world, mm.
    tissues : mapping of str to ndarray of uint8
        Fraction of each voxel times 255, by tissue name (`cohortex.phantoms.TISSUES`); they add up to 1.
    brain : Labels
        1 inside the MNI152 brain mask carried into this head.
    labels : Labels
        Ventricles (ellipsoids cut with CSF), hippocampi and deep grey (ellipsoids cut with grey matter): crude
        on purpose, and named in the metadata entry "label_names".
    regions : Labels
        The same ellipsoids before the cut.
    template_from_head, head_from_template : Transform
        The true anatomy, both ways, world mm; inverses of each other within 0.05 mm.
    ventricle_growth : float
        Volume of the ventricles over that of the head without growth.
    texture_seed : int
        Seed of the fine variation of tissue intensity, which belongs to the anatomy and stays over visits.
    """

    grid: Grid
    tissues: Mapping[str, NDArray[np.uint8]] = field(repr=False)
    brain: Labels
    labels: Labels
    regions: Labels
    template_from_head: Transform
    head_from_template: Transform
    ventricle_growth: float
    texture_seed: int

    def fraction(self, tissue: str) -> Image:
        """Fraction of each voxel that is a tissue, float32, unit "1".

        Raises
        ------
        ValueError
            If there is no such tissue.
        """
        if tissue not in self.tissues:
            raise ValueError(f"no tissue {tissue!r}; the head has {', '.join(self.tissues)}.")
        return Image(self.tissues[tissue].astype(np.float32) / 255, self.grid, "1", {"tissue": tissue})

    @property
    def fractions(self) -> dict[str, NDArray[np.float32]]:
        """All tissue fractions by name, float32, shape of the grid (some 600 MB at 1 mm)."""
        return {name: values.astype(np.float32) / np.float32(255) for name, values in self.tissues.items()}

    @cached_property
    def ventricle_volume_ml(self) -> float:
        """Volume of CSF in the ventricles' ellipsoids, partial voxels counted, ml."""
        inside = np.isin(self.regions.values, VENTRICLES)
        return float(self.tissues["csf"][inside].sum(dtype=np.int64)) / 255 * self.grid.voxel_volume_mm3 / 1000


def head(
    *,
    spacing_mm: float = 1.0,
    rng: np.random.Generator | None = None,
    deformation_mm: float = 0.0,
    ventricle_growth: float = 1.0,
) -> Head:
    """Make a digital head: MNI152 brain in a built skull, scalp, face, orbits, sinuses and vessels.

    Parameters
    ----------
    spacing_mm : float
        Isotropic spacing, 0.5 to 8 mm.
    rng : numpy.random.Generator, optional
        Draws the anatomy; needed when `deformation_mm` is not 0.
    deformation_mm : float
        Mean displacement of the brain from the template by a smooth random diffeomorphism, mm.
    ventricle_growth : float
        Local dilation of the ventricles: their volume over the undilated, 0.3 to 4. The transform meets it within
        1 %; coarse voxels mix wall and fluid and show up to 7 % less of it at 3 mm.

    Returns
    -------
    Head
        Tissues, labels and the true transforms both ways. One anatomy: never evidence about patients.

    Raises
    ------
    ValueError
        If an argument is out of range, or a random anatomy is asked for without `rng`.
    """
    if not 0 <= deformation_mm <= 8:
        raise ValueError(f"deformation_mm is {deformation_mm:g}; give 0 to 8.")
    if not 0.3 <= ventricle_growth <= 4:
        raise ValueError(f"ventricle_growth is {ventricle_growth:g}; give 0.3 to 4.")
    if deformation_mm > 0 and rng is None:
        raise ValueError("deformation_mm needs rng, a numpy.random.Generator; otherwise the head cannot be repeated.")
    template = template_anatomy(float(spacing_mm))
    texture_seed = 0 if rng is None else int(rng.integers(2**31))
    head_from_template = _true_transform(rng, deformation_mm, ventricle_growth)
    if head_from_template is None:
        tissues, brain, regions = template.fractions, template.brain, template.regions
    else:
        tissues, brain, regions = _carried(template, head_from_template.inverse())
    names = {"label_names": LABEL_NAMES}
    identity = Rigid.identity()
    return Head(
        grid=template.grid,
        tissues=tissues,
        brain=Labels((brain > 127).astype(np.uint8), template.grid),
        labels=Labels(cut_regions(regions, tissues), template.grid, metadata=names),
        regions=Labels(regions, template.grid, metadata=names),
        template_from_head=identity if head_from_template is None else head_from_template.inverse(),
        head_from_template=identity if head_from_template is None else head_from_template,
        ventricle_growth=ventricle_growth,
        texture_seed=texture_seed,
    )


def _true_transform(
    rng: np.random.Generator | None, deformation_mm: float, ventricle_growth: float
) -> Displacement | None:
    """head_from_template, or None where nothing moves: ventricles grow first, then the anatomy varies."""
    grown = None
    if ventricle_growth != 1:
        reference = template_anatomy(2.0)
        inside = np.where(np.isin(reference.regions, VENTRICLES), reference.fractions["csf"], 0)
        grown = ventricle_flow(inside.astype(np.float32) / np.float32(255), reference.grid, growth=ventricle_growth)
    if deformation_mm == 0 or rng is None:
        return None if grown is None else grown.displacement()
    varied = random_flow(rng, mean_mm=deformation_mm)
    return (varied if grown is None else varied.after(grown)).displacement()


def _carried(
    template: TemplateAnatomy, template_from_head: Transform
) -> tuple[dict[str, NDArray[np.uint8]], NDArray[np.uint8], NDArray[np.uint8]]:
    """Carry fractions, brain and regions of the template into the head, each sampled once where it can occur."""
    grid = template.grid
    tissues = {name: np.zeros(grid.shape, dtype=np.uint8) for name in template.fractions}
    brain = np.zeros(grid.shape, dtype=np.uint8)
    regions = np.zeros(grid.shape, dtype=np.uint8)
    rows = max(1, _SLAB_POINTS // int(np.prod(grid.shape[1:])))
    for start in range(0, grid.shape[0], rows):
        part = slice(start, min(grid.shape[0], start + rows))
        index = np.indices((part.stop - start, *grid.shape[1:]), dtype=float)
        index[0] += start
        points = grid.index_of(template_from_head(grid.world_of(np.moveaxis(index, 0, -1)))).reshape(-1, 3).T
        where = np.arange(points.shape[1])

        def put(target: NDArray[np.uint8], source: NDArray[np.uint8], at: NDArray[np.intp], order: int = 1,
                *, part: slice = part, points: NDArray[np.float64] = points) -> NDArray[np.uint8]:  # fmt: skip
            kind = np.float32 if order else np.uint8
            read = ndimage.map_coordinates(source, points[:, at], order=order, mode="nearest", output=kind)
            target[part].reshape(-1)[at] = np.rint(read).astype(np.uint8)
            return target[part].reshape(-1)[at]

        air = put(tissues["air"], template.fractions["air"], where)
        where = where[air < 255]
        inside = put(brain, template.brain, where)
        within, around = where[inside > 0], where[inside < 255]
        put(regions, template.regions, within, 0)
        for name in ("grey", "white"):
            put(tissues[name], template.fractions[name], within)
        for name in ("csf", "blood"):
            put(tissues[name], template.fractions[name], where)
        for name in tissues.keys() - {"grey", "white", "csf", "blood", "air"}:
            put(tissues[name], template.fractions[name], around)
    for values in (*tissues.values(), brain, regions):
        values.setflags(write=False)
    return tissues, brain, regions
