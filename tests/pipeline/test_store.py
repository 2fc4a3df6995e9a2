"""A result is there whole or not at all, and damage is noticed."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cohortex.errors import DamagedResult
from cohortex.pipeline import ResultStore
from cohortex.pipeline.codec import NoSuchItem, encode

KEY = "ab" * 32
VALUE = {"image": np.arange(5000, dtype=np.float32), "n": 3}


def files_of(store: ResultStore) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (store.path / "results").rglob("*") if path.is_file()}


def test_what_was_put_is_loaded_whole_or_in_part(store):
    store.put(KEY, encode(VALUE), {"step": "example"})
    assert KEY in store
    assert store.keys() == [KEY]
    assert_array_equal(store.load(KEY)["image"], VALUE["image"])
    assert store.load(KEY, ("n",)) == 3
    assert store.provenance(KEY) == {"step": "example"}
    with pytest.raises(NoSuchItem):
        store.load(KEY, ("m",))


def test_loaded_arrays_cannot_be_written(store):
    store.put(KEY, encode(VALUE), {})
    with pytest.raises(ValueError, match="read-only"):
        store.load(KEY)["image"][0] = 1


def test_the_first_result_under_a_key_stays(store):
    store.put(KEY, encode(1), {})
    store.put(KEY, encode(2), {})
    assert store.load(KEY) == 1


def test_two_stores_hold_identical_bytes(store, tmp_path):
    other = ResultStore(tmp_path / "other")
    store.put(KEY, encode(VALUE), {})
    other.put(KEY, encode({"image": np.array(VALUE["image"]), "n": 3}), {})
    assert files_of(store) == files_of(other)
    assert store.content_hash(KEY) == other.content_hash(KEY)


def test_a_missing_result_is_said_to_be_missing(store):
    with pytest.raises(DamagedResult, match="missing"):
        store.load(KEY)


@pytest.mark.parametrize("how", ["flip", "truncate", "empty", "remove"])
@pytest.mark.parametrize("what", range(4))
def test_any_damage_to_any_file_is_noticed_and_set_aside(store, how, what):
    store.put(KEY, encode(VALUE), {})
    path = sorted(path for path in (store.path / "results").rglob("*") if path.is_file())[what]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    if how != "remove":
        path.write_bytes({"flip": data, "truncate": data[: len(data) // 2], "empty": b""}[how])
    with pytest.raises(DamagedResult, match="computed again"):
        store.check(KEY)
    assert store.set_aside(KEY)
    assert KEY not in store
    store.put(KEY, encode(VALUE), {})
    store.check(KEY)


def test_a_sound_result_is_not_set_aside(store):
    store.put(KEY, encode(VALUE), {})
    assert not store.set_aside(KEY)
    assert KEY in store
    assert not store.set_aside("cd" * 32)


def test_a_value_of_another_program_version_counts_as_damaged(store):
    encoded = encode(np.eye(4))
    stranger = type(encoded)({"dataclass": "cohortex.image:Gone", "fields": {}}, {})
    store.put(KEY, stranger, {})
    with pytest.raises(DamagedResult):
        store.load(KEY)


def test_what_a_dead_process_left_behind_is_removed(store):
    old, new = store.path / "unfinished" / "old", store.path / "unfinished" / "new"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "value.json").write_text("{")
    os.utime(old, (time.time() - 7200,) * 2)
    ResultStore(store.path)
    assert not old.exists()
    assert new.exists()  # another process may be writing it


def test_a_store_without_results_leaves_no_folder(tmp_path):
    empty = ResultStore(tmp_path / "out" / "store")
    assert KEY not in empty
    assert empty.keys() == []
    with pytest.raises(DamagedResult):
        empty.load(KEY)
    assert not (tmp_path / "out").exists()


def test_a_failed_write_leaves_nothing(store):
    with pytest.raises(TypeError):
        store.put(KEY, encode(1), {"when": object()})
    assert KEY not in store
    assert list((store.path / "unfinished").iterdir()) == []
