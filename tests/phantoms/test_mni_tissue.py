from __future__ import annotations

import nibabel
import numpy as np
import pytest
from nilearn.datasets import load_mni152_brain_mask, load_mni152_gm_template

from cohortex import phantoms


def test_tissue_volumes_are_those_of_the_bundled_maps():
    maps = phantoms.mni_tissue()
    assert maps.brain.sum() / 255 / 1000 == pytest.approx(1883, rel=0.001)  # ml, measured in the checklist
    assert (maps.grey > 127).sum() / 1000 == pytest.approx(1080, rel=0.02)
    assert (maps.white > 127).sum() / 1000 == pytest.approx(632, rel=0.02)


def test_fractions_fill_the_brain_and_nothing_else():
    maps = phantoms.mni_tissue()
    total = maps.grey.astype(int) + maps.white + maps.csf
    np.testing.assert_array_equal(total, maps.brain)


def test_brain_mask_is_nilearns():
    mask = load_mni152_brain_mask(resolution=1)
    assert mask.get_fdata().sum() == (phantoms.mni_tissue().brain > 0).sum()


def test_left_stays_left_against_nibabel():
    stored = load_mni152_gm_template(resolution=1)
    maps = phantoms.mni_tissue()
    ras = nibabel.affines.apply_affine(stored.affine, (60, 110, 80))
    index = np.rint(maps.grid.index_of(ras * (-1, -1, 1))).astype(int)
    assert maps.grid.world_of(index) == pytest.approx(ras * (-1, -1, 1))
    assert maps.grey[tuple(index)] / 255 == pytest.approx(stored.get_fdata()[60, 110, 80], abs=0.02)


def test_maps_cannot_be_written_over():
    with pytest.raises(ValueError, match="read-only"):
        phantoms.mni_tissue().grey[0, 0, 0] = 1
