"""Two visits of one patient, and what changed between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from cohortex import __version__
from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.lesions import LesionComparison, LesionOutline, compare_lesions
from cohortex.measure import QualityFlag
from cohortex.pipeline import visit_steps as steps
from cohortex.pipeline.contrast import Contrast
from cohortex.pipeline.output_folder import folder_for_run, refuse_other_visits
from cohortex.pipeline.outputs import write_images, write_motions
from cohortex.pipeline.process_visit import STORE, write_visit
from cohortex.pipeline.results import ComparisonImages, ComparisonResult, MethodRecord, VisitResult
from cohortex.pipeline.runner import Runner
from cohortex.pipeline.series import shared_contrast
from cohortex.pipeline.step import Node, step
from cohortex.pipeline.visit_plan import look_at_visit, plan_visit, share_out
from cohortex.pipeline.visit_result import (
    have_no_shading,
    method_records,
    visit_result,
    visit_values,
    without_sentences,
)
from cohortex.pipeline.visits import VisitSource, doubts_about, refuse_two_persons, with_headers
from cohortex.progress import ProgressCallback, silent
from cohortex.registration import MidwayAlignment, align_midway
from cohortex.templates import describe_place
from cohortex.transform import Transform, warp

_VISITS = ("baseline", "follow_up")
_POOR_SIMILARITY = 0.85  # two visits of a person reach 0.95 and more, two phantoms 0.69
_ROUNDING = 1e-5  # of a share of a voxel; a half stays a half


@step(
    version=2,
    title="align the visits",
    sentence="The visits were aligned rigidly to the space halfway between them, so that neither is privileged.",
)
def align_visits(
    baseline: Image,
    follow_up: Image,
    baseline_brain: Labels,
    follow_up_brain: Labels,
    *,
    progress: ProgressCallback = silent,
) -> MidwayAlignment:
    """Bring two visits halfway to each other, looking at the brain only."""
    return align_midway(
        baseline, follow_up, baseline_mask=baseline_brain, follow_up_mask=follow_up_brain, progress=progress
    )


@step(
    version=5,
    title="compare the lesions",
    sentence=(
        "A lesion found at one visit was looked for at its place in the other; new and gone lesions must stand out of "
        "the subtraction of the visits, which also shows those too faint for one visit alone; grown and shrunk mean "
        "beyond the larger of 20 % and twice the standard deviation of the measurement; splits and mergers count once, "
        "by overlap."
    ),
)
def follow_lesions(
    baseline: LesionOutline,
    follow_up: LesionOutline,
    alignment: MidwayAlignment,
    template_from_visits: Sequence[Transform],
    template_similarities: Sequence[float],
    template_converged: Sequence[bool],
) -> LesionComparison:
    """Follow every lesion from one visit to the other; places come from the visit that fits the template better.

    Where a visit was not outlined nothing is followed: what was not looked for has neither come nor gone.
    """
    if any(map(steps.why_not_outlined, (baseline.contrast, follow_up.contrast), template_converged)):
        return _not_compared(baseline, follow_up, alignment.grid)
    from_midway = (alignment.baseline_from_midway, alignment.follow_up_from_midway)
    better = int(template_similarities[1] > template_similarities[0])
    return compare_lesions(
        baseline,
        follow_up,
        baseline_from_midway=alignment.baseline_from_midway,
        follow_up_from_midway=alignment.follow_up_from_midway,
        midway=alignment.grid,
        template_from_midway=template_from_visits[better] @ from_midway[better],
        describe=lambda points: describe_place(points).words,
    )


def _not_compared(baseline: LesionOutline, follow_up: LesionOutline, midway: Grid) -> LesionComparison:
    """No event and no change anywhere; each visit keeps what was outlined in it."""
    unchanged = [
        Labels(np.zeros(grid.shape, dtype=np.uint8), grid)
        for grid in (midway, baseline.labels.grid, follow_up.labels.grid)
    ]
    return LesionComparison(
        events=(),
        change_common=unchanged[0],
        change_baseline=unchanged[1],
        change_follow_up=unchanged[2],
        baseline=baseline,
        follow_up=follow_up,
    )


@step(version=4, title="bring the visits together")
def pictures_halfway(
    baseline: LesionOutline,
    follow_up: LesionOutline,
    baseline_image: Image,
    follow_up_image: Image,
    baseline_brain: Labels,
    follow_up_brain: Labels,
    alignment: MidwayAlignment,
    change: Labels,
) -> ComparisonImages:
    """Bring both visits onto the midway grid, in units of their white matter, for the pictures of the report."""
    sides = (
        (baseline, baseline_image, baseline_brain, alignment.baseline_from_midway),
        (follow_up, follow_up_image, follow_up_brain, alignment.follow_up_from_midway),
    )
    scaled, lesions, brains = [], [], []
    for outline, image, brain, from_midway in sides:
        there = warp(image, from_midway, onto=alignment.grid)
        level = abs(outline.white_level) or 1.0
        in_hu = image.unit == "HU"
        values = there.values if in_hu else (there.values / level).astype(np.float32)
        scaled.append(Image(values, alignment.grid, "HU" if in_hu else "white matter = 1"))
        lesions.append(_labels_halfway(outline.labels, from_midway, alignment.grid))
        brains.append(warp(brain, from_midway, onto=alignment.grid).values != 0)
    both = brains[0] & brains[1]
    difference = np.where(both, scaled[1].values - scaled[0].values, 0).astype(np.float32)
    return ComparisonImages(
        baseline=scaled[0],
        follow_up=scaled[1],
        difference=scaled[0].with_values(difference),
        change=change,
        baseline_lesions=lesions[0],
        follow_up_lesions=lesions[1],
        brain=Labels(both, alignment.grid),
    )


def _labels_halfway(labels: Labels, from_midway: Transform, midway: Grid) -> Labels:
    """Bring outlines onto the midway grid: the mask linearly, cut at one half, each voxel with its nearest label.

    The nearest voxel alone would move an outline by up to half a voxel along each axis.
    """
    share = warp(Image(labels.mask.astype(np.float32), labels.grid), from_midway, onto=midway)
    around = ndimage.maximum_filter(labels.values, size=3)  # a name for voxels beyond the rim
    padded = np.where(labels.mask, labels.values, around)
    names = warp(labels.with_values(padded), from_midway, onto=midway)
    cut = np.where(share.values >= 0.5 - _ROUNDING, names.values, 0)
    nearest = warp(labels, from_midway, onto=midway).values
    lost = np.setdiff1d(nearest, cut)  # so small that no voxel is half full: a speck in thick slices is three voxels
    cut = np.where((cut == 0) & np.isin(nearest, lost), nearest, cut)
    return Labels(cut.astype(labels.dtype), midway)


def compare_visits(
    baseline: VisitSource,
    follow_up: VisitSource,
    output: Path,
    *,
    contrasts: Mapping[str, Contrast] | None = None,
    same_person: bool = False,
    store: Path | None = None,
    workers: int | None = None,
    progress: ProgressCallback = silent,
) -> ComparisonResult:
    """Say what changed between two visits of one patient, and write its images.

    Parameters
    ----------
    baseline, follow_up : VisitSource
        The earlier and the later visit, of `find_visit_pair` or made by the caller.
    contrasts : mapping of str to str, optional
        As in `process_visit`; a file is taken for the visit it lies in.
    same_person : bool
        Whether a person vouches for both visits being of one patient where their headers speak of two.
    output, store, workers, progress
        As in `process_visit`; both visits share the store.

    Returns
    -------
    ComparisonResult
        For `report.write_comparison_report`.

    Raises
    ------
    TargetExists
        If the folder holds the report of others.
    UnwritableOutput
        If nothing can be written into it.
    VisitProblem
        If the visits are of two persons by their headers.
    CohortexError
        If a visit cannot be read or used, a file of `contrasts` lies in neither, they share no contrast, or a step
        fails.
    """
    refuse_other_visits(output, study_code=baseline.study_code, visits=[baseline.visit, follow_up.visit])
    sources = with_headers(baseline), with_headers(follow_up)
    if not same_person:
        refuse_two_persons(*sources)
    doubts = doubts_about(*sources)
    shares = share_out(contrasts or {}, sources)
    store = store or output / STORE
    with folder_for_run(output, store), Runner(store, workers=workers, progress=progress) as runner:
        looked_at = [
            look_at_visit(runner, source, chosen=chosen) for source, chosen in zip(sources, shares, strict=True)
        ]
        contrast = shared_contrast(looked_at[0].looks, looked_at[1].looks)
        plans = [plan_visit(visit, outlined_contrast=contrast) for visit in looked_at]
        alignment_node = align_visits(plans[0].corrected, plans[1].corrected, plans[0].brain, plans[1].brain)
        comparison_node = follow_lesions(
            plans[0].outline,
            plans[1].outline,
            alignment_node,
            [plan.template_from_visit for plan in plans],
            [plan.template_alignment["similarity"] for plan in plans],
            [plan.template_alignment["converged"] for plan in plans],
        )
        pictures_node = pictures_halfway(
            comparison_node["baseline"],
            comparison_node["follow_up"],
            plans[0].corrected,
            plans[1].corrected,
            plans[0].brain,
            plans[1].brain,
            alignment_node,
            comparison_node["change_common"],
        )
        lesion_nodes = [
            steps.measure(
                comparison_node[name],
                plan.template_from_visit,
                slice_numbers=plan.looked_at.looks[plan.choice.outlined].slice_numbers,
            )
            for name, plan in zip(_VISITS, plans, strict=True)
        ]
        runner.run(
            [
                pictures_node,
                *lesion_nodes,
                *(node for plan in plans for node in (*plan.results, plan.visit_from_template)),
            ]
        )
        runner.close()  # idle workers hold memory
        files: dict[str, str] = {}
        visits = []
        for name, plan, lesions in zip(_VISITS, plans, lesion_nodes, strict=True):
            jointly = replace(plan, outline=comparison_node[name], lesions=lesions)  # they know of the other visit
            values = visit_values(runner, jointly)
            written = write_visit(plan, values, output, prefix=f"{name}_")
            files |= written
            visits.append(visit_result(plan, values, methods=method_records(runner, plan.results), files=written))
            del values  # before those of the other visit are read
        changes = ("change_baseline", "change_follow_up", "change_common")
        alignment, events, pictures, *maps = runner.evaluate(
            [alignment_node, comparison_node["events"], pictures_node, *(comparison_node[name] for name in changes)]
        )
        files |= write_images(
            {
                **dict(zip(changes, maps, strict=True)),
                "baseline_common": pictures.baseline,
                "follow_up_common": pictures.follow_up,
            },
            output,
        )
        files |= write_motions(
            {
                "baseline_from_midway": alignment.baseline_from_midway,
                "follow_up_from_midway": alignment.follow_up_from_midway,
            },
            output,
        )
        totals_ml = comparable_totals_ml(visits)
        similarity = _correlation(pictures)
        return ComparisonResult(
            study_code=baseline.study_code,
            baseline=visits[0],
            follow_up=visits[1],
            events=events,
            baseline_total_ml=totals_ml[0],
            follow_up_total_ml=totals_ml[1],
            alignment_similarity=similarity,
            alignment_converged=alignment.converged,
            motion_mm=_mean_motion_mm(alignment, visits[0].images.brain),
            methods=comparison_methods(runner, [pictures_node, *lesion_nodes], visits),
            files=files,
            cohortex_version=__version__,
            images=pictures,
            notices=(*doubts, *doubts_about_alignment(similarity, converged=alignment.converged)),
        )


def comparison_methods(
    runner: Runner, nodes: Sequence[Node], visits: Sequence[VisitResult]
) -> tuple[MethodRecord, ...]:
    """Give the steps behind a comparison; of lesions followed and shading taken off only where that was done."""
    methods = method_records(runner, nodes)
    if any(visit.not_outlined for visit in visits):
        methods = without_sentences(methods, (follow_lesions,))
    if all(visit.not_outlined for visit in visits):
        methods = without_sentences(methods, (steps.outline, steps.measure))
    if all(have_no_shading(visit.series) for visit in visits):
        methods = without_sentences(methods, (steps.take_shading_off,))
    return methods


def comparable_totals_ml(visits: Sequence[VisitResult]) -> list[float]:
    """Lesion volume of each visit; not known (NaN) for both where one was not outlined: a change would be none."""
    if any(visit.not_outlined for visit in visits):
        return [math.nan for _ in visits]
    return [sum((lesion.volume_ml for lesion in visit.lesions), start=0.0) for visit in visits]


def doubts_about_alignment(similarity: float, *, converged: bool) -> tuple[QualityFlag, ...]:
    """Say that two visits look less alike than those of one person do; where they were not aligned that is said."""
    if similarity >= _POOR_SIMILARITY or not converged:
        return ()
    message = (
        f"The visits look little alike once aligned (correlation {similarity:.2f}; two visits of one person mostly "
        "reach 0.95): perhaps two persons, a large change, or much noise. Look at both visits side by side before "
        "reading what changed."
    )
    return (QualityFlag(check="alignment of the visits", level="warn", message=message, value=similarity),)


def _correlation(pictures: ComparisonImages) -> float:
    """Correlation of both visits in the brain, halfway: what the reader understands of an alignment."""
    inside = pictures.brain.mask if pictures.brain is not None else np.ones(pictures.baseline.grid.shape, dtype=bool)
    if np.count_nonzero(inside) < 2:
        return 0.0
    return float(np.corrcoef(pictures.baseline.values[inside], pictures.follow_up.values[inside])[0, 1])


def _mean_motion_mm(alignment: MidwayAlignment, brain: Labels) -> float:
    points = brain.grid.world_of(np.argwhere(brain.mask)[::97])
    moved = alignment.follow_up_from_baseline(points)
    return float(np.mean(np.linalg.norm(moved - points, axis=1)))
