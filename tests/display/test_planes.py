"""Left stays left on the screen, and slices keep the numbers of their series."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from cohortex.display import Plane, View, best_plane
from cohortex.geometry import Grid
from cohortex.image import Image, reorient

ORDERS = ("LPS", "RAS", "RPI", "PSR", "SAL", "ILA", "AIR")


def head_grid(*, spacing_mm: tuple[float, float, float] = (4.0, 4.0, 5.0)) -> Grid:
    return Grid.from_parts((40, 48, 30), spacing_mm=spacing_mm, origin_mm=(-80, -95, -70))


def image_with_point(point_mm: tuple[float, float, float], codes: str) -> Image:
    """Zero but for the voxel nearest to the point."""
    grid = head_grid()
    values = np.zeros(grid.shape, dtype=np.float32)
    values[tuple(np.rint(grid.index_of(point_mm)).astype(int))] = 1
    return reorient(Image(values, grid), codes)


@pytest.mark.parametrize("codes", ORDERS)
def test_patient_left_is_viewer_right_and_front_is_up_in_axial_slices(codes: str) -> None:
    image = image_with_point((40, -50, 20), codes)  # left, front, above
    view = View(image.grid, "axial")
    picture = view.volume(image)[view.slice_at((40, -50, 20))]
    row, column = np.argwhere(picture == 1)[0]
    assert column > 0.6 * picture.shape[1]
    assert row < 0.4 * picture.shape[0]
    assert view.edges == ("R", "L", "A", "P")


@pytest.mark.parametrize("codes", ORDERS)
def test_coronal_slices_show_left_on_the_right_and_the_crown_on_top(codes: str) -> None:
    image = image_with_point((40, -50, 50), codes)
    view = View(image.grid, "coronal")
    picture = view.volume(image)[view.slice_at((40, -50, 50))]
    row, column = np.argwhere(picture == 1)[0]
    assert column > 0.6 * picture.shape[1]
    assert row < 0.4 * picture.shape[0]
    assert view.edges == ("R", "L", "S", "I")


@pytest.mark.parametrize("codes", ORDERS)
def test_sagittal_slices_show_the_front_on_the_left(codes: str) -> None:
    image = image_with_point((40, -50, 50), codes)
    view = View(image.grid, "sagittal")
    picture = view.volume(image)[view.slice_at((40, -50, 50))]
    row, column = np.argwhere(picture == 1)[0]
    assert column < 0.4 * picture.shape[1]
    assert row < 0.4 * picture.shape[0]
    assert view.edges == ("A", "P", "S", "I")


@pytest.mark.parametrize("codes", ORDERS)
def test_pixel_of_a_point_is_where_its_voxel_is_drawn(codes: str) -> None:
    point = (40.0, -51.0, 20.0)
    image = image_with_point(point, codes)
    view = View(image.grid, "axial")
    row, column = np.argwhere(view.volume(image)[view.slice_at(point)] == 1)[0]
    np.testing.assert_allclose(view.pixel_at(point), (row, column), atol=0.51)


@pytest.mark.parametrize("codes", ["LPS", "LPI", "RAI"])
def test_slice_number_is_that_of_the_series_from_one(codes: str) -> None:
    image = reorient(Image(np.zeros((4, 5, 6), np.float32), Grid.from_parts((4, 5, 6))), codes)
    view = View(image.grid, "axial")
    for third in range(6):
        slice_index = view.slice_at(image.grid.world_of((1, 1, third)))
        assert view.series_slice(slice_index) == third + 1
        assert view.name_of(slice_index) == f"slice {third + 1}"
        assert view.slice_of_series(third + 1) == slice_index
    assert view.slice_of_series(7) is None
    assert View(image.grid, "coronal").slice_of_series(1) is None


def test_slice_numbers_of_the_header_are_kept() -> None:
    grid = Grid.from_parts((4, 5, 3))
    image = Image(np.zeros(grid.shape, np.float32), grid, metadata={"instance_numbers": [30, 20, 10]})
    view = View.of(image, "axial")
    assert [view.series_slice(n) for n in range(3)] == [30, 20, 10]
    assert view.slice_of_series(10) == 2
    assert View.of(image.with_metadata(instance_numbers=[1]), "axial").series_slice(2) == 3
    assert View.of(image.with_metadata(instance_numbers=[1, None, 2]), "axial").series_slice(2) == 3
    with pytest.raises(ValueError, match="1 slice numbers for 3 slices"):
        View(grid, "axial", (1,))


def test_plane_across_the_series_is_named_by_its_place() -> None:
    view = View(head_grid(), "coronal")
    assert view.series_slice(3) is None
    assert view.name_of(view.slice_at((0, -44, 0))) == "A 43 mm"  # voxel centres at -95 + 4 n
    assert view.name_of(view.slice_at((0, 45, 0))) == "P 45 mm"


def test_place_is_given_where_a_grid_is_no_series() -> None:
    view = View(head_grid(), "axial")
    assert view.name_of(view.slice_at((0, 0, 30)), numbering="position") == "S 30 mm"
    assert view.name_of(view.slice_at((0, 0, -30)), numbering="position") == "I 30 mm"


def test_unknown_orientation_is_not_guessed() -> None:
    grid = Grid.from_parts((4, 5, 6), orientation_known=False)
    view = View(grid, "axial")
    assert view.edges == ("?", "?", "?", "?")
    assert view.name_of(2, numbering="position") == "slice 3"


def test_thick_coronal_slices_are_shown_as_taken_and_thin_ones_axially() -> None:
    thick = reorient(
        Image(np.zeros((40, 12, 40), np.uint8), Grid.from_parts((40, 12, 40), spacing_mm=(1, 5, 1))), "LSP"
    )
    assert best_plane(thick.grid) == "coronal"
    assert best_plane(Grid.from_parts((40, 40, 30), spacing_mm=(1, 1, 1.5))) == "axial"
    assert best_plane(Grid.from_parts((40, 40, 1))) == "axial"


@pytest.mark.parametrize(("axis", "plane"), [(0, "sagittal"), (1, "coronal"), (2, "axial")])
def test_slices_are_counted_along_the_axis_the_series_was_cut_along(axis: int, plane: Plane) -> None:
    spacing = tuple(5.0 if n == axis else 1.0 for n in range(3))
    grid = Grid.from_parts((20, 20, 20), spacing_mm=spacing)
    assert best_plane(grid) == plane
    view = View(grid, plane, tuple(range(101, 121)))
    point = grid.world_of(tuple(3 if n == axis else 10 for n in range(3)))
    number = 104 if axis == 2 else 4  # the header's numbers are those of the third axis
    assert view.name_of(view.slice_at(point)) == f"slice {number}"
    assert view.slice_of_series(number) == view.slice_at(point)
    others = {"axial", "coronal", "sagittal"} - {plane}
    assert all(View(grid, other).series_slice(0) is None for other in others)  # type: ignore[arg-type]


def test_square_keeps_its_size_in_mm_and_stays_inside() -> None:
    view = View(head_grid(spacing_mm=(2.0, 4.0, 5.0)), "axial")
    mask = np.zeros(view.size, dtype=bool)
    mask[0:2, 0:2] = True  # at the corner
    box = view.square_around(mask, margin_mm=10, smallest_mm=48)
    assert box.rows == (0, 12)
    assert box.columns == (0, 24)


def test_box_of_nothing_is_the_whole_picture() -> None:
    view = View(head_grid(), "axial")
    box = view.box_around(np.zeros(view.size, dtype=bool), margin_mm=5)
    assert (box.rows, box.columns) == ((0, 48), (0, 40))


def test_images_on_other_grids_and_of_several_channels_are_refused() -> None:
    view = View(head_grid(), "axial")
    with pytest.raises(ValueError, match="resample it first"):
        view.volume(Image(np.zeros((2, 2, 2)), Grid.from_parts((2, 2, 2))))
    with pytest.raises(ValueError, match="scalar"):
        view.volume(Image(np.zeros((*head_grid().shape, 3)), head_grid(), extra_axes=("channel",)))


def test_two_axes_and_unknown_planes_are_refused() -> None:
    with pytest.raises(ValueError, match="planes need 3"):
        View(Grid.from_parts((4, 4)), "axial")
    with pytest.raises(ValueError, match="give one of axial, coronal, sagittal"):
        View(head_grid(), "oblique")  # type: ignore[arg-type]


def test_all_orders_of_axes_show_the_same_picture() -> None:
    rng = np.random.default_rng(1)
    grid = Grid.from_parts((5, 6, 7), spacing_mm=(1, 2, 3))
    image = Image(rng.normal(size=grid.shape), grid)
    expected = View(grid, "sagittal").volume(image)
    for letters in itertools.permutations(("R", "A", "I")):
        turned = reorient(image, "".join(letters))
        np.testing.assert_array_equal(View(turned.grid, "sagittal").volume(turned), expected)
