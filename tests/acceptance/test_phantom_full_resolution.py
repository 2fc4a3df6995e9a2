"""The phantom at 1 mm, where its promises are meant: minutes, so run by `make acceptance`."""

from __future__ import annotations

import numpy as np
import pytest

from cohortex import phantoms

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def patient() -> phantoms.PhantomPatient:
    return phantoms.patient(seed=101, spacing_mm=1.0, slice_thickness_mm=(1.0, 4.0))


def test_an_undeformed_head_holds_the_maps_themselves():
    head, maps = phantoms.head(spacing_mm=1.0), phantoms.mni_tissue()
    low, high = maps.grid.world_of((0, 0, 56)), maps.grid.world_of((196, 232, 100))
    start = np.maximum(np.rint(head.grid.index_of(low)), 0).astype(int)
    stop = np.minimum(np.rint(head.grid.index_of(high)) + 1, head.grid.shape).astype(int)
    mine = head.tissues["grey"][tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]
    first = np.rint(maps.grid.index_of(head.grid.world_of(start))).astype(int)
    theirs = maps.grey[tuple(slice(a, a + n) for a, n in zip(first, mine.shape, strict=True))]
    np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("growth", [0.75, 1.3, 2.0])
def test_ventricles_grow_within_one_percent(growth):
    plain, grown = (phantoms.head(spacing_mm=1.0, ventricle_growth=g) for g in (1.0, growth))
    assert grown.ventricle_volume_ml / plain.ventricle_volume_ml == pytest.approx(growth, rel=0.01)


def test_forward_after_inverse_stays_within_a_twentieth_of_a_millimetre(patient):
    head = patient.head
    points = head.grid.world_of(np.argwhere(head.brain.mask)[::211] + 0.37)
    errors = np.linalg.norm(head.head_from_template(head.template_from_head(points)) - points, axis=1)
    assert errors.max() < 0.05


def test_labels_hold_the_planted_volume(patient):
    visit = patient.visits[0]
    for lesion in visit.lesions:
        counted = (visit.labels.values == lesion.id).sum()  # voxels of 1 mm³
        assert counted == pytest.approx(lesion.volume_mm3, rel=0.03, abs=4)


def test_lesions_stand_out_as_planted(patient):
    """The lesion's middle against white matter around it, in the finished scan with shading and blur."""
    visit = patient.visits[0]
    image = visit.images["FLAIR"]
    points = image.grid.world_points()
    seen = 0
    for lesion in visit.lesions:
        if lesion.volume_mm3 < 400 or lesion.place != "white matter":
            continue
        near = np.linalg.norm(points - lesion.center_mm, axis=-1) < lesion.shape.reach_mm + 4
        level = lesion.shape.level(visit.scanner_from_head.inverse()(points[near]))
        values = image.values[near]
        ring = values[(level > 1.3) & (level < 1.6)]
        difference = values[level < 0.6].mean() - np.median(ring)
        noise = visit.scanner.noise_sd * visit.scanner.gain
        assert difference / noise == pytest.approx(lesion.contrast_to_noise["FLAIR"], rel=0.3)  # ±20 % shading
        seen += 1
    assert seen >= 2
