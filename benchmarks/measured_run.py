"""`python -m benchmarks.measured_run LAPS.json OUTPUT ZIP [ZIP]`: one visit, or two, in one process, part by part."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.stopwatch import Stopwatch
from cohortex.pipeline import compare_visits, executor, find_visit_pair, find_visits, process_visit
from cohortex.pipeline.job import Job, Outcome
from cohortex.report import write_comparison_report, write_visit_report

BETWEEN = "between the steps"
WRITING = "write the images and transforms"
REPORT = "write the report"


def main(laps: Path, output: Path, *zips: Path) -> None:
    """Process or compare with every step in this process, and write what each part cost."""
    watch = Stopwatch()
    run_job = executor.run_job

    def measured(job: Job, *arguments: Any, step: Any, **options: Any) -> Outcome:
        watch.begin(step.title)
        try:
            return run_job(job, *arguments, step=step, **options)
        finally:
            watch.begin(BETWEEN)

    executor.run_job = measured  # the one place through which every step passes
    if len(zips) == 1:
        visit = process_visit(find_visits(zips[0])[0], output, workers=0)
        watch.begin(REPORT)
        write_visit_report(visit, output)
    else:
        pair = compare_visits(*find_visit_pair(*zips), output, workers=0)
        watch.begin(REPORT)
        write_comparison_report(pair, output)
    watch.begin("end")
    entries = [asdict(lap) for lap in watch.laps]
    entries[-2]["name"] = WRITING  # what follows the last step
    laps.write_text(json.dumps(entries))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
