"""The head in template space: MNI152 brain, and around it a built skull, scalp, face, eyes, sinuses and vessels.

Everything outside the brain mask is drawn from solids with a formula and distances to the brain; it is not taken
from any person. One anatomy: never evidence about patients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.phantoms.lattice import Axis, averaged, interpolated
from cohortex.phantoms.mni_tissue import mni_tissue
from cohortex.phantoms.solids import Field, Solid, arch, coverage, ellipsoid, smooth_union, tube

TISSUES = (
    "grey", "white", "csf", "blood", "nerve", "eye", "lens", "bone", "marrow", "skin", "fat", "muscle", "tooth", "air",
)  # fmt: skip
"""Names of the tissues; their fractions add up to 1 in every voxel."""

LABEL_NAMES = {
    1: "left lateral ventricle",
    2: "right lateral ventricle",
    3: "third ventricle",
    4: "fourth ventricle",
    5: "left hippocampus",
    6: "right hippocampus",
    7: "left deep grey",
    8: "right deep grey",
}
"""Numbers in the labels of the head."""

VENTRICLES = (1, 2, 3, 4)
"""Labels of the ventricles."""

HEAD_LOW_MM = np.array([-92.5, -122.5, -128.5])
HEAD_HIGH_MM = np.array([92.5, 138.5, 104.5])
_SURFACE_SPACING_MM = 3.0  # distances to the brain are smooth: interpolated, they place a surface within 0.3 mm
_CLOSING_MM = 9.0
_CSF_GAP_MM = 2.0
_SEED = 152  # the built anatomy is one and the same in every run


@dataclass(frozen=True, kw_only=True)
class TemplateAnatomy:
    """Tissue fractions of the undeformed head.

    Attributes
    ----------
    grid : Grid
        Axes towards left, posterior, superior; template world mm.
    fractions : mapping of str to ndarray of uint8
        255 means the voxel is all of that tissue.
    brain : ndarray of uint8
        Fraction of the voxel inside the MNI152 brain mask, times 255.
    regions : ndarray of uint8
        Ellipsoids in which a tissue bears a name, not yet cut with it; see `cut_regions`.
    """

    grid: Grid
    fractions: Mapping[str, NDArray[np.uint8]]
    brain: NDArray[np.uint8]
    regions: NDArray[np.uint8]


@lru_cache(maxsize=3)
def template_anatomy(spacing_mm: float) -> TemplateAnatomy:
    """Build the head at a spacing; the last three are remembered.

    Parameters
    ----------
    spacing_mm : float
        Isotropic spacing, mm; whole numbers keep tissue volumes exact (box averages of the 1 mm maps).

    Returns
    -------
    TemplateAnatomy
        About 170 MB at 1 mm, 6 MB at 3 mm.
    """
    grid = head_grid(spacing_mm)
    axes = grid_axes(grid)
    maps = mni_tissue()
    brain = {
        name: averaged(getattr(maps, name), grid_axes(maps.grid), axes) / np.float32(255)
        for name in ("grey", "white", "csf", "brain")
    }
    builder = _Builder(axes, spacing_mm, brain.pop("brain"))
    _build_around(builder, brain)
    fractions = {name: builder.stored(name) for name in TISSUES}
    regions = _regions(axes)
    mask = np.rint(builder.brain * 255).astype(np.uint8)
    for values in (*fractions.values(), mask, regions):
        values.setflags(write=False)
    return TemplateAnatomy(grid=grid, fractions=fractions, brain=mask, regions=regions)


def head_grid(spacing_mm: float) -> Grid:
    """Give the lattice of the head, brain and face with a margin of air, at a spacing in mm."""
    if not 0.5 <= spacing_mm <= 8:
        raise ValueError(f"spacing_mm is {spacing_mm:g}; the head is built from 0.5 to 8 mm.")
    shape = np.ceil((HEAD_HIGH_MM - HEAD_LOW_MM) / spacing_mm - 1e-6).astype(int)
    return Grid.from_parts(
        tuple(int(n) for n in shape),
        spacing_mm=(spacing_mm,) * 3,
        origin_mm=tuple(HEAD_LOW_MM + spacing_mm / 2),
        frame_of_reference="phantom head",
    )


def grid_axes(grid: Grid) -> tuple[Axis, Axis, Axis]:
    """Positions of the voxel centres along each axis of a grid that follows the world axes, mm."""
    x, y, z = (
        np.asarray(o + s * np.arange(n), dtype=np.float64)
        for o, s, n in zip(grid.origin_mm, grid.spacing_mm, grid.shape, strict=True)
    )
    return x, y, z


class _Builder:
    """Fills what is still empty of each voxel, front to back, so that the fractions add up to 1."""

    def __init__(self, axes: tuple[Axis, Axis, Axis], spacing_mm: float, brain: Field) -> None:
        self.axes = axes
        self.spacing_mm = spacing_mm
        self.brain = brain
        self.free = np.ones(brain.shape, dtype=np.float32)
        self._parts: dict[str, NDArray[np.float32]] = {}

    def box_of(self, solid: Solid) -> tuple[slice, slice, slice]:
        """Index box around a solid, one voxel wider."""
        box = []
        for axis, low, high in zip(self.axes, solid.low_mm, solid.high_mm, strict=True):
            start = np.searchsorted(axis, low - self.spacing_mm)
            stop = np.searchsorted(axis, high + self.spacing_mm)
            box.append(slice(int(start), int(stop)))
        return box[0], box[1], box[2]

    def points(self, box: tuple[slice, slice, slice]) -> tuple[Field, Field, Field]:
        """Open coordinates of a box, float32 mm."""
        x, y, z = (axis[part].astype(np.float32) for axis, part in zip(self.axes, box, strict=True))
        return x[:, None, None], y[None, :, None], z[None, None, :]

    def put(self, name: str, fraction: Field) -> None:
        """Give a known fraction of each voxel to a tissue."""
        self._parts[name] = np.minimum(fraction, self.free)
        self.free -= self._parts[name]

    def fill(self, name: str, share: Field, box: tuple[slice, ...] = (slice(None),) * 3) -> None:
        """Give `share` of what is free in the box to a tissue."""
        taken = self.free[box] * share
        self._parts.setdefault(name, np.zeros_like(self.free))[box] += taken
        self.free[box] -= taken

    def fill_solid(self, name: str, solid: Solid, *, share: float = 1.0) -> None:
        """Give a solid (or a share of it) to a tissue where there is room."""
        box = self.box_of(solid)
        if all(part.stop > part.start for part in box):
            self.fill(name, share * coverage(solid.distance(*self.points(box)), self.spacing_mm), box)

    def stored(self, name: str) -> NDArray[np.uint8]:
        """Fraction of a tissue as bytes, freeing the working copy."""
        if name == "air":
            return np.rint(np.clip(self.free + self._parts.pop("air"), 0, 1) * 255).astype(np.uint8)
        return np.rint(np.clip(self._parts.pop(name), 0, 1) * 255).astype(np.uint8)


def _build_around(builder: _Builder, brain: dict[str, NDArray[np.float32]]) -> None:
    """Fill the head from the inside out."""
    for name in ("grey", "white"):
        builder.put(name, brain[name])
    surface = _surfaces(builder.axes)
    for solid in _ARTERIES:
        builder.fill_solid("blood", solid)
    _fill_sagittal_sinus(builder, surface["brain"])
    for solid in _VEINS:
        box = builder.box_of(solid)
        outside = 1 - builder.brain[box]
        builder.fill("blood", outside * coverage(solid.distance(*builder.points(box)), builder.spacing_mm), box)
    builder.fill("csf", np.maximum(builder.brain, coverage(surface["inner skull"], builder.spacing_mm)))
    for name, solid, share in _FACE_INSIDE:
        builder.fill_solid(name, solid, share=share)
    skull = coverage(surface["outer skull"], builder.spacing_mm)
    hole = ellipsoid((0, 40, -78), (17, 15, 26))
    box = builder.box_of(hole)
    skull[box] *= 1 - coverage(hole.distance(*builder.points(box)), builder.spacing_mm)
    builder.fill("marrow", skull * coverage(surface["diploe"], builder.spacing_mm))
    builder.fill("bone", skull)
    for name, solid, share in _FACE_BONES:
        builder.fill_solid(name, solid, share=share)
    depth = surface.pop("head")
    head = coverage(depth, builder.spacing_mm)
    builder.fill("skin", head * coverage(-depth - 1.8, builder.spacing_mm))
    builder.fill("fat", head * coverage(-depth - surface["fat depth"], builder.spacing_mm))
    builder.fill("muscle", head)


def _surfaces(axes: tuple[Axis, Axis, Axis]) -> dict[str, Field]:
    """Signed distances, mm, to the brain envelope, the skull's faces and the skin, on the lattice `axes`."""
    coarse = head_grid(_SURFACE_SPACING_MM)
    coarse_axes = grid_axes(coarse)
    maps = mni_tissue()
    mask = averaged(maps.brain, grid_axes(maps.grid), coarse_axes) > 127
    grown = ndimage.distance_transform_edt(~mask, sampling=_SURFACE_SPACING_MM) <= _CLOSING_MM
    closed = ndimage.distance_transform_edt(grown, sampling=_SURFACE_SPACING_MM) > _CLOSING_MM
    out = ndimage.distance_transform_edt(~closed, sampling=_SURFACE_SPACING_MM)
    inside = ndimage.distance_transform_edt(closed, sampling=_SURFACE_SPACING_MM)
    brain = ndimage.gaussian_filter(out - inside, 1.0) - 0.5
    rng = np.random.default_rng(_SEED)
    x, y, z = (a[s] for a, s in zip(coarse_axes, (np.s_[:, None, None], np.s_[None, :, None], np.s_[None, None, :]),
                                    strict=True))  # fmt: skip
    bumps = _smooth_noise(rng, coarse.shape, sigma_voxels=7)
    thickness = np.clip(5.8 + 1.3 * bumps + 0.02 * np.clip(y, -40, 110), 3.2, 10.0)
    inner = brain - _CSF_GAP_MM - 0.6 * np.clip(_smooth_noise(rng, coarse.shape, sigma_voxels=5), -1, 1.5)
    outer = inner - thickness
    fat_depth = np.clip(4.2 + 0.9 * _smooth_noise(rng, coarse.shape, sigma_voxels=6), 2.4, 7.0)
    scalp = outer - 6.2 - 0.9 * bumps
    fields = [np.broadcast_to(f, coarse.shape).astype(np.float32) for f in (x, y, z)]
    head = scalp.astype(np.float32)
    for solid, blend in _OUTSIDE:
        head = smooth_union(head, solid.distance(fields[0], fields[1], fields[2]), blend_mm=blend)
    diploe = np.abs(brain - (brain - inner) - 0.5 * thickness) - 0.22 * thickness
    built = {
        "brain": brain, "inner skull": inner, "outer skull": outer, "diploe": diploe, "head": head,
        "fat depth": fat_depth + 2.0 * (np.asarray(z) < -40),
    }  # fmt: skip
    return {name: interpolated(values, coarse_axes, axes) for name, values in built.items()}


