"""Steps, their keys and results, and the two pipelines built from them; knows no database."""

from cohortex.pipeline.runner import Runner, StepRun
from cohortex.pipeline.step import Node, Step, file_node, step, value_node
from cohortex.pipeline.store import ResultStore

__all__ = ["Node", "ResultStore", "Runner", "Step", "StepRun", "file_node", "step", "value_node"]
