"""One visit, from its files to what the report shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from cohortex.image import Image, Labels
from cohortex.pipeline.contrast import Contrast
from cohortex.pipeline.output_folder import folder_for_run, refuse_other_visits
from cohortex.pipeline.outputs import write_images, write_series, write_transforms
from cohortex.pipeline.results import VisitResult
from cohortex.pipeline.runner import Runner
from cohortex.pipeline.series import SeriesLook
from cohortex.pipeline.visit_plan import VisitPlan, look_at_visit, plan_visit
from cohortex.pipeline.visit_result import VisitValues, method_records, visit_result, visit_values
from cohortex.pipeline.visits import VisitSource
from cohortex.progress import ProgressCallback, silent
from cohortex.templates import mni152
from cohortex.transform import warp

STORE = ".cohortex"
"""Folder of the results inside the output folder: what makes a run resumable."""

_ROOM_MM = 3.0  # around the lesions in the template: there and back do not meet exactly


def process_visit(
    source: VisitSource,
    output: Path,
    *,
    contrasts: Mapping[str, Contrast] | None = None,
    store: Path | None = None,
    workers: int | None = None,
    progress: ProgressCallback = silent,
) -> VisitResult:
    """Convert, check, align, outline and measure one visit, and write its images.

    Parameters
    ----------
    source : VisitSource
        The files.
    output : Path
        Folder for the images, of this visit alone.
    contrasts : mapping of str to str, optional
        File or series name -> contrast ("T1", "T1c", "T2", "FLAIR", "CT"), where a person corrects what was recognised.
    store : Path, optional
        Folder of the results of steps, so that a second run only does what is missing; `output/.cohortex` when omitted.
    workers : int, optional
        Worker processes; 0 for none.
    progress : callable
        Told which step runs; the work stops when it raises.

    Returns
    -------
    VisitResult
        For `report.write_visit_report`.

    Raises
    ------
    TargetExists
        If the folder holds the report of another visit.
    UnwritableOutput
        If nothing can be written into it.
    CohortexError
        If the files cannot be read or used, or a step fails, with file, reason and remedy.
    """
    refuse_other_visits(output, study_code=source.study_code, visits=[source.visit])
    store = store or output / STORE
    with folder_for_run(output, store), Runner(store, workers=workers, progress=progress) as runner:
        looked_at = look_at_visit(runner, source, chosen=contrasts)
        plan = plan_visit(looked_at)
        values = visit_values(runner, plan)
        runner.close()  # idle workers hold memory
        files = write_series(_named(looked_at.looks, (runner.value(image) for image in looked_at.images)), output)
        files |= write_visit(plan, values, output)
        return visit_result(plan, values, methods=method_records(runner, plan.results), files=files)


def write_visit(plan: VisitPlan, values: VisitValues, output: Path, *, prefix: str = "") -> dict[str, str]:
    """Write the labels, maps and transforms of a visit: on its own grid and in template space."""
    files = write_images(
        {
            f"{prefix}lesions": values.labels,
            f"{prefix}lesions_template": _in_template(values),
            f"{prefix}brain": values.brain,
            f"{prefix}{plan.contrast}_corrected": values.corrected,
            f"{prefix}difference": values.maps.difference,
            f"{prefix}log_jacobian": values.maps.log_jacobian,
        },
        output,
    )
    return files | write_transforms(
        template_from_visit=values.template_from_visit,
        visit_from_template=values.visit_from_template,
        visit_grid=values.brain.grid,
        output=output,
        prefix=prefix,
    )


def _in_template(values: VisitValues) -> Labels:
    """Bring the lesion labels onto the template; only the box they reach is looked at."""
    lesions, grid = values.labels, mni152().grid
    there = np.zeros(grid.shape, dtype=lesions.values.dtype)
    if lesions.mask.any():
        index = grid.index_of(values.template_from_visit(lesions.grid.world_of(np.argwhere(lesions.mask))))
        room = _ROOM_MM + np.linalg.norm(lesions.grid.spacing_mm)  # a label reaches to the edge of its voxel
        start = np.clip(np.floor(index.min(axis=0) - room), 0, grid.shape).astype(int)  # the template has 1 mm voxels
        stop = np.clip(np.ceil(index.max(axis=0) + room), start, grid.shape).astype(int)
        if np.all(stop > start):
            box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
            there[box] = warp(lesions, values.visit_from_template, onto=grid.cropped(start, stop)).values
    return Labels(there, grid, metadata=lesions.metadata)


def _named(looks: Sequence[SeriesLook], images: Iterable[Image]) -> Iterator[tuple[str, Image]]:
    """Pair each image with a name; two series of one name both stay."""
    seen: dict[str, int] = {}
    for look, image in zip(looks, images, strict=True):
        seen[look.name] = seen.get(look.name, 0) + 1
        yield (look.name if seen[look.name] == 1 else f"{look.name}_{seen[look.name]}"), image
