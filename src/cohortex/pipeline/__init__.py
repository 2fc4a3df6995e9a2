"""Steps, their keys and results, and the two pipelines built from them; knows no database."""

from cohortex.pipeline.batch import BatchOutcome, BatchRow, run_batch
from cohortex.pipeline.compare_visits import compare_visits
from cohortex.pipeline.contrast import Contrast, ContrastGuess, recognise_contrast
from cohortex.pipeline.process_visit import process_visit
from cohortex.pipeline.runner import Runner, StepRun
from cohortex.pipeline.step import Node, Step, file_node, step, stored_node, value_node
from cohortex.pipeline.store import ResultStore
from cohortex.pipeline.visits import VisitSource, find_visit_pair, find_visits

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
    "compare_visits",
    "file_node",
    "find_visit_pair",
    "find_visits",
    "process_visit",
    "recognise_contrast",
    "run_batch",
    "step",
    "stored_node",
    "value_node",
]
