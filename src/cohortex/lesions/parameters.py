"""The numbers behind outlining and comparing lesions, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LesionParameters:
    """The numbers, tuned on phantom seeds 0 to 19 and looked at on single real visits.

    `least_volume_sd` and those of the subtraction of two visits (`change_seed_score`, `second_look_score`,
    `second_look_share`, `change_least_score`) were tuned on phantom seeds 0 to 35, on no real scan. They, as well as
    `least_contrast_to_noise` and `most_csf`, came after the changes of the two-visit patient of `docs/real-data.md` had
    been opened; all others were frozen before.

    Attributes
    ----------
    deep_sigma_mm, deep_white : float
        Deep white matter, where alone T1 and CT are searched: the template's white fraction blurred by this sigma, mm,
        exceeds this share; the blur keeps a few mm from cortex, ventricles and skull.
    smallest_deep_mm3 : float
        Smaller findings on T1 or CT are dropped: in two healthy adults perivascular spaces and folds reach 130 mm³.
    smallest_volume_mm3 : float
        Smaller findings are specks: 27 mm³ is a ball of 3.7 mm, about the 3 mm that reading criteria ask for [1]_.
    kept_share : float
        A lesion of just that volume measures less half of the time; kept from this share of it, and of the least
        contrast.
    least_volume_sd : float
        ... and from this many of its own standard deviations: in thick slices a speck is three voxels.
    prior_sigma_mm : float
        Blur of the template's tissue fractions, mm: how far its folds may miss this brain's.
    outlier_distance : float
        Standard deviations beyond which a voxel loses weight in the tissue statistics [2]_.
    drift_sigma_mm : float
        Slow variation of the healthy intensity left by bias correction that is followed, mm.
    seed_score : float
        Matched-filter score, in standard deviations of healthy tissue, that a lesion must reach.
    scales_mm : tuple of float
        Gaussian sigmas of the matched filter, mm: lesions of 2 to 12 mm.
    outline_level : float
        A voxel belongs to the outline from this share of the lesion's contrast: half, where a blurred edge lies.
    outline_sigma_mm : float
        Blur before outlining, mm: less than the edge of any scan, enough to quiet single voxels.
    least_contrast_to_noise : float
        Contrast over the noise of a voxel that a lesion must show: the method is proven from 3, and noise takes some
        away.
    support_mm : float
        How far beyond the outline the blurred edge of a lesion is summed, mm.
    shell_mm : float
        Thickness of the shell around that support from which the local background is read, mm.
    most_csf : float
        Largest mean csf fraction of a lesion by the template: more is flow, choroid plexus, dura or a sulcus.
    some_csf : float
        From this mean csf fraction a lesion must prove brighter than white matter; a change between visits is taken
        for flow.
    plateau_prior_spread : float
        Relative spread of contrast between lesions assumed until the visit's own lesions tell it.
    presence_share, presence_sd : float
        A lesion of one visit is there at the other from half the smallest volume and this many sd.
    presence_of_other : float
        ... and this share of what the other visit shows there: less is the error of a large support.
    change_seed_score : float
        Score of the subtraction of two visits from which a lesion is looked for at the brighter one, ...
    second_look_score : float
        ... where it must also reach this score by itself, ...
    second_look_share : float
        ... and show over healthy tissue this share of what it shows over the other visit: where csf widened, tissue
        stands out of the other visit and not of its surroundings.
    change_least_score : float
        Score of the subtraction that a new or gone lesion must reach: what shows at one visit alone and does not
        reach it is healthy tissue cut another way.
    change_share, change_sd : float
        Grown or shrunk: beyond the larger of 20 % (of the smaller volume, so that exchanging the visits exchanges the
        answer) and twice the sd.
    overlap_share : float
        Share of the smaller outline that must be covered for two outlines to be one lesion's.
    match_tolerance_mm : float
        Misalignment left between visits that must not part a small lesion from itself, mm.

    References
    ----------
    .. [1] Wattjes et al., *2021 MAGNIMS–CMSC–NAIMS consensus recommendations on the use of MRI in patients with
       multiple sclerosis*, Lancet Neurology 20, 2021, 10.1016/S1474-4422(21)00095-8.
    .. [2] Van Leemput et al., *Automated segmentation of multiple sclerosis lesions by model outlier detection*,
       IEEE Transactions on Medical Imaging 20, 2001, 10.1109/42.938237.
    """

    deep_sigma_mm: float = 2.5
    deep_white: float = 0.85
    smallest_deep_mm3: float = 250.0
    smallest_volume_mm3: float = 27.0
    kept_share: float = 0.8
    least_volume_sd: float = 2.4
    prior_sigma_mm: float = 1.5
    outlier_distance: float = 3.0
    drift_sigma_mm: float = 15.0
    seed_score: float = 4.5
    scales_mm: tuple[float, ...] = (0.8, 1.5, 3.0)
    outline_level: float = 0.5
    outline_sigma_mm: float = 0.7
    least_contrast_to_noise: float = 2.4
    support_mm: float = 2.0
    shell_mm: float = 3.0
    most_csf: float = 0.3
    some_csf: float = 0.12
    plateau_prior_spread: float = 0.2
    presence_share: float = 0.5
    presence_sd: float = 2.0
    presence_of_other: float = 0.1
    change_seed_score: float = 7.0
    second_look_score: float = 2.5
    second_look_share: float = 0.3
    change_least_score: float = 3.5
    change_share: float = 0.2
    change_sd: float = 2.0
    overlap_share: float = 0.25
    match_tolerance_mm: float = 1.0
