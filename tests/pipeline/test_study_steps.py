"""Three phantom patients from their files to template, deviation, distances and map, on the store of the visits."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage

from cohortex import phantoms
from cohortex.errors import AlignmentFailure
from cohortex.image import Image
from cohortex.io import write_image
from cohortex.pipeline import Runner, find_visits, value_node
from cohortex.pipeline.study_steps import (
    aligned_brain_node,
    bring_to_template_space,
    build_template,
    deviate,
    distance_row,
    features_of_brain,
    features_of_template,
    pair_distance,
    template_node,
)
from cohortex.pipeline.visit_plan import look_at_visit, plan_visit
from cohortex.statistics import lay_out
from cohortex.templates import aligned_to_template, average_brains, mni152
from cohortex.transform import Rigid, warp

SEEDS = (11, 12, 13)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("study") / "store"


@pytest.fixture(scope="module")
def plans(store, tmp_path_factory):
    """Plans of three visits, T1 at 3 mm without lesions; the store holds all of the first, as after `process_visit`."""
    found = []
    with Runner(store, workers=0) as runner:
        for seed in SEEDS:
            patient = phantoms.patient(
                seed=seed, visits=1, spacing_mm=3, contrasts=("T1",), events={}, deformation_mm=4, distractors=False
            )
            folder = tmp_path_factory.mktemp(f"p{seed}")
            write_image(patient.visits[0].images["T1"], folder / "T1.nii.gz")
            found.append(plan_visit(look_at_visit(runner, find_visits(folder)[0], chosen={"T1.nii.gz": "T1"})))
        runner.run(found[0].results)
    return found


@pytest.fixture(scope="module")
def nodes(plans):
    return [aligned_brain_node(plan) for plan in plans]


@pytest.fixture(scope="module")
def first_steps(store, nodes):
    """The steps behind the first brain, by the runner that made it after the visit had been processed."""
    with Runner(store, workers=0) as runner:
        runner.run(nodes[:1])
        return runner.steps_behind(nodes[:1])


@pytest.fixture(scope="module")
def brains(store, nodes, first_steps):  # noqa: ARG001  what they left in the store is what is tested
    with Runner(store, workers=0) as runner:
        return runner.evaluate(nodes)


@pytest.fixture(scope="module")
def fourth():
    """A fourth brain by its true transform, which needs no alignment."""
    head = phantoms.head(spacing_mm=3, rng=np.random.default_rng(14), deformation_mm=4)
    scan = phantoms.scan(head, "T1")
    return aligned_to_template(scan, brain=head.brain, visit_from_template=head.head_from_template, contrast="T1")


def test_a_processed_visit_needs_one_more_step(first_steps):
    assert [run.step.rsplit(".", 1)[1] for run in first_steps if run.seconds is not None] == ["bring_to_template_space"]
    assert first_steps[-1].parameters == {"contrast": "T1"}


def test_nobody_who_does_not_ask_for_it_waits_for_it(store, plans):
    with Runner(store, workers=0) as runner:
        assert "bring_to_template_space" not in " ".join(run.step for run in runner.steps_behind(plans[0].results))


def test_template_deviation_and_distances_come_from_the_same_store(store, nodes, brains, fourth):
    all_nodes = [*nodes, value_node(fourth)]
    with Runner(store, workers=0) as runner:
        template = template_node(all_nodes)
        deviations = [deviate(node, template, member=True) for node in all_nodes]
        features = [features_of_brain(node) for node in all_nodes]
        rows = [distance_row(feature, features) for feature in features]
        to_template = [pair_distance(feature, features_of_template(template)) for feature in features]
        values = runner.evaluate([template, *deviations, *rows, *to_template])
    assert values[0].brains == 4
    assert_array_equal(values[0].image.values, average_brains([fourth, *brains]).image.values)
    for deviation in values[1:5]:
        assert deviation.others == 3
        assert np.mean(np.abs(deviation.grey.z.values[fourth.brain.mask]) > 1.96) == pytest.approx(0.05, abs=0.05)
    matrix = np.array([[distance.joint_mm for distance in row] for row in values[5:9]])
    assert_array_equal(matrix, matrix.T)
    assert np.all(np.diag(matrix) == 0)
    assert np.mean([distance.joint_mm for distance in values[9:]]) < matrix[matrix > 0].mean()
    assert lay_out(matrix).negative_share == 0  # the distances are Euclidean


def test_the_order_of_patients_names_the_same_template(nodes):
    assert template_node(nodes).key == template_node([nodes[2], nodes[0], nodes[1], nodes[0]]).key
    assert template_node(nodes[:2]).key != template_node(nodes).key


def test_the_template_is_sharper_than_the_mean_after_affine_alignment_alone(store, plans):
    """By gradient and spread, 8 mm inside the brain: at its edge a misplaced mask is sharp."""
    template = mni152(spacing_mm=2.0)
    inner = ndimage.binary_erosion(template.brain.mask, iterations=4)
    affine, elastic = [], []
    with Runner(store, workers=0) as runner:
        for plan in plans:
            image, brain, transform = runner.evaluate([plan.corrected, plan.brain, plan.visit_from_template])
            alone = Image(image.values * brain.mask, image.grid)
            for means, way in ((affine, transform.parts[0]), (elastic, transform)):
                there = warp(alone, way, onto=template.grid).values
                means.append(there / np.median(there[template.white.values > 0.9]))

    def sharpness(images: list[np.ndarray]) -> float:
        gradient = np.stack(np.gradient(np.mean(images, axis=0)), axis=-1)
        return float(np.mean(np.linalg.norm(gradient, axis=-1)[inner]))

    assert sharpness(elastic) > 1.03 * sharpness(affine)
    assert np.std(elastic, axis=0)[inner].mean() < 0.85 * np.std(affine, axis=0)[inner].mean()


def test_a_visit_whose_alignment_failed_is_refused_with_what_to_do(brains):
    brain = brains[0]
    with pytest.raises(AlignmentFailure, match="takes no part in template, deviation and distances"):
        bring_to_template_space.function(
            brain.image, brain.brain, Rigid.identity(), brain.healthy, template_converged=False, contrast="T1"
        )


def test_the_steps_say_what_they_do():
    for step in (bring_to_template_space, build_template, deviate, features_of_brain, pair_distance, distance_row):
        assert step.title
        assert step.sentence.endswith(".")
