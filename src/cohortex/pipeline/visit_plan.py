"""The plan of one visit: which steps its files need, before any but the first has run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cohortex.errors import CohortexError, StepFailed, VisitProblem
from cohortex.pipeline import visit_steps as steps
from cohortex.pipeline.contrast import Contrast
from cohortex.pipeline.runner import Runner
from cohortex.pipeline.series import SeriesChoice, SeriesLook, choose_series
from cohortex.pipeline.step import Node, file_node
from cohortex.pipeline.visits import VisitSource, names_of


@dataclass(frozen=True, kw_only=True)
class LookedAtVisit:
    """A visit whose files were read and whose series were recognised and checked.

    Attributes
    ----------
    source : VisitSource
        Where it came from.
    images : tuple of Node
        Every image of the visit.
    looks : tuple of SeriesLook
        What each is and how good.
    problems, notes : tuple of str
        What could not be read; and what was left out or looks odd about the upload.
    look_nodes : tuple of Node
        Where the looks come from: the methods of the report tell of them.
    """

    source: VisitSource
    images: tuple[Node, ...]
    looks: tuple[SeriesLook, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    look_nodes: tuple[Node, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VisitPlan:
    """The nodes of one visit, all on the grid of the outlined series."""

    looked_at: LookedAtVisit
    choice: SeriesChoice
    contrast: str
    corrected: Node
    brain: Node
    template_alignment: Node
    template_from_visit: Node
    visit_from_template: Node
    tissue: Node
    outline: Node
    lesions: Node
    maps: Node

    @property
    def results(self) -> list[Node]:
        """Everything the report of the visit needs."""
        return [*self.looked_at.look_nodes, self.lesions, self.maps, self.tissue, self.template_alignment]


def look_at_visit(
    runner: Runner, source: VisitSource, *, chosen: Mapping[str, Contrast] | None = None
) -> LookedAtVisit:
    """Read the files of a visit and look at every series.

    Parameters
    ----------
    runner : Runner
        Where the steps run.
    source : VisitSource
        The files.
    chosen : mapping of str to str, optional
        File or series name -> contrast, as a person said.

    Returns
    -------
    LookedAtVisit
        What is there.

    Raises
    ------
    CohortexError
        If the files as a whole cannot be read, or hold no image.
    VisitProblem
        If a person named a series that is not there.
    """
    by_name = {Path(name).name: contrast for name, contrast in (chosen or {}).items()}
    paths = [*source.paths, *_named_files(chosen or {}, source.paths)]
    if source.apart:
        reads = [steps.read_some(file_node(path)) for path in paths]
    else:
        reads = [steps.read_visit([file_node(path) for path in paths])]
    values = _evaluated(runner, [read[part] for part in ("count", "problems", "notes") for read in reads])
    counts, problems, notes = (values[len(reads) * n : len(reads) * (n + 1)] for n in range(3))
    images = tuple(read["images"][n] for read, count in zip(reads, counts, strict=True) for n in range(count))
    if not images:
        raise VisitProblem(steps.why_no_image(paths, [problem for found in problems for problem in found]))
    look_nodes = tuple(steps.look_at(image, chosen=by_name) for image in images)
    looks = tuple(_evaluated(runner, look_nodes))
    for name, contrast in by_name.items():
        if not any(look.contrast_reason == "chosen by a person" and look.contrast == contrast for look in looks):
            raise VisitProblem(
                f"{names_of(source.paths)}: no series is called {name!r}; there are "
                f"{', '.join(repr(look.name) for look in looks)}. Give one of these names, or a file."
            )
    return LookedAtVisit(
        source=source,
        images=images,
        looks=looks,
        problems=tuple(problem for found in problems for problem in found),
        notes=(*source.notes, *(note for found in notes for note in found)),
        look_nodes=look_nodes,
    )


def plan_visit(looked_at: LookedAtVisit, *, outlined_contrast: str | None = None) -> VisitPlan:
    """Lay out the steps of a visit; nothing runs yet.

    Parameters
    ----------
    looked_at : LookedAtVisit
        The visit.
    outlined_contrast : str, optional
        Contrast to outline, where another visit decides it.

    Returns
    -------
    VisitPlan
        The nodes.

    Raises
    ------
    VisitProblem
        If nothing in the visit can be used.
    """
    try:
        choice = choose_series(looked_at.looks, outlined_contrast=outlined_contrast)
    except VisitProblem as problem:
        raise VisitProblem(f"{names_of(looked_at.source.paths)}: {problem}") from problem
    contrast = looked_at.looks[choice.outlined].contrast
    aligned, outlined = looked_at.images[choice.aligned], looked_at.images[choice.outlined]
    extraction = steps.find_brain(aligned)
    aligned_corrected = steps.take_shading_off(aligned, extraction["mask"])
    template = steps.align_with_template(aligned_corrected, extraction["mask"], extraction["image_from_template"])

    if choice.aligned == choice.outlined:
        brain, corrected = extraction["mask"], aligned_corrected
        template_from_visit, visit_from_template = template["template_from_visit"], template["visit_from_template"]
    else:
        between = steps.align_series(aligned_corrected, extraction["mask"], outlined)
        brain = steps.brain_onto(extraction["mask"], between["fixed_from_moving"], outlined)
        corrected = steps.take_shading_off(outlined, brain)
        template_from_visit = steps.chained(template["template_from_visit"], between["fixed_from_moving"])
        visit_from_template = steps.chained(between["moving_from_fixed"], template["visit_from_template"])

    images = {contrast: corrected}
    for other, number in choice.by_contrast.items():
        if other == contrast:
            continue
        if number == choice.aligned:
            images[other] = steps.bring_onto(aligned_corrected, between["fixed_from_moving"], outlined)
        else:
            moving = looked_at.images[number]
            to_other = steps.align_series(corrected, brain, moving)
            there = steps.brain_onto(brain, to_other["fixed_from_moving"], moving)
            shading_off = steps.take_shading_off(moving, there)
            images[other] = steps.bring_onto(shading_off, to_other["moving_from_fixed"], outlined)

    tissue = steps.tissue_onto(template_from_visit, brain)
    inflow = steps.inflow_onto(template_from_visit, outlined)
    outline = steps.outline(images, brain, tissue, inflow, template["converged"], contrast=contrast)
    return VisitPlan(
        looked_at=looked_at,
        choice=choice,
        contrast=contrast,
        corrected=corrected,
        brain=brain,
        template_alignment=template,
        template_from_visit=template_from_visit,
        visit_from_template=visit_from_template,
        tissue=tissue,
        outline=outline,
        lesions=steps.measure(
            outline, template_from_visit, slice_numbers=looked_at.looks[choice.outlined].slice_numbers
        ),
        maps=steps.compare_with_template(corrected, brain, tissue, template_from_visit),
    )


def _named_files(chosen: Mapping[str, Contrast], paths: Sequence[Path]) -> list[Path]:
    """Files a person named that are not among the paths of the visit."""
    files = [Path(name) for name in chosen if Path(name).is_file()]
    return [file for file in files if not _holds(paths, file)]


def share_out(chosen: Mapping[str, Contrast], sources: Sequence[VisitSource]) -> list[dict[str, Contrast]]:
    """Divide what a person said among several visits: a file speaks of the visit it lies in, a series of each.

    Parameters
    ----------
    chosen : mapping of str to str
        File or series name -> contrast.
    sources : sequence of VisitSource
        The visits.

    Returns
    -------
    list of dict
        For each visit, what was said of it.

    Raises
    ------
    VisitProblem
        If a file lies in none of the visits.
    """
    shares: list[dict[str, Contrast]] = [{} for _ in sources]
    visits = "; ".join(names_of(source.paths) for source in sources)
    for name, contrast in chosen.items():
        file = Path(name)
        concerned = [not file.is_file() or _holds(source.paths, file) for source in sources]
        if not any(concerned):
            raise VisitProblem(
                f"{file.name} lies in none of the visits ({visits}), so whose it is cannot be told. "
                "Put it into the folder of its visit, and give that folder."
            )
        for share, concerns in zip(shares, concerned, strict=True):
            if concerns:
                share[name] = contrast
    return shares


def _holds(paths: Sequence[Path], file: Path) -> bool:
    return any(file.resolve().is_relative_to(path.resolve()) for path in paths)


def _evaluated(runner: Runner, nodes: Sequence[Node]) -> list[Any]:
    """Evaluate, and let an error of the data come out as it was said, without the step around it."""
    try:
        return runner.evaluate(nodes)
    except StepFailed as failure:
        if isinstance(failure.__cause__, CohortexError):
            raise failure.__cause__ from failure
        raise
