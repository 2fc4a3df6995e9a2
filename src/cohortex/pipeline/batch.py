"""Many visits one after the other: a failure is noted and the rest goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cohortex.errors import CohortexError, StepFailed
from cohortex.pipeline.visits import VisitSource
from cohortex.progress import Progress, ProgressCallback, silent

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class BatchRow:
    """What came of one visit.

    Attributes
    ----------
    study_code, visit : str
        Whose and which.
    succeeded : bool
        Whether it was processed to its end.
    reason : str
        What went wrong and what to do; empty where nothing did.
    step : str
        The step that failed, where it was one.
    seconds : float
        How long it took.
    """

    study_code: str
    visit: str
    succeeded: bool
    reason: str
    step: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class BatchOutcome:
    """What came of all visits, in their order."""

    rows: tuple[BatchRow, ...]

    @property
    def failed(self) -> tuple[BatchRow, ...]:
        """The rows that did not succeed."""
        return tuple(row for row in self.rows if not row.succeeded)

    def to_json(self) -> dict[str, Any]:
        """Give counts and rows as plain values."""
        return {
            "visits": len(self.rows),
            "succeeded": len(self.rows) - len(self.failed),
            "failed": len(self.failed),
            "rows": [asdict(row) for row in self.rows],
        }


def run_batch(
    visits: Sequence[VisitSource],
    process: Callable[[VisitSource, ProgressCallback], object],
    *,
    progress: ProgressCallback = silent,
) -> BatchOutcome:
    """Process visits one after the other and go on after a failure.

    Parameters
    ----------
    visits : sequence of VisitSource
        What to process.
    process : callable
        Processes one visit, telling the callback it is given where it is.
    progress : callable
        Told how many visits are done, with the fraction of the one under way; the batch stops when it raises.

    Returns
    -------
    BatchOutcome
        One row for each visit. An error of the data is a reason; any other error is one too, and its trace goes to
        the log.
    """
    rows: list[BatchRow] = []
    for number, visit in enumerate(visits):
        stopped: list[BaseException] = []
        tell = _teller(visit, number, len(visits), progress, stopped)
        tell(Progress(task="starting", done=0, total=1))
        clock = time.perf_counter()
        reason = step = ""
        try:
            process(visit, tell)
        except Exception as error:
            if stopped:
                raise
            step = error.step if isinstance(error, StepFailed) else ""
            reason = error.reason if isinstance(error, StepFailed) else str(error) or type(error).__name__
            if not isinstance(error, CohortexError | OSError | ValueError):
                reason = f"{type(error).__name__}: {reason}"
                _LOG.exception("visit %s failed", visit.name)
        rows.append(
            BatchRow(
                study_code=visit.study_code,
                visit=visit.visit,
                succeeded=not reason,
                reason=reason,
                step=step,
                seconds=round(time.perf_counter() - clock, 3),
            )
        )
    progress(Progress(task="going through the visits", done=len(visits), total=len(visits)))
    return BatchOutcome(rows=tuple(rows))


def _teller(
    visit: VisitSource, number: int, total: int, progress: ProgressCallback, stopped: list[BaseException]
) -> ProgressCallback:
    def tell(inner: Progress) -> None:
        part = min(1.0, inner.done / inner.total) if inner.total > 0 else 0.0
        try:
            progress(Progress(task=f"{visit.name}: {inner.task}", done=number + part, total=total))
        except BaseException as error:
            stopped.append(error)
            raise

    return tell
