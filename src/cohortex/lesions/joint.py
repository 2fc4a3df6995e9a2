"""Volumes of two visits with contrasts that know of each other, so that a change of scanner makes no lesion grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cohortex.lesions.ellipsoid import EllipsoidFit, fit_ellipsoid_twice
from cohortex.lesions.extent import GOOD_MISFIT, Contrasts, Extent, settle_contrasts
from cohortex.lesions.matching import MatchedGroup
from cohortex.lesions.parameters import LesionParameters
from cohortex.lesions.side import Side
from cohortex.lesions.volume import VolumeTable, volume_table

_CONTRAST_SLACK = 0.08  # share by which the contrast of one lesion may differ between visits, relative to the others
_PAIRED_MM3 = 5000.0  # larger lesions tell their change without a shape
_BEFOREHAND = 0.4  # spread of contrast between lesions assumed before a fit, as a share
_CHANGE_SD = 0.02  # of the logarithm of a change: what no ellipsoid knows
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


@dataclass(frozen=True, kw_only=True)
class JointMeasurement:
    """Both visits measured so that they know of each other.

    Attributes
    ----------
    tables : pair of VolumeTable
        Volumes of baseline and follow-up.
    change_sd_mm3 : dict
        By baseline and follow-up label, of lesions with one part at each visit: one standard deviation of the
        difference of their volumes, mm³. Smaller than the volumes' own where the visits share what is in doubt.
    """

    tables: tuple[VolumeTable, VolumeTable]
    change_sd_mm3: dict[tuple[int, int], float]


def measured_jointly(
    sides: tuple[Side, Side], groups: Sequence[MatchedGroup], parameters: LesionParameters
) -> JointMeasurement:
    """Measure both visits with contrasts, shapes and changes that know of each other."""
    extents = [{e.label: e for e in side.measuring.extents_of(side.labels, side.signs)} for side in sides]
    own = [settle_contrasts(list(e.values()), parameters) for e in extents]
    typical = typical_contrasts(sides)
    pairs = [
        (group.baseline[0], group.follow_up[0])
        for group in groups
        if len(group.baseline) == len(group.follow_up) == 1
        and extents[0][group.baseline[0]].sign == extents[1][group.follow_up[0]].sign
    ]
    partner = dict(pairs), {f: b for b, f in pairs}
    changes: dict[tuple[int, int], tuple[float, float]] = {}
    told: tuple[dict[int, EllipsoidFit], dict[int, EllipsoidFit]] = ({}, {})
    for b, f in pairs:
        seen = extents[0][b], extents[1][f]
        if max(e.outline_mm3 for e in seen) > _PAIRED_MM3 or min(side.measuring.noise.voxel for side in sides) <= 0:
            continue
        fits, log_sd = _fitted_together(sides, seen, typical)
        changes[b, f] = (
            float(np.log(fits[1].volume_mm3) - np.log(fits[0].volume_mm3)),
            float(np.hypot(log_sd, _CHANGE_SD)),
        )
        if max(fit.misfit for fit in fits) < GOOD_MISFIT:
            told[0][b], told[1][f] = fits
    tables = []
    for n in (0, 1):
        scale = typical[n] / typical[1 - n]
        scatter = max(own[n].scatter, own[1 - n].scatter * scale)
        each, each_sd = {}, {}
        for label, extent in extents[n].items():
            if label in told[n]:
                fit = told[n][label]
                extents[n][label] = replace(extent, fit=fit)
                each[label], each_sd[label] = fit.contrast, fit.contrast_sd
                continue
            other = extents[1 - n].get(partner[n].get(label, 0))
            each[label], each_sd[label] = _joint_contrast(extent, other, scale, typical[n], scatter)
        contrasts = Contrasts(
            typical=typical[n], typical_sd=own[n].typical_sd, scatter=scatter, each=each, each_sd=each_sd
        )
        tables.append(volume_table(list(extents[n].values()), contrasts, sides[n].labels.shape))
    return _with_changes((tables[0], tables[1]), changes)


def _fitted_together(
    sides: tuple[Side, Side], extents: tuple[Extent, Extent], typical: tuple[float, float]
) -> tuple[tuple[EllipsoidFit, EllipsoidFit], float]:
    """Fit a lesion to both visits at once, halfway; in an order that does not ask which visit came first."""
    first, second = (
        side.measuring.view_of(extent, contrast=contrast, contrast_sd=_BEFOREHAND * contrast, points_of=side.halfway)
        for side, extent, contrast in zip(sides, extents, typical, strict=True)
    )
    ratio = typical[1] / typical[0]
    if (first.excess.size, float(first.excess.sum())) <= (second.excess.size, float(second.excess.sum())):
        a, b, log_sd = fit_ellipsoid_twice(first, second, contrast_ratio=ratio)
    else:
        b, a, log_sd = fit_ellipsoid_twice(second, first, contrast_ratio=typical[0] / typical[1])
    return (a, b), log_sd


def _with_changes(
    tables: tuple[VolumeTable, VolumeTable], changes: dict[tuple[int, int], tuple[float, float]]
) -> JointMeasurement:
    """Let volumes and the change, each known so well, settle on what is most probable (least squares of logarithms)."""
    lesions = [{lesion.label: lesion for lesion in table.lesions} for table in tables]
    change_sd_mm3 = {}
    for (b, f), (change, change_sd) in changes.items():
        before, after = lesions[0][b], lesions[1][f]
        variance = [(m.volume_sd_mm3 / m.volume_mm3) ** 2 for m in (before, after)]
        off = change - float(np.log(after.volume_mm3) - np.log(before.volume_mm3))
        total = variance[0] + variance[1] + change_sd**2
        factors = np.exp(-variance[0] / total * off), np.exp(variance[1] / total * off)
        sds = [np.sqrt(max(v - v * v / total, 0.0)) for v in variance]
        for table, m, factor, sd in zip(lesions, (before, after), factors, sds, strict=True):
            volume = m.volume_mm3 * float(factor)
            table[m.label] = replace(m, volume_mm3=volume, volume_sd_mm3=volume * float(sd))
        log_sd = change_sd * np.sqrt((variance[0] + variance[1]) / total)
        larger = max(lesions[0][b].volume_mm3, lesions[1][f].volume_mm3)
        change_sd_mm3[b, f] = float(log_sd) * larger
    first, second = (
        replace(table, lesions=tuple(by_label[lesion.label] for lesion in table.lesions))
        for table, by_label in zip(tables, lesions, strict=True)
    )
    return JointMeasurement(tables=(first, second), change_sd_mm3=change_sd_mm3)


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
