"""What looks like a lesion to a program and not to a reader: vessels' spaces, caps, flow, choroid plexus, specks.

Vessels, sinuses, eyes and fat, bright in one contrast or another, are tissues of the head itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.phantoms.contrast import Contrast, tissue_values
from cohortex.phantoms.deposit import Deposit, LookName
from cohortex.phantoms.head import Head
from cohortex.phantoms.scanner import Scanner
from cohortex.phantoms.shape import Blob, Shape, draw_blob

_CAP_MM = 2.2
_CAP_STRENGTH = {"FLAIR": 13.0, "T2": 12.0, "b0": 6.0}  # units where white matter is 100
_FLOW_SIGMA_MM = 2.5
_FLOW_CONTRASTS = ("FLAIR",)


@dataclass(frozen=True, kw_only=True)
class FlowArtefact:
    """A cloud of unsuppressed CSF signal in a ventricle, on FLAIR only; drawn anew at each visit.

    Attributes
    ----------
    center_mm : tuple of float
        In the head's own world, mm.
    brightness : float
        Signal of fully affected CSF, units where white matter is 100.
    """

    center_mm: tuple[float, float, float]
    brightness: float


@dataclass(frozen=True, kw_only=True)
class Distractors:
    """Everything lesion-like that is not a lesion.

    Attributes
    ----------
    deposits : tuple of Deposit
        Perivascular spaces (below 27 mm³), specks (4 to 13 mm³), choroid plexus, bright spots outside the brain.
    flow : tuple of FlowArtefact
        Flow artefacts in the ventricles.
    caps : float
        Strength of the smooth bright lining of the lateral ventricles on FLAIR and T2; 1 is mild, 0 none.
    """

    deposits: tuple[Deposit, ...] = ()
    flow: tuple[FlowArtefact, ...] = ()
    caps: float = 0.0


NO_DISTRACTORS = Distractors()


def draw_distractors(
    head: Head,
    rng: np.random.Generator,
    *,
    perivascular_spaces: int = 8,
    specks: int = 4,
    spots_outside: int = 4,
) -> Distractors:
    """Draw the distractors that belong to an anatomy (flow artefacts belong to a visit: `draw_flow`).

    Parameters
    ----------
    head : Head
        Where they go.
    rng : numpy.random.Generator
        Source of places and sizes.
    perivascular_spaces, specks, spots_outside : int
        How many of each.

    Returns
    -------
    Distractors
        With mild caps and choroid plexus on both sides.
    """
    deposits: list[Deposit] = []
    white = head.tissues["white"]
    deep = np.isin(head.labels.values, (7, 8))
    near_deep = ndimage.binary_dilation(deep, iterations=max(1, round(4 / head.grid.spacing_mm[0])))
    for _ in range(perivascular_spaces):
        where = (near_deep & (white > 120)) if rng.uniform() < 0.6 else (white > 240)
        center = _pick(head, where, rng)
        direction = rng.standard_normal(3) * (0.4, 0.4, 1.0)
        deposits.append(_thread(center, direction, length_mm=float(rng.uniform(2.5, 5)), radius_mm=0.9))
    for _ in range(specks):
        volume = float(rng.uniform(4, 13))
        blob = draw_blob(rng, center_mm=_pick(head, white > 240, rng), volume_mm3=volume, elongation=1.3)
        deposits.append(_deposit(Shape(parts=(blob,)), "speck", float(rng.uniform(0.6, 1.3)), {"white": 1.0}))
    for side in (1, 2):
        csf = (head.labels.values == side) & (head.tissues["csf"] > 220)
        target = head.head_from_template(np.array([22.0 if side == 1 else -22.0, 38.0, 10.0]))
        ventricle_point = _nearest(head, csf, target)
        if ventricle_point is not None:
            axes = np.eye(3)
            blob = Blob(center_mm=ventricle_point, radii_mm=(1.6, 5.0, 2.0), axes=axes)
            deposits.append(_deposit(Shape(parts=(blob,)), "choroid plexus", 1.0, {"csf": 1.0}))
    around = (head.tissues["marrow"] > 200) | (head.tissues["muscle"] > 250)
    for _ in range(spots_outside):
        blob = draw_blob(rng, center_mm=_pick(head, around, rng), volume_mm3=float(rng.uniform(15, 80)))
        deposits.append(_deposit(Shape(parts=(blob,)), "marrow", 1.0, {"marrow": 0.5, "muscle": 0.5}))
    return Distractors(deposits=tuple(deposits), caps=1.0)


def draw_flow(head: Head, rng: np.random.Generator, *, count: int = 3) -> tuple[FlowArtefact, ...]:
    """Draw the CSF flow artefacts of one visit, in the third, fourth and lateral ventricles."""
    inside = np.isin(head.labels.values, (1, 2, 3, 4)) & (head.tissues["csf"] > 200)
    if not inside.any():
        return ()
    return tuple(
        FlowArtefact(center_mm=_pick(head, inside, rng), brightness=float(rng.uniform(60, 110))) for _ in range(count)
    )


def add_to_tissue(
    values: NDArray[np.float32], head: Head, contrast: Contrast, scanner: Scanner, distractors: Distractors
) -> None:
    """Add caps and flow artefacts to intensities on the grid of the head, in place."""
    spacing = head.grid.spacing_mm[0]
    strength = _CAP_STRENGTH.get(contrast, 0.0) * distractors.caps
    if strength:
        wall = np.isin(head.labels.values, (1, 2))
        box = ndimage.find_objects(wall.astype(np.int8))
        if box:
            margin = int(np.ceil(4 * _CAP_MM / spacing))
            grown = tuple(
                slice(max(0, s.start - margin), min(n, s.stop + margin))
                for s, n in zip(box[0], wall.shape, strict=True)
            )
            lining = ndimage.gaussian_filter(wall[grown].astype(np.float32), _CAP_MM / spacing)
            values[grown] += 2 * strength * lining * (head.tissues["white"][grown].astype(np.float32) / 255)
    if contrast in _FLOW_CONTRASTS:
        csf_value = tissue_values(contrast, scanner.contrast_changes)["csf"]
        reach = int(np.ceil(3 * _FLOW_SIGMA_MM / spacing))
        for cloud in distractors.flow:
            middle = np.rint(head.grid.index_of(cloud.center_mm)).astype(int)
            cloud_box = tuple(
                slice(max(0, m - reach), min(n, m + reach + 1)) for m, n in zip(middle, values.shape, strict=True)
            )
            offset = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in cloud_box), indexing="ij"), axis=-1)
            distance = np.linalg.norm(head.grid.world_of(offset) - cloud.center_mm, axis=-1)
            csf = head.tissues["csf"][cloud_box].astype(np.float32) / 255
            ventricle = head.regions.values[cloud_box] > 0
            weight = csf * ventricle * np.exp(-0.5 * (distance / _FLOW_SIGMA_MM) ** 2)
            values[cloud_box] += (weight * (cloud.brightness - csf_value)).astype(np.float32)


def _thread(
    center_mm: tuple[float, float, float], direction: NDArray[np.float64], *, length_mm: float, radius_mm: float
) -> Deposit:
    """A perivascular space: a thin long ellipsoid along a direction."""
    along = direction / np.linalg.norm(direction)
    axes, _ = np.linalg.qr(np.column_stack([along, np.eye(3)[:, int(np.argmin(np.abs(along)))], np.ones(3)]))
    axes = axes * np.sign(np.linalg.det(axes))
    blob = Blob(center_mm=center_mm, radii_mm=(length_mm, radius_mm, radius_mm), axes=axes)
    return _deposit(Shape(parts=(blob,)), "perivascular space", 1.0, {"white": 1.0})


def _deposit(shape: Shape, look: LookName, strength: float, mix: dict[str, float]) -> Deposit:
    return Deposit(shape=shape, look=look, strength=strength, tissue_mix=mix)


def _pick(head: Head, where: NDArray[np.bool_], rng: np.random.Generator) -> tuple[float, float, float]:
    """A random voxel of a mask, as a world point."""
    found = np.flatnonzero(where)
    index = np.unravel_index(int(found[int(rng.integers(len(found)))]), where.shape)
    x, y, z = (head.grid.world_of(index) + rng.uniform(-0.4, 0.4, 3) * head.grid.spacing_mm[0]).tolist()
    return x, y, z


def _nearest(head: Head, where: NDArray[np.bool_], target_mm: NDArray[np.float64]) -> tuple[float, float, float] | None:
    """The voxel of a mask nearest to a world point, as a world point."""
    points = head.grid.world_of(np.argwhere(where))
    if len(points) == 0:
        return None
    x, y, z = points[int(np.argmin(np.linalg.norm(points - target_mm, axis=1)))].tolist()
    return x, y, z
