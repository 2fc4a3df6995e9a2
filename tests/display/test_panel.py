"""What is drawn, checked in the pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Picture

from cohortex.display import (
    Box,
    ColourScale,
    Outline,
    Overlay,
    View,
    Window,
    colour_bar,
    encoded,
    limit_for,
    panel,
    pixels,
    svg_text,
    window_for,
)
from cohortex.display.panel import voxel_edges
from cohortex.geometry import Grid
from cohortex.image import Image, Labels, reorient

GRID = Grid.from_parts((40, 48, 30), spacing_mm=(4, 4, 5), origin_mm=(-80, -95, -70))
LEFT_FRONT = (40.0, -40.0, 0.0)


def with_blob(point_mm: tuple[float, float, float], *, radius_mm: float = 12) -> Image:
    distance = np.linalg.norm(GRID.world_points() - point_mm, axis=-1)
    return Image((distance < radius_mm).astype(np.float32), GRID)


def center_of(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Row and column, as shares of the picture."""
    rows, columns = np.nonzero(mask)
    return float(rows.mean() / mask.shape[0]), float(columns.mean() / mask.shape[1])


@pytest.mark.parametrize("codes", ["LPS", "RAS", "PSR", "SAL", "ILA"])
def test_blob_on_the_left_of_the_patient_is_drawn_on_the_right_of_the_picture(codes: str) -> None:
    image = reorient(with_blob(LEFT_FRONT), codes)
    bare = reorient(Image(np.zeros(GRID.shape, np.float32), GRID), codes)
    window = Window(low=0, high=1)
    drawn = pixels(panel(image, at_mm=LEFT_FRONT, window=window)).astype(int)
    empty = pixels(panel(bare, at_mm=LEFT_FRONT, window=window)).astype(int)
    row, column = center_of(drawn[..., 0] - empty[..., 0] > 100)
    assert column == pytest.approx((40 + 82) / 160, abs=0.02)  # 160 mm wide, first edge at -82 mm
    assert row == pytest.approx((-40 + 97) / 192, abs=0.02)


