"""A study of phantoms through the whole pipeline: what is planted comes first, and the scanner counts little."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from cohortex import phantoms
from cohortex.io import write_image
from cohortex.phantoms import SCANNERS, Blob, Deposit, Shape, draw_scanner
from cohortex.pipeline import Runner, find_visits
from cohortex.pipeline.study_steps import aligned_brain_node
from cohortex.pipeline.visit_plan import look_at_visit, plan_visit
from cohortex.templates import average_brains, brain_distance, brain_features, deviation_from_study
from cohortex.transform import Rigid

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(7200)]

MEMBERS = range(1, 7)
HELD_OUT = range(31, 41)
SPACING_MM = 3.0
DEFORMATION_MM = 4.0  # people differ by as much after an affine alignment
BASE = replace(SCANNERS["siemens-like"], bias=0.0)
PLACES_MM = [(26, -22, 26), (-26, -20, 24), (28, 20, 30), (-28, 24, 28), (22, 50, 22)]


@pytest.fixture(scope="module")
def brain_of(tmp_path_factory):
    """Scan an anatomy and take it through the pipeline, each once."""
    root = tmp_path_factory.mktemp("study")
    heads = {}

    def brain(seed, name, scan):
        if seed not in heads:
            heads[seed] = phantoms.head(
                spacing_mm=SPACING_MM, rng=np.random.default_rng(seed), deformation_mm=DEFORMATION_MM
            )
        folder = root / f"p{seed}" / name
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "T1.nii.gz").exists():
            write_image(scan(heads[seed]), folder / "T1.nii.gz")
        with Runner(root / "store", workers=0) as runner:
            looked_at = look_at_visit(runner, find_visits(folder)[0], chosen={"T1.nii.gz": "T1"})
            return runner.value(aligned_brain_node(plan_visit(looked_at)))

    return brain


def plain(seed):
    vendor = tuple(SCANNERS)[seed % 3]
    scanner = draw_scanner(np.random.default_rng([seed, 2]), vendor)
    return lambda head: phantoms.scan(head, "T1", scanner=scanner, rng=np.random.default_rng([seed, 1]))


def with_lesion(seed, place_mm, radius_mm=4.0):
    def scan(head):
        x, y, z = (float(c) for c in head.head_from_template(np.array(place_mm, dtype=float)))
        ball = Shape(parts=(Blob(center_mm=(x, y, z), radii_mm=(radius_mm,) * 3, axes=np.eye(3)),))
        deposit = Deposit(shape=ball, look="plaque", strength=1.5, tissue_mix={"white": 1.0})
        scanner = draw_scanner(np.random.default_rng([seed, 2]), tuple(SCANNERS)[seed % 3])
        return phantoms.scan(head, "T1", scanner=scanner, lesions=[deposit], rng=np.random.default_rng([seed, 1]))

    return scan


@pytest.fixture(scope="module")
def template(brain_of):
    return average_brains(brain_of(seed, "plain", plain(seed)) for seed in MEMBERS)


def test_a_planted_lesion_of_8_mm_comes_first_in_nine_of_ten_held_out_heads(brain_of, template):
    first = []
    for seed, place in zip(HELD_OUT, itertools.cycle(PLACES_MM), strict=False):
        found = deviation_from_study(brain_of(seed, "lesion", with_lesion(seed, place)), template, member=False)
        groups = found.grey.groups
        first.append(bool(groups) and np.linalg.norm(np.subtract(groups[0].peak_mm, place)) < 6)
    assert np.mean(first) >= 0.9


def test_one_healthy_voxel_in_twenty_lies_beyond_1_96(brain_of, template):
    shares = []
    for seed in itertools.islice(HELD_OUT, 5):
        brain = brain_of(seed, "plain", plain(seed))
        z = deviation_from_study(brain, template, member=False).grey.z.values[brain.brain.mask]
        shares.append(np.mean(np.abs(z) > 1.96))
    assert np.mean(shares) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("seed", [21, 22])
@pytest.mark.parametrize("what", ["gain", "bias", "position", "scanner"])
def test_what_is_not_anatomy_moves_a_subject_by_less_than_a_tenth(brain_of, seed, what):
    scanner = {
        "gain": replace(BASE, gain=14.0),
        "bias": replace(BASE, bias=0.2),
        "scanner": draw_scanner(np.random.default_rng(5), "ge-like"),
    }.get(what, BASE)

    def scan(head, scanner=BASE, moved=False):
        center = head.grid.center_mm
        motion = Rigid.from_vectors(
            rotation_vector_rad=np.radians([4, -5, 6]), translation_mm=(6, -5, 7), center_mm=center
        )
        return phantoms.scan(
            head,
            "T1",
            scanner=scanner,
            scanner_from_head=motion if moved else None,
            rng=np.random.default_rng([seed, 3 if what == "scanner" and scanner is not BASE else 1]),
        )

    base = {number: brain_features(brain_of(number, "base", scan)) for number in (21, 22)}
    disturbed = brain_features(brain_of(seed, what, lambda head: scan(head, scanner, what == "position")))
    between = brain_distance(base[21], base[22]).joint_mm
    assert brain_distance(base[seed], disturbed).joint_mm < 0.1 * between
