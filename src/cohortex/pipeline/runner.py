"""Running what is not yet in the store: finds what is missing, in which order, and does each step once."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from cohortex.errors import DamagedResult, StepFailed
from cohortex.pipeline.executor import Executor, InProcess, WorkerProcesses
from cohortex.pipeline.job import Job, Outcome
from cohortex.pipeline.sourcefile import SourceFile
from cohortex.pipeline.step import Call, Constant, Node, Stored
from cohortex.pipeline.store import ResultStore
from cohortex.progress import Progress, ProgressCallback, silent

_LOG = logging.getLogger(__name__)
_MOST_TRIES = 3  # of one step because its stored result was damaged again: then it is the disk
_HEARTBEAT_S = 0.5
_NAMED = 3  # files in a message
_NEARLY = 0.99  # of a step: it is done when its result is stored, and may fail until then
_MEMORY_PER_WORKER = 1.5e9  # bytes; a step on a 1 mm head


@dataclass(frozen=True, kw_only=True)
class StepRun:
    """One step behind a result, for the methods text.

    Attributes
    ----------
    step, version : str, int
        Qualified name and version.
    sentence : str
        The step's sentence with its parameters filled in.
    parameters : dict
        Plain arguments, JSON-able.
    seconds : float or None
        How long it took in this runner; None when the result was there before.
    key : str
        Key of its result.
    """

    step: str
    version: int
    sentence: str
    parameters: dict[str, Any]
    seconds: float | None
    key: str


class Runner:
    """Evaluates nodes: what the store has is read, the rest is computed, in parallel, and stored.

    Parameters
    ----------
    store : ResultStore or Path
        Where results are kept.
    workers : int, optional
        Worker processes; 0 computes in the calling process. When omitted as many as processors and free memory
        allow (1.5 GB each), at most 4.
    progress : callable
        Told at every step, and twice a second while processes work, what runs and how many steps are done. The run
        stops when it raises; what was finished stays.
    executor : Executor, optional
        Where jobs run instead of `workers`: anything that reaches the same store.
    """

    def __init__(
        self,
        store: ResultStore | Path,
        *,
        workers: int | None = None,
        progress: ProgressCallback = silent,
        executor: Executor | None = None,
    ) -> None:
        self.store = store if isinstance(store, ResultStore) else ResultStore(store)
        count = default_workers() if workers is None else workers
        if count < 0:
            raise ValueError(f"workers is {count}; give 0 (this process) or more.")
        self._executor = executor or (WorkerProcesses(self.store, slots=count) if count else InProcess(self.store))
        self._progress = progress
        self._seconds: dict[str, float] = {}

    def evaluate(self, nodes: Sequence[Node]) -> list[Any]:
        """Give the values of nodes, computing what is missing.

        Parameters
        ----------
        nodes : sequence of Node
            What is wanted.

        Returns
        -------
        list
            Their values in the same order; arrays are read-only.

        Raises
        ------
        StepFailed
            If a step raised (its exception is the cause) or its process died twice.
        """
        for _ in range(_MOST_TRIES):
            self.run(nodes)
            try:
                return [self._read(node) for node in nodes]
            except DamagedResult as error:
                _LOG.warning("%s", error)
                for node in nodes:
                    self.store.set_aside(node.source.key)
        raise DamagedResult(f"results in {self.store.path.name} were damaged {_MOST_TRIES} times; check the disk.")

    def value(self, node: Node) -> Any:
        """Give the value of one node, as `evaluate`."""
        return self.evaluate([node])[0]

    def run(self, nodes: Sequence[Node]) -> None:
        """Compute what is missing without reading any of it.

        Raises
        ------
        StepFailed
            As `evaluate`.
        """
        try:
            _Run(self.store, self._executor, self._progress, self._seconds).until_done(nodes)
        except BaseException:
            self._executor.close()
            raise

    def provenance(self, node: Node) -> dict[str, Any]:
        """Give the record of how a node's value was made, JSON-able.

        Returns
        -------
        dict
            step, version, key, arguments (inputs by key), files, started, seconds, versions of libraries.

        Raises
        ------
        DamagedResult
            If it has not been computed.
        """
        if isinstance(node.source, Call):
            return self.store.provenance(node.source.key)
        return {"key": node.source.key, "origin": node.describe()}

    def steps_behind(self, nodes: Sequence[Node]) -> tuple[StepRun, ...]:
        """Give every step behind these nodes, inputs first, each once."""
        return tuple(
            StepRun(
                step=call.step.name,
                version=call.step.version,
                sentence=call.step.sentence.format_map(_Shown(call.parameters)),
                parameters=call.parameters,
                seconds=self._seconds.get(call.key),
                key=call.key,
            )
            for call in _calls_behind(nodes)
        )

    def close(self) -> None:
        """End the worker processes."""
        self._executor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, node: Node) -> Any:
        match node.source:
            case SourceFile(path=path):
                return path
            case Constant() as constant:
                _store_constant(self.store, constant)
        return self.store.load(node.source.key, node.items)


class _Run:
    """One evaluation: what is missing, what is ready, what is under way."""

    def __init__(
        self, store: ResultStore, executor: Executor, progress: ProgressCallback, seconds: dict[str, float]
    ) -> None:
        self._store = store
        self._executor = executor
        self._progress = progress
        self._seconds = seconds
        self._calls: dict[str, Call] = {}
        self._missing: dict[str, set[str]] = {}  # key of a step to run -> keys of the steps it needs
        self._running: dict[str, float] = {}  # key -> fraction done
        self._tries: dict[str, int] = {}
        self._deaths: dict[str, int] = {}
        self._done = 0
        self._earlier = 0

    def until_done(self, nodes: Sequence[Node]) -> None:
        for call in _calls_behind(nodes):
            self._calls[call.key] = call
        for node in nodes:
            if isinstance(node.source, Call):
                self._want(node.source.key)
        self._earlier = len(self._calls.keys() - self._missing.keys() - self._seconds.keys())
        while self._missing:
            self._start_ready()
            if not self._running:
                continue  # what was missing has just appeared
            outcome = self._executor.wait(self._report, _HEARTBEAT_S)
            if outcome is None:
                self._tell(next(iter(self._running), ""))
            else:
                self._take(outcome)

    def _want(self, key: str) -> None:
        """Note a step to run, and all it needs, unless its result is there."""
        pending = [key]
        while pending:
            key = pending.pop()
            if key not in self._missing and key not in self._store:
                needed = {n.source.key for _, n in self._calls[key].inputs if isinstance(n.source, Call)}
                self._missing[key] = needed
                pending.extend(needed)

    def _start_ready(self) -> None:
        for key, call in self._calls.items():  # inputs come before what needs them
            if len(self._running) >= self._executor.slots or any(self._deaths.get(k) for k in self._running):
                return
            if key not in self._missing or key in self._running or self._missing[key] & self._missing.keys():
                continue
            if self._deaths.get(key) and self._running:
                continue  # what may have died for lack of memory runs again by itself
            if key in self._store:  # another run on this store was faster
                self._finish(key)
                continue
            for _, node in call.inputs:
                if isinstance(node.source, Constant):
                    _store_constant(self._store, node.source)
            self._executor.start(Job.of(call), call.step)
            self._running[key] = 0.0
            self._tell(key)

    def _finish(self, key: str) -> None:
        self._done += 1
        del self._missing[key]
        self._tell(key)

    def _take(self, outcome: Outcome) -> None:
        key = outcome.key
        call = self._calls[key]
        del self._running[key]
        if outcome.died:
            self._deaths[key] = self._deaths.get(key, 0) + 1
            _LOG.warning("the process of step '%s' was %s", call.step.title, outcome.died)
            if self._deaths[key] > 1:
                reason = f"its process was {outcome.died}, twice; give the machine more memory or use fewer workers."
                raise _failed(call, reason)
        elif outcome.damaged:
            for damaged in outcome.damaged:
                self._compute_again(damaged, call)
        elif outcome.failure:
            _LOG.debug("step '%s' failed:\n%s", call.step.title, outcome.failure.trace)
            raise _failed(call, outcome.failure.message) from outcome.failure.exception()
        else:
            self._seconds[key] = outcome.seconds
            self._finish(key)

    def _compute_again(self, key: str, for_call: Call) -> None:
        if any(isinstance(node.source, Stored) and node.source.key == key for _, node in for_call.inputs):
            raise DamagedResult(
                f"the result {key[:12]}… that step '{for_call.step.title}' needs is missing or damaged, and how to "
                "make it again is not known here. Run again what made it."
            )
        self._tries[key] = self._tries.get(key, 1) + 1
        if self._tries[key] > _MOST_TRIES:
            raise DamagedResult(
                f"the result {key[:12]}… that step '{for_call.step.title}' needs was damaged {_MOST_TRIES} times; "
                "check the disk."
            )
        _LOG.warning(
            "a stored input of step '%s' (%s…) is damaged or gone; computing it again", for_call.step.title, key[:12]
        )
        self._store.set_aside(key)
        if key in self._calls:
            self._want(key)

    def _report(self, key: str, progress: Progress) -> None:
        if progress.total > 0 and key in self._running:
            self._running[key] = min(_NEARLY, progress.done / progress.total)
        self._tell(key)

    def _tell(self, key: str) -> None:
        under_way = [self._calls[k].step.title for k in self._running] or [self._calls[key].step.title if key else ""]
        done = self._done + sum(self._running.values())
        task = " and ".join(dict.fromkeys(under_way))
        total = self._done + len(self._missing)
        self._progress(Progress(task=task, done=done, total=total, earlier=self._earlier))


class _Shown(dict[str, Any]):
    """Parameters for a sentence; what is an input and not a plain value stays a name."""

    def __missing__(self, name: str) -> _Name:
        return _Name(name)


class _Name(str):
    """Stands in a sentence whatever number format was asked for."""

    def __format__(self, _: str) -> str:
        return str(self)


def default_workers() -> int:
    """Count the worker processes this machine bears: by processors and free memory, 1 to 4."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    by_memory = int(psutil.virtual_memory().available // _MEMORY_PER_WORKER)
    return max(1, min(4, processors, by_memory))


