"""Digital heads of other anatomies against one with a lesion of 8 mm: it comes first, in grey value, at its place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cohortex import phantoms
from cohortex.image import Labels
from cohortex.phantoms import SCANNERS, Blob, Deposit, Shape
from cohortex.templates import AlignedBrain, aligned_to_template, average_brains, deviation_from_study

TEMPLATE_MM = (26.0, -22.0, 26.0)  # left frontal white matter
RADIUS_MM = 4.0


def aligned(seed: int, *, lesion: bool = False) -> AlignedBrain:
    """A noisy FLAIR scan at 3 mm of an anatomy of its own, brought over by the true transform."""
    head = phantoms.head(spacing_mm=3, rng=np.random.default_rng(seed), deformation_mm=3)
    x, y, z = (float(c) for c in head.head_from_template(np.array(TEMPLATE_MM)))
    ball = Shape(parts=(Blob(center_mm=(x, y, z), radii_mm=(RADIUS_MM,) * 3, axes=np.eye(3)),))
    planted = [Deposit(shape=ball, look="plaque", strength=1.0, tissue_mix={"white": 1.0})] if lesion else []
    vendor = ("siemens-like", "ge-like", "philips-like")[seed % 3]
    scanner = replace(SCANNERS[vendor], bias=0.0)  # what is left of it after correction is another test's
    scan = phantoms.scan(head, "FLAIR", scanner=scanner, lesions=planted, rng=np.random.default_rng([seed, 1]))
    return aligned_to_template(scan, brain=head.brain, visit_from_template=head.head_from_template, contrast="FLAIR")


@pytest.fixture(scope="module")
def template():
    return average_brains(aligned(seed) for seed in range(1, 6))


def test_a_planted_lesion_of_8_mm_comes_first(template):
    found = deviation_from_study(aligned(9, lesion=True), template, member=False)
    assert np.linalg.norm(np.subtract(found.grey.groups[0].peak_mm, TEMPLATE_MM)) < 5
    assert found.grey.groups[0].largest_z > 5
    assert found.grey.groups[0].place == "left frontal white matter"


def test_one_healthy_voxel_in_twenty_of_a_new_anatomy_lies_beyond_1_96(template):
    found = deviation_from_study(aligned(9), template, member=False)
    inside: Labels = aligned(9).brain
    assert np.mean(np.abs(found.grey.z.values[inside.mask]) > 1.96) == pytest.approx(0.05, abs=0.02)
    assert found.grey.share_beyond < 0.003


def test_vendors_and_gains_leave_one_scale(template):
    levels = [aligned(seed).tissue_values["white"] for seed in (1, 2)]
    assert levels[0] / levels[1] > 3 or levels[1] / levels[0] > 3
    assert float(np.median(template.image.values[template.image.values > 0.9])) == pytest.approx(1.05, abs=0.1)