@pytest.mark.parametrize("codes", ["LPS", "RAS", "PIR"])
def test_letter_l_stands_at_the_right_edge(codes: str) -> None:
    image = reorient(Image(np.zeros(GRID.shape, np.float32), GRID), codes)
    figure = panel(image, window=Window(low=0, high=1))
    letters = {text.get_text(): text.get_position() for text in figure.texts}
    assert letters["L"][0] > 0.9
    assert letters["R"][0] < 0.1
    assert letters["A"][1] > 0.9
    height, width = pixels(figure).shape[:2]
    band = pixels(figure)[height // 2 - 30 : height // 2 + 30, :, 0]
    assert (band[:, -width // 10 :] > 200).any()  # the letter is there in the pixels
    assert (band[:, : width // 10] > 200).any()
    assert not (band[:, width // 5 : -width // 5] > 200).any()


def test_picture_has_the_shape_of_the_patient_whatever_the_voxels() -> None:
    for spacing in ((1.0, 1.0, 1.0), (1.0, 2.0, 5.0)):
        shape = tuple(int(n / s) for n, s in zip((100, 120, 60), spacing, strict=True))
        image = Image(np.zeros(shape, np.float32), Grid.from_parts(shape, spacing_mm=spacing))
        drawn = pixels(panel(image, plane="axial", width_px=200))
        assert drawn.shape == (480, 400, 3)  # 120 mm by 100 mm at twice 200 pixels


def test_outline_runs_along_the_voxel_edges_of_its_label() -> None:
    labels = Labels((with_blob(LEFT_FRONT).values > 0).astype(np.uint8) * 3, GRID)
    image = Image(np.zeros(GRID.shape, np.float32), GRID)
    window = Window(low=0, high=1)
    drawn = pixels(panel(image, at_mm=LEFT_FRONT, window=window, outlines=[Outline(labels=labels, colour="#ff0000")]))
    red = (drawn[..., 0] > 120) & (drawn[..., 1] < 60)
    rows, columns = np.nonzero(red)
    view = View(GRID, "axial")
    mask = view.volume(labels)[view.slice_at(LEFT_FRONT)] == 3
    inside_rows, inside_columns = np.nonzero(mask)
    pixel = drawn.shape[0] / mask.shape[0]
    assert rows.min() == pytest.approx(inside_rows.min() * pixel, abs=2)
    assert rows.max() == pytest.approx((inside_rows.max() + 1) * pixel, abs=2)
    assert columns.min() == pytest.approx(inside_columns.min() * pixel, abs=2)
    assert columns.max() == pytest.approx((inside_columns.max() + 1) * pixel, abs=2)


def test_outline_of_labels_not_asked_for_is_not_drawn() -> None:
    labels = Labels((with_blob(LEFT_FRONT).values > 0).astype(np.uint8) * 3, GRID)
    image = Image(np.zeros(GRID.shape, np.float32), GRID)
    plain = panel(image, at_mm=LEFT_FRONT)
    other = panel(image, at_mm=LEFT_FRONT, outlines=[Outline(labels=labels, colour="red", only=(2,))])
    np.testing.assert_array_equal(pixels(plain), pixels(other))


def test_edges_of_touching_labels_are_drawn_and_straight_edges_are_joined() -> None:
    assert sorted(voxel_edges(np.array([[1, 1, 2]]))) == [
        (0, 0, 0, 1),
        (0, 0, 3, 0),
        (0, 1, 3, 1),
        (2, 0, 2, 1),
        (3, 0, 3, 1),
    ]
    assert voxel_edges(np.zeros((3, 3), np.uint8)) == []


def test_overlay_is_warm_above_zero_cool_below_and_clear_under_the_threshold() -> None:
    scale = ColourScale(limit=6, threshold=2, label="z")
    values = np.zeros(GRID.shape, np.float32)
    values[:13], values[13:26], values[26:] = -5, 1.5, 5
    drawn = pixels(
        panel(
            Image(np.full(GRID.shape, 0.5, np.float32), GRID),
            window=Window(low=0, high=1),
            overlay=Overlay(image=Image(values, GRID), scale=scale),
        )
    ).astype(int)
    row = drawn[drawn.shape[0] // 4]
    right_of_patient, middle, left_of_patient = (row[int(drawn.shape[1] * share)] for share in (0.2, 0.5, 0.8))
    assert right_of_patient[2] > right_of_patient[0] + 80
    assert left_of_patient[0] > left_of_patient[2] + 80
    assert abs(middle[0] - 127) < 3
    assert np.ptp(middle) == 0


def test_overlay_stays_within_its_mask_and_leaves_nan_clear() -> None:
    scale = ColourScale(limit=6, threshold=2, label="z")
    values = np.full(GRID.shape, 5, np.float32)
    values[:20] = np.nan
    background = Image(np.zeros(GRID.shape, np.float32), GRID)
    nothing = Labels(np.zeros(GRID.shape, np.uint8), GRID)
    drawn = pixels(panel(background, overlay=Overlay(image=Image(values, GRID), scale=scale))).astype(int)
    colourful = np.ptp(drawn, axis=-1) > 30
    assert not colourful[:, : drawn.shape[1] // 2 - 2].any()
    assert colourful[:, drawn.shape[1] // 2 + 2 :].mean() > 0.8
    masked = pixels(panel(background, overlay=Overlay(image=Image(values, GRID), scale=scale, within=nothing)))
    assert not (np.ptp(masked.astype(int), axis=-1) > 30).any()


def test_ct_gets_the_brain_window_and_other_images_robust_percentiles() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(100, 10, size=GRID.shape).astype(np.float32)
    values[0, 0, 0] = 1e6  # one hot voxel
    brain = Labels(np.ones(GRID.shape, np.uint8), GRID)
    assert window_for(Image(values, GRID, "HU")) == Window(low=0, high=80)
    window = window_for(Image(values, GRID), brain=brain)
    assert window.low == pytest.approx(100 - 2.576 * 10, abs=1)
    assert window.high == pytest.approx(window.low + 1.8 * (2.576 + 0.674) * 10, abs=1)  # normal quantiles


def test_scalp_in_the_mask_does_not_darken_the_brain() -> None:
    values = np.random.default_rng(3).uniform(0.0, 1.0, size=GRID.shape).astype(np.float32)
    values[:4] = 9.0  # a tenth of the mask
    brain = Labels(np.ones(GRID.shape, np.uint8), GRID)
    assert window_for(Image(values, GRID), brain=brain).high < 1.7


def test_window_of_constant_empty_or_nan_images_is_usable() -> None:
    for value in (0.0, 7.0, np.nan):
        window = window_for(Image(np.full(GRID.shape, value, np.float32), GRID))
        assert np.isfinite(window.low)
        assert window.high > window.low
        assert np.isfinite(window.grey(np.array([np.nan, 1.0, np.inf]))).all()
    with pytest.raises(ValueError, match="at least one image"):
        window_for()
    with pytest.raises(ValueError, match="high must exceed low"):
        Window(low=1, high=1)


def test_one_slice_can_be_drawn() -> None:
    image = Image(np.ones((20, 24, 1), np.float32), Grid.from_parts((20, 24, 1), spacing_mm=(1, 1, 5)))
    figure = panel(image, width_px=100)
    assert pixels(figure).shape == (240, 200, 3)
    assert "slice 1" in {text.get_text() for text in figure.texts}


def test_crop_and_mark_show_the_same_place() -> None:
    image = with_blob(LEFT_FRONT)
    box = Box(rows=(8, 20), columns=(24, 36))
    marked = pixels(panel(Image(np.zeros(GRID.shape, np.float32), GRID), marked=box, window=Window(low=0, high=1)))
    row_lines = np.flatnonzero((marked[..., 0] > 100).sum(axis=1) > marked.shape[1] * 0.25)
    assert row_lines.min() == pytest.approx(8 / 48 * marked.shape[0], abs=3)
    assert row_lines.max() == pytest.approx(20 / 48 * marked.shape[0], abs=3)
    crop = pixels(panel(image, at_mm=LEFT_FRONT, box=box, window=Window(low=0, high=1)))
    assert crop.shape[0] == crop.shape[1]


def test_same_figure_gives_the_same_bytes_without_metadata() -> None:
    image = with_blob(LEFT_FRONT)
    assert encoded(panel(image)) == encoded(panel(image))
    png = encoded(panel(image), kind="png")
    assert png == encoded(panel(image), kind="png")
    assert not Picture.open(io.BytesIO(png)).info


def test_slices_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="30 axial slices"):
        panel(with_blob(LEFT_FRONT), slice_index=30)


def test_limits_are_round_and_take_in_nearly_all() -> None:
    assert limit_for(np.linspace(-0.37, 0.37, 10_001)) == 0.4
    assert limit_for(np.array([np.nan, 0.0])) == 1.0
    assert limit_for(np.linspace(0, 0.001, 1000), smallest=0.2) == 0.2
    assert limit_for(np.linspace(0, 12, 1000)) == 15.0
    with pytest.raises(ValueError, match="must exceed threshold"):
        ColourScale(limit=1, threshold=2, label="z")


def test_colour_bar_is_text_in_the_ink_of_the_page_and_knows_no_outside_address() -> None:
    scale = ColourScale(limit=6, threshold=2, label="z, standard deviations")
    svg = svg_text(colour_bar(scale), name="bar-z")
    assert svg == svg_text(colour_bar(scale), name="bar-z")
    assert "z, standard deviations" in svg
    assert "currentColor" in svg
    assert "http" not in svg
    assert 'id="bar-z-' in svg
    with pytest.raises(ValueError, match="a letter first"):
        svg_text(colour_bar(scale), name="9 bars")
