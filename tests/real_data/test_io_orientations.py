"""One head in twelve voxel orders: left is left in all of them, and stays left through every format."""

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from cohortex.geometry import axis_codes
from cohortex.image import reorient
from cohortex.io import from_nibabel, from_simpleitk, read_image, to_nibabel, to_simpleitk, write_image

pytestmark = pytest.mark.real_data

CODES = ["AIL", "ASL", "ILA", "LAS", "LIA", "LPI", "LPS", "PIR", "PSR", "RAI", "RAS", "SPR"]


@pytest.mark.parametrize("code", CODES)
def test_every_order_shows_the_same_head_in_the_same_place(shared_data, code):
    image = read_image(shared_data / "orientations" / f"{code}.nii.gz")
    assert axis_codes(image.grid) == code
    reference = reorient(read_image(shared_data / "orientations" / "LPS.nii.gz"))
    turned = reorient(image)
    np.testing.assert_array_equal(turned.values, reference.values)
    assert turned.grid.same_as(reference.grid, tolerance_mm=1e-3)  # the files themselves differ by rounding


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("ending", [".nii", ".nrrd", ".mha"])
def test_every_order_survives_every_format(shared_data, tmp_path, code, ending):
    image = read_image(shared_data / "orientations" / f"{code}.nii.gz")
    write_image(image, tmp_path / f"head{ending}")
    back = read_image(tmp_path / f"head{ending}")
    np.testing.assert_array_equal(back.values, image.values)
    assert back.grid.same_as(image.grid, tolerance_mm=1e-4)
    assert axis_codes(back.grid) == code


@pytest.mark.parametrize("code", CODES)
def test_nibabel_and_simpleitk_see_the_same_voxel_in_the_same_place(shared_data, code):
    path = shared_data / "orientations" / f"{code}.nii.gz"
    image = read_image(path)
    index = tuple(np.array(image.grid.shape) // 3)
    place = image.grid.world_of(index)
    theirs = nib.load(path)
    np.testing.assert_allclose((theirs.affine @ [*index, 1])[:3] * (-1, -1, 1), place, atol=1e-4)
    assert np.asanyarray(theirs.dataobj)[index] == pytest.approx(image.values[index], rel=1e-6)
    itk = sitk.ReadImage(str(path))
    np.testing.assert_allclose(itk.TransformIndexToPhysicalPoint([int(n) for n in index]), place, atol=1e-4)
    for back in (from_nibabel(to_nibabel(image)), from_simpleitk(to_simpleitk(image))):
        assert back.grid.same_as(image.grid, tolerance_mm=1e-4)
        assert axis_codes(back.grid) == code
