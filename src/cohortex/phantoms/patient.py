"""A phantom patient: visits with scans in their own position and scanner, and everything true about them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.phantoms.acquisition import Orientation, carried_labels, scan_grid
from cohortex.phantoms.contrast import Contrast
from cohortex.phantoms.deposit import Deposit
from cohortex.phantoms.distractors import NO_DISTRACTORS, Distractors, draw_distractors, draw_flow
from cohortex.phantoms.events import DEFAULT_EVENTS, SMALLEST_MM3, PlantedEvent, Script, Track, plant
from cohortex.phantoms.head import Head, head
from cohortex.phantoms.scan import scan
from cohortex.phantoms.scanner import Scanner, Vendor, draw_scanner
from cohortex.phantoms.truth import EventTruth, LesionTruth, PhantomPatient, PhantomVisit
from cohortex.transform import Rigid

T = TypeVar("T")

_VENDORS: tuple[Vendor, ...] = ("siemens-like", "ge-like", "philips-like")
_FIELD_MARGIN_MM = 8.0
_CODES = {name: number for number, name in enumerate(("T1", "T1c", "T2", "FLAIR", "b0", "trace", "ADC", "CT"))}


def patient(
    *,
    seed: int,
    visits: int = 2,
    spacing_mm: float = 1.0,
    slice_thickness_mm: float | Sequence[float] | None = None,
    contrasts: Sequence[Contrast] = ("T1", "FLAIR"),
    reference: Contrast | None = None,
    orientation: Orientation | Sequence[Orientation] = "axial",
    events: Mapping[PlantedEvent, int] = DEFAULT_EVENTS,
    volume_mm3: tuple[float, float] = (SMALLEST_MM3, 4000.0),
    contrast_to_noise: tuple[float, float] = (6.0, 15.0),
    same_change: float = 0.05,
    oedema_mm: float = 0.0,
    deformation_mm: float = 2.0,
    ventricle_growth: float = 1.0,
    vendors: Sequence[Vendor] | None = None,
    scanner_change: bool = True,
    bias: bool = True,
    noise: bool = True,
    blur: bool = True,
    motion: bool = True,
    distractors: bool = True,
    largest_rotation_deg: float = 10.0,
    largest_translation_mm: float = 10.0,
) -> PhantomPatient:
    """Make a patient with lesions that follow a script, and scan each visit.

    Parameters
    ----------
    seed : int
        Repeats the patient bit for bit.
    visits : int
        How many, 1 or more.
    spacing_mm : float
        Spacing of the head and of the pixels, mm.
    slice_thickness_mm : float or sequence of float, optional
        Slice thickness of all visits or of each, mm; `spacing_mm` when omitted.
    contrasts : sequence of str
        What is scanned at each visit.
    reference : str, optional
        Contrast of the labels; FLAIR where it is scanned, else the first.
    orientation : str or sequence of str
        Plane of the slices of all visits or of each.
    events : mapping of str to int
        Lesions of each kind: "same" and "touching" in all, the others at each transition.
    volume_mm3 : tuple of float
        Range of lesion volumes before growth, mm³, from 27.
    contrast_to_noise : tuple of float
        Range on FLAIR in the noisiest visit; from 3.
    same_change : float
        Greatest relative change of a lesion that stays the same; under 0.1.
    oedema_mm : float
        Halo beyond each lesion's surface, mm, not counted in its volume; off by default.
    deformation_mm, ventricle_growth : float
        Anatomy, as in `head`.
    vendors : sequence of str, optional
        Habits of the scanner of each visit; another vendor at each visit when omitted.
    scanner_change, bias, noise, blur, motion, distractors : bool
        Switch off each thing that disturbs. Without `scanner_change` all visits use one scanner.
    largest_rotation_deg, largest_translation_mm : float
        Most that two visits may differ in position; each visit keeps within half of it of the upright head.

    Returns
    -------
    PhantomPatient
        Scans and truth.

    Raises
    ------
    ValueError
        If an argument is out of range, or the lesions find no room in the head.
    """
    thicknesses = _per_visit(slice_thickness_mm if slice_thickness_mm is not None else spacing_mm, visits)
    orientations: tuple[Orientation, ...] = _per_visit(orientation, visits)
    _refuse_nonsense(visits, volume_mm3, contrast_to_noise, same_change, contrasts)
    chosen = reference or ("FLAIR" if "FLAIR" in contrasts else contrasts[0])
    if chosen not in contrasts:
        raise ValueError(f"reference is {chosen!r}, which is not scanned; contrasts are {', '.join(contrasts)}.")
    anatomy = head(
        spacing_mm=spacing_mm,
        rng=np.random.default_rng([seed, 1]),
        deformation_mm=deformation_mm,
        ventricle_growth=ventricle_growth,
    )
    scanners = _scanners(
        np.random.default_rng([seed, 2]), visits, vendors, change=scanner_change, bias=bias, noise=noise, blur=blur
    )
    gap = max(6.0, 2.5 * spacing_mm)
    script = Script(
        visits=visits,
        events=events if visits > 1 else {"same": events.get("same", 0), "touching": events.get("touching", 0)},
        volume_mm3=volume_mm3,
        same_change=same_change,
        contrast_to_noise=contrast_to_noise,
        noise_sd=max(s.noise_sd for s in scanners) or 5.0,
        gap_mm=gap,
        part_radius_mm=(max(3.4, 1.4 * spacing_mm), max(4.6, 1.8 * spacing_mm)),
        split_axis=_split_axis(orientations, thicknesses, gap),
        separation_mm=max(5.0, 2 * spacing_mm, 1.5 * max(thicknesses)),
    )
    tracks = plant(anatomy, np.random.default_rng([seed, 3]), script)
    lasting = draw_distractors(anatomy, np.random.default_rng([seed, 4])) if distractors else NO_DISTRACTORS
    made = []
    for number in range(visits):
        rng = np.random.default_rng([seed, 5, number])
        position = _position(rng, anatomy, largest_rotation_deg / 2, largest_translation_mm / 2)
        present = replace(lasting, flow=draw_flow(anatomy, rng)) if distractors else lasting
        grid = scan_grid(
            _field_of_view(anatomy.grid),
            in_plane_mm=spacing_mm,
            slice_spacing_mm=thicknesses[number],
            orientation=orientations[number],
            frame_of_reference=_frame(seed, number),
        )
        made.append(
            _visit(
                anatomy, tracks, number, contrasts, chosen, grid, orientations[number], scanners[number],
                position if motion else Rigid.identity(), _without_lesions(present, tracks), seed, oedema_mm,
            )
        )  # fmt: skip
    table = tuple(_event_truth(tracks, t, made[t + 1].scanner_from_head) for t in range(visits - 1))
    return PhantomPatient(seed=seed, head=anatomy, visits=tuple(made), events=table)


def _refuse_nonsense(
    visits: int,
    volume_mm3: tuple[float, float],
    contrast_to_noise: tuple[float, float],
    same_change: float,
    contrasts: Sequence[str],
) -> None:
    if visits < 1:
        raise ValueError(f"visits is {visits}; give 1 or more.")
    if not SMALLEST_MM3 <= volume_mm3[0] <= volume_mm3[1]:
        raise ValueError(f"volume_mm3 is {volume_mm3}; give a range from 27 mm³ up.")
    if not 3 <= contrast_to_noise[0] <= contrast_to_noise[1]:
        raise ValueError(f"contrast_to_noise is {contrast_to_noise}; give a range from 3 up.")
    if not 0 <= same_change < 0.1:
        raise ValueError(f"same_change is {same_change:g}; a lesion that stays the same changes by less than 0.1.")
    if not contrasts:
        raise ValueError("contrasts is empty; name at least one.")


def _per_visit(value: T | Sequence[T], visits: int) -> tuple[T, ...]:
    """Repeat a single value for every visit; check that a sequence has one per visit."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return (value,) * visits
    if len(value) != visits:
        raise ValueError(f"{len(value)} values for {visits} visits; give one for all or one for each.")
    return tuple(value)


