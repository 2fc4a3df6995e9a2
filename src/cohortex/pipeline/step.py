"""Steps and nodes: a pure function with a version, and a call of it that has a key before it has run."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, update_wrapper
from pathlib import Path
from string import Formatter
from typing import Any, Generic, ParamSpec, TypeVar

from cohortex.pipeline.codec import Document, Encoded, encode, json_bytes
from cohortex.pipeline.sourcefile import SourceFile

P = ParamSpec("P")
R = TypeVar("R")

PROGRESS = "progress"
"""A step that takes this argument is told where to report; it is no part of the key."""


class Step(Generic[P, R]):
    """A pure function that the pipeline may run anywhere and need run only once.

    Calling a step runs nothing: it gives a `Node`. `step.function(...)` calls the function itself.

    Attributes
    ----------
    function : callable
        The function as written.
    name : str
        Module and qualified name.
    version : int
        Raised by the author whenever the same arguments may give another result.
    title : str
        What it does, in the user's words, for progress.
    sentence : str
        For the methods text; may name parameters in braces.
    """

    def __init__(self, function: Callable[P, R], *, version: int, sentence: str, title: str) -> None:
        signature = inspect.signature(function)
        unnamed = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
        if any(parameter.kind in unnamed for parameter in signature.parameters.values()):
            raise TypeError(f"step {function.__qualname__} takes arguments without a name; name every one.")
        unknown = {name for _, name, _, _ in Formatter().parse(sentence) if name} - set(signature.parameters)
        if unknown:
            raise TypeError(
                f"the sentence of step {function.__qualname__} names {', '.join(sorted(unknown))}, no argument."
            )
        self.function = function
        self.module = function.__module__
        self.qualname = function.__qualname__
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.version = version
        self.sentence = sentence
        self.title = title or function.__name__.removesuffix("_step").replace("_", " ")
        self.takes_progress = PROGRESS in signature.parameters
        self._signature = signature.replace(parameters=[p for p in signature.parameters.values() if p.name != PROGRESS])
        update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Node:
        """Describe the call with these arguments, which may be nodes or hold nodes; nothing runs yet."""
        bound = self._signature.bind(*args, **{name: value for name, value in kwargs.items() if name != PROGRESS})
        bound.apply_defaults()
        return Node(Call(self, {name: _with_nodes(value) for name, value in bound.arguments.items()}))

    def __repr__(self) -> str:
        return f"Step({self.name}, version={self.version})"


def step(version: int, *, sentence: str = "", title: str = "") -> Callable[[Callable[P, R]], Step[P, R]]:
    """Make a pure function a step of the pipeline.

    Parameters
    ----------
    version : int
        Part of the key of every result; raise it when the same arguments may give another result.
    sentence : str
        What the step does, for the methods text; `{fwhm_mm}` stands for that parameter.
    title : str
        A few words for progress; from the function's name when omitted.

    Returns
    -------
    callable
        Decorator giving a `Step`.

    Raises
    ------
    TypeError
        If the function takes arguments that have no name, or the sentence names what is no argument.
    """

    def decorate(function: Callable[P, R]) -> Step[P, R]:
        return Step(function, version=version, sentence=sentence, title=title)

    return decorate


@dataclass(frozen=True, eq=False)
class Call:
    """A step and its arguments, in which images and other data are nodes."""

    step: Step[Any, Any]
    arguments: Mapping[str, object]

    @cached_property
    def document(self) -> dict[str, Document]:
        """The arguments as JSON, nodes by reference."""
        return {name: encode(value, reference=_reference).document for name, value in self.arguments.items()}

    @cached_property
    def key(self) -> str:
        """SHA-256 over the step's name and version, the keys of its inputs and the exact parameters."""
        return hashlib.sha256(
            json_bytes({"step": self.step.name, "version": self.step.version, "arguments": self.document})
        ).hexdigest()

    @property
    def inputs(self) -> Iterator[tuple[str, Node]]:
        """Every node among the arguments with its place, such as ("images['T1']", node)."""
        for name, value in self.arguments.items():
            yield from _nodes_in(value, name)

    @property
    def parameters(self) -> dict[str, Any]:
        """The plain arguments, as a person would read them in JSON."""
        return {
            name: _plain(value) for name, value in self.arguments.items() if next(_nodes_in(value, name), None) is None
        }

    def describe(self) -> str:
        """Say in one line what the step was called with: inputs by where they come from."""
        parts = [f"{place} from {node.describe()}" for place, node in self.inputs]
        parts += [f"{name} = {value}" for name, value in self.parameters.items()]
        return "; ".join(parts) or "nothing"