def _smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], *, sigma_voxels: float) -> NDArray[np.float64]:
    """Gaussian noise of mean 0 and sd 1, correlated over `sigma_voxels`."""
    noise = ndimage.gaussian_filter(rng.standard_normal(shape), sigma_voxels)
    return np.asarray((noise - noise.mean()) / noise.std())


def _fill_sagittal_sinus(builder: _Builder, brain: Field) -> None:
    """Superior sagittal sinus: a strip in the midline between the brain's envelope and the skull, top and back."""
    x, y, z = builder.points((slice(None),) * 3)
    strip = coverage(np.abs(x) - 4.0 + 0.5 * (brain + 1.5), builder.spacing_mm)
    layer = coverage(np.abs(brain - 1.2) - 3.0, builder.spacing_mm)
    where = coverage(np.maximum(-12 - z, -66 - y), builder.spacing_mm)
    builder.fill("blood", strip * layer * where * (1 - builder.brain))


def cut_regions(regions: NDArray[np.uint8], tissues: Mapping[str, NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Keep of each region what is mostly its tissue: CSF for ventricles, grey matter for the others.

    Parameters
    ----------
    regions : ndarray of uint8
        Numbers of `LABEL_NAMES` in whole ellipsoids.
    tissues : mapping of str to ndarray of uint8
        Fractions times 255 on the same grid.

    Returns
    -------
    ndarray of uint8
        Labels, 0 elsewhere.
    """
    share = np.where(np.isin(regions, VENTRICLES), tissues["csf"], tissues["grey"])
    return np.where(share > 127, regions, 0).astype(np.uint8)


def _regions(axes: tuple[Axis, Axis, Axis]) -> NDArray[np.uint8]:
    """Number the ellipsoids of `_REGIONS`; the first that claims a voxel keeps it."""
    x, y, z = (axis.astype(np.float32) for axis in axes)
    points = (x[:, None, None], y[None, :, None], z[None, None, :])
    regions = np.zeros((len(x), len(y), len(z)), dtype=np.uint8)
    spacing = float(x[1] - x[0])
    for number, solids in _REGIONS:
        side = {1: points[0] > 0, 2: points[0] < 0}.get(number, np.ones((1, 1, 1), dtype=bool))
        for solid in solids:
            box = tuple(
                slice(int(np.searchsorted(axis, low - spacing)), int(np.searchsorted(axis, high + spacing)))
                for axis, low, high in zip(axes, solid.low_mm, solid.high_mm, strict=True)
            )
            near = [p[tuple(b if p.shape[n] > 1 else slice(None) for n, b in enumerate(box))] for p in points]
            claimed = (solid.distance(near[0], near[1], near[2]) < 0) & (regions[box] == 0)
            regions[box][claimed & (side[box[0]] if side.shape[0] > 1 else True)] = number
    return regions


def _both(make: tuple[tuple[float, ...], tuple[float, ...]], pitch_deg: float = 0.0) -> tuple[Solid, Solid]:
    (x, y, z), radii = make
    return ellipsoid((x, y, z), radii, pitch_deg=pitch_deg), ellipsoid((-x, y, z), radii, pitch_deg=pitch_deg)


def _lateral(side: int) -> tuple[Solid, ...]:
    return (
        ellipsoid((side * 11, -14, 14), (12, 28, 15)),
        ellipsoid((side * 15, 18, 20), (13, 26, 12)),
        ellipsoid((side * 26, 42, 8), (13, 18, 16)),
        ellipsoid((side * 33, 20, -14), (8, 24, 9)),
    )


_REGIONS: tuple[tuple[int, tuple[Solid, ...]], ...] = (
    (3, (ellipsoid((0, 8, -2), (4.5, 20, 12)),)),
    (4, (ellipsoid((0, 42, -34), (12, 11, 13)),)),
    (1, _lateral(1)),
    (2, _lateral(-1)),
    (5, (ellipsoid((26, 22, -14), (8, 20, 8), pitch_deg=15),)),
    (6, (ellipsoid((-26, 22, -14), (8, 20, 8), pitch_deg=15),)),
    (7, (ellipsoid((22, -2, 3), (11, 24, 13)), ellipsoid((11, 18, 6), (9, 14, 10)))),
    (8, (ellipsoid((-22, -2, 3), (11, 24, 13)), ellipsoid((-11, 18, 6), (9, 14, 10)))),
)

_ARTERIES = (
    tube([(-14, -4, -40), (-14, 0, -60), (-24, 6, -128)], 2.4),
    tube([(14, -4, -40), (14, 0, -60), (24, 6, -128)], 2.4),
    tube([(0, 12, -28), (0, 16, -52)], 1.8),
)
_VEINS = (
    tube([(0, 104, -8), (34, 88, -22), (56, 50, -34), (58, 34, -52), (40, 20, -80), (36, 10, -128)], 4.2),
    tube([(0, 104, -8), (-34, 88, -22), (-56, 50, -34), (-58, 34, -52), (-40, 20, -80), (-36, 10, -128)], 3.4),
)

_EYE_RIGHT, _EYE_LEFT = (-32.0, -69.0, -37.0), (32.0, -69.0, -37.0)

# What shapes the skin besides the scalp: (solid, rounding of the seam in mm).
_OUTSIDE = (
    (ellipsoid((0, -40, -66), (62, 45, 58)), 12.0),
    (ellipsoid((38, -14, -88), (20, 36, 34)), 14.0),
    (ellipsoid((-38, -14, -88), (20, 36, 34)), 14.0),
    (ellipsoid((0, -62, -108), (30, 26, 18)), 12.0),
    (tube([(0, 28, -70), (0, 34, -150)], [54, 52]), 16.0),
    (tube([(0, -84, -30), (0, -100, -56)], [6, 9]), 8.0),
    (ellipsoid((0, -99, -62), (15, 13, 9)), 6.0),
    (ellipsoid((0, -82, -82), (24, 12, 12)), 8.0),
    (ellipsoid(_EYE_LEFT, (14, 14, 13)), 4.0),
    (ellipsoid(_EYE_RIGHT, (14, 14, 13)), 4.0),
    (ellipsoid((82, 16, -38), (7, 15, 28)), 4.0),
    (ellipsoid((-82, 16, -38), (7, 15, 28)), 4.0),
)

# Parts inside face and skull base, from the front in order of who wins: (tissue, solid, share).
_FACE_INSIDE: tuple[tuple[str, Solid, float], ...] = (
    ("nerve", tube([(0, 44, -70), (0, 42, -140)], 6.0), 1.0),
    ("csf", tube([(0, 44, -70), (0, 42, -140)], 9.5), 1.0),
    *(("lens", s, 1.0) for s in _both(((32, -78, -37), (4.5, 2.2, 4.5)))),
    *(("eye", s, 1.0) for s in _both((_EYE_LEFT, (12, 12.2, 12)))),
    *(("nerve", tube([(sx * 31, -57, -37), (sx * 24, -40, -36), (sx * 12, -14, -31)], 1.9), 1.0) for sx in (-1, 1)),
    *(("muscle", tube([(sx * (32 + dx), -66, -37 + dz), (sx * 22, -34, -36)], 1.8), 1.0)
      for sx in (-1, 1) for dx, dz in ((10, 0), (-10, 0), (0, 10), (0, -10))),
    *(("fat", s, 1.0) for s in _both(((31, -56, -37), (17, 25, 16)))),
    ("bone", ellipsoid((0, -60, -52), (1.2, 30, 18)), 1.0),
    *(("muscle", s, 1.0) for s in _both(((7.5, -60, -58), (2.5, 24, 5)))),
    *(("air", s, 1.0) for s in _both(((6.5, -62, -54), (6.0, 32, 18)))),
    *(("air", s, 1.0) for s in _both(((7, -48, -36), (6.5, 18, 9)))),
    *(("air", s, 1.0) for s in _both(((27, -56, -62), (12, 16, 14)))),
    *(("air", s, 1.0) for s in _both(((11, -79, -4), (9, 3.6, 10)))),
    *(("air", s, 1.0) for s in _both(((7, -18, -43), (6.4, 13, 8)))),
    *(("air", s, 0.55) for s in _both(((56, 26, -48), (9, 11, 14)))),
    *(("air", tube([(sx * 88, 18, -40), (sx * 62, 16, -40)], 3.2), 1.0) for sx in (-1, 1)),
    ("tooth", arch((0, -54, -83), (23, 30), (4.0, 4.5), back_mm=-42), 1.0),
    ("tooth", arch((0, -54, -95), (22, 28), (3.6, 4.5), back_mm=-42), 1.0),
    ("air", ellipsoid((0, -58, -84), (19, 22, 3.0)), 1.0),
    ("muscle", ellipsoid((0, -46, -92), (18, 24, 9)), 1.0),
    ("air", tube([(0, -26, -58), (0, -8, -74), (0, -4, -140)], [8, 7, 8]), 1.0),
)  # fmt: skip

_FACE_BONES: tuple[tuple[str, Solid, float], ...] = (
    *(("marrow", s, 0.6) for s in _both(((56, 26, -48), (9, 11, 14)))),
    *(("bone", s, 1.0) for s in _both(((56, 26, -48), (12, 14, 17)))),
    *(("bone", s, 1.0) for s in _both(((7, -18, -43), (9, 15.5, 10.5)))),
    *(("bone", s, 1.0) for s in _both(((27, -56, -62), (13.6, 17.6, 15.6)))),
    *(("bone", s, 1.0) for s in _both(((31, -54, -37), (19, 25, 18)))),
    *(("bone", s, 1.0) for s in _both(((11, -79, -4), (11, 6, 12)))),
    ("bone", arch((0, -52, -76), (25, 33), (5.5, 5.0), back_mm=-30), 1.0),
    ("marrow", arch((0, -46, -106), (40, 40), (3.0, 7.0), back_mm=-8), 1.0),
    ("bone", arch((0, -46, -106), (40, 40), (5.5, 10.0), back_mm=-6), 1.0),
    *(("bone", tube([(sx * 42, -10, -104), (sx * 52, 2, -62)], 5.0), 1.0) for sx in (-1, 1)),
    *(("bone", tube([(sx * 42, -60, -52), (sx * 64, -28, -50), (sx * 66, 4, -44)], 4.0), 1.0) for sx in (-1, 1)),
    ("marrow", tube([(0, 24, -80), (0, 22, -140)], 10.0), 1.0),
    ("bone", tube([(0, 24, -78), (0, 22, -140)], 12.0), 1.0),
    ("bone", tube([(0, 44, -80), (0, 42, -140)], 13.0), 1.0),
)
