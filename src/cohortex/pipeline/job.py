"""One step to run, written as plain data, and what came of it: all that a worker anywhere needs to know."""

from __future__ import annotations

import builtins
import importlib
import json
import platform
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import cohortex.errors
from cohortex.errors import DamagedResult
from cohortex.pipeline.codec import Document, decode, encode
from cohortex.pipeline.sourcefile import SourceFile
from cohortex.pipeline.step import PROGRESS, Call, Step
from cohortex.pipeline.store import ResultStore
from cohortex.pipeline.threads import single_thread
from cohortex.progress import ProgressCallback

_RECORDED_LIBRARIES = ("cohortex", "numpy", "scipy", "SimpleITK", "nibabel", "pydicom", "nilearn", "scikit-image")


@dataclass(frozen=True, kw_only=True)
class Job:
    """A call that is ready to run: every input is in the store or a file.

    Attributes
    ----------
    key : str
        Key of the result.
    module, qualname : str
        Where the step is found.
    version : int
        The version the caller knows.
    arguments : mapping of str to JSON
        The arguments, inputs by reference.
    files : mapping of str to SourceFile
        The source files among the inputs, by key.
    """

    key: str
    module: str
    qualname: str
    version: int
    arguments: Mapping[str, Document]
    files: Mapping[str, SourceFile] = field(default_factory=dict)

    @classmethod
    def of(cls, call: Call) -> Job:
        """Write a call as a job."""
        files = {node.source.key: node.source for _, node in call.inputs if isinstance(node.source, SourceFile)}
        return cls(
            key=call.key,
            module=call.step.module,
            qualname=call.step.qualname,
            version=call.step.version,
            arguments=call.document,
            files=files,
        )

    def to_json(self) -> str:
        """Write the job in one line."""
        files = {key: [str(source.path), source.stamp] for key, source in self.files.items()}
        return json.dumps({**self.__dict__, "arguments": dict(self.arguments), "files": files})

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Read what `to_json` wrote."""
        entries = json.loads(text)
        entries["files"] = {
            key: SourceFile(Path(path), tuple((name, size, changed) for name, size, changed in stamp), key)
            for key, (path, stamp) in entries["files"].items()
        }
        return cls(**entries)

    def step(self) -> Step[Any, Any]:
        """Find the step where it was defined.

        Raises
        ------
        ImportError
            If it is not there, or there in another version.
        """
        try:
            found: Any = importlib.import_module(self.module)
            for part in self.qualname.split("."):
                found = getattr(found, part)
        except AttributeError as error:
            raise ImportError(f"there is no step {self.qualname} in {self.module}.") from error
        if not isinstance(found, Step) or found.version != self.version:
            raise ImportError(f"{self.module}.{self.qualname} is not version {self.version} here; update this worker.")
        return found


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a job.

    Attributes
    ----------
    key : str
        Key of the job.
    seconds : float
        How long it took, loading and storing included.
    failure : Failure or None
        What the step raised.
    damaged : tuple of str
        Keys of inputs that must be computed again before the job can run.
    died : str
        How the worker process ended, where it did not answer.
    """

    key: str
    seconds: float = 0.0
    failure: Failure | None = None
    damaged: tuple[str, ...] = ()
    died: str = ""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An exception as plain data."""

    kind: str
    message: str
    trace: str

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Write an exception down."""
        message = error.args[0] if len(error.args) == 1 and isinstance(error.args[0], str) else str(error)
        return cls(kind=type(error).__name__, message=message, trace="".join(traceback.format_exception(error)))

    def exception(self) -> Exception:
        """Make the exception again, its trace as a note: of its own type if ours or Python's, else a RuntimeError."""
        error = self._of_its_type()
        error.add_note(f"where it was raised:\n{self.trace}")
        return error

    def _of_its_type(self) -> Exception:
        kind = getattr(cohortex.errors, self.kind, None) or getattr(builtins, self.kind, None)
        if isinstance(kind, type) and issubclass(kind, Exception):
            try:
                return kind(self.message)
            except TypeError:
                pass  # a type that wants more than a message, such as UnicodeDecodeError
        return RuntimeError(f"{self.kind}: {self.message}")


def run_job(job: Job, store: ResultStore, *, progress: ProgressCallback, step: Step[Any, Any] | None = None) -> Outcome:
    """Run one step on inputs from the store and put its result there.

    Parameters
    ----------
    job : Job
        What to run.
    store : ResultStore
        Where inputs and result lie.
    progress : callable
        Passed to a step that takes it.
    step : Step, optional
        The step, where the caller has it; else it is imported.

    Returns
    -------
    Outcome
        Never an exception of the step itself, except KeyboardInterrupt and SystemExit.
    """
    started = datetime.now(UTC)
    clock = time.perf_counter()
    damaged: list[str] = []

    def load(reference: Mapping[str, Any]) -> object:
        key = reference["reference"]
        if key in job.files:
            job.files[key].check_unchanged()
            return job.files[key].path
        try:
            return store.load(key, tuple(reference["items"]))
        except DamagedResult:
            damaged.append(key)
            return None

    try:
        step = step or job.step()
        arguments: dict[str, Any] = {
            name: decode(document, array=_no_array, reference=load) for name, document in job.arguments.items()
        }
        if damaged:
            return Outcome(key=job.key, damaged=tuple(dict.fromkeys(damaged)))
        if step.takes_progress:
            arguments[PROGRESS] = progress
        with single_thread():
            result = step.function(**arguments)
        seconds = time.perf_counter() - clock
        store.put(job.key, encode(result), _provenance(job, step, started, seconds))
    except Exception as error:
        return Outcome(key=job.key, seconds=time.perf_counter() - clock, failure=Failure.of(error))
    return Outcome(key=job.key, seconds=seconds)


def _provenance(job: Job, step: Step[Any, Any], started: datetime, seconds: float) -> dict[str, Any]:
    return {
        "step": step.name,
        "version": step.version,
        "key": job.key,
        "arguments": dict(job.arguments),
        "files": {key: [name for name, _, _ in source.stamp] for key, source in job.files.items()},
        "started": started.isoformat(timespec="milliseconds"),
        "seconds": round(seconds, 3),
        "python": platform.python_version(),
        "libraries": library_versions(),
    }


def library_versions() -> dict[str, str]:
    """Versions of the installed libraries that results may depend on."""
    found = {}
    for name in _RECORDED_LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _no_array(digest: str, *_: object) -> Any:
    raise ValueError(f"a job carries the array {digest[:12]}… itself; it must stand in the store.")
