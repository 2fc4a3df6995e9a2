"""Where one brain departs from those of its study, in grey value and in volume: a z that knows how few they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import special

from cohortex.image import Image, Labels
from cohortex.statistics.moderation import steadied
from cohortex.statistics.predictive import GroupSummary, equivalent_z, predictive_t, without_one
from cohortex.templates.aligned import AlignedBrain
from cohortex.templates.blur import blurred_inside
from cohortex.templates.regions import describe_place
from cohortex.templates.study_template import StudyTemplate, blurred_maps

CAUTION = (
    "Many places are looked at, so some lie beyond the threshold by chance alone; the groups say where to look and are "
    "no test of the whole brain."
)
"""What must stand beside every deviation."""

LEAST_OTHERS = 3
"""Brains to hold one against: against two, 8 % of healthy voxels alarm where 5 % should."""

_LEAST_Z = 4.0
_LEAST_VOLUME_ML = 0.05
_ALIKE_FWHM_MM = 30.0  # spreads so near are alike; a shorter reach takes noise of the spread for the spread itself
_LEAST_SD = 0.02  # of the typical spread: brains that agree by chance must not make a voxel stand out
_FACES: Literal[6] = 6


@dataclass(frozen=True, kw_only=True)
class StudyGroup:
    """Connected voxels that depart from the study to the same side.

    Attributes
    ----------
    label : int
        Its number in the label image, 1 for the one that departs most.
    volume_ml : float
        Volume, ml of template space.
    largest_z : float
        z of the voxel that departs most, with its sign.
    mean_z : float
        Mean z.
    peak_mm : tuple of float
        Where that voxel lies, template world, mm.
    place : str
        In words.
    """

    label: int
    volume_ml: float
    largest_z: float
    mean_z: float
    peak_mm: tuple[float, float, float]
    place: str


@dataclass(frozen=True, kw_only=True)
class DeviationMap:
    """Deviation of one kind.

    Attributes
    ----------
    z : Image
        Equivalent z, 0 where it could not be told.
    labels : Labels
        The groups.
    groups : tuple of StudyGroup
        By falling |z| of the voxel that departs most.
    share_beyond, share_expected : float
        Share of the voxels tested that lie beyond the threshold, and the share that does by chance.
    """

    z: Image
    labels: Labels
    groups: tuple[StudyGroup, ...]
    share_beyond: float
    share_expected: float


@dataclass(frozen=True, kw_only=True)
class StudyDeviation:
    """How one brain departs from those of its study.

    Attributes
    ----------
    grey, volume : DeviationMap
        Of grey value (positive is brighter) and of local volume (positive is larger).
    others : int
        Brains it was held against, at most; lesions of some leave fewer in places.
    member : bool
        Whether it was taken out of the template first.
    least_z, fwhm_mm : float
        Threshold, and the blur before anything was compared, mm.
    caution : str
        What a reader must know.
    """

    grey: DeviationMap
    volume: DeviationMap
    others: int
    member: bool
    least_z: float
    fwhm_mm: float
    caution: str = CAUTION


def why_no_deviation(template: StudyTemplate, *, member: bool) -> str:
    """Say why a brain cannot be held against a template; empty where it can."""
    others = template.brains - member
    if others >= LEAST_OTHERS:
        return ""
    return f"n too small: {others} other brain{'' if others == 1 else 's'}, and {LEAST_OTHERS} are needed"


def deviation_from_study(
    brain: AlignedBrain,
    template: StudyTemplate,
    *,
    member: bool,
    least_z: float = _LEAST_Z,
    least_volume_ml: float = _LEAST_VOLUME_ML,
) -> StudyDeviation:
    """Hold a brain against the brains of its study.

    Parameters
    ----------
    brain : AlignedBrain
        The brain, lesions included: they are what may deviate.
    template : StudyTemplate
        Mean and spread of the study.
    member : bool
        Whether `brain` itself is one of those averaged, with exactly these values; it is then taken out first.
    least_z : float
        Voxels whose |z| is less belong to no group.
    least_volume_ml : float
        Smaller groups are left out, ml.

    Returns
    -------
    StudyDeviation
        z is as rare under the normal distribution as the predictive t (see `predictive_t`) is under Student's, so that
        it means the same for 4 brains and for 400. Spreads of few brains are steadied by those around (see `steadied`).

    Raises
    ------
    ValueError
        If contrasts or grids differ, fewer than 3 others are there (`why_no_deviation`), or a threshold is not
        positive.
    """
    if brain.contrast != template.contrast:
        raise ValueError(
            f"the brain is {brain.contrast} and the template {template.contrast}; give that of its contrast."
        )
    if not brain.grid.same_as(template.grid):
        raise ValueError("brain and template lie on different grids; make both with the same spacing_mm.")
    if reason := why_no_deviation(template, member=member):
        raise ValueError(f"{reason}; wait for more patients.")
    if not (least_z > 0 and least_volume_ml >= 0):
        raise ValueError(f"least_z is {least_z:g} and least_volume_ml {least_volume_ml:g}; give a positive threshold.")
    tested = blurred_maps(brain, fwhm_mm=template.fwhm_mm, lesions_too=True)
    own = blurred_maps(brain, fwhm_mm=template.fwhm_mm, lesions_too=False)
    entered = brain.healthy.mask if member else np.zeros(brain.grid.shape, dtype=bool)

    def map_of(value: NDArray[np.float32], contributed: NDArray[np.float32], mean: Image, sd: Image) -> DeviationMap:
        group = _others(contributed, entered, GroupSummary(mean=mean.values, sd=sd.values, n=template.count.values))
        return _deviation_map(value, group, brain, least_z=least_z, least_volume_ml=least_volume_ml)

    return StudyDeviation(
        grey=map_of(tested.grey, own.grey, template.mean, template.sd),
        volume=map_of(tested.volume, own.volume, template.log_jacobian, template.log_jacobian_sd),
        others=template.brains - member,
        member=member,
        least_z=least_z,
        fwhm_mm=template.fwhm_mm,
    )


def _others(contributed: NDArray[np.float32], entered: NDArray[np.bool_], group: GroupSummary) -> GroupSummary:
    """Take the brain out of the group where it had entered."""
    rest = without_one(contributed, group)
    return GroupSummary(
        mean=np.where(entered, rest.mean, group.mean),
        sd=np.where(entered, rest.sd, group.sd),
        n=np.where(entered, rest.n, group.n),
    )


def _deviation_map(
    value: NDArray[np.float32], group: GroupSummary, brain: AlignedBrain, *, least_z: float, least_volume_ml: float
) -> DeviationMap:
    tested = brain.brain.mask & (group.n >= LEAST_OTHERS)
    spacing = brain.grid.spacing_mm

    def around(values: NDArray[np.float32], counted: NDArray[np.bool_]) -> NDArray[np.float32]:
        return blurred_inside(values, counted, spacing, fwhm_mm=_ALIKE_FWHM_MM)

    group = steadied(group, there=tested, average=around)
    typical = float(np.median(group.sd[tested])) if tested.any() else 0.0
    t = predictive_t(value, group, least_sd=_LEAST_SD * typical)
    z = np.where(tested, equivalent_z(t, degrees_of_freedom=group.degrees_of_freedom), 0).astype(np.float32)
    labels, groups = _groups(Image(z, brain.grid, "z"), least_z, least_volume_ml)
    return DeviationMap(
        z=Image(z, brain.grid, "z"),
        labels=labels,
        groups=groups,
        share_beyond=float(np.mean(np.abs(z[tested]) >= least_z)) if tested.any() else 0.0,
        share_expected=float(special.erfc(least_z / np.sqrt(2))),
    )


def _groups(z: Image, least_z: float, least_volume_ml: float) -> tuple[Labels, tuple[StudyGroup, ...]]:
    """Number the connected voxels beyond the threshold by falling peak; brighter and darker never share a group."""
    sign = np.where(z.values >= least_z, 1, np.where(z.values <= -least_z, 2, 0)).astype(np.uint8)
    components = cc3d.connected_components(sign, connectivity=_FACES)
    counts = np.bincount(components.ravel())
    peaks = np.zeros(len(counts), dtype=np.float32)
    np.maximum.at(peaks, components.ravel(), np.abs(z.values).ravel())
    voxel_ml = z.grid.voxel_volume_mm3 / 1000
    found = [n for n in np.argsort(-peaks, kind="stable") if n and counts[n] * voxel_ml >= least_volume_ml]
    labels = np.zeros(components.shape, dtype=np.int32)
    groups = []
    for label, component in enumerate(found, start=1):
        index = np.argwhere(components == component)
        labels[tuple(index.T)] = label
        inside = z.values[tuple(index.T)]
        peak = int(np.argmax(np.abs(inside)))
        x, y, height = (float(c) for c in z.grid.world_of(index[peak]))
        groups.append(
            StudyGroup(
                label=label,
                volume_ml=float(len(index) * voxel_ml),
                largest_z=float(inside[peak]),
                mean_z=float(inside.mean()),
                peak_mm=(x, y, height),
                place=describe_place(z.grid.world_of(index)).words,
            )
        )
    return Labels(labels, z.grid), tuple(groups)
