"""What became of each lesion between two visits: measured at the same places, by the same rule, at both.

A lesion found at one visit is looked for at its place in the other with a lower threshold, so that a lesion near the
limit does not come and go; contrasts are settled over both visits, so that a scanner change does not make lesions grow.
Every formula treats the visits alike: exchanging them exchanges the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.lesions.change import change_maps
from cohortex.lesions.detection import TOUCHING
from cohortex.lesions.lesion import EventKind, LesionEvent
from cohortex.lesions.matching import LabelArray, MatchedGroup, match_outlines
from cohortex.lesions.outline import LesionOutline, brain_window, kind_of, placed
from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.smoothing import blurred, near
from cohortex.lesions.volume import Contrasts, Extent, Measuring, VolumeTable, settle_contrasts, volume_table
from cohortex.transform import Rigid, Transform, warp

Array = NDArray[np.float32]

_LATTICE_MM = 1.0
_APART_MM = 2.0  # a part closer to an outline is its edge
_BRIDGE = 0.42  # share of the contrast at which two parts still count as connected
_MARGIN_MM = 6.0
_CONTRAST_SLACK = 0.08  # share by which the contrast of one lesion may differ between visits, relative to the others
_SCANNER_SLACK = 0.15  # share by which lesion contrast over white matter may differ between scanners


@dataclass(frozen=True, kw_only=True)
class LesionComparison:
    """What changed between two visits.

    Attributes
    ----------
    events : tuple of LesionEvent
        By falling volume (the larger of both visits).
    change_common, change_baseline, change_follow_up : Labels
        1 = new or grown tissue, 2 = gone or shrunk; on the midway grid and on that of each visit.
    baseline, follow_up : LesionOutline
        The outlines with what was found because the other visit showed it (higher numbers), measured jointly.
    """

    events: tuple[LesionEvent, ...]
    change_common: Labels
    change_baseline: Labels
    change_follow_up: Labels
    baseline: LesionOutline
    follow_up: LesionOutline


@dataclass(frozen=True)
class _Side:
    """One visit on its cropped arrays."""

    outline: LesionOutline
    from_midway: Rigid
    window: tuple[slice, ...]
    labels: LabelArray
    signs: tuple[int, ...]
    measuring: Measuring

    @classmethod
    def of(cls, outline: LesionOutline, from_midway: Rigid, parameters: LesionParameters) -> _Side:
        window = brain_window(outline.brain.mask, outline.brain.grid.spacing_mm)
        measuring = Measuring(
            difference=outline.difference.values,
            expected=outline.expected.values,
            doubt=outline.doubt.values,
            noise=outline.noise,
            brain=outline.brain.mask[window],
            spacing_mm=outline.brain.grid.spacing_mm,
            parameters=parameters,
        )
        labels = outline.labels.values[window].astype(np.int32)
        return cls(outline, from_midway, window, labels, tuple(m.sign for m in outline.measured), measuring)

    @property
    def grid(self) -> Grid:
        return self.outline.brain.grid.cropped([s.start for s in self.window], [s.stop for s in self.window])


def compare_lesions(
    baseline: LesionOutline,
    follow_up: LesionOutline,
    *,
    baseline_from_midway: Rigid,
    follow_up_from_midway: Rigid,
    midway: Grid,
    template_from_midway: Transform | None = None,
    describe: Callable[[NDArray[np.float64]], str] | None = None,
    parameters: LesionParameters | None = None,
) -> LesionComparison:
    """Follow every lesion from one visit to the other.

    Parameters
    ----------
    baseline, follow_up : LesionOutline
        Outlines of both visits, of the same contrast.
    baseline_from_midway, follow_up_from_midway : Rigid
        Take a point halfway between the visits to each, world mm.
    midway : Grid
        Grid of the common change map.
    template_from_midway : Transform, optional
        Takes a midway point to the template; without it and `describe` places stay empty.
    describe : callable, optional
        Names the place of template points, shape (n, 3), LPS mm.
    parameters : LesionParameters, optional
        The numbers; those of the baseline outline when omitted.

    Returns
    -------
    LesionComparison
        Events, change maps, and both outlines measured jointly.

    Raises
    ------
    ValueError
        If the visits were outlined on different contrasts.
    """
    if baseline.contrast != follow_up.contrast:
        raise ValueError(
            f"the baseline was outlined on {baseline.contrast}, the follow-up on {follow_up.contrast}; "
            "outline both on a contrast that both visits have."
        )
    parameters = parameters or baseline.parameters
    sides = (
        _Side.of(baseline, baseline_from_midway, parameters),
        _Side.of(follow_up, follow_up_from_midway, parameters),
    )
    lattice = _lattice(midway, sides)
    on_lattice = [_on_lattice(side, lattice) for side in sides]
    groups = match_outlines(
        on_lattice[0],
        on_lattice[1],
        spacing_mm=lattice.spacing_mm,
        baseline_labels=tuple(range(1, len(sides[0].signs) + 1)),
        follow_up_labels=tuple(range(1, len(sides[1].signs) + 1)),
        parameters=parameters,
    )
    typical = _typical_contrasts(sides)
    found_b, groups_b = _looked_for(sides[0], sides[1], on_lattice[1], lattice, groups, typical, 0)
    found_f, groups_f = _looked_for(sides[1], sides[0], on_lattice[0], lattice, groups, typical[::-1], 1)
    groups = tuple(
        MatchedGroup(baseline=b.baseline, follow_up=f.follow_up) for b, f in zip(groups_b, groups_f, strict=True)
    )
    found_b, groups = _joined(found_b, groups, 0)
    found_f, groups = _joined(found_f, groups, 1)
    tables = _measured_jointly((found_b, found_f), groups, parameters)
    on_lattice = [_on_lattice(side, lattice) for side in (found_b, found_f)]
    judged = [_judged(group, tables, parameters) for group in groups]
    events = [
        _event(group, verdict, on_lattice, lattice, template_from_midway, describe)
        for group, verdict in zip(groups, judged, strict=True)
    ]
    order = sorted(range(len(groups)), key=lambda n: _rank(groups[n], judged[n], on_lattice))
    maps = change_maps(
        groups=groups,
        kinds=[verdict.event for verdict in judged],
        labels=(found_b.labels, found_f.labels),
        fractions=(tables[0].fraction, tables[1].fraction),
        grids=(found_b.grid, found_f.grid),
        from_midway=(baseline_from_midway, follow_up_from_midway),
        midway=midway,
    )
    whole = [
        Labels(placed(part, side.window, side.outline.brain.grid.shape), side.outline.brain.grid)
        for part, side in zip(maps[1:], (found_b, found_f), strict=True)
    ]
    return LesionComparison(
        events=tuple(events[n] for n in order),
        change_common=Labels(maps[0], midway),
        change_baseline=whole[0],
        change_follow_up=whole[1],
        baseline=_outline_of(found_b, tables[0]),
        follow_up=_outline_of(found_f, tables[1]),
    )


@dataclass(frozen=True)
class _Verdict:
    event: EventKind
    baseline_mm3: float
    follow_up_mm3: float
    change_sd_mm3: float


def _lattice(midway: Grid, sides: Sequence[_Side]) -> Grid:
    """A fine lattice of midway space over all lesions of both visits."""
    fine = [min(_LATTICE_MM, s) for s in midway.spacing_mm]
    grid = midway if max(midway.spacing_mm) <= 1.5 * _LATTICE_MM else midway.with_spacing(fine, keep="extent")
    corners = []
    for side in sides:
        midway_from_visit = side.from_midway.inverse()
        for box in ndimage.find_objects((side.labels > 0).astype(np.uint8)):
            ends = np.array([[s.start - 0.5, s.stop - 0.5] for s in box])
            index = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
            corners.append(grid.index_of(midway_from_visit(side.grid.world_of(index))))
    if not corners:
        return grid.cropped((0, 0, 0), (1, 1, 1))
    margin = np.ceil(_MARGIN_MM / np.asarray(grid.spacing_mm))
    low = np.floor(np.min([c.min(axis=0) for c in corners], axis=0) - margin).astype(int)
    high = np.ceil(np.max([c.max(axis=0) for c in corners], axis=0) + margin).astype(int) + 1
    return grid.cropped([int(n) for n in low], [int(n) for n in high])


def _on_lattice(side: _Side, lattice: Grid) -> LabelArray:
    labels = warp(Labels(side.labels, side.grid), side.from_midway, onto=lattice, interpolation="nearest")
    return np.asarray(labels.values, dtype=np.int32)


def _typical_contrasts(sides: Sequence[_Side]) -> tuple[float, float]:
    """Lesion contrast of each visit, with what the other visit knows carried over by the level of white matter."""
    own = [
        settle_contrasts(side.measuring.extents_of(side.labels, side.signs), side.measuring.parameters)
        for side in sides
    ]
    levels = [abs(side.outline.white_level) or 1.0 for side in sides]
    combined = []
    for n in (0, 1):
        here, there, scale = own[n], own[1 - n], levels[n] / levels[1 - n]
        carried, carried_sd = there.typical * scale, np.hypot(there.typical_sd, _SCANNER_SLACK * there.typical) * scale
        if here.typical <= 0 or there.typical <= 0:
            combined.append(max(here.typical, carried, 1e-6))
            continue
        a, b = 1 / here.typical_sd**2, 1 / carried_sd**2
        combined.append(float((here.typical * a + carried * b) / (a + b)))
    return combined[0], combined[1]


def _looked_for(
    side: _Side,
    other: _Side,
    other_on_lattice: LabelArray,
    lattice: Grid,
    groups: Sequence[MatchedGroup],
    typical: tuple[float, float],
    which: int,
) -> tuple[_Side, tuple[MatchedGroup, ...]]:
    """Look in one visit for what only the other shows, and add what is there to its outlines.

    A lesion without a partner is looked for as a whole; of one with a partner, the parts its partner leaves out.
    """
    labels, signs = side.labels.copy(), list(side.signs)
    boxes = ndimage.find_objects(other_on_lattice)
    updated = []
    for group in groups:
        here, there = (group.baseline, group.follow_up) if which == 0 else (group.follow_up, group.baseline)
        found = list(here)
        if there:
            region = np.zeros(labels.shape, dtype=bool)
            for label in there:
                if label <= len(boxes) and boxes[label - 1] is not None:
                    region |= _hit(other_on_lattice, boxes[label - 1], label, lattice, side)
            sign = other.signs[there[0] - 1]
            contrast = typical[0] * other.outline.measured[there[0] - 1].contrast / typical[1]
            seen = sum(other.outline.measured[label - 1].volume_mm3 for label in there)
            if here:
                pieces = _pieces(side, labels, region, here, sign, contrast, seen)
            else:
                whole = _shown(side, labels, region, sign, contrast, seen)
                pieces = [] if whole is None else [whole]
            for piece in pieces:
                signs.append(sign)
                labels[piece] = len(signs)
                found.append(len(signs))
        mine = tuple(found)
        updated.append(replace(group, baseline=mine) if which == 0 else replace(group, follow_up=mine))
    return replace(side, labels=labels, signs=tuple(signs)), tuple(updated)


def _pieces(
    side: _Side,
    labels: LabelArray,
    region: NDArray[np.bool_],
    here: tuple[int, ...],
    sign: int,
    contrast: float,
    seen_mm3: float,
) -> list[NDArray[np.bool_]]:
    """Parts of a lesion that the other visit shows in one piece and this one leaves out of its outline."""
    parameters, measuring = side.measuring.parameters, side.measuring
    union = region | np.isin(labels, here)
    box = ndimage.find_objects(union.astype(np.uint8))[0]
    margin = [int(np.ceil(3.0 / s)) for s in measuring.spacing_mm]
    window = tuple(
        slice(max(0, s.start - m), min(n, s.stop + m)) for s, m, n in zip(box, margin, labels.shape, strict=True)
    )
    local = labels[window]
    taken = near(local > 0, measuring.spacing_mm, distance_mm=_APART_MM)
    free = near(region[window], measuring.spacing_mm, distance_mm=parameters.match_tolerance_mm) & ~taken
    free &= measuring.brain[window]
    quiet = blurred(
        (sign * measuring.difference[window]).astype(np.float32),
        measuring.spacing_mm,
        sigma_mm=parameters.outline_sigma_mm,
    )
    parts, count = ndimage.label(free & (quiet > parameters.outline_level * contrast), structure=TOUCHING)
    found = []
    for number in range(1, count + 1):
        piece = np.zeros(labels.shape, dtype=bool)
        piece[window] = parts == number
        if np.count_nonzero(piece) * np.prod(measuring.spacing_mm) < 0.5 * parameters.smallest_volume_mm3:
            continue
        shown = _shown(side, labels, piece, sign, contrast, seen_mm3)
        if shown is not None:
            found.append(shown & ~near(labels > 0, measuring.spacing_mm, distance_mm=0.5))
    return found


def _joined(side: _Side, groups: Sequence[MatchedGroup], which: int) -> tuple[_Side, tuple[MatchedGroup, ...]]:
    """Join the parts of a lesion that noise has cut: parts the other visit shows as one, with a bridge between them."""
    labels = side.labels.copy()
    updated = []
    for group in groups:
        here, there = (group.baseline, group.follow_up) if which == 0 else (group.follow_up, group.baseline)
        if len(here) > 1 and len(there) == 1:
            here = _bridged(side, labels, here)
        updated.append(replace(group, baseline=here) if which == 0 else replace(group, follow_up=here))
    return replace(side, labels=labels), tuple(updated)


def _bridged(side: _Side, labels: LabelArray, here: tuple[int, ...]) -> tuple[int, ...]:
    """Give connected parts one label, in place; the labels that remain."""
    measuring = side.measuring
    contrasts = [m.contrast for m in side.outline.measured if m.label in here] or [side.outline.typical_contrast]
    level = _BRIDGE * min(contrasts)
    inside = np.isin(labels, here)
    box = ndimage.find_objects(inside.astype(np.uint8))[0]
    difference = side.signs[here[0] - 1] * measuring.difference[box]
    quiet = blurred(difference.astype(np.float32), measuring.spacing_mm, sigma_mm=measuring.parameters.outline_sigma_mm)
    connected, _ = ndimage.label(inside[box] | ((quiet > level) & (labels[box] == 0)), structure=TOUCHING)
    kept: dict[int, int] = {}
    for label in here:
        where = labels[box] == label
        pieces = np.bincount(connected[where])
        kept.setdefault(int(pieces.argmax()), label)
        labels[box][where] = kept[int(pieces.argmax())]
    return tuple(sorted(kept.values()))


def _hit(on_lattice: LabelArray, box: tuple[slice, ...], label: int, lattice: Grid, side: _Side) -> NDArray[np.bool_]:
    """Voxels of a visit into which the lattice points of an outline of the other visit fall."""
    start = np.array([s.start for s in box])
    points = side.from_midway(lattice.world_of(np.argwhere(on_lattice[box] == label) + start))
    index = np.rint(side.grid.index_of(points)).astype(int)
    inside = np.all((index >= 0) & (index < side.labels.shape), axis=1)
    region = np.zeros(side.labels.shape, dtype=bool)
    region[tuple(index[inside].T)] = True
    return region


def _shown(
    side: _Side, labels: LabelArray, region: NDArray[np.bool_], sign: int, contrast: float, seen_mm3: float
) -> NDArray[np.bool_] | None:
    """Outline of what a visit shows in a region, or None where it shows nothing to speak of."""
    parameters, measuring = side.measuring.parameters, side.measuring
    region = region & (labels == 0) & measuring.brain
    if not region.any():
        return None
    probe = labels.copy()
    number = int(labels.max()) + 1
    probe[region] = number
    box = ndimage.find_objects(region.astype(np.uint8))[0]
    extent = measuring.extent_of(number, box, probe, sign)
    summed = float(extent.share(contrast).sum(dtype=np.float64)) * extent.voxel_mm3
    whole_noise = np.sqrt(np.count_nonzero(extent.whole)) * measuring.noise.voxel * measuring.noise.growth
    sd = float(np.hypot(extent.edge_noise, whole_noise)) * extent.voxel_mm3 / contrast
    # The region is the other visit's: here nothing says that even its middle is lesion, so every voxel counts by share.
    middle = extent.excess[extent.whole] / np.maximum(contrast - extent.relief[extent.whole], 0.2 * contrast) - 1
    volume = summed + float(middle.sum(dtype=np.float64)) * extent.voxel_mm3
    least = max(
        parameters.presence_share * parameters.smallest_volume_mm3,
        parameters.presence_sd * sd,
        parameters.presence_of_other * seen_mm3,
    )
    if volume < least:
        return None
    window = extent.box
    around = near(region[window], measuring.spacing_mm, distance_mm=parameters.match_tolerance_mm)
    free = around & (labels[window] == 0) & measuring.brain[window]
    quiet = blurred(extent.excess, measuring.spacing_mm, sigma_mm=parameters.outline_sigma_mm)
    shown = np.zeros(labels.shape, dtype=bool)
    for level in (parameters.outline_level, 0.5 * parameters.outline_level):
        shown[window] = free & (quiet > level * contrast)
        if shown.any():
            return shown
    return region


def _measured_jointly(
    sides: tuple[_Side, _Side], groups: Sequence[MatchedGroup], parameters: LesionParameters
) -> tuple[VolumeTable, VolumeTable]:
    """Volumes of both visits with contrasts that know of each other."""
    extents = [{e.label: e for e in side.measuring.extents_of(side.labels, side.signs)} for side in sides]
    own = [settle_contrasts(list(e.values()), parameters) for e in extents]
    typical = _typical_contrasts(sides)
    partner: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for group in groups:
        if len(group.baseline) == len(group.follow_up) == 1:
            partner[0][group.baseline[0]] = group.follow_up[0]
            partner[1][group.follow_up[0]] = group.baseline[0]
    tables = []
    for n in (0, 1):
        scale = typical[n] / typical[1 - n]
        scatter = max(own[n].scatter, own[1 - n].scatter * scale)
        each, each_sd = {}, {}
        for label, extent in extents[n].items():
            other = extents[1 - n].get(partner[n].get(label, 0))
            each[label], each_sd[label] = _joint_contrast(extent, other, scale, typical[n], scatter)
        contrasts = Contrasts(
            typical=typical[n], typical_sd=own[n].typical_sd, scatter=scatter, each=each, each_sd=each_sd
        )
        tables.append(volume_table(list(extents[n].values()), contrasts, sides[n].labels.shape))
    return tables[0], tables[1]


def _joint_contrast(
    extent: Extent, other: Extent | None, scale: float, typical: float, scatter: float
) -> tuple[float, float]:
    """Contrast of a lesion from itself, from the other visit, and from the other lesions, by precision."""
    known = [(typical, scatter), (extent.contrast, max(extent.contrast_sd, 1e-3 * typical))]
    if other is not None:
        known.append((other.contrast * scale, float(np.hypot(other.contrast_sd * scale, _CONTRAST_SLACK * typical))))
    weights = [1 / sd**2 for _, sd in known]
    total = sum(weights)
    return sum(w * value for w, (value, _) in zip(weights, known, strict=True)) / total, float(1 / np.sqrt(total))


def _judged(group: MatchedGroup, tables: tuple[VolumeTable, VolumeTable], parameters: LesionParameters) -> _Verdict:
    """Name what became of a group."""
    volumes, variances = [], []
    for labels, table in ((group.baseline, tables[0]), (group.follow_up, tables[1])):
        parts = [lesion for lesion in table.lesions if lesion.label in labels]
        volumes.append(sum(lesion.volume_mm3 for lesion in parts))
        variances.append(sum(lesion.volume_sd_mm3**2 for lesion in parts))
    sd = float(np.sqrt(variances[0] + variances[1]))
    return _Verdict(_kind(group, volumes[0], volumes[1], sd, parameters), volumes[0], volumes[1], sd)


def _kind(group: MatchedGroup, before: float, after: float, sd: float, parameters: LesionParameters) -> EventKind:
    if not group.baseline:
        return "new"
    if not group.follow_up:
        return "gone"
    if len(group.follow_up) > len(group.baseline):
        return "split"
    if len(group.follow_up) < len(group.baseline):
        return "merged"
    least = max(parameters.change_share * min(before, after), parameters.change_sd * sd)
    if abs(after - before) <= least:
        return "same"
    return "grown" if after > before else "shrunk"


def _event(
    group: MatchedGroup,
    verdict: _Verdict,
    on_lattice: Sequence[LabelArray],
    lattice: Grid,
    template_from_midway: Transform | None,
    describe: Callable[[NDArray[np.float64]], str] | None,
) -> LesionEvent:
    place = ""
    if template_from_midway is not None and describe is not None:
        covered = np.isin(on_lattice[0], group.baseline) | np.isin(on_lattice[1], group.follow_up)
        place = describe(np.asarray(template_from_midway(lattice.world_of(np.argwhere(covered)))))
    change = verdict.follow_up_mm3 - verdict.baseline_mm3
    return LesionEvent(
        event=verdict.event,
        baseline_labels=group.baseline,
        follow_up_labels=group.follow_up,
        baseline_volume_ml=verdict.baseline_mm3 / 1000,
        follow_up_volume_ml=verdict.follow_up_mm3 / 1000,
        change_ml=change / 1000,
        change_sd_ml=verdict.change_sd_mm3 / 1000,
        change_percent=100 * change / verdict.baseline_mm3 if group.baseline and verdict.baseline_mm3 > 0 else None,
        place=place,
    )


def _rank(group: MatchedGroup, verdict: _Verdict, on_lattice: Sequence[LabelArray]) -> tuple[float, int]:
    """Order that does not ask which visit came first."""
    covered = np.isin(on_lattice[0], group.baseline) | np.isin(on_lattice[1], group.follow_up)
    first = int(np.argmax(covered)) if covered.any() else covered.size
    return -max(verdict.baseline_mm3, verdict.follow_up_mm3), first


def _outline_of(side: _Side, table: VolumeTable) -> LesionOutline:
    outline, grid = side.outline, side.outline.brain.grid
    return replace(
        outline,
        labels=outline.labels.with_values(placed(side.labels.astype(np.uint16), side.window, grid.shape)),
        fraction=Image(placed(table.fraction, side.window, grid.shape), grid, "1"),
        measured=table.lesions,
        kinds=tuple(kind_of(outline.contrast, sign) for sign in side.signs),
        typical_contrast=table.typical_contrast,
        contrast_scatter=table.contrast_scatter,
    )
