"""Real heads: brains found, visits aligned, a young brain laid on an old one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cohortex.image import Image, Labels
from cohortex.intensity import correct_bias
from cohortex.io import read_image, read_transform
from cohortex.registration import align_affine, align_deformable, align_midway, correlation
from cohortex.segmentation import brain_mask
from cohortex.transform import Transform, warp

pytestmark = pytest.mark.real_data


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float(2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))


def test_the_brain_of_a_glioma_with_thick_slices_agrees_with_the_given_mask(shared_data: Path) -> None:
    folder = shared_data / "multicontrast-glioma"
    (scan,) = folder.glob("*t1c.nii.gz")
    found = brain_mask(read_image(scan))
    given = read_image(folder / "bet_tcia_example_t1c_mask.nii.gz").values != 0
    assert dice(found.mask.mask, given) >= 0.94  # 0.950; a sixth of the slices are cut by the field of view
    assert not found.already_extracted


def test_a_whole_head_holds_an_adult_brain(shared_data: Path) -> None:
    found = brain_mask(read_image(shared_data / "t1-heads" / "chris_t1.nii.gz"))
    assert 1200 < found.volume_ml < 1700
    assert found.similarity > 0.4
    assert found.overlap > 0.98


def test_a_brain_without_a_head_is_recognised_and_kept(shared_data: Path) -> None:
    folder = shared_data / "labelled-brains"
    found = brain_mask(read_image(folder / "1125_SS.nii.gz"))
    assert found.already_extracted
    assert dice(found.mask.mask, read_image(folder / "1125_mask.nii.gz").values != 0) > 0.999


def test_two_visits_of_a_patient_agree_with_the_given_transforms(shared_data: Path) -> None:
    folder = shared_data / "lesions-ms-longitudinal"
    images, masks, given = [], [], []
    for visit in (1, 2):
        scan = read_image(folder / f"study{visit}_FLAIR.nii.gz")
        brain = brain_mask(scan).mask
        images.append(correct_bias(scan, mask=brain))
        masks.append(brain)
        given.append(read_transform(folder / f"study{visit}_FLAIR_to_common_space.txt"))  # ITK: visit from common
    found = align_midway(*images, baseline_mask=masks[0], follow_up_mask=masks[1])
    points = masks[0].grid.world_of(np.argwhere(masks[0].mask)[::97])
    there: Transform = given[1] @ given[0].inverse()
    apart = np.linalg.norm(found.follow_up_from_baseline(points) - there(points), axis=1)
    assert apart.mean() <= 0.3  # 0.13; the given ones are affine, with 0.5 % of stretch between them
    assert found.converged


def test_an_old_brain_on_a_young_one_gains_by_deformation(shared_data: Path) -> None:
    folder = shared_data / "labelled-brains"
    young, old = (read_image(folder / f"{name}_SS.nii.gz") for name in ("1001", "1125"))
    young_tissue, old_tissue = (as_labels(read_image(folder / f"{n}_tissues.nii.gz")) for n in ("1001", "1125"))
    brain = as_labels(read_image(folder / "1001_mask.nii.gz"))
    affine = align_affine(young, old, similarity=correlation)
    start = affine.moving_from_fixed
    deformed = align_deformable(young, old, start=start, fixed_mask=brain)  # type: ignore[arg-type]
    scores = []
    for transform in (start, deformed.moving_from_fixed):
        moved = warp(old_tissue, transform, onto=young.grid).values
        scores.append(np.mean([dice(moved == tissue, young_tissue.values == tissue) for tissue in (1, 2, 3)]))
    assert scores[1] > scores[0] + 0.05
    assert deformed.folded_fraction == 0
    assert deformed.inverse_error_mm <= 0.05


def as_labels(image: Image) -> Labels:
    return Labels(np.rint(image.values).astype(np.int16), image.grid)
