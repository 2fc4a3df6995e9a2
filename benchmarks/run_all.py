"""Run every benchmark, one after the other, so that none disturbs another."""

from __future__ import annotations

from benchmarks import pipeline_steps

if __name__ == "__main__":
    for benchmark in (pipeline_steps,):
        benchmark.main()
