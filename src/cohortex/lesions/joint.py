"""Volumes of two visits with contrasts that know of each other, so that a change of scanner makes no lesion grow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cohortex.lesions.extent import Contrasts, Extent, settle_contrasts
from cohortex.lesions.matching import MatchedGroup
from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.side import Side
from cohortex.lesions.volume import VolumeTable, volume_table

_CONTRAST_SLACK = 0.08  # share by which the contrast of one lesion may differ between visits, relative to the others
_SCANNER_SLACK = 0.15  # share by which lesion contrast over white matter may differ between scanners


def typical_contrasts(sides: Sequence[Side]) -> tuple[float, float]:
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


def measured_jointly(
    sides: tuple[Side, Side], groups: Sequence[MatchedGroup], parameters: LesionParameters
) -> tuple[VolumeTable, VolumeTable]:
    """Volumes of both visits with contrasts that know of each other."""
    extents = [{e.label: e for e in side.measuring.extents_of(side.labels, side.signs)} for side in sides]
    own = [settle_contrasts(list(e.values()), parameters) for e in extents]
    typical = typical_contrasts(sides)
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
