"""A ball of brain with a formula for everything in it: cheap enough to outline lesions at 1 mm in a second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.phantoms.shape import Blob, Shape
from cohortex.transform import Rigid

LEVELS = {"FLAIR": (100.0, 122.0, 18.0), "T1": (100.0, 68.0, 24.0), "T2": (100.0, 132.0, 330.0)}
LESION = {"FLAIR": 60.0, "T1": -24.0, "T2": 95.0}
CENTER_MM = np.array([36.0, 36.0, 24.0])


def ball(center_mm: Sequence[float], volume_mm3: float, stretch: Sequence[float] = (1, 1, 1)) -> Shape:
    """An upright ellipsoid, placed from the centre of the brain; an exact volume."""
    ratios = np.asarray(stretch, dtype=float) / np.cbrt(np.prod(stretch))
    a, b, c = (np.cbrt(0.75 / np.pi * volume_mm3) * ratios).tolist()
    x, y, z = (CENTER_MM + center_mm).tolist()
    return Shape(parts=(Blob(center_mm=(x, y, z), radii_mm=(a, b, c), axes=np.eye(3)),))


@pytest.fixture(scope="session")
def make_ball() -> Callable[..., Shape]:
    """An upright ellipsoid of an exact volume, placed from the centre of the brain."""
    return ball


@dataclass
class Scene:
    """One visit: images by contrast, brain, tissue, and the share of each voxel that is lesion."""

    images: dict[str, Image]
    brain: Labels
    tissue: dict[str, Image]
    truth: Image
    scanner_from_head: Rigid = field(default_factory=Rigid.identity)


@pytest.fixture(scope="session")
def make_scene() -> Callable[..., Scene]:
    """Scan a ball of brain: csf core (a ventricle), white matter, grey shell, csf outside."""
    return _scene


def _scene(
    lesions: Sequence[tuple[Shape, float]] = (),
    *,
    seed: int = 0,
    slice_mm: float = 1.0,
    noise: float = 4.0,
    gain: float = 1.0,
    contrasts: Sequence[str] = ("FLAIR", "T1"),
    motion: Rigid | None = None,
    extra: Callable[[NDArray[np.float64], str], NDArray[np.float64]] | None = None,
) -> Scene:
    motion = motion or Rigid.identity()
    rng = np.random.default_rng(seed)
    grid = Grid.from_parts(
        (73, 73, int(49 / slice_mm)), spacing_mm=(1, 1, slice_mm), origin_mm=(0, 0, (slice_mm - 1) / 2)
    )
    steps = max(1, round(slice_mm))
    fine = Grid.from_parts((*grid.shape[:2], grid.shape[2] * steps), spacing_mm=(1, 1, slice_mm / steps))
    points = motion.inverse()(fine.world_points()) - CENTER_MM
    radius = np.linalg.norm(points * (1, 1, 1.35), axis=-1)
    ventricle = (np.linalg.norm(points / (5, 9, 5), axis=-1) - 1) * 5
    outer = np.clip(30.5 - radius, 0, 1)
    white = np.clip(25.5 - radius, 0, 1) * np.clip(ventricle + 0.5, 0, 1)
    grey = np.clip(28.5 - radius, 0, 1) - np.clip(25.5 - radius, 0, 1)
    csf = outer - white - grey
    share = np.zeros(fine.shape, dtype=np.float32)
    for shape, _ in lesions:
        part = shape.fraction(fine, world_from_head=motion)
        share[part.box] = np.maximum(share[part.box], part.share)
    images = {}
    for contrast in contrasts:
        levels = LEVELS[contrast]
        values = white * levels[0] + grey * levels[1] + csf * levels[2]
        for shape, strength in lesions:
            part = shape.fraction(fine, world_from_head=motion)
            healthy = values[part.box]
            values[part.box] = healthy + part.share * (levels[0] + strength * LESION[contrast] - healthy)
        if extra is not None:
            values = extra(values, contrast)
        values = values.reshape(*grid.shape, steps).mean(axis=-1)
        values = np.hypot(values + rng.normal(0, noise, grid.shape), rng.normal(0, noise, grid.shape))
        images[contrast] = Image((gain * values).astype(np.float32), grid)

    def averaged(values: NDArray[np.float64]) -> Image:
        return Image(values.reshape(*grid.shape, steps).mean(axis=-1).astype(np.float32), grid)

    inside = averaged(outer).values > 0.5
    return Scene(
        images=images,
        brain=Labels(ndimage.binary_fill_holes(inside).astype(np.uint8), grid),
        tissue={"white": averaged(white), "grey": averaged(grey), "csf": averaged(csf)},
        truth=averaged(share),
        scanner_from_head=motion,
    )
