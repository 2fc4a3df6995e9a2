"""The folder where results are kept: written once, whole or not at all, and checked whenever they are read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortex.errors import DamagedResult
from cohortex.pipeline.codec import Encoded, NoSuchItem, decode, json_bytes, select

_VALUE = "value.json"
_PROVENANCE = "provenance.json"
_MANIFEST = "manifest.json"
_ABANDONED_AFTER_S = 3600.0  # a write takes seconds; what is older was left by a process that died


class ResultStore:
    """Immutable results in a folder, by key.

    Each result is a folder `results/ab/abcd…` of `value.json` (the value), one file of raw bytes per large
    array, `provenance.json`, and `manifest.json` with the SHA-256 of the others. It is written under another
    name, flushed to the disk and renamed, so it is there whole or not at all, whatever dies meanwhile. Any
    number of processes may read and write the same store.

    Parameters
    ----------
    path : Path
        The folder; made with the first result, so that a run that comes to none leaves none.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path).resolve()
        self._results = self.path / "results"
        self._unfinished = self.path / "unfinished"
        self._damaged = self.path / "damaged"
        self._remove_abandoned()

    def __contains__(self, key: object) -> bool:
        """Whether a result was stored under the key (its bytes are checked when they are read)."""
        return isinstance(key, str) and (self._folder(key) / _MANIFEST).is_file()

    def keys(self) -> list[str]:
        """Give the keys of all results, sorted."""
        return sorted(path.parent.name for path in self._results.glob(f"*/*/{_MANIFEST}"))

    def put(self, key: str, encoded: Encoded, provenance: Mapping[str, Any]) -> None:
        """Store a result; one that is already there stays as it is.

        Parameters
        ----------
        key : str
            Its key, 64 hexadecimal digits.
        encoded : Encoded
            The value.
        provenance : mapping
            How it was made, JSON-able.
        """
        if key in self:
            return
        temporary = self._unfinished / uuid.uuid4().hex
        temporary.mkdir(parents=True)
        try:
            digests = {digest: digest for digest in sorted(encoded.arrays)}
            for digest, array in encoded.arrays.items():
                _write(temporary / digest, array.data.cast("B"))
            for name, document in ((_VALUE, encoded.document), (_PROVENANCE, dict(provenance))):
                data = json_bytes(document)
                digests[name] = hashlib.sha256(data).hexdigest()
                _write(temporary / name, data)
            _write(temporary / _MANIFEST, json_bytes({"key": key, "sha256": digests}))
            _flush_folder(temporary)
            final = self._folder(key)
            final.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.rename(final)
            except OSError:
                if key not in self:
                    raise
                return  # another process was first; its result is the same, for steps are pure
            _flush_folder(final.parent)
            _flush_folder(self._results)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def load(self, key: str, items: tuple[str | int, ...] = ()) -> Any:
        """Read a result, or one part of it without reading the rest.

        Parameters
        ----------
        key : str
            Its key.
        items : tuple of str or int
            Path of attributes and entries to the wanted part.

        Returns
        -------
        object
            The value; its arrays are read-only.

        Raises
        ------
        DamagedResult
            If it is missing or any byte read differs from what was written.
        KeyError
            If it has no such attribute or entry.
        """
        with self._reading(key) as digests:
            folder = self._folder(key)
            document = json.loads(_checked_bytes(folder / _VALUE, digests[_VALUE]))

            def array(digest: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
                values = np.fromfile(folder / digest, dtype=np.uint8)  # not mapped: what was checked is what is used
                if hashlib.sha256(values.data).hexdigest() != digests[digest]:
                    raise _Differs(f"{digest[:12]}… does not hold the bytes that were written")
                return values.view(dtype).reshape(shape)

            return decode(select(document, items), array=array)

    def provenance(self, key: str) -> dict[str, Any]:
        """Read how a result was made.

        Raises
        ------
        DamagedResult
            As `load`.
        """
        with self._reading(key) as digests:
            return dict(json.loads(_checked_bytes(self._folder(key) / _PROVENANCE, digests[_PROVENANCE])))

    def content_hash(self, key: str) -> str:
        """Give the SHA-256 of a stored value, the same wherever and whenever it was computed.

        Raises
        ------
        DamagedResult
            As `load`.
        """
        with self._reading(key) as digests:
            return str(digests[_VALUE])

    def check(self, key: str) -> None:
        """Read every byte of a result.

        Raises
        ------
        DamagedResult
            If it is missing or any byte differs from what was written.
        """
        self.load(key)
        self.provenance(key)

    def set_aside(self, key: str) -> bool:
        """Move a damaged result out of the way, for a person to look at.

        Returns
        -------
        bool
            False where nothing was moved: it is sound after all (another process has already replaced it) or gone.
        """
        try:
            self.check(key)
        except DamagedResult:
            if not self._folder(key).exists():
                return False
            self._damaged.mkdir(exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                self._folder(key).rename(self._damaged / f"{key}-{uuid.uuid4().hex[:8]}")
                return True
        return False

    def _folder(self, key: str) -> Path:
        return self._results / key[:2] / key

    @contextlib.contextmanager
    def _reading(self, key: str) -> Iterator[dict[str, str]]:
        folder = self._folder(key)
        try:
            manifest = json.loads((folder / _MANIFEST).read_bytes())
            if manifest["key"] != key:
                raise _Differs("its manifest belongs to another result")
            yield manifest["sha256"]
        except NoSuchItem:
            raise
        except (OSError, ValueError, LookupError, TypeError) as error:
            why = str(error) if isinstance(error, _Differs) else "it cannot be read"
            raise DamagedResult(
                f"result {key[:12]}… in {self.path.name} is missing or damaged: {why}. It will be computed again; "
                "if this repeats, check the disk."
            ) from error

    def _remove_abandoned(self) -> None:
        for folder in self._unfinished.glob("*"):  # nothing where no result was ever written
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > _ABANDONED_AFTER_S:
                    shutil.rmtree(folder, ignore_errors=True)


class _Differs(ValueError):
    """Bytes on the disk are not those that were written."""


def _write(path: Path, data: bytes | memoryview) -> None:
    with path.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _checked_bytes(path: Path, digest: str) -> bytes:
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise _Differs(f"{path.name} does not hold the bytes that were written")
    return data


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows cannot flush a folder; its rename is journalled
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
