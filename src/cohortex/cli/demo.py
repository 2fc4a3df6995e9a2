"""`cohortex demo`: phantom patients from upload to report, with nothing to prepare."""

from __future__ import annotations

import os
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from cohortex.cli.screen import console, progress_bars

Vendor = Literal["siemens-like", "ge-like", "philips-like"]

_SEEDS = (11, 12)  # two patients; any other seed makes another patient
_SPACING_MM = 1.5
_VENDORS: tuple[tuple[Vendor, Vendor], ...] = (("siemens-like", "siemens-like"), ("ge-like", "philips-like"))
_THICK_MM = 4.0  # the second patient's follow-up comes from a scanner with thick slices


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for uploads, images and reports.")] = Path(
        "demo"
    ),
    workers: Annotated[int, typer.Option(min=0, help="Worker processes; 0 works in this process.")] = 2,
    show: Annotated[bool, typer.Option(help="Open the reports in the browser, where there is a screen.")] = True,
) -> None:
    """Write phantom patients as DICOM zips, process and compare them, and show the reports.

    Two patients who do not exist, two visits each, T1 and FLAIR as a scanner would send them, with invented
    identities in the headers. Nothing is downloaded. Running it again continues where it stopped.
    """
    from cohortex import phantoms
    from cohortex.cli.outcome import print_comparison, print_visit
    from cohortex.pipeline import compare_visits, find_visits, process_visit
    from cohortex.progress import Progress
    from cohortex.report import write_comparison_report, write_visit_report

    uploads = output / "uploads"
    reports: list[Path] = []
    with progress_bars() as progress:
        zips: list[list[Path]] = []
        for number, seed in enumerate(_SEEDS):
            code = f"phantom-{number + 1:02d}"
            thickness = (_SPACING_MM, _THICK_MM if number else _SPACING_MM)
            names = [uploads / f"{code}_visit-{n}.zip" for n in (1, 2)]
            zips.append(names)
            if not all(name.exists() for name in names):
                patient = phantoms.patient(
                    seed=seed, visits=2, spacing_mm=_SPACING_MM, slice_thickness_mm=thickness, volume_mm3=(120, 3000)
                )
                for visit, name, vendor in zip(patient.visits, names, _VENDORS[number], strict=True):
                    name.parent.mkdir(parents=True, exist_ok=True)
                    phantoms.write_dicom_zip(visit.images, name, scanner=vendor, seed=seed, overwrite=True)
            progress(Progress(task="writing phantom patients as DICOM zips", done=number + 1, total=len(_SEEDS)))

        store = output / ".cohortex"
        for names in zips:
            first, second = (find_visits(name)[0] for name in names)

            def told(inner: Progress, code: str = first.study_code) -> None:
                progress(replace(inner, task=f"{code}: both visits"))

            folder = output / first.study_code / "comparison"
            result = compare_visits(first, second, folder, store=store, workers=workers, progress=told)
            reports.append(write_comparison_report(result, folder))
            print_comparison(result, folder, console)
        first = find_visits(zips[0][0])[0]
        folder = output / first.study_code / first.visit
        visit_result = process_visit(first, folder, store=store, workers=workers)
        reports.append(write_visit_report(visit_result, folder))
        print_visit(visit_result, folder, console)

    console.print("\n[bold]Reports[/] (phantoms, never evidence about patients)")
    for report in reports:
        console.print(f"  {report.resolve().as_uri()}", soft_wrap=True)
    if show and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.name == "nt"):
        for report in reports:
            webbrowser.open(report.resolve().as_uri())
