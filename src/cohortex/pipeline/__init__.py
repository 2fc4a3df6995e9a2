"""Steps, their keys and results, and the two pipelines built from them; knows no database."""

from cohortex.pipeline.batch import BatchOutcome, BatchRow, run_batch
from cohortex.pipeline.contrast import Contrast, ContrastGuess, recognise_contrast
from cohortex.pipeline.runner import Runner, StepRun
from cohortex.pipeline.step import Node, Step, file_node, step, value_node
from cohortex.pipeline.store import ResultStore
from cohortex.pipeline.visits import VisitSource, find_visits

__all__ = [
    "BatchOutcome",
    "BatchRow",
    "Contrast",
    "ContrastGuess",
    "Node",
    "ResultStore",
    "Runner",
    "Step",
    "StepRun",
    "VisitSource",
    "file_node",
    "find_visits",
    "recognise_contrast",
    "run_batch",
    "step",
    "value_node",
]
