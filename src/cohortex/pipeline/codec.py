"""Values as JSON and raw array bytes, and back, without pickle: the same value always gives the same bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cohortex.image import Image

Document = dict[str, Any] | str | int | bool | None
"""What a value becomes: JSON. Numbers with a fraction, containers, arrays and objects are one-entry mappings."""

_INLINE_BYTES = 2048  # a matrix stays readable inside the document; an image becomes a file
_ARRAY_KINDS = "biufcSU"


class NoSuchItem(KeyError):
    """A result has no attribute or entry of that name."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Encoded:
    """A value written out.

    Attributes
    ----------
    document : JSON
        The value; large arrays stand in it by the SHA-256 of their bytes.
    arrays : mapping of str to ndarray
        Those arrays by that SHA-256: C order, little-endian.
    """

    document: Document
    arrays: Mapping[str, NDArray[Any]]

    @property
    def content_hash(self) -> str:
        """SHA-256 of the whole value: equal exactly where every bit of two values is equal."""
        return hashlib.sha256(json_bytes(self.document)).hexdigest()


def json_bytes(document: object) -> bytes:
    """Write JSON in its one canonical form: sorted names, no spaces, ASCII."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def encode(value: object, *, reference: Callable[[object], Document] | None = None) -> Encoded:
    """Write a value as JSON and arrays.

    Parameters
    ----------
    value : object
        None, bool, int, float, str, Path, tuple, list, dict, NumPy array or number, Image, Labels, or a frozen
        dataclass of these (grids, transforms, results).
    reference : callable, optional
        Asked first about every part of the value; a document it returns stands for that part (None: write it).

    Returns
    -------
    Encoded
        The document and its arrays. Arrays lose their memory order, NumPy numbers become Python's; nothing
        else is lost.

    Raises
    ------
    TypeError
        If a part is of another type, with the path to it.
    """
    arrays: dict[str, NDArray[Any]] = {}

    def write(part: object, where: str) -> Document:
        if reference is not None and (document := reference(part)) is not None:
            return document
        match part:
            case None | bool() | str():
                return part
            case np.bool_():
                return bool(part)
            case int() | np.integer():
                return int(part)
            case float() | np.floating():
                return {"float": float(part).hex()}
            case Path():
                return {"path": part.as_posix()}
            case tuple():
                return {"tuple": [write(entry, f"{where}[{n}]") for n, entry in enumerate(part)]}
            case list():
                return {"list": [write(entry, f"{where}[{n}]") for n, entry in enumerate(part)]}
            case Mapping():
                return {"dict": [[write(k, where), write(v, f"{where}[{k!r}]")] for k, v in part.items()]}
            case np.ndarray():
                return _write_array(part, where, arrays)
        if dataclasses.is_dataclass(part) and not isinstance(part, type):
            kind = type(part)
            if not _is_frozen(kind) or "<locals>" in kind.__qualname__:
                raise TypeError(f"{where} is a {kind.__qualname__}; only frozen dataclasses of a module can be stored.")
            fields = {f.name: write(getattr(part, f.name), f"{where}.{f.name}") for f in dataclasses.fields(part)}
            return {"dataclass": f"{kind.__module__}:{kind.__qualname__}", "fields": fields}
        raise TypeError(
            f"{where} is a {type(part).__qualname__}, which cannot be stored; return plain values, arrays, images, "
            "transforms or frozen dataclasses of these."
        )

    return Encoded(write(value, "value"), arrays)


def decode(
    document: Document,
    *,
    array: Callable[[str, np.dtype[Any], tuple[int, ...]], NDArray[Any]],
    reference: Callable[[Mapping[str, Any]], object] | None = None,
) -> Any:
    """Read a value back.

    Parameters
    ----------
    document : JSON
        From `encode`.
    array : callable
        Gives the array of a SHA-256, type and shape.
    reference : callable, optional
        Resolves the documents that the `reference` of `encode` put in: mappings with the entry "reference".

    Returns
    -------
    object
        The value; its arrays are read-only.

    Raises
    ------
    ValueError
        If the document was not written by `encode`, or names a class that is not there.
    """

    def read(part: Any) -> Any:
        match part:
            case None | bool() | str() | int():
                return part
            case {"float": text}:
                return float.fromhex(text)
            case {"path": text}:
                return Path(PurePosixPath(text))
            case {"tuple": entries}:
                return tuple(read(entry) for entry in entries)
            case {"list": entries}:
                return [read(entry) for entry in entries]
            case {"dict": entries}:
                return {read(k): read(v) for k, v in entries}
            case {"array": content, "dtype": dtype, "shape": shape}:
                kind = np.dtype(dtype)
                if content.startswith("hex:"):
                    values = np.frombuffer(bytes.fromhex(content[4:]), dtype=kind).reshape(shape)
                else:
                    values = array(content, kind, tuple(shape))
                values.setflags(write=False)
                return values
            case {"dataclass": name, "fields": fields}:
                return _rebuild(name, {key: read(entry) for key, entry in fields.items()})
            case {"reference": _} if reference is not None:
                return reference(part)
        raise ValueError(f"a stored value holds {str(part)[:80]!r}, which no version of this program wrote.")

    return read(document)


def select(document: Document, items: tuple[str | int, ...]) -> Document:
    """Find one attribute or entry inside a document without reading the rest.

    Raises
    ------
    NoSuchItem
        If the value has no such attribute or entry.
    """
    found: Any = document
    for item in items:
        match found:
            case {"fields": fields} if item in fields:
                found = fields[item]
            case {"dict": entries} if any(k == item for k, _ in entries):
                found = next(v for k, v in entries if k == item)
            case {"tuple": entries} | {"list": entries} if isinstance(item, int) and -len(entries) <= item < len(
                entries
            ):
                found = entries[item]
            case _:
                raise NoSuchItem(f"the result has no stored attribute or entry {item!r}.")
    return found


def _write_array(values: NDArray[Any], where: str, arrays: dict[str, NDArray[Any]]) -> Document:
    if values.dtype.kind not in _ARRAY_KINDS:
        raise TypeError(f"{where} is an array of {values.dtype}, which cannot be stored; use numbers or text.")
    plain = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).reshape(values.shape)
    head = {"dtype": plain.dtype.str, "shape": list(plain.shape)}
    if plain.nbytes <= _INLINE_BYTES:
        return {"array": "hex:" + plain.tobytes().hex(), **head}
    digest = hashlib.sha256(plain.data).hexdigest()
    arrays[digest] = plain
    return {"array": digest, **head}


def _is_frozen(kind: type) -> bool:
    return bool(getattr(kind, "__dataclass_params__").frozen)  # noqa: B009  the attribute has no public name


def _rebuild(name: str, fields: Mapping[str, Any]) -> Any:
    module_name, _, qualname = name.partition(":")
    if not (module_name.split(".")[0] == "cohortex" or module_name in sys.modules):
        raise ValueError(f"a stored value is a {name}, which is not of this program.")
    try:
        kind: Any = importlib.import_module(module_name)
        for part in qualname.split("."):
            kind = getattr(kind, part)
        is_known = isinstance(kind, type) and dataclasses.is_dataclass(kind) and _is_frozen(kind)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"a stored value is a {name}, which this version does not have.") from error
    if not is_known or set(fields) != {f.name for f in dataclasses.fields(kind)}:
        raise ValueError(f"a stored {name} does not have the attributes of this version.")
    if issubclass(kind, Image):
        return kind(**fields)
    value = object.__new__(kind)  # as it was: Rigid's own constructor would round the matrix anew
    for key, entry in fields.items():
        object.__setattr__(value, key, entry)
    return value
