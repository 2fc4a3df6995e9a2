"""Transforms through files: the same points go to the same places, here and in ITK."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cohortex.errors import TargetExists, UnknownFormat, UnreadableFile
from cohortex.geometry import Grid, rotation_from_vector
from cohortex.image import Image
from cohortex.io import read_transform, write_image, write_transform
from cohortex.transform import Affine, Chain, Displacement, Rigid

POINTS = np.random.default_rng(0).uniform(-80, 80, (20, 3))
MOTION = Rigid.from_vectors(rotation_vector_rad=(0.1, -0.2, 0.3), translation_mm=(5, -6, 7), center_mm=(1, 2, 3))
MATRIX = np.array([[1.1, 0.1, 0, 4], [0, 0.9, 0.2, -3], [0.1, 0, 1.05, 2], [0, 0, 0, 1]])


def wavy_field() -> Displacement:
    grid = Grid.from_parts(
        (12, 11, 10), spacing_mm=(3, 4, 5), origin_mm=(-15, -20, -25), direction=rotation_from_vector((0.2, 0.1, -0.4))
    )
    points = grid.world_points()
    field = np.stack([np.sin(points[..., 1] / 9), np.cos(points[..., 2] / 8), points[..., 0] / 20], axis=-1)
    return Displacement(Image(field.astype(np.float32), grid, "mm", {}, ("vector",)))


@pytest.mark.parametrize("ending", [".tfm", ".txt", ".mat", ".h5"])
@pytest.mark.parametrize("transform", [MOTION, Affine(MATRIX)], ids=["rigid", "affine"])
def test_a_linear_transform_comes_back(tmp_path, transform, ending):
    write_transform(transform, tmp_path / f"t{ending}")
    back = read_transform(tmp_path / f"t{ending}")
    assert type(back) is type(transform)
    assert_allclose(back(POINTS), transform(POINTS), atol=1e-9)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turn=st.tuples(*[st.floats(-3, 3)] * 3), shift=st.tuples(*[st.floats(-200, 200)] * 3))
def test_any_motion_comes_back(tmp_path, turn, shift):
    motion = Rigid.from_vectors(rotation_vector_rad=turn, translation_mm=shift)
    write_transform(motion, tmp_path / "t.tfm", overwrite=True)
    assert_allclose(read_transform(tmp_path / "t.tfm")(POINTS), motion(POINTS), atol=1e-8)


@pytest.mark.parametrize("transform", [MOTION, Affine(MATRIX)], ids=["rigid", "affine"])
def test_itk_moves_points_alike(tmp_path, transform):
    write_transform(transform, tmp_path / "t.tfm")
    itk = sitk.ReadTransform(str(tmp_path / "t.tfm"))
    assert_allclose([itk.TransformPoint(p.tolist()) for p in POINTS], transform(POINTS), atol=1e-9)


def test_a_transform_of_itk_with_a_centre_is_read(tmp_path):
    itk = sitk.Euler3DTransform((10.0, 20.0, 30.0), 0.1, 0.2, 0.3, (1.0, 2.0, 3.0))
    sitk.WriteTransform(itk, str(tmp_path / "t.tfm"))
    back = read_transform(tmp_path / "t.tfm")
    assert isinstance(back, Rigid)
    assert_allclose(back(POINTS), [itk.TransformPoint(p.tolist()) for p in POINTS], atol=1e-9)


def test_a_composite_of_itk_is_a_chain_in_the_same_order(tmp_path):
    shift = sitk.TranslationTransform(3, (5.0, 0.0, 0.0))
    turn = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.0, 0.0, 0.5)
    composite = sitk.CompositeTransform([shift, turn])
    sitk.WriteTransform(composite, str(tmp_path / "t.tfm"))
    back = read_transform(tmp_path / "t.tfm")
    assert_allclose(back(POINTS), [composite.TransformPoint(p.tolist()) for p in POINTS], atol=1e-9)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_a_displacement_field_comes_back(tmp_path, ending):
    field = wavy_field()
    write_transform(field, tmp_path / f"warp{ending}")
    inner = field.field.grid.center_mm + POINTS / 10
    assert_allclose(read_transform(tmp_path / f"warp{ending}")(inner), field(inner), atol=1e-4)


def test_itk_reads_our_displacement_field_alike(tmp_path):
    field = wavy_field()
    write_transform(field, tmp_path / "warp.nii.gz")
    itk = sitk.DisplacementFieldTransform(sitk.ReadImage(str(tmp_path / "warp.nii.gz"), sitk.sitkVectorFloat64))
    inner = field.field.grid.center_mm + POINTS / 10
    assert_allclose([itk.TransformPoint(p.tolist()) for p in inner], field(inner), atol=1e-4)


def test_a_displacement_field_of_itk_is_read(tmp_path):
    field = wavy_field()
    values = np.transpose(field.field.values, (2, 1, 0, 3)).astype(np.float64)
    image = sitk.GetImageFromArray(values, isVector=True)
    image.SetSpacing(field.field.grid.spacing_mm)
    image.SetOrigin(field.field.grid.origin_mm)
    image.SetDirection(field.field.grid.direction.ravel().tolist())
    inner = field.field.grid.center_mm + POINTS / 10
    for name in ("warp.nii.gz", "warp.mha", "warp.nrrd"):
        sitk.WriteImage(image, str(tmp_path / name))
        assert_allclose(read_transform(tmp_path / name)(inner), field(inner), atol=1e-4)
    sitk.WriteTransform(sitk.DisplacementFieldTransform(image), str(tmp_path / "warp.h5"))
    assert_allclose(read_transform(tmp_path / "warp.h5")(inner), field(inner), atol=1e-4)


def test_a_chain_with_a_field_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(UnknownFormat, match="displacement_of"):
        write_transform(Chain.of(MOTION, wavy_field()), tmp_path / "t.tfm")


def test_a_field_does_not_go_into_a_text_file(tmp_path):
    with pytest.raises(UnknownFormat, match=r"t\.tfm: a Displacement"):
        write_transform(wavy_field(), tmp_path / "t.tfm")


def test_an_existing_transform_is_never_overwritten_unasked(tmp_path):
    write_transform(MOTION, tmp_path / "t.tfm")
    with pytest.raises(TargetExists):
        write_transform(MOTION, tmp_path / "t.tfm")


@pytest.mark.parametrize(("name", "content"), [("t.tfm", b""), ("t.tfm", b"no transform"), ("t.mat", b"\1\2\3")])
def test_a_damaged_transform_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile, match=name):
        read_transform(tmp_path / name)


def test_a_flat_transform_is_refused(tmp_path):
    sitk.WriteTransform(sitk.Euler2DTransform(), str(tmp_path / "t.tfm"))
    with pytest.raises(UnreadableFile, match="2 axes"):
        read_transform(tmp_path / "t.tfm")


def test_a_spline_is_refused_by_name(tmp_path):
    sitk.WriteTransform(sitk.BSplineTransform(3), str(tmp_path / "t.tfm"))
    with pytest.raises(UnreadableFile, match="BSplineTransform"):
        read_transform(tmp_path / "t.tfm")


def test_a_scalar_image_is_no_displacement_field(tmp_path):
    write_image(Image(np.zeros((2, 2, 2)), Grid.from_parts((2, 2, 2))), tmp_path / "t.nii.gz")
    with pytest.raises(UnreadableFile, match="no displacement field"):
        read_transform(tmp_path / "t.nii.gz")


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(UnknownFormat, match=r"\.tfm"):
        read_transform(tmp_path / "t.xyz")
