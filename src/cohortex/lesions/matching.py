"""Which outlines of two visits are the same lesion: overlap on one lattice, and connected groups of overlaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cohortex.lesions.extent import territories
from cohortex.lesions.parameters import LesionParameters

LabelArray = NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class MatchedGroup:
    """Outlines of both visits that belong together; one side may be empty."""

    baseline: tuple[int, ...]
    follow_up: tuple[int, ...]


def match_outlines(
    baseline: LabelArray,
    follow_up: LabelArray,
    *,
    spacing_mm: tuple[float, ...],
    baseline_labels: tuple[int, ...],
    follow_up_labels: tuple[int, ...],
    parameters: LesionParameters,
) -> tuple[MatchedGroup, ...]:
    """Group the outlines of two visits by overlap.

    Two outlines belong together where they share at least `overlap_share` of the smaller; small lesions that miss each
    other by no more than `match_tolerance_mm` are matched afterwards, if neither has another partner.

    Parameters
    ----------
    baseline, follow_up : ndarray of int32, shape (I, J, K)
        Outlines of both visits on one lattice.
    spacing_mm : tuple of float
        Spacing of the lattice, mm.
    baseline_labels, follow_up_labels : tuple of int
        All labels of each visit, also those that fell between the voxels of the lattice.
    parameters : LesionParameters
        Share and tolerance.

    Returns
    -------
    tuple of MatchedGroup
        Every label in exactly one group; exchanging the visits exchanges the sides.
    """
    links = _links(baseline, follow_up, baseline, follow_up, parameters.overlap_share)
    linked_b, linked_f = {b for b, _ in links}, {f for _, f in links}
    lonely_b = np.where(np.isin(baseline, sorted(linked_b)), 0, baseline)
    lonely_f = np.where(np.isin(follow_up, sorted(linked_f)), 0, follow_up)
    if lonely_b.any() and lonely_f.any():
        reach = parameters.match_tolerance_mm
        wide_b = territories(lonely_b, spacing_mm, distance_mm=reach)
        wide_f = territories(lonely_f, spacing_mm, distance_mm=reach)
        links |= _links(wide_b, wide_f, lonely_b, lonely_f, parameters.overlap_share)
    return _groups(links, baseline_labels, follow_up_labels)


def _links(
    baseline: LabelArray, follow_up: LabelArray, counted_b: LabelArray, counted_f: LabelArray, share: float
) -> set[tuple[int, int]]:
    """Pairs whose overlap is at least `share` of the smaller of the counted outlines."""
    both = (baseline > 0) & (follow_up > 0)
    pairs, counts = np.unique(np.stack([baseline[both], follow_up[both]]), axis=1, return_counts=True)
    size_b, size_f = np.bincount(counted_b.ravel()), np.bincount(counted_f.ravel())
    return {
        (int(b), int(f)) for (b, f), n in zip(pairs.T, counts, strict=True) if n >= share * min(size_b[b], size_f[f])
    }


def _groups(
    links: set[tuple[int, int]], baseline_labels: tuple[int, ...], follow_up_labels: tuple[int, ...]
) -> tuple[MatchedGroup, ...]:
    """Connected groups of the two-sided graph, in the order of the baseline and then the follow-up labels."""
    partners: dict[tuple[int, int], set[tuple[int, int]]] = {(0, b): set() for b in baseline_labels}
    partners.update({(1, f): set() for f in follow_up_labels})
    for b, f in sorted(links):
        partners[0, b].add((1, f))
        partners[1, f].add((0, b))
    groups, seen = [], set()
    for start in sorted(partners):
        if start in seen:
            continue
        group, waiting = set(), [start]
        while waiting:
            node = waiting.pop()
            if node not in group:
                group.add(node)
                waiting.extend(partners[node])
        seen |= group
        groups.append(
            MatchedGroup(
                baseline=tuple(sorted(n for side, n in group if side == 0)),
                follow_up=tuple(sorted(n for side, n in group if side == 1)),
            )
        )
    return tuple(groups)
