"""Pictures: grey, colours, and what a PNG cannot hold."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image as Picture

from cohortex.errors import GeometryError, UnreadableFile
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.io import read_image, write_image

FLAT = Grid.from_parts((5, 4), spacing_mm=(0.5, 0.25), orientation_known=False)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(20, dtype=np.uint8).reshape(5, 4),
        np.arange(20, dtype=np.uint16).reshape(5, 4) * 3000,
        np.arange(60, dtype=np.uint8).reshape(5, 4, 3),
        np.arange(80, dtype=np.uint8).reshape(5, 4, 4),
    ],
)
def test_a_picture_comes_back(tmp_path, values):
    axes = ("channel",) if values.ndim == 3 else ()
    write_image(Image(values, FLAT, "arbitrary", {}, axes), tmp_path / "picture.png")
    image = read_image(tmp_path / "picture.png")
    assert_array_equal(image.values, values)
    assert image.dtype == values.dtype
    assert_allclose(image.grid.spacing_mm, FLAT.spacing_mm, rtol=1e-4)  # PNG holds whole pixels per metre
    assert not image.grid.orientation_known


def test_the_first_axis_runs_along_a_row(tmp_path):
    Picture.fromarray(np.array([[1, 2, 3]], np.uint8)).save(tmp_path / "row.png")
    assert read_image(tmp_path / "row.png").values[:, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(("mode", "channels"), [("P", 3), ("1", None), ("LA", 4)])
def test_palettes_bits_and_transparency_are_read(tmp_path, mode, channels):
    Picture.new("RGB", (6, 5), (200, 10, 30)).convert("L" if mode == "LA" else "RGB").convert(mode).save(
        tmp_path / "p.png"
    )
    image = read_image(tmp_path / "p.png")
    assert image.values.shape == (6, 5) if channels is None else (6, 5, channels)


def test_one_slice_of_a_volume_is_a_picture(tmp_path):
    values = np.arange(20, dtype=np.uint8).reshape(5, 4, 1)
    write_image(Image(values, Grid.from_parts((5, 4, 1))), tmp_path / "slice.png")
    assert_array_equal(read_image(tmp_path / "slice.png").values, values[:, :, 0])


def test_a_volume_is_refused_by_name(tmp_path):
    with pytest.raises(GeometryError, match="a PNG holds one slice, this image is 5×4×2"):
        write_image(Image(np.zeros((5, 4, 2), np.uint8), Grid.from_parts((5, 4, 2))), tmp_path / "volume.png")


def test_a_time_series_is_refused_by_name(tmp_path):
    image = Image(np.zeros((5, 4, 3), np.uint8), FLAT, "1", {}, ("time",))
    with pytest.raises(GeometryError, match="no time axis"):
        write_image(image, tmp_path / "film.png")


@pytest.mark.parametrize("kind", [np.float32, np.int16, np.int32])
def test_values_that_would_have_to_be_scaled_are_refused(tmp_path, kind):
    with pytest.raises(ValueError, match="scaling them silently"):
        write_image(Image(np.zeros((5, 4), kind), FLAT), tmp_path / "picture.png")


@pytest.mark.parametrize("content", [b"", b"no picture", None])
def test_a_damaged_picture_is_refused(tmp_path, content):
    path = tmp_path / "picture.png"
    if content is None:
        write_image(Image(np.random.default_rng(0).integers(0, 255, (50, 40)).astype(np.uint8),
                          Grid.from_parts((50, 40), orientation_known=False)), path)  # fmt: skip
        content = path.read_bytes()[:900]
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"picture\.png"):
        read_image(path)