def _visit(
    anatomy: Head,
    tracks: Sequence[Track],
    number: int,
    contrasts: Sequence[Contrast],
    reference: Contrast,
    grid: Grid,
    orientation: Orientation,
    scanner: Scanner,
    position: Rigid,
    distractors: Distractors,
    seed: int,
    oedema_mm: float,
) -> PhantomVisit:
    """Scan one visit and write down what is true of it."""
    deposits: dict[int, Deposit] = {}
    truths: list[LesionTruth] = []
    for track in tracks:
        for lesion in track.states[number]:
            deposit = Deposit(
                shape=lesion.shape,
                look=track.look,
                strength=track.strength,
                tissue_mix=track.tissue_mix,
                oedema_mm=oedema_mm,
            )
            deposits[lesion.id] = deposit
            truths.append(
                LesionTruth(
                    id=lesion.id,
                    volume_mm3=lesion.shape.volume_mm3,
                    center_mm=_triple(position(lesion.shape.center_mm)),
                    template_mm=_triple(anatomy.template_from_head(lesion.shape.center_mm)),
                    contrast_to_noise={c: deposit.contrast_to_noise(c, scanner) for c in contrasts if c != "ADC"},
                    look=track.look,
                    place=track.place,
                    parts=len(lesion.shape.parts),
                    shape=lesion.shape,
                )
            )
    truths.sort(key=lambda truth: truth.id)
    images: dict[str, Image] = {}
    for contrast in contrasts:
        image = scan(
            anatomy,
            contrast,
            grid=grid,
            orientation=orientation,
            scanner=scanner,
            scanner_from_head=position,
            lesions=[deposits[truth.id] for truth in truths],
            distractors=distractors,
            rng=np.random.default_rng([seed, 6, number, _CODES[contrast]]),
        )
        images[contrast] = image.with_metadata(
            series_number=_CODES[contrast] + 2, study_date=f"20{24 + number // 4}{1 + 3 * (number % 4):02d}15"
        )
    return PhantomVisit(
        images=images,
        scanner=scanner,
        scanner_from_head=position,
        reference=reference,
        lesions=tuple(truths),
        labels=_labels(truths, grid, position),
        brain=carried_labels(anatomy.brain, grid, source_from_world=position.inverse()),
        distractors=distractors,
    )


