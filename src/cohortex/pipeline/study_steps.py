"""The steps of a study: each visit in template space, their average, deviations from it, distances; all thin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cohortex.errors import AlignmentFailure
from cohortex.image import Image, Labels
from cohortex.pipeline.step import Node, step
from cohortex.pipeline.visit_plan import VisitPlan
from cohortex.templates.aligned import AlignedBrain, aligned_to_template
from cohortex.templates.deviation_from_study import StudyDeviation, deviation_from_study
from cohortex.templates.distances import BrainDistance, BrainFeatures, brain_distance, brain_features
from cohortex.templates.study_template import StudyTemplate, average_brains
from cohortex.transform import Transform


@step(
    version=1,
    title="bring into template space",
    sentence=(
        "The visit was sampled once in the space of MNI152; its grey values were brought to a common scale by its own "
        "fluid, grey and white matter, lesions left out."
    ),
)
def bring_to_template_space(
    image: Image,
    brain: Labels,
    visit_from_template: Transform,
    lesions: Labels,
    template_converged: bool,
    *,
    contrast: str,
) -> AlignedBrain:
    """Bring a visit into template space; one whose alignment failed is refused."""
    if not template_converged:
        raise AlignmentFailure(
            "the alignment with the template failed, so the visit takes no part in template, deviation and distances. "
            "Look at the alignment in its report; another series or a repeated scan may align."
        )
    return aligned_to_template(
        image, brain=brain, visit_from_template=visit_from_template, contrast=contrast, lesions=lesions
    )


@step(
    version=1,
    title="average the brains of the study",
    sentence="The template of the study is the mean of the aligned brains, lesions left out.",
)
def build_template(brains: Sequence[AlignedBrain]) -> StudyTemplate:
    """Average the brains of a study; in any order the same."""
    return average_brains(brains)


@step(
    version=1,
    title="compare with the study",
    sentence=(
        "The brain was held against the others of the study by the predictive t (Crawford and Howell 1998) with "
        "spreads steadied by their surroundings (Smyth 2004), shown as the equally rare z."
    ),
)
def deviate(brain: AlignedBrain, template: StudyTemplate, *, member: bool) -> StudyDeviation:
    """Map where a brain departs from the others of its study."""
    return deviation_from_study(brain, template, member=member)


@step(
    version=1,
    title="reduce to shape and grey value",
    sentence="Shape is the displacement of the template's anatomy less position, size and shear.",
)
def features_of_brain(brain: AlignedBrain) -> BrainFeatures:
    """Reduce a brain to what distances are measured on."""
    return brain_features(brain)


@step(version=1, title="reduce the template to shape and grey value")
def features_of_template(template: StudyTemplate) -> BrainFeatures:
    """Reduce a template to what distances are measured on."""
    return brain_features(template)


@step(
    version=1,
    title="measure a distance",
    sentence="Distances are root mean squares over the brain of differences in shape and in grey value.",
)
def pair_distance(a: BrainFeatures, b: BrainFeatures) -> BrainDistance:
    """Measure how far two brains, or a brain and the template, lie apart."""
    return brain_distance(a, b)


@step(
    version=1,
    title="measure distances to the others",
    sentence="Distances are root mean squares over the brain of differences in shape and in grey value.",
)
def distance_row(brain: BrainFeatures, others: Sequence[BrainFeatures]) -> tuple[BrainDistance, ...]:
    """Measure how far a brain lies from each of several others, in their order."""
    return tuple(brain_distance(brain, other) for other in others)


def aligned_brain_node(plan: VisitPlan) -> Node:
    """Name the brain of a visit in template space; nothing runs, and nobody who does not ask for it waits for it.

    Parameters
    ----------
    plan : VisitPlan
        From `plan_visit`: whatever of it is in the store is read from there.

    Returns
    -------
    Node
        Of an `AlignedBrain`, in the contrast that was outlined.
    """
    return bring_to_template_space(
        plan.corrected,
        plan.brain,
        plan.visit_from_template,
        plan.outline["labels"],
        plan.template_alignment["converged"],
        contrast=plan.contrast,
    )


def template_node(brains: Iterable[Node]) -> Node:
    """Name the template of some brains, the same node in whatever order they are given.

    Parameters
    ----------
    brains : iterable of Node
        One `aligned_brain_node` of each patient; a brain given twice counts once.

    Returns
    -------
    Node
        Of a `StudyTemplate`.
    """
    by_key = {brain.key: brain for brain in brains}
    return build_template([by_key[key] for key in sorted(by_key)])
