"""From one zip, and from two, to the report: seconds and peak memory of each step, at full resolution.

The phantom is written at 1 mm as DICOM zips (T1 and FLAIR, whole head). Each command runs twice on an empty result
store: with all steps in one process, where each is measured by itself, and as a user runs it, with two worker
processes. Accuracy stands beside the time: the events found against those planted.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import Cost, cost_of, describe_machine
from cohortex import phantoms
from cohortex.pipeline.job import library_versions

_SEED = 4711
_WORKERS = 2
_LONGEST_S = 10.0  # CPU time that a step may take outside the registration library
_MOST_GB = 4.0
_BUSY = 0.2  # cores used by others from which wall times say little


def main() -> None:
    """Measure and write results/pipeline.md."""
    versions = ", ".join(f"{name} {version}" for name, version in library_versions().items())
    lines = [
        "# From a zip to the report",
        "",
        "One phantom patient at 1 mm, T1 and FLAIR of the whole head as DICOM zips; written by `make bench`.",
        "",
        f"- Date: {datetime.now(UTC):%Y-%m-%d}",
        f"- Machine: {describe_machine()}",
        f"- Versions: {versions}",
        f"- Bounds: {_LONGEST_S:.0f} s of CPU time for a step outside the registration library, {_MOST_GB:.0f} GB",
        "",
    ]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        patient = phantoms.patient(seed=_SEED, visits=2, spacing_mm=1.0)
        zips = []
        for number, visit in enumerate(patient.visits):
            zips.append(str(root / f"visit-{number + 1}.zip"))
            phantoms.write_dicom_zip(visit.images, zips[-1])
        planted = sorted(event.event for event in patient.events[0])
        del patient
        lines += _measured("One visit (`cohortex process`)", "process", zips[:1], root)
        lines += _measured("Two visits (`cohortex compare`)", "compare", zips, root)
        found = json.loads((root / f"compare-{_WORKERS}" / "report.json").read_text())["events"]
        lines += [f"- Events planted: {', '.join(planted)}."]
        lines += [f"- Events found: {', '.join(sorted(event['event'] for event in found))}.", ""]
    target = Path(__file__).parent / "results" / "pipeline.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(lines))
    print(target.read_text())


def _measured(title: str, command: str, zips: list[str], root: Path) -> list[str]:
    """Run a command part by part, then as a user does; give the section of the page."""
    laps = root / f"{command}-laps.json"
    alone = cost_of("benchmarks.measured_run", str(laps), str(root / f"{command}-0"), *zips)
    output = str(root / f"{command}-{_WORKERS}")
    usual = cost_of("cohortex", command, *zips, "--output", output, "--workers", str(_WORKERS), "--json")
    return [
        f"## {title}",
        "",
        f"- As a user runs it, {_WORKERS} worker processes: {_sentence(usual)}",
        f"- Step by step in one process: {_sentence(alone)}",
        "",
        *_table(_parts(laps)),
        "",
    ]


def _sentence(cost: Cost) -> str:
    over = f" (over {_MOST_GB:.0f} GB)" if cost.peak_memory_gb > _MOST_GB else ""
    busy = " The machine was busy: wall times say little." if cost.cores_used_by_others > _BUSY else ""
    return (
        f"{cost.seconds:.0f} s, peak {cost.peak_memory_gb:.1f} GB{over}; other processes used "
        f"{cost.cores_used_by_others:.1f} cores meanwhile.{busy}"
    )


@dataclass(kw_only=True)
class _Part:
    """All calls of one step."""

    calls: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    registration_s: float = 0.0
    longest_own_s: float = 0.0  # CPU time outside the registration library, of one call
    peak_mb: float | None = None


def _parts(laps: Path) -> dict[str, _Part]:
    parts: dict[str, _Part] = {}
    for lap in json.loads(laps.read_text()):
        part = parts.setdefault(lap["name"], _Part())
        part.calls += 1
        part.wall_s += lap["wall_s"]
        part.cpu_s += lap["cpu_s"]
        part.registration_s += lap["registration_s"]
        part.longest_own_s = max(part.longest_own_s, lap["cpu_s"] - lap["registration_s"])
        if lap["peak_mb"] is not None:
            part.peak_mb = max(part.peak_mb or 0.0, lap["peak_mb"])
    return parts


def _table(parts: dict[str, _Part]) -> list[str]:
    rows = [
        "| step | calls | wall s | CPU s | of it registration library | longest call without it | peak MB |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, part in sorted(parts.items(), key=lambda item: -item[1].cpu_s):
        over = " **over**" if part.longest_own_s > _LONGEST_S else ""
        rows.append(
            f"| {name} | {part.calls} | {part.wall_s:.1f} | {part.cpu_s:.1f} | {part.registration_s:.1f} "
            f"| {part.longest_own_s:.1f}{over} | {_megabytes(part.peak_mb)} |"
        )
    every = list(parts.values())
    peaks = [part.peak_mb for part in every if part.peak_mb is not None]
    rows.append(
        f"| **total** | | {sum(p.wall_s for p in every):.1f} | {sum(p.cpu_s for p in every):.1f} "
        f"| {sum(p.registration_s for p in every):.1f} | | {_megabytes(max(peaks, default=None))} |"
    )
    return rows


def _megabytes(peak: float | None) -> str:
    return "–" if peak is None else f"{peak:.0f}"


if __name__ == "__main__":
    main()