@dataclass(frozen=True, eq=False)
class Constant:
    """A value handed to a step directly, known by its content."""

    value: object

    @cached_property
    def encoded(self) -> Encoded:
        """The value written out."""
        return encode(self.value)

    @cached_property
    def key(self) -> str:
        """SHA-256 of the content."""
        return self.encoded.content_hash


@dataclass(frozen=True)
class Stored:
    """A result of an earlier run, known by its key alone; how it was made stands in its provenance."""

    key: str


@dataclass(frozen=True, eq=False)
class Node:
    """A value of the pipeline that has a key, whether or not it has been computed.

    `node["field"]` is the node of one attribute or entry of the result.

    Attributes
    ----------
    source : Call, Constant, SourceFile or Stored
        Where the value comes from.
    items : tuple of str or int
        The attributes or entries taken out of it.
    """

    source: Call | Constant | SourceFile | Stored
    items: tuple[str | int, ...] = ()

    @cached_property
    def key(self) -> str:
        """SHA-256 that names the value."""
        if not self.items:
            return self.source.key
        return hashlib.sha256(json_bytes({"of": self.source.key, "items": list(self.items)})).hexdigest()

    def __getitem__(self, item: str | int) -> Node:
        return replace(self, items=(*self.items, item))

    def __iter__(self) -> Iterator[Node]:
        raise TypeError("a node has no length before it has run; take its parts by name: node['field'] or node[0].")

    def describe(self) -> str:
        """Say in a few words where the value comes from."""
        match self.source:
            case Call(step=step):
                origin = step.title
            case SourceFile(name=name):
                origin = name
            case Constant(value=value):
                origin = type(value).__name__
            case Stored(key=key):
                origin = f"result {key[:12]}…"
        return origin + "".join(f"[{item!r}]" for item in self.items)

    def __repr__(self) -> str:
        return f"Node({self.describe()}, {self.key[:12]})"


def value_node(value: object) -> Node:
    """Make a node of a value in hand: an image, a transform, a result."""
    return Node(Constant(value))


def file_node(path: Path) -> Node:
    """Make a node of a file or folder; the step receives its path, the key follows its content.

    Parameters
    ----------
    path : Path
        A file (with its companions: the JSON, bval, bvec, raw … of the same stem) or a folder with all in it.

    Returns
    -------
    Node
        Its key depends on the names inside and on every byte, not on where the file lies.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    """
    return Node(SourceFile.of(path))


def stored_node(key: str) -> Node:
    """Make a node of a result that an earlier run left in the store, without how it came about.

    Parameters
    ----------
    key : str
        Key of the result, as `Node.source.key` gave it.

    Returns
    -------
    Node
        What depends on it has the same key as if it had been made from the steps themselves.
    """
    return Node(Stored(key))


def _with_nodes(value: object) -> object:
    """Replace data (images, arrays, dataclasses) inside an argument by nodes; plain values stay."""
    match value:
        case Node() | None | bool() | int() | float() | str() | Path():
            return value
        case tuple() | list():
            return type(value)([_with_nodes(entry) for entry in value])
        case Mapping():
            return {key: _with_nodes(entry) for key, entry in value.items()}
    return Node(Constant(value))


def _nodes_in(value: object, place: str) -> Iterator[tuple[str, Node]]:
    match value:
        case Node():
            yield place, value
        case tuple() | list():
            for n, entry in enumerate(value):
                yield from _nodes_in(entry, f"{place}[{n}]")
        case Mapping():
            for key, entry in value.items():
                yield from _nodes_in(entry, f"{place}[{key!r}]")


def _reference(part: object) -> Document:
    return {"reference": part.source.key, "items": list(part.items)} if isinstance(part, Node) else None


def _plain(value: object) -> Any:
    match value:
        case Path():
            return value.name
        case tuple() | list():
            return [_plain(entry) for entry in value]
        case Mapping():
            return {str(key): _plain(entry) for key, entry in value.items()}
        case float() if value != value or value in (float("inf"), float("-inf")):
            return str(value)
    return value
