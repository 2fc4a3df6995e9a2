"""An object is there whole or not at all, and is named by what it holds."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from cohortex.errors import DamagedResult
from cohortex.study import objects
from cohortex.study.objects import ObjectStore


@pytest.fixture
def store(tmp_path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


def test_an_object_is_named_by_its_hash_and_kept_once(store):
    first, second = store.put(io.BytesIO(b"scan")), store.put(io.BytesIO(b"scan"))
    assert first == second
    assert first.sha256 == hashlib.sha256(b"scan").hexdigest()
    assert first.sha256 in store
    assert store.read(first.sha256) == b"scan"
    assert len([path for path in store.path.rglob("*") if path.is_file()]) == 1


def test_the_receipt_of_an_object_that_was_there_waits_for_its_folders_too(store, monkeypatch):
    name = store.put(io.BytesIO(b"scan")).sha256
    flushed: list[Path] = []
    monkeypatch.setattr(objects, "flush_folder", flushed.append)
    store.put(io.BytesIO(b"scan"))
    assert flushed[0] == store.address(name).parent


class _Breaks(io.BytesIO):
    def read(self, *_: object) -> bytes:
        raise ConnectionError("gone")


def test_a_write_that_breaks_off_leaves_nothing(store):
    with pytest.raises(ConnectionError):
        store.put(_Breaks())
    assert not [path for path in store.path.rglob("*") if path.is_file()]


def test_a_flipped_bit_is_noticed(store):
    name = store.put(io.BytesIO(b"scan")).sha256
    store.address(name).write_bytes(b"scam")
    with pytest.raises(DamagedResult, match="no longer holds"):
        store.read(name)


def test_what_is_not_there_is_said(store):
    with pytest.raises(DamagedResult, match="not in the store"):
        store.read("0" * 64)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63])
def test_a_name_that_is_no_hash_is_refused(store, name):
    with pytest.raises(ValueError, match="64 hexadecimal"):
        store.address(name)
