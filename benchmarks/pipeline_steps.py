"""From one zip, and from two, to the report: seconds per step and peak memory, at full resolution.

The phantom is written at 1 mm as DICOM zips (T1 and FLAIR, whole head), then `cohortex process` and
`cohortex compare` run as processes of their own on an empty result store. Accuracy stands beside the time:
the events found against those planted.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks.machine import cost_of, describe_machine
from cohortex import phantoms
from cohortex.pipeline import ResultStore

_RUNS = 3
_SEED = 4711
_LONGEST_S = 10.0  # what a step other than the library registration may take


def main() -> None:
    """Measure and write benchmarks/results/pipeline.md."""
    lines = ["# From a zip to the report", "", f"Machine: {describe_machine()}. Medians of {_RUNS} runs.", ""]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        patient = phantoms.patient(seed=_SEED, visits=2, spacing_mm=1.0)
        zips = []
        for number, visit in enumerate(patient.visits):
            zips.append(root / f"visit-{number + 1}.zip")
            phantoms.write_dicom_zip(visit.images, zips[-1])
        for title, command in (
            ("One visit (`cohortex process`)", ["process", str(zips[0])]),
            ("Two visits (`cohortex compare`)", ["compare", *map(str, zips)]),
        ):
            for workers in (1, 2):
                costs, outputs = [], []
                for run in range(_RUNS):
                    outputs.append(root / f"{command[0]}-{workers}-{run}")
                    costs.append(cost_of(*command, "--output", str(outputs[-1]), "--workers", str(workers), "--json"))
                seconds = statistics.median(cost.seconds for cost in costs)
                memory = max(cost.peak_memory_gb for cost in costs)
                lines += [f"## {title}, {workers} worker process{'es' * (workers > 1)}", ""]
                lines += [f"{seconds:.1f} s, peak memory {memory:.1f} GB (whole process tree).", ""]
                if workers == 1:
                    lines += [*_step_table(outputs), ""]
            if command[0] == "compare":
                found = json.loads((outputs[-1] / "report.json").read_text())["events"]
                planted = sorted(event.kind for event in patient.events_between(0, 1))
                lines += [f"Events planted: {', '.join(planted)}.", ""]
                lines += [f"Events found: {', '.join(sorted(event['event'] for event in found))}.", ""]
    target = Path(__file__).parent / "results" / "pipeline.md"
    target.write_text("\n".join(lines))
    print(target.read_text())


def _step_table(outputs: Iterable[Path]) -> list[str]:
    """Seconds of each step, summed over its calls, median over runs."""
    runs = [_seconds_by_step(ResultStore(output / ".cohortex")) for output in outputs]
    medians = {step: statistics.median(run[step] for run in runs) for step in runs[0]}
    rows = ["| step | s |", "|---|---|"]
    for step, seconds in sorted(medians.items(), key=lambda item: -item[1]):
        rows.append(f"| {step.rpartition('.')[2]} | {seconds:.1f}{' (over 10 s)' * (seconds > _LONGEST_S)} |")
    return rows


def _seconds_by_step(store: ResultStore) -> dict[str, float]:
    totals: dict[str, float] = {}
    for key in list(store.keys()):
        record = store.provenance(key)
        if "step" in record:
            totals[record["step"]] = totals.get(record["step"], 0.0) + record["seconds"]
    return totals


if __name__ == "__main__":
    main()
