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

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.lesions.change import change_maps
from cohortex.lesions.joining import joined
from cohortex.lesions.joint import JointMeasurement, measured_jointly, typical_contrasts
from cohortex.lesions.lesion import EventKind, LesionEvent
from cohortex.lesions.matching import LabelArray, MatchedGroup, match_outlines
from cohortex.lesions.outline import LesionOutline, kind_of, placed
from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.second_look import second_look
from cohortex.lesions.seeking import looked_for
from cohortex.lesions.side import Side, lattice_over, outlines_on, with_labels
from cohortex.lesions.visit_change import VisitChange, visit_changes
from cohortex.lesions.volume import VolumeTable
from cohortex.transform import Rigid, Transform


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
        Side.of(baseline, baseline_from_midway, parameters),
        Side.of(follow_up, follow_up_from_midway, parameters),
    )
    changes = visit_changes(sides)
    sides = (
        Side.of(second_look(baseline, changes[0]), baseline_from_midway, parameters),
        Side.of(second_look(follow_up, changes[1]), follow_up_from_midway, parameters),
    )
    lattice = lattice_over(midway, sides)
    on_lattice = [outlines_on(side, lattice) for side in sides]
    groups = match_outlines(
        on_lattice[0],
        on_lattice[1],
        spacing_mm=lattice.spacing_mm,
        baseline_labels=tuple(range(1, len(sides[0].signs) + 1)),
        follow_up_labels=tuple(range(1, len(sides[1].signs) + 1)),
        parameters=parameters,
    )
    typical = typical_contrasts(sides)
    found_b, groups_b = looked_for(sides[0], sides[1], on_lattice[1], lattice, groups, typical, 0)
    found_f, groups_f = looked_for(sides[1], sides[0], on_lattice[0], lattice, groups, typical[::-1], 1)
    groups = tuple(
        MatchedGroup(baseline=b.baseline, follow_up=f.follow_up) for b, f in zip(groups_b, groups_f, strict=True)
    )
    on_lattice = [outlines_on(side, lattice) for side in (found_b, found_f)]
    joined_b, groups_b = joined(found_b, found_f, on_lattice[0], lattice, groups, typical, 0)
    joined_f, groups_f = joined(found_f, found_b, on_lattice[1], lattice, groups, typical[::-1], 1)
    groups = tuple(
        MatchedGroup(baseline=b.baseline, follow_up=f.follow_up) for b, f in zip(groups_b, groups_f, strict=True)
    )
    found_b, found_f = joined_b, joined_f
    measured = measured_jointly((found_b, found_f), groups, parameters)
    borne_out = [
        max(_volumes(group, measured.tables)) >= parameters.kept_share * parameters.smallest_volume_mm3
        and _is_borne_out(group, (found_b, found_f), changes, parameters)
        for group in groups
    ]
    if not all(borne_out):  # seen twice, it proved too small, or no different from what the other visit shows there
        groups = tuple(group for group, kept in zip(groups, borne_out, strict=True) if kept)
        found_b, groups = with_labels(found_b, groups, 0)
        found_f, groups = with_labels(found_f, groups, 1)
        measured = measured_jointly((found_b, found_f), groups, parameters)
    tables = measured.tables
    on_lattice = [outlines_on(side, lattice) for side in (found_b, found_f)]
    judged = [_judged(group, measured, parameters) for group in groups]
    events = [
        _event(group, verdict, on_lattice, lattice, template_from_midway, describe)
        for group, verdict in zip(groups, judged, strict=True)
    ]
    order = sorted(range(len(groups)), key=lambda n: _rank(groups[n], judged[n], on_lattice))
    maps = change_maps(
        groups=groups,
        kinds=[verdict.event for verdict in judged],
        changes_mm3=[verdict.follow_up_mm3 - verdict.baseline_mm3 for verdict in judged],
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


def _judged(group: MatchedGroup, measured: JointMeasurement, parameters: LesionParameters) -> _Verdict:
    """Name what became of a group."""
    volumes = _volumes(group, measured.tables)
    variances = [
        sum(lesion.volume_sd_mm3**2 for lesion in table.lesions if lesion.label in labels)
        for labels, table in zip((group.baseline, group.follow_up), measured.tables, strict=True)
    ]
    sd = float(np.sqrt(variances[0] + variances[1]))
    if len(group.baseline) == len(group.follow_up) == 1:
        sd = measured.change_sd_mm3.get((group.baseline[0], group.follow_up[0]), sd)
    return _Verdict(_kind(group, volumes[0], volumes[1], sd, parameters), volumes[0], volumes[1], sd)


def _is_borne_out(
    group: MatchedGroup,
    sides: tuple[Side, Side],
    changes: tuple[VisitChange, VisitChange],
    parameters: LesionParameters,
) -> bool:
    """Whether a lesion that only one visit shows differs there from the other visit; true where that is not known."""
    if group.baseline and group.follow_up:
        return True
    which = 0 if group.baseline else 1
    side, labels = sides[which], (group.baseline or group.follow_up)
    scores = changes[which].score[np.isin(side.labels, labels)] * side.signs[labels[0] - 1]
    return bool(np.isnan(scores).any() or scores.max(initial=-np.inf) >= parameters.change_least_score)


def _volumes(group: MatchedGroup, tables: tuple[VolumeTable, VolumeTable]) -> tuple[float, float]:
    """Summed volumes of a group at both visits, mm³."""
    before, after = (
        sum(lesion.volume_mm3 for lesion in table.lesions if lesion.label in labels)
        for labels, table in zip((group.baseline, group.follow_up), tables, strict=True)
    )
    return before, after


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


def _outline_of(side: Side, table: VolumeTable) -> LesionOutline:
    outline, grid = side.outline, side.outline.brain.grid
    return replace(
        outline,
        labels=outline.labels.with_values(placed(side.labels.astype(np.uint16), side.window, grid.shape)),
        fraction=Image(placed(table.fraction, side.window, grid.shape), grid, "1"),
        measured=table.lesions,
        kinds=tuple(kind_of(outline.contrast, lesion.sign) for lesion in table.lesions),
        typical_contrast=table.typical_contrast,
        contrast_scatter=table.contrast_scatter,
        backdrop=None,  # compared already, it is worth its room no longer
    )
