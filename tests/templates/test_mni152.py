"""The template is where it says, in LPS mm, and its tissues make up the brain."""

from __future__ import annotations

import numpy as np
import pytest
from nilearn.datasets import load_mni152_template, load_mni152_wm_template

from cohortex.image import sample_at_points
from cohortex.templates import MNI152_FRAME, mni152


@pytest.mark.parametrize("spacing_mm", [1.0, 2.0, 3.0])
def test_the_grid_runs_to_the_left_the_back_and_the_top(spacing_mm: float) -> None:
    grid = mni152(spacing_mm=spacing_mm).grid
    np.testing.assert_allclose(grid.direction, np.eye(3), atol=1e-12)
    assert grid.spacing_mm == pytest.approx((spacing_mm,) * 3)
    assert grid.frame_of_reference == MNI152_FRAME


def test_every_voxel_lies_where_nilearn_has_it_in_the_other_convention() -> None:
    template = mni152()
    for loaded, image in (
        (load_mni152_template(resolution=1), template.t1),
        (load_mni152_wm_template(resolution=1), None),
    ):
        index = np.random.default_rng(0).integers(0, loaded.shape, size=(3000, 3))
        ras = index @ loaded.affine[:3, :3].T + loaded.affine[:3, 3]
        here = sample_at_points(image or template.white, ras * (-1, -1, 1))
        there = np.asarray(loaded.dataobj)[tuple(index.T)]
        assert np.mean(np.abs(here - there) < 1e-5) > 0.99  # the fractions are cut to the brain and shared out


def test_the_cerebellum_lies_behind_and_below() -> None:
    template = mni152(spacing_mm=3.0)
    points = template.grid.world_of(np.argwhere(template.brain.mask))
    low = points[points[:, 2] < -45]
    assert len(low) > 500
    assert low[:, 1].mean() > 30  # posterior is positive in LPS


def test_the_fractions_make_up_the_brain() -> None:
    template = mni152()
    total = sum(map_.values for map_ in template.tissues.values())
    np.testing.assert_allclose(total[template.brain.mask], 1, atol=1e-5)
    assert not total[~template.brain.mask].any()
    for map_ in template.tissues.values():
        assert map_.unit == "1"
        assert map_.values.min() >= 0
        assert map_.values.max() <= 1
    assert template.version == 0


def test_the_volumes_are_those_of_an_adult_brain_in_mni_space() -> None:
    template = mni152()
    assert np.count_nonzero(template.brain.values) / 1000 == pytest.approx(1880, rel=0.05)  # nilearn's mask: 1.88 l
    volume = {name: float(map_.values.sum()) / 1000 for name, map_ in template.tissues.items()}
    assert 600 < volume["white"] < volume["grey"] < 1100
    assert 150 < volume["csf"] < 500


@pytest.mark.parametrize("spacing_mm", [2.0, 3.0])
def test_coarser_templates_keep_place_and_volume(spacing_mm: float) -> None:
    fine, coarse = mni152(), mni152(spacing_mm=spacing_mm)
    for name in ("white", "grey", "csf"):
        a, b = fine.tissues[name], coarse.tissues[name]
        assert b.values.sum() * spacing_mm**3 == pytest.approx(a.values.sum(), rel=0.01)
        middle_of = [np.average(t.grid.world_points().reshape(-1, 3), axis=0, weights=t.values.ravel()) for t in (a, b)]
        np.testing.assert_allclose(middle_of[0], middle_of[1], atol=0.05)
    assert coarse.brain.mask.sum() * spacing_mm**3 == pytest.approx(fine.brain.mask.sum(), rel=0.01)


@pytest.mark.parametrize("spacing_mm", [0.5, 0.0, -2.0, float("nan")])
def test_voxels_finer_than_the_template_are_refused(spacing_mm: float) -> None:
    with pytest.raises(ValueError, match="spacing_mm"):
        mni152(spacing_mm=spacing_mm)