def _labels(truths: Sequence[LesionTruth], grid: Grid, position: Rigid) -> Labels:
    """Lesion ids on a grid where a lesion fills most of a voxel."""
    values = np.zeros(grid.shape, dtype=np.uint8 if len(truths) < 200 else np.uint16)
    for truth in truths:
        part = truth.shape.fraction(grid, world_from_head=position)
        if part.share.size == 0:
            continue
        most = part.share > 0.5
        if not most.any():
            most = part.share == part.share.max()
        values[part.box][most] = truth.id
    return Labels(values, grid)


def _event_truth(tracks: Sequence[Track], transition: int, follow_up_from_head: Rigid) -> tuple[EventTruth, ...]:
    rows = []
    for track in tracks:
        event = track.event_at(transition)
        if event is None:
            continue
        before, after = track.states[transition], track.states[transition + 1]
        there = [lesion.shape for lesion in after or before]
        center = np.average([s.center_mm for s in there], axis=0, weights=[s.volume_mm3 for s in there])
        rows.append(
            EventTruth(
                event="same" if event == "touching" else event,
                baseline_ids=tuple(lesion.id for lesion in before),
                follow_up_ids=tuple(lesion.id for lesion in after),
                baseline_volume_mm3=sum(lesion.shape.volume_mm3 for lesion in before),
                follow_up_volume_mm3=sum(lesion.shape.volume_mm3 for lesion in after),
                center_mm=_triple(follow_up_from_head(center)),
            )
        )
    return tuple(rows)


def _without_lesions(distractors: Distractors, tracks: Sequence[Track]) -> Distractors:
    """Leave out what lies within 4 mm of a planted lesion at any visit: it would be part of its outline."""
    shapes = [lesion.shape for track in tracks for state in track.states for lesion in state]

    def clear(deposit: Deposit) -> bool:
        return all(
            np.linalg.norm(deposit.shape.center_mm - shape.center_mm) > deposit.shape.reach_mm + shape.reach_mm + 4
            for shape in shapes
        )

    return replace(distractors, deposits=tuple(deposit for deposit in distractors.deposits if clear(deposit)))


def _scanners(
    rng: np.random.Generator,
    visits: int,
    vendors: Sequence[Vendor] | None,
    *,
    change: bool,
    bias: bool,
    noise: bool,
    blur: bool,
) -> tuple[Scanner, ...]:
    drawn: list[Scanner] = []
    first = int(rng.integers(len(_VENDORS)))
    for number in range(visits):
        vendor = _VENDORS[(first + number) % len(_VENDORS)] if vendors is None else vendors[number % len(vendors)]
        scanner = draw_scanner(rng, vendor)
        drawn.append(scanner if change or not drawn else drawn[0])
    return tuple(
        replace(
            scanner,
            bias=scanner.bias if bias else 0.0,
            noise_sd=scanner.noise_sd if noise else 0.0,
            noise_sd_hu=scanner.noise_sd_hu if noise else 0.0,
            blur_fwhm_mm=scanner.blur_fwhm_mm if blur else 0.0,
        )
        for scanner in drawn
    )


def _position(rng: np.random.Generator, anatomy: Head, largest_deg: float, largest_mm: float) -> Rigid:
    """Draw a head position about the middle of the head, both parts within their limits."""
    axis, direction = rng.standard_normal(3), rng.standard_normal(3)
    angle = np.radians(largest_deg) * rng.uniform(0.3, 1)
    length = largest_mm * rng.uniform(0.3, 1)
    return Rigid.from_vectors(
        rotation_vector_rad=angle * axis / np.linalg.norm(axis),
        translation_mm=length * direction / np.linalg.norm(direction),
        center_mm=anatomy.grid.center_mm,
    )


def _field_of_view(grid: Grid) -> Grid:
    """The head's box with a margin of air, but none below the neck."""
    margin = round(_FIELD_MARGIN_MM / grid.spacing_mm[0])
    size = np.asarray(grid.shape)
    return grid.cropped((-margin, -margin, 0), tuple(int(n) for n in size + margin))


def _split_axis(orientations: Sequence[Orientation], thicknesses: Sequence[float], gap_mm: float) -> int:
    """A world axis in the plane of every thick stack of slices; posterior where the slices allow it."""
    through = {"axial": 2, "sagittal": 0, "coronal": 1}
    thick = {through[o] for o, t in zip(orientations, thicknesses, strict=True) if 2.5 * t > gap_mm}
    free = [axis for axis in (1, 0, 2) if axis not in thick]
    if not free:
        raise ValueError("thick slices in all three planes leave no direction in which a split lesion shows.")
    return free[0]


def _frame(seed: int, number: int) -> str:
    """Frame of reference UID of a visit, from the seed."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'cohortex phantom {seed} visit {number}').int}"


def _triple(point: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = np.asarray(point, dtype=float).tolist()
    return x, y, z
