"""NRRD and MetaImage headers that other programs write, and what is refused."""

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose, assert_array_equal

from cohortex.errors import GeometryError, UnreadableFile
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.io import from_simpleitk, read_image, to_simpleitk, write_image

VALUES = np.arange(24, dtype="<i2").reshape(2, 3, 4)


def nrrd(path, *, space="space: left-posterior-superior", directions="(2,0,0) (0,3,0) (0,0,4)", extra="", data=VALUES):
    sizes = " ".join(map(str, VALUES.shape))
    head = f"NRRD0004\ntype: short\ndimension: 3\n{space}\nsizes: {sizes}\n"
    if directions:
        head += f"space directions: {directions}\nspace origin: (10,20,30)\n"
    path.write_bytes(f"{head}{extra}endian: little\nencoding: raw\n\n".encode() + data.tobytes(order="F"))
    return path


@pytest.mark.parametrize(
    ("space", "origin"),
    [
        ("left-posterior-superior", (10, 20, 30)),
        ("LPS", (10, 20, 30)),
        ("right-anterior-superior", (-10, -20, 30)),
        ("RAS", (-10, -20, 30)),
        ("left-anterior-superior", (10, -20, 30)),
    ],
)
def test_the_named_space_is_turned_into_lps(tmp_path, space, origin):
    image = read_image(nrrd(tmp_path / "scan.nrrd", space=f"space: {space}"))
    assert image.grid.orientation_known
    assert_allclose(image.grid.origin_mm, origin)
    assert_array_equal(image.values, VALUES)


def test_space_units_are_turned_into_mm(tmp_path):
    image = read_image(nrrd(tmp_path / "scan.nrrd", extra='space units: "cm" "cm" "cm"\n'))
    assert_allclose(image.grid.spacing_mm, (20, 30, 40))


@pytest.mark.parametrize("space", ["space dimension: 3", "space: scanner-xyz"])
def test_without_an_anatomical_space_left_and_right_are_not_guessed(tmp_path, space):
    image = read_image(nrrd(tmp_path / "scan.nrrd", space=space))
    assert not image.grid.orientation_known
    assert_allclose(image.grid.spacing_mm, (2, 3, 4))


def test_a_detached_header_is_read_with_its_data_file(tmp_path):
    whole = nrrd(tmp_path / "scan.nrrd").read_bytes()
    head, data = whole.split(b"\n\n", 1)
    (tmp_path / "scan.nhdr").write_bytes(head + b"\ndata file: voxels.raw\n")
    with pytest.raises(UnreadableFile, match=r"voxels\.raw is missing"):
        read_image(tmp_path / "scan.nhdr")
    (tmp_path / "voxels.raw").write_bytes(data)
    assert_array_equal(read_image(tmp_path / "scan.nhdr").values, VALUES)


def test_space_directions_without_inverse_are_refused(tmp_path):
    with pytest.raises((GeometryError, UnreadableFile), match=r"scan\.nrrd"):
        read_image(nrrd(tmp_path / "scan.nrrd", directions="(2,0,0) (0,3,0) (0,6,0)"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"plain text " * 40, "not an NRRD file"),
        (b"NRRD0004\ntype: short\ndimension: 3\nsizes: 30000 30000 30000\nencoding: raw\n\n1234", "has 8|the file has"),
        (b"NRRD0004\ntype: block\ndimension: 1\nsizes: 3\nencoding: raw\n\n1234", "type 'block'"),
        (b"NRRD0004\ntype: short\ndimension: 2\nsizes: 0 -3\nencoding: raw\n\n1234", "must be positive"),
    ],
)
def test_a_damaged_nrrd_is_refused(tmp_path, content, message):
    (tmp_path / "scan.nrrd").write_bytes(content)
    with pytest.raises(UnreadableFile, match=rf"scan\.nrrd.*({message})"):
        read_image(tmp_path / "scan.nrrd")


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_a_truncated_file_is_refused(tmp_path, ending):
    image = Image(np.random.default_rng(0).normal(size=(9, 9, 9)), Grid.from_parts((9, 9, 9)))
    write_image(image, tmp_path / f"scan{ending}")
    content = (tmp_path / f"scan{ending}").read_bytes()
    (tmp_path / f"cut{ending}").write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(UnreadableFile, match=rf"cut\{ending}.*(truncated|corrupt)"):
        read_image(tmp_path / f"cut{ending}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"plain text " * 40, "not a MetaImage file"),
        (b"NDims = 3\nDimSize = 9000 9000 9000\nElementType = MET_SHORT\nElementDataFile = LOCAL\n12", "the file has"),
        (b"NDims = 3\nDimSize = x\nElementType = MET_SHORT\nElementDataFile = LOCAL\n12", "positive"),
        (b"NDims = 1\nDimSize = 4\nElementType = MET_SHORT\nElementDataFile = gone.raw\n", r"gone\.raw is missing"),
    ],
)  # fmt: skip
def test_a_damaged_metaimage_is_refused(tmp_path, content, message):
    (tmp_path / "scan.mha").write_bytes(content)
    with pytest.raises(UnreadableFile, match=rf"scan\.mha.*({message})"):
        read_image(tmp_path / "scan.mha")


@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".mhd"])
def test_files_of_simpleitk_are_read_in_the_same_place(tmp_path, ending):
    source = sitk.GetImageFromArray(np.arange(24, dtype=np.float32).reshape(4, 3, 2))
    source.SetSpacing((1.5, 2, 3))
    source.SetOrigin((10, 20, 30))
    source.SetDirection((0, -1, 0, 1, 0, 0, 0, 0, 1))
    sitk.WriteImage(source, str(tmp_path / f"scan{ending}"))
    image = read_image(tmp_path / f"scan{ending}")
    assert_allclose(image.grid.world_of((1, 2, 3)), source.TransformIndexToPhysicalPoint((1, 2, 3)))
    assert image.values[1, 2, 3] == source[1, 2, 3]


def test_simpleitk_reads_what_we_write_in_the_same_place(tmp_path):
    direction = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    grid = Grid.from_parts((2, 3, 4), spacing_mm=(1.5, 2, 3), origin_mm=(10, 20, 30), direction=direction)
    image = Image(VALUES, grid)
    for ending in (".nii.gz", ".nrrd", ".mha"):
        write_image(image, tmp_path / f"scan{ending}")
        read = sitk.ReadImage(str(tmp_path / f"scan{ending}"))
        assert_allclose(read.TransformIndexToPhysicalPoint((1, 2, 3)), grid.world_of((1, 2, 3)), atol=1e-4)
        assert read[1, 2, 3] == VALUES[1, 2, 3]


def test_the_bridge_refuses_a_sheared_grid_by_name():
    matrix = np.eye(4)
    matrix[0, 1] = 0.3
    with pytest.raises(GeometryError, match=r"sheared.*Resample"):
        to_simpleitk(Image(np.zeros((2, 2, 2)), Grid((2, 2, 2), matrix)))


def test_the_bridge_refuses_axes_it_cannot_name():
    image = Image(np.zeros((2, 2, 2, 3, 4)), Grid.from_parts((2, 2, 2)), "1", {}, ("channel", "time"))
    with pytest.raises(GeometryError, match="one image per channel"):
        to_simpleitk(image)


def test_the_bridge_refuses_complex_values():
    with pytest.raises(GeometryError, match="complex"):
        from_simpleitk(sitk.GetImageFromArray(np.zeros((2, 2, 2), np.complex64)))