def _calls_behind(nodes: Sequence[Node]) -> Iterator[Call]:
    """Walk all calls behind nodes, inputs first, each key once, in an order that depends only on the nodes."""
    seen: set[str] = set()
    stack: list[tuple[Node, bool]] = [(node, False) for node in reversed(nodes)]
    while stack:
        node, inputs_done = stack.pop()
        if not isinstance(node.source, Call) or (node.source.key in seen and not inputs_done):
            continue
        if inputs_done:
            yield node.source
        else:
            seen.add(node.source.key)
            stack.append((node, True))
            stack.extend((needed, False) for _, needed in reversed(list(node.source.inputs)))


def _store_constant(store: ResultStore, constant: Constant) -> None:
    if constant.key not in store:
        store.put(constant.key, constant.encoded, {"origin": "given by the caller", "key": constant.key})


def _failed(call: Call, reason: str) -> StepFailed:
    """Say title, reason and files to a person; what only a developer understands goes to the log."""
    _LOG.info("step %s, version %s, failed; called with %s", call.step.name, call.step.version, call.describe())
    files = dict.fromkeys(
        node.source.name
        for behind in (*_calls_behind([node for _, node in call.inputs]), call)
        for _, node in behind.inputs
        if isinstance(node.source, SourceFile)
    )
    named = [name for name in files if name not in reason]
    what = f"{', '.join(named[:_NAMED])}{' …' if len(named) > _NAMED else ''}: " if named else ""
    return StepFailed(f"{what}{call.step.title} failed: {reason}", step=call.step.title, reason=reason)
