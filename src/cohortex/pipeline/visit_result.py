"""Putting the values of a visit's nodes together into what the report shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cohortex import __version__
from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.lesions import Lesion
from cohortex.measure import QualityFlag
from cohortex.measure.slice_axis import slice_axis
from cohortex.pipeline.results import (
    DifferingRegion,
    MethodRecord,
    SeriesRecord,
    TemplateAlignmentRecord,
    VisitImages,
    VisitResult,
)
from cohortex.pipeline.runner import Runner
from cohortex.pipeline.series import SAY_WHICH, SeriesChoice, SeriesLook, why_not
from cohortex.pipeline.step import Node, Step
from cohortex.pipeline.visit_plan import LookedAtVisit, VisitPlan
from cohortex.pipeline.visit_steps import TemplateMaps, measure, outline, take_shading_off, why_not_outlined
from cohortex.templates import TemplateAlignment
from cohortex.transform import Transform


@dataclass(frozen=True, kw_only=True)
class VisitValues:
    """The computed values of a plan."""

    corrected: Image
    brain: Labels
    alignment: TemplateAlignment
    template_from_visit: Transform
    visit_from_template: Transform
    tissue: Mapping[str, Image]
    labels: Labels
    lesions: tuple[Lesion, ...]
    maps: TemplateMaps


def visit_values(runner: Runner, plan: VisitPlan) -> VisitValues:
    """Compute what is missing of a plan and read it."""
    nodes = {
        "corrected": plan.corrected,
        "brain": plan.brain,
        "alignment": plan.template_alignment,
        "template_from_visit": plan.template_from_visit,
        "visit_from_template": plan.visit_from_template,
        "tissue": plan.tissue,
        "labels": plan.outline["labels"],  # what else an outline holds is large
        "lesions": plan.lesions,
        "maps": plan.maps,
    }
    return VisitValues(**dict(zip(nodes, runner.evaluate(list(nodes.values())), strict=True)))


def visit_result(
    plan: VisitPlan, values: VisitValues, *, methods: tuple[MethodRecord, ...], files: Mapping[str, str]
) -> VisitResult:
    """Say everything about one visit.

    Parameters
    ----------
    plan : VisitPlan
        What was planned, with the looks at every series.
    values : VisitValues
        What came out.
    methods : tuple of MethodRecord
        The steps as they were run.
    files : mapping of str to str
        What was written beside the report.

    Returns
    -------
    VisitResult
        For the report.
    """
    voxel_ml = values.brain.grid.voxel_volume_mm3 / 1000
    inside = values.brain.mask
    alignment = values.alignment
    not_outlined = why_not_outlined(plan.contrast, alignment.converged)
    series = series_records(plan.looked_at, plan.choice)
    numbers = plan.looked_at.looks[plan.choice.outlined].slice_numbers
    return VisitResult(
        study_code=plan.looked_at.source.study_code,
        visit=plan.looked_at.source.visit,
        lesion_contrast=plan.contrast,
        series=series,
        lesions=values.lesions,
        not_outlined=not_outlined,
        brain_volume_ml=float(np.count_nonzero(inside)) * voxel_ml,
        tissue_volumes_ml={
            name: float(np.sum(map_.values[inside], dtype=np.float64)) * voxel_ml
            for name, map_ in values.tissue.items()
        },
        alignment=TemplateAlignmentRecord(
            template="MNI152 (template version 0)",
            similarity=alignment.similarity,
            converged=alignment.converged,
            folded_percent=100 * alignment.folded_fraction,
            inverse_error_p95_mm=alignment.inverse_error_p95_mm,
        ),
        differing_regions=tuple(
            DifferingRegion(
                place=place,
                volume_ml=group.volume_ml,
                mean_z=group.mean_z,
                template_mm=point,
                slice_number=slice_number(group.slice_index, values.brain.grid, numbers),
            )
            for group, place, point in zip(
                values.maps.deviation.groups, values.maps.places, values.maps.template_mm, strict=True
            )
        ),
        methods=told_methods(methods, series=series, not_outlined=not_outlined),
        files=files,
        cohortex_version=__version__,
        images=VisitImages(
            reference=values.corrected,
            brain=values.brain,
            lesions=values.labels,
            difference=values.maps.difference,
            log_jacobian=values.maps.log_jacobian,
        ),
        notices=tuple(QualityFlag(check="files", level="warn", message=note) for note in plan.looked_at.notes),
    )


def series_records(looked_at: LookedAtVisit, choice: SeriesChoice) -> tuple[SeriesRecord, ...]:
    """Say of every series what it is, what it was used for and what was wrong, unreadable ones last."""
    reasons = _why_not_used(looked_at.looks)
    records = [
        SeriesRecord(
            name=look.name,
            contrast=look.contrast,
            contrast_reason=look.contrast_reason,
            shape=look.shape,
            spacing_mm=look.spacing_mm,
            orientation=look.orientation,
            unit=look.unit,
            used_for=choice.used_for(number) + reasons[number],
            quality=look.quality,
            warnings=look.warnings,
        )
        for number, look in enumerate(looked_at.looks)
    ]
    records += [_unread(problem) for problem in looked_at.problems]
    if looked_at.notes and records:
        first = records[0]
        records[0] = SeriesRecord(**{**_fields(first), "warnings": (*first.warnings, *looked_at.notes)})
    return tuple(records)


def have_no_shading(series: Iterable[SeriesRecord]) -> bool:
    """Whether every series used is CT, in Hounsfield units, of which no shading is taken off."""
    return all(one.unit == "HU" for one in series if not one.used_for.startswith("not used"))


def _why_not_used(looks: Sequence[SeriesLook]) -> list[str]:
    """Why each series is not used, empty where it could be; what to do about one not recognised is said once."""
    first = next((number for number, look in enumerate(looks) if look.contrast == "other"), None)
    reasons = [f": {why_not(look)}" if not look.usable else "" for look in looks]
    return [
        f"{reason.rstrip('.')}. {SAY_WHICH}" if number == first else reason for number, reason in enumerate(reasons)
    ]


def slice_number(index: int, grid: Grid, numbers: Sequence[int] | None) -> int:
    """Number a slice of a series as its header does, whose numbers belong to the third axis; else count from 1."""
    return numbers[index] if numbers and slice_axis(grid) == 2 else index + 1


def method_records(runner: Runner, nodes: Sequence[Node]) -> tuple[MethodRecord, ...]:
    """List the steps behind nodes, inputs first, each as it was run."""
    return tuple(
        MethodRecord(
            step=run.step, version=run.version, sentence=run.sentence, parameters=run.parameters, seconds=run.seconds
        )
        for run in runner.steps_behind(nodes)
    )


def told_methods(
    methods: Sequence[MethodRecord], *, series: Sequence[SeriesRecord], not_outlined: str
) -> tuple[MethodRecord, ...]:
    """Let the methods of a visit tell of what was done only: of no outline where it was not outlined, of no shading."""
    idle: list[Step[Any, Any]] = [outline, measure] if not_outlined else []
    return without_sentences(methods, [*idle, take_shading_off] if have_no_shading(series) else idle)


def without_sentences(methods: Sequence[MethodRecord], idle: Iterable[Step[Any, Any]]) -> tuple[MethodRecord, ...]:
    """Take the sentences of steps out of the methods that ran and had nothing to do: they would tell what was not."""
    names = {step.name for step in idle}
    return tuple(replace(method, sentence="") if method.step in names else method for method in methods)


def _unread(problem: str) -> SeriesRecord:
    return SeriesRecord(
        name="unreadable",
        contrast="other",
        contrast_reason="could not be read",
        shape=(),
        spacing_mm=(),
        orientation="???",
        unit="",
        used_for="not used",
        quality=(QualityFlag(check="readable", level="fail", message=problem),),
        warnings=(),
    )


def _fields(record: SeriesRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}
