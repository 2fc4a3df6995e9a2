"""Images and labels: what they hold, that they stay as they are, what is refused."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cohortex.geometry import Grid
from cohortex.image import Image, Labels

GRID = Grid.from_parts((2, 3, 4), spacing_mm=(1, 2, 3))
VALUES = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def test_values_cannot_be_changed_through_the_image():
    image = Image(VALUES, GRID, metadata={"echo_time_s": 0.03})
    with pytest.raises(ValueError, match="read-only"):
        image.values[0, 0, 0] = 5
    with pytest.raises(TypeError):
        image.metadata["echo_time_s"] = 1
    with pytest.raises(AttributeError):
        image.unit = "HU"
    assert VALUES.flags.writeable  # the caller's array is left as it was


def test_metadata_does_not_follow_the_mapping_it_came_from():
    header = {"modality": "MR"}
    image = Image(VALUES, GRID, metadata=header)
    header["modality"] = "CT"
    assert image.metadata["modality"] == "MR"


def test_new_values_keep_grid_unit_and_metadata():
    image = Image(VALUES, GRID, "HU", {"modality": "CT"})
    twice = image.with_values(VALUES * 2)
    assert twice.grid is image.grid
    assert (twice.unit, dict(twice.metadata)) == ("HU", {"modality": "CT"})
    assert image.with_values(VALUES, unit="1").unit == "1"
    assert dict(image.with_metadata(warnings=["tilted"]).metadata) == {"modality": "CT", "warnings": ["tilted"]}


@pytest.mark.parametrize(
    "image",
    [
        Image(VALUES, GRID, "HU", {"modality": "CT", "series_number": 3}),
        Labels(VALUES.astype(np.int16), GRID, metadata={"label_names": {1: "lesion"}}),
        Image(np.zeros((2, 3, 4, 3)), GRID, "mm", {}, ("vector",)),
    ],
    ids=["image", "labels", "vectors"],
)
@pytest.mark.parametrize("copied", [lambda i: pickle.loads(pickle.dumps(i)), copy.deepcopy], ids=["pickle", "deepcopy"])
def test_an_image_reaches_another_process_unchanged_and_as_frozen(image, copied):
    again = copied(image)
    assert type(again) is type(image)
    assert_array_equal(again.values, image.values)
    assert again.grid == image.grid
    assert (again.unit, dict(again.metadata), again.extra_axes) == (image.unit, dict(image.metadata), image.extra_axes)
    with pytest.raises(ValueError, match="read-only"):
        again.values.flat[0] = 1


def test_an_image_is_an_array_for_numpy():
    image = Image(VALUES, GRID)
    assert_array_equal(np.asarray(image), VALUES)
    assert np.asarray(image, dtype=np.float64).dtype == np.float64
    own = np.array(image)
    own[0, 0, 0] = 99
    assert image.values[0, 0, 0] == 0


def test_booleans_become_labels_and_labels_stay_labels():
    mask = Labels(VALUES > 5, GRID)
    assert mask.dtype == np.uint8
    assert mask.unit == "label"
    assert_array_equal(mask.mask, VALUES > 5)
    assert isinstance(mask.with_values(VALUES.astype(int)), Labels)
    assert isinstance(mask.with_metadata(label_names={1: "brain"}), Labels)


def test_further_axes_are_named():
    series = Image(np.zeros((2, 3, 4, 5)), GRID, extra_axes=("time",))
    assert not series.is_scalar
    assert "time 5" in repr(series)
    assert Image(VALUES, GRID).is_scalar


@pytest.mark.parametrize("values", [np.zeros((2, 3)), np.zeros((2, 3, 5)), np.zeros((2, 3, 4, 5))])
def test_values_that_do_not_fit_the_grid_are_refused(values):
    with pytest.raises(ValueError, match="do not fit"):
        Image(values, GRID)


def test_labels_that_are_no_integers_are_refused():
    with pytest.raises(ValueError, match="integers"):
        Labels(VALUES, GRID)
    with pytest.raises(ValueError, match="integers"):
        Labels(VALUES > 5, GRID).with_values(VALUES)
