"""A program that runs a small graph of slow steps; the tests kill it and start it again."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from example_steps import slow_array, slow_total

from cohortex.pipeline import Node, Runner


def graph(log: Path, *, seconds: float) -> tuple[list[Node], Node]:
    """Three chains of three steps on arrays, and their total."""
    steps: list[Node] = []
    ends: list[Node] = []
    for chain in range(3):
        node: object = np.full(20_000, float(chain))
        for link in range(3):
            node = slow_array(node, number=10 * chain + link, seconds=seconds, log=log)
            steps.append(node)
        ends.append(steps[-1])
    total = slow_total(ends, log=log)
    return [*steps, total], total


if __name__ == "__main__":
    folder, workers, pause = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    with Runner(folder / "store", workers=workers) as runner:
        total = graph(folder / "log.txt", seconds=pause)[1]
        value = runner.value(total)
        (folder / "answer.txt").write_text(f"{runner.store.content_hash(total.key)} {float(value).hex()}")
