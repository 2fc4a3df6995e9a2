"""Files of other programs: nibabel and SimpleITK as judges."""

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from cohortex.errors import UnknownFormat, UnreadableFile
from cohortex.io import read_image, read_transform
from cohortex.transform import Affine, Rigid

pytestmark = pytest.mark.real_data

NIFTI = [
    "ct/CT_AVM.nii.gz",
    "ct/scct.nii",
    "ct/shear.nii.gz",
    "dwi/FA.nii.gz",
    "dwi/V1.nii.gz",
    "formats/ras.hdr",
    "tiny/someones_anatomy.nii.gz",
    "tiny/someones_epi.nii.gz",
]
ITK = ["FLAIR.nrrd", "mha.mha", "CT_2D_head_fixed.mha", "CT_2D_head_moving_mask.mha"]


@pytest.mark.parametrize("name", NIFTI)
def test_nibabel_reads_the_same_values_in_the_same_places(shared_data, name):
    image, judge = read_image(shared_data / name), nib.load(shared_data / name)
    expected = np.asanyarray(judge.dataobj)
    np.testing.assert_allclose(image.values, expected, rtol=2e-7, atol=1e-6)  # float32 against nibabel's float64
    corner = np.array(image.grid.shape) - 1
    np.testing.assert_allclose(image.grid.world_of(corner), (judge.affine @ [*corner, 1])[:3] * (-1, -1, 1), atol=1e-4)


@pytest.mark.parametrize("name", ITK)
def test_simpleitk_reads_the_same_values_in_the_same_places(shared_data, name):
    path = shared_data / "formats" / name
    image, judge = read_image(path), sitk.ReadImage(str(path))
    np.testing.assert_array_equal(image.values, sitk.GetArrayFromImage(judge).T)
    corner = [n - 1 for n in judge.GetSize()]
    np.testing.assert_allclose(image.grid.world_of(corner), judge.TransformIndexToPhysicalPoint(corner), atol=1e-4)


def test_a_gantry_tilt_kept_as_shear_is_not_dropped(shared_data):
    image = read_image(shared_data / "ct" / "shear.nii.gz")
    assert not image.grid.is_orthogonal


def test_a_colour_map_has_channels(shared_data):
    image = read_image(shared_data / "ct" / "ct_perfusion.nii.gz")
    assert image.extra_axes == ("channel",)
    assert image.values.shape == (256, 286, 15, 3)


def test_a_photo_is_a_picture(shared_data):
    image = read_image(shared_data / "formats" / "TCGA_CS_4944.png")
    assert image.values.shape == (256, 256, 3)
    assert not image.grid.orientation_known


@pytest.mark.parametrize("name", ["RAS.mif", "wm.mgz", "tract.IFOF_R.trk", "r16slice.jpg"])
def test_formats_of_later_are_refused_by_name(shared_data, name):
    with pytest.raises(UnknownFormat, match=name):
        read_image(shared_data / "formats" / name)


@pytest.mark.parametrize(
    ("name", "kind"), [("t1_to_mni.tfm", Affine), ("t1_to_mni_affine.h5", Affine), ("ants_matrix.mat", Affine),
                       ("ereg_matrix.mat", Rigid)]
)  # fmt: skip
def test_transforms_of_other_programs_move_points_as_itk_does(shared_data, name, kind):
    transform = read_transform(shared_data / "transforms" / name)
    assert type(transform) is kind
    judge = sitk.ReadTransform(str(shared_data / "transforms" / name))
    points = np.random.default_rng(0).uniform(-90, 90, (20, 3))
    np.testing.assert_allclose(transform(points), [judge.TransformPoint(point.tolist()) for point in points], atol=1e-5)


def test_a_matrix_of_niftyreg_is_refused_by_name(shared_data):
    with pytest.raises(UnreadableFile, match=r"niftyreg_matrix\.txt: not a transform of ITK"):
        read_transform(shared_data / "transforms" / "niftyreg_matrix.txt")
