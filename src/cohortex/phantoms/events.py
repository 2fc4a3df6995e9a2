"""The script of a patient's lesions: what each becomes from visit to visit, with exact volumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from cohortex.phantoms.deposit import LOOKS, LookName
from cohortex.phantoms.head import Head
from cohortex.phantoms.placement import Place, SiteFinder
from cohortex.phantoms.shape import Blob, Shape, draw_blob, random_rotation

PlantedEvent = Literal["same", "grown", "shrunk", "new", "gone", "split", "merged", "touching"]
"""Events of the script; "touching" plants two lesions that touch at every visit and count as one, the same."""

DEFAULT_EVENTS: Mapping[PlantedEvent, int] = {
    "same": 3, "grown": 2, "shrunk": 2, "new": 1, "gone": 1, "split": 1, "merged": 1, "touching": 1,
}  # fmt: skip
"""Lesions of each kind; those that change do so once, at each transition between visits anew."""

SMALLEST_MM3 = 27.0
_LOOK_ODDS: tuple[tuple[LookName, float], ...] = (("plaque", 0.6), ("ring", 0.15), ("solid", 0.15), ("infarct", 0.1))
_PLACES: tuple[Place, ...] = ("white matter", "periventricular", "juxtacortical", "deep grey")
_PLACE_ODDS = (0.66, 0.16, 0.1, 0.08)
_SHRINK = 0.8  # volume tried next where no place suits


@dataclass(frozen=True, kw_only=True, eq=False)
class PlantedLesion:
    """One lesion at one visit.

    Attributes
    ----------
    id : int
        The same at every visit; the second part of a split lesion bears a new one, a merged lesion that of its
        larger part.
    shape : Shape
        In the head's own world.
    """

    id: int
    shape: Shape


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """One site through all visits.

    Attributes
    ----------
    event : str
        What happens there.
    transition : int or None
        Between visits `transition` and `transition + 1`; None where nothing ever does.
    states : tuple of tuple of PlantedLesion
        What is there at each visit: nothing, one lesion, or two.
    look, strength, tissue_mix, place
        As in `Deposit` and `Site`; they stay over the visits.
    """

    event: PlantedEvent
    transition: int | None
    states: tuple[tuple[PlantedLesion, ...], ...]
    look: LookName
    strength: float
    tissue_mix: Mapping[str, float]
    place: Place

    def event_at(self, transition: int) -> PlantedEvent | None:
        """What happens here between two visits; None where there is no lesion at either."""
        if not self.states[transition] and not self.states[transition + 1]:
            return None
        return self.event if transition == self.transition else "same"


@dataclass(frozen=True, kw_only=True)
class Script:
    """What is to be planted.

    Attributes
    ----------
    visits : int
        Number of visits.
    events : mapping of str to int
        Lesions of each kind (`PlantedEvent`): "same" and "touching" in all, the others at each transition.
    volume_mm3 : tuple of float
        Smallest and largest volume drawn (evenly in the logarithm), mm³.
    same_change : float
        Greatest relative difference between two visits of a lesion that stays the same.
    contrast_to_noise : tuple of float
        Least and greatest contrast-to-noise ratio on FLAIR in the noisiest visit.
    noise_sd : float
        Noise of that visit, units where white matter is 100.
    gap_mm : float
        Space between the parts of a lesion that splits, mm.
    part_radius_mm : tuple of float
        Smallest and largest radius of those parts, mm.
    split_axis : int
        World axis along which they part, in the plane of the slices.
    separation_mm : float
        Least distance between lesions, mm.
    """

    visits: int
    events: Mapping[PlantedEvent, int]
    volume_mm3: tuple[float, float]
    same_change: float
    contrast_to_noise: tuple[float, float]
    noise_sd: float
    gap_mm: float
    part_radius_mm: tuple[float, float]
    split_axis: int
    separation_mm: float


def plant(head: Head, rng: np.random.Generator, script: Script) -> tuple[Track, ...]:
    """Find room for every lesion of a script, the large ones first, and fix its volume at every visit.

    Growth and shrinkage are planted well beyond the 20 % at which they count, and more for small lesions, whose
    measurement is coarser: grown is × 2–3 below 125 mm³, × 1.5–2.2 below 500 mm³, × 1.35–1.9 above; shrunk is
    × 0.3–0.45, 0.4–0.6 and 0.45–0.68. A split or merger keeps the volume within `same_change`.

    Parameters
    ----------
    head : Head
        The anatomy.
    rng : numpy.random.Generator
        Source of shapes, places and sizes.
    script : Script
        What is wanted.

    Returns
    -------
    tuple of Track
        Ids run from 1 without gaps.

    Raises
    ------
    ValueError
        If a lesion finds no room even at the smallest volume.
    """
    finder = SiteFinder(head, rng, separation_mm=script.separation_mm)
    plans: list[tuple[float, PlantedEvent, int | None]] = []
    for event, count in script.events.items():
        transitions: list[int | None] = [None] if event in ("same", "touching") else list(range(script.visits - 1))
        for transition in transitions:
            plans.extend((_drawn_volume(rng, script, event), event, transition) for _ in range(count))
    plans.sort(key=lambda plan: (plan[1] not in ("split", "merged"), -plan[0]))  # long and large ones need room
    tracks: list[Track] = []
    next_id = 1
    for volume, event, transition in plans:
        track = _planted(finder, rng, script, event, transition, volume, next_id)
        next_id = 1 + max(lesion.id for state in track.states for lesion in state)
        tracks.append(track)
    return tuple(tracks)


def _drawn_volume(rng: np.random.Generator, script: Script, event: PlantedEvent) -> float:
    """Volume before any growth, large enough that no state falls below 27 mm³."""
    low, high = script.volume_mm3
    least = {"shrunk": low / 0.3, "touching": 4 * low}.get(event, low) * (1 + script.same_change)
    return float(np.exp(rng.uniform(np.log(min(least, high)), np.log(high))))


def _planted(
    finder: SiteFinder,
    rng: np.random.Generator,
    script: Script,
    event: PlantedEvent,
    transition: int | None,
    volume: float,
    first_id: int,
) -> Track:
    names, odds = zip(*_LOOK_ODDS, strict=True)
    look: LookName = names[int(rng.choice(len(names), p=odds))]
    ratio = float(rng.uniform(*script.contrast_to_noise))
    strength = ratio * script.noise_sd / LOOKS[look].core["FLAIR"]
    order = [_PLACES[n] for n in rng.choice(len(_PLACES), size=len(_PLACES), replace=False, p=_PLACE_ODDS)]
    preferred = [order[0], *(place for place in _PLACES if place != order[0])]
    while True:
        stages = _stages(rng, script, event, volume)
        largest = max(stages, key=lambda parts: sum(part.volume_mm3 for part in parts))
        whole = Shape(parts=tuple(blob for parts in stages if parts for shape in parts for blob in shape.parts))
        probe = whole if event in ("split", "merged") else Shape(parts=largest[0].parts)
        site = finder.find(probe, preferred)
        if site is not None:
            break
        smaller = volume * _SHRINK
        if event in ("split", "merged") or smaller < script.volume_mm3[0] * (1 + script.same_change):
            raise ValueError(f"no room for another lesion ({event}, {volume:.0f} mm³); ask for fewer or smaller ones.")
        volume = smaller
    shift = site.shape.center_mm - probe.center_mm
    moved = [tuple(shape.moved_to(shape.center_mm + shift) for shape in parts) for parts in stages]
    states = []
    for visit in range(script.visits):
        stage = 0 if transition is None or visit <= transition else 1
        wobble = float(1 + script.same_change * rng.uniform(-0.48, 0.48))
        states.append(
            tuple(PlantedLesion(id=first_id + n, shape=shape.scaled(wobble)) for n, shape in enumerate(moved[stage]))
        )
    return Track(
        event=event, transition=transition, states=tuple(states), look=look, strength=strength,
        tissue_mix=site.tissue_mix, place=site.place,
    )  # fmt: skip


def _stages(
    rng: np.random.Generator, script: Script, event: PlantedEvent, volume: float
) -> tuple[tuple[Shape, ...], tuple[Shape, ...]]:
    """What stands at the site before and after the event, about the origin."""
    if event in ("split", "merged"):
        whole, parts = _dumbbell(rng, script)
        return ((whole,), parts) if event == "split" else (parts, (whole,))
    if event == "touching":
        shape = _touching(rng, volume)
    else:
        shape = Shape(parts=(draw_blob(rng, center_mm=(0, 0, 0), volume_mm3=volume),))
    if event == "new":
        return (), (shape,)
    if event == "gone":
        return (shape,), ()
    if event in ("grown", "shrunk"):
        return (shape,), (shape.scaled(_ratio(rng, event, volume)),)
    return (shape,), (shape,)


def _ratio(rng: np.random.Generator, event: PlantedEvent, volume: float) -> float:
    size = int(np.searchsorted((125.0, 500.0), volume))
    ranges = {
        "grown": ((2.0, 3.0), (1.5, 2.2), (1.35, 1.9)),
        "shrunk": ((0.3, 0.45), (0.4, 0.6), (0.45, 0.68)),
    }[event]
    return float(rng.uniform(*ranges[size]))


def _touching(rng: np.random.Generator, volume: float) -> Shape:
    """Two balls of unlike size that overlap a little: together of the volume asked for."""
    share = float(rng.uniform(0.3, 0.5))
    radii = np.cbrt(np.array([share, 1 - share]) * volume / (4 / 3 * np.pi))
    direction = random_rotation(rng)[:, 0] * 0.85 * radii.sum()
    x, y, z = direction.tolist()
    a, b = radii.tolist()
    first = Blob(center_mm=(0.0, 0.0, 0.0), radii_mm=(a, a, a), axes=np.eye(3))
    union = Shape(parts=(first, replace(first, center_mm=(x, y, z), radii_mm=(b, b, b))))
    return union.scaled(volume / union.volume_mm3)


def _dumbbell(rng: np.random.Generator, script: Script) -> tuple[Shape, tuple[Shape, Shape]]:
    """A long ellipsoid, and two balls of its volume inside its ends with a gap between; the larger first."""
    small, large = np.sort(rng.uniform(*script.part_radius_mm, 2)).tolist()
    half = script.gap_mm / 2
    axis = np.roll(np.eye(3), -script.split_axis, axis=1)  # first column along the axis of the split
    along = axis[:, 0]

    def blob(position: float, radii: tuple[float, float, float]) -> Blob:
        x, y, z = (position * along).tolist()
        return Blob(center_mm=(x, y, z), radii_mm=radii, axes=axis)

    parts = (
        Shape(parts=(blob(half + large, (large, large, large)),)),
        Shape(parts=(blob(-half - small, (small, small, small)),)),
    )
    volume = sum(part.volume_mm3 for part in parts)
    ends = (-half - 2 * small - 0.5, half + 2 * large + 0.5)
    length = (ends[1] - ends[0]) / 2
    width = float(np.sqrt(volume / (4 / 3 * np.pi * length)))
    return Shape(parts=(blob((ends[0] + ends[1]) / 2, (length, width, width)),)), parts
