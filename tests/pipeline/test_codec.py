"""A value comes back as it was, and is always written with the same bytes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.lesions.lesion import Lesion
from cohortex.pipeline.codec import NoSuchItem, decode, encode, json_bytes, select
from cohortex.transform import Affine, Chain, Displacement, Rigid

plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers() | st.tuples(st.integers(), st.text()), inner)
    ),
    max_leaves=12,
)


def back(value: object) -> object:
    encoded = encode(value)
    return decode(
        encoded.document, array=lambda digest, dtype, shape: encoded.arrays[digest].view(dtype).reshape(shape)
    )


def an_image(kind: type[Image] = Image, dtype: str = "float32") -> Image:
    grid = Grid.from_parts((9, 8, 20), spacing_mm=(1, 2, 2.5), origin_mm=(-3, 4, 0.1), frame_of_reference="1.2.3")
    values = np.arange(9 * 8 * 20).reshape(grid.shape).astype(dtype)
    return kind(values, grid, "HU", {"echo_time_s": 0.1, "image_type": ["ORIGINAL", "PRIMARY"]})


@given(plain_values)
def test_plain_values_come_back_equal_and_of_the_same_type(value):
    again = back(value)
    assert again == value
    assert repr(again) == repr(value)  # tells 1 from 1.0 from True, and -0.0 from 0.0


@pytest.mark.parametrize("number", [math.inf, -math.inf, -0.0, 0.1, 5e-324])
def test_every_float_comes_back_exactly(number):
    assert math.copysign(1, back(number)) == math.copysign(1, number)
    assert back(number) == number
    assert math.isnan(back(math.nan))


@pytest.mark.parametrize("dtype", ["bool", "u1", "<i2", ">i4", "<i8", "<f2", "<f4", ">f8", "<c16", "<U5"])
@pytest.mark.parametrize("shape", [(0, 3), (), (5,), (70, 20, 3)])
def test_arrays_come_back_bit_by_bit(dtype, shape):
    values = (np.arange(math.prod(shape)) % 7).reshape(shape).astype(dtype)
    again = back(values)
    assert again.shape == values.shape
    assert again.dtype == values.dtype.newbyteorder("<")
    assert_array_equal(again, values)
    assert not again.flags.writeable


def test_memory_order_does_not_change_what_is_written():
    values = np.arange(6000.0).reshape(20, 30, 10)
    assert encode(np.asfortranarray(values)).content_hash == encode(values).content_hash
    assert encode(values[::-1]).content_hash != encode(values).content_hash


@pytest.mark.parametrize("image", [an_image(), an_image(Labels, "uint8"), an_image(dtype="complex64")])
def test_an_image_keeps_values_place_unit_and_header(image):
    again = back(image)
    assert type(again) is type(image)
    assert again.grid == image.grid
    assert (again.unit, dict(again.metadata), again.extra_axes) == (image.unit, dict(image.metadata), image.extra_axes)
    assert again.dtype == image.dtype
    assert_array_equal(again.values, image.values)


def test_transforms_move_points_to_exactly_the_same_place():
    points = np.random.default_rng(1).normal(scale=50, size=(40, 3))
    grid = Grid.from_parts((6, 7, 8), spacing_mm=(20, 20, 20), origin_mm=(-60, -60, -60))
    field = Image(np.random.default_rng(2).normal(size=(6, 7, 8, 3)).astype(np.float32), grid, "mm", {}, ("vector",))
    rigid = Rigid.from_vectors(rotation_vector_rad=(0.1, -0.2, 0.3), translation_mm=(1, 2, 3))
    affine = Affine(np.diag([1.1, 0.9, 1.3, 1.0]))
    for transform in (rigid, affine, Displacement(field), rigid @ Displacement(field, field) @ affine):
        again = back(transform)
        assert type(again) is type(transform)
        assert_array_equal(again(points), transform(points))
    assert isinstance(back(rigid @ Displacement(field)), Chain)


def test_writing_what_was_read_gives_the_same_content():
    once = encode({"motion": Rigid.from_vectors(rotation_vector_rad=(0.3, 0.2, 0.1)), "scan": an_image()})
    again = decode(once.document, array=lambda digest, *_: once.arrays[digest])
    assert encode(again).content_hash == once.content_hash


def test_a_result_of_the_house_comes_back():
    lesion = Lesion(
        label=1,
        volume_ml=0.3,
        volume_sd_ml=0.02,
        longest_diameter_mm=9.1,
        perpendicular_diameter_mm=7.0,
        centroid_mm=(1.0, -2.0, 3.5),
        template_mm=None,
        place="left frontal white matter",
        slice_number=12,
        contrast_to_noise=7.2,
        kind="FLAIR hyperintense",
    )
    assert back((lesion, Path("scan.nii.gz"))) == (lesion, Path("scan.nii.gz"))


def test_one_part_is_found_without_the_rest():
    document = encode({"image": an_image(), "n": (1, 2)}).document
    assert select(document, ("n", 1)) == 2
    assert decode(select(document, ("image", "unit")), array=lambda *_: pytest.fail("an array was read")) == "HU"
    with pytest.raises(NoSuchItem, match="'volume'"):
        select(document, ("image", "volume"))
    with pytest.raises(NoSuchItem):
        select(document, ("n", 2))


@pytest.mark.parametrize("value", [{1, 2}, object(), lambda: 0, np.array([object()]), an_image])
def test_what_cannot_be_stored_is_refused_with_its_place(value):
    with pytest.raises(TypeError, match=r"value\['here'\]\[1\]"):
        encode({"here": [0, value]})


def test_a_class_from_elsewhere_is_not_loaded():
    document = {"dataclass": "antigravity:Lesion", "fields": {}}
    with pytest.raises(ValueError, match="not of this program"):
        decode(document, array=lambda *_: np.zeros(0))
    with pytest.raises(ValueError, match="does not have"):
        decode({"dataclass": "cohortex.image:Picture", "fields": {}}, array=lambda *_: np.zeros(0))


def test_a_class_that_has_changed_since_is_refused():
    document = encode(Rigid.identity()).document
    changed = {**document, "fields": {**document["fields"], "colour": "red"}}
    with pytest.raises(ValueError, match="attributes of this version"):
        decode(changed, array=lambda *_: np.zeros(0))


def test_an_unknown_document_is_refused():
    with pytest.raises(ValueError, match="no version of this program wrote"):
        decode({"pickle": "gASV"}, array=lambda *_: np.zeros(0))


def test_json_has_one_form():
    assert json_bytes({"b": 1, "a": [None, "é"]}) == b'{"a":[null,"\\u00e9"],"b":1}'
