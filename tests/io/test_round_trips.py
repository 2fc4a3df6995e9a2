"""What every format promises: values, place, kind and unit come back."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cohortex.errors import GeometryError
from cohortex.geometry import Grid, axis_codes, rotation_from_vector
from cohortex.image import Image, Labels
from cohortex.io import from_nibabel, from_simpleitk, read_image, to_nibabel, to_simpleitk, write_image

PLACE_TOLERANCE_MM = 1e-4  # NIfTI stores float32: 7 digits of a coordinate of a few hundred mm
VOLUME_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha")
RNG = np.random.default_rng(5)
OBLIQUE = Grid.from_parts(
    (5, 6, 7),
    spacing_mm=(1.1, 2, 3),
    origin_mm=(10, -20, 30),
    direction=rotation_from_vector((0.3, -0.7, 1.2)),
    frame_of_reference="1.2.3",
)
UNKNOWN = Grid.from_parts((5, 6, 7), spacing_mm=(1, 2, 3), orientation_known=False)
FLAT = Grid.from_parts((5, 6), spacing_mm=(1, 2), orientation_known=False)
CASES = {
    "HU": Image(RNG.integers(-1000, 1000, (5, 6, 7)).astype(np.int16), OBLIQUE, "HU"),
    "float64": Image(RNG.normal(size=(5, 6, 7)), OBLIQUE),
    "NaN": Image(np.full((5, 6, 7), np.nan, np.float32), OBLIQUE),
    "labels": Labels(RNG.integers(0, 300, (5, 6, 7)).astype(np.uint16), OBLIQUE),
    "mask": Labels(RNG.random((5, 6, 7)) > 0.5, OBLIQUE),
    "time": Image(RNG.random((5, 6, 7, 4)).astype("f4"), OBLIQUE, "1/s", {"repetition_time_s": 1.0}, ("time",)),
    "time of unknown step": Image(RNG.random((5, 6, 7, 4)).astype("f4"), OBLIQUE, "1/s", {}, ("time",)),
    "vectors": Image(RNG.random((5, 6, 7, 3)).astype("f4"), OBLIQUE, "mm", {}, ("vector",)),
    "channels": Image(RNG.random((5, 6, 7, 5)).astype("f4"), OBLIQUE, "mm²/s", {}, ("channel",)),
    "colours": Image(RNG.integers(0, 255, (5, 6, 7, 3)).astype("u1"), OBLIQUE, "arbitrary", {}, ("channel",)),
    "vectors in time": Image(RNG.random((5, 6, 7, 2, 3)).astype("f4"), OBLIQUE, "mm", {}, ("time", "vector")),
    "orientation unknown": Image(RNG.random((5, 6, 7)).astype("f4"), UNKNOWN),
    "one slice": Image(RNG.random((5, 6, 1)).astype("f4"), Grid((5, 6, 1), OBLIQUE.world_from_index)),
    "two axes": Image(RNG.integers(0, 255, (5, 6)).astype("u1"), FLAT),
    "colour picture": Image(RNG.integers(0, 255, (5, 6, 3)).astype("u1"), FLAT, "arbitrary", {}, ("channel",)),
}


def assert_same(back: Image, image: Image) -> None:
    assert type(back) is type(image)
    assert back.dtype == image.dtype
    assert_array_equal(back.values, image.values)
    assert back.extra_axes == image.extra_axes
    assert back.unit == image.unit
    assert back.grid.same_as(image.grid, tolerance_mm=PLACE_TOLERANCE_MM)
    assert back.grid.orientation_known == image.grid.orientation_known
    assert back.grid.frame_of_reference == image.grid.frame_of_reference
    assert back.metadata.get("repetition_time_s") == image.metadata.get("repetition_time_s")


@pytest.mark.parametrize("ending", VOLUME_ENDINGS)
@pytest.mark.parametrize("case", CASES)
def test_what_is_written_comes_back(tmp_path, case, ending):
    write_image(CASES[case], tmp_path / f"image{ending}")
    assert_same(read_image(tmp_path / f"image{ending}"), CASES[case])


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd"])
def test_a_sheared_grid_comes_back(tmp_path, ending):
    matrix = OBLIQUE.world_from_index.copy()
    matrix[1, 2] += 1
    image = Image(RNG.random((5, 6, 7)), Grid((5, 6, 7), matrix))
    write_image(image, tmp_path / f"image{ending}")
    assert_same(read_image(tmp_path / f"image{ending}"), image)


def test_metaimage_refuses_a_sheared_grid_by_name(tmp_path):
    matrix = np.eye(4)
    matrix[1, 2] = 0.5
    with pytest.raises(GeometryError, match="sheared"):
        write_image(Image(np.zeros((2, 2, 2)), Grid((2, 2, 2), matrix)), tmp_path / "image.mha")


@pytest.mark.parametrize("case", CASES)
def test_simpleitk_and_back_is_the_same(case):
    assert_same(from_simpleitk(to_simpleitk(CASES[case])), CASES[case])


@pytest.mark.parametrize("case", [name for name, image in CASES.items() if not isinstance(image, Labels)])
def test_nibabel_and_back_is_the_same(case):
    image = CASES[case]
    back = from_nibabel(to_nibabel(image), unit=image.unit)
    assert_array_equal(back.values, image.values)
    assert back.extra_axes == image.extra_axes
    assert back.grid.same_as(image.grid, tolerance_mm=PLACE_TOLERANCE_MM)
    assert back.grid.orientation_known == image.grid.orientation_known


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    shape = draw(st.tuples(*[st.integers(1, 6)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.2, 9)] * 3))
    origin = draw(st.tuples(*[st.floats(-300, 300)] * 3))
    turn = draw(st.tuples(*[st.floats(-3, 3)] * 3))
    mirror = np.diag([draw(st.sampled_from([-1.0, 1.0])), 1.0, 1.0])
    return Grid.from_parts(shape, spacing_mm=spacing, origin_mm=origin, direction=rotation_from_vector(turn) @ mirror)


@pytest.mark.parametrize("ending", [".nii", ".nrrd", ".mha"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(grid=grids())
def test_any_oblique_grid_comes_back_within_a_ten_thousandth(tmp_path, ending, grid):
    values = np.arange(np.prod(grid.shape), dtype=np.int32).reshape(grid.shape)
    path = tmp_path / f"image{ending}"
    write_image(Image(values, grid), path, overwrite=True)
    back = read_image(path)
    assert_array_equal(back.values, values)
    assert back.grid.same_as(grid, tolerance_mm=PLACE_TOLERANCE_MM)


def test_a_left_marker_stays_left_through_every_format(tmp_path):
    """Checklist row S3-04: the brightest voxel lies on the left in DICOM's, NIfTI's, NRRD's and ITK's own words."""
    grid = Grid.from_parts((11, 9, 7), spacing_mm=(2, 2, 3), origin_mm=(10, -8, -9), direction=np.diag([-1, 1, 1]))
    values = np.zeros(grid.shape, np.int16)
    values[0, 4, 3] = 100  # x = +10 mm, towards the left
    image = Image(values, grid)
    assert axis_codes(grid) == "RPS"
    for number, ending in enumerate((".nii.gz", ".nrrd", ".mha", ".nii", ".nrrd")):
        write_image(image, tmp_path / f"{number}{ending}")
        image = read_image(tmp_path / f"{number}{ending}")
        place = image.grid.world_of(np.argwhere(image.values == 100)[0])
        np.testing.assert_allclose(place, (10, 0, 0), atol=PLACE_TOLERANCE_MM)
