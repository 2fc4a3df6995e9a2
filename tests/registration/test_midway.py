"""Two visits of a phantom patient, halfway."""

from __future__ import annotations

import numpy as np
import pytest

from cohortex import phantoms
from cohortex.intensity import correct_bias
from cohortex.phantoms import PhantomPatient
from cohortex.registration import MidwayAlignment, align_midway
from cohortex.transform import Rigid


@pytest.fixture(scope="module")
def patient() -> PhantomPatient:
    return phantoms.patient(seed=11, spacing_mm=3.0, slice_thickness_mm=(3.0, 4.5), contrasts=("FLAIR",))


@pytest.fixture(scope="module")
def both_ways(patient: PhantomPatient) -> tuple[MidwayAlignment, MidwayAlignment]:
    images = [correct_bias(visit.images["FLAIR"], mask=visit.brain) for visit in patient.visits]
    masks = [visit.brain for visit in patient.visits]
    there = align_midway(*images, baseline_mask=masks[0], follow_up_mask=masks[1])
    back = align_midway(*images[::-1], baseline_mask=masks[1], follow_up_mask=masks[0])
    return there, back


def test_scanner_change_thick_slices_and_lesions_leave_half_a_millimetre(
    patient: PhantomPatient, both_ways: tuple[MidwayAlignment, MidwayAlignment]
) -> None:
    brain = patient.visits[0].brain
    points = brain.grid.world_of(np.argwhere(brain.mask)[::97])
    found, true = both_ways[0].follow_up_from_baseline, patient.follow_up_from_baseline()
    assert np.linalg.norm(found(points) - true(points), axis=1).mean() <= 0.5
    assert both_ways[0].converged


def test_swapping_the_visits_mirrors_the_answer_to_the_last_bit(
    both_ways: tuple[MidwayAlignment, MidwayAlignment],
) -> None:
    there, back = both_ways
    assert np.array_equal(there.baseline_from_midway.matrix, back.follow_up_from_midway.matrix)
    assert np.array_equal(there.follow_up_from_midway.matrix, back.baseline_from_midway.matrix)
    assert there.grid == back.grid
    assert there.similarity == back.similarity


def test_both_visits_move_equally_far(both_ways: tuple[MidwayAlignment, MidwayAlignment]) -> None:
    there = both_ways[0]
    sum_of_halves = there.baseline_from_midway @ there.follow_up_from_midway
    assert np.allclose(sum_of_halves.matrix, np.eye(4), atol=1e-9)  # type: ignore[attr-defined]


def test_the_midway_grid_has_the_finer_spacings_and_covers_both_visits(
    patient: PhantomPatient, both_ways: tuple[MidwayAlignment, MidwayAlignment]
) -> None:
    there = both_ways[0]
    assert there.grid.spacing_mm == pytest.approx((3, 3, 3))
    sides: list[Rigid] = [there.baseline_from_midway, there.follow_up_from_midway]
    for visit, from_midway in zip(patient.visits, sides, strict=True):
        index = there.grid.index_of(from_midway.inverse()(visit.images["FLAIR"].grid.corners_mm()))
        assert np.all(index > -0.5 - 1e-6)
        assert np.all(index < np.array(there.grid.shape) - 0.5 + 1e-6)
