"""`cohortex process`: one visit, or a folder of visits, from scans to reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cohortex.cli.contrasts import CtSeries, FlairSeries, T1cSeries, T1Series, T2Series, chosen_contrasts
from cohortex.cli.screen import console, progress_bars


def process(
    visit: Annotated[
        list[Path],
        typer.Argument(
            help="One visit as a zip, a folder or files of DICOM or NIfTI; or a folder of visits, or a BIDS folder.",
            exists=True,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the report and the images.")],
    study_code: Annotated[
        str | None, typer.Option(help="Code of the patient in the study; never a name or a hospital number.")
    ] = None,
    visit_name: Annotated[str | None, typer.Option("--visit", help="Name of the visit, such as 'week 4'.")] = None,
    t1: T1Series = None,
    t1c: T1cSeries = None,
    t2: T2Series = None,
    flair: FlairSeries = None,
    ct: CtSeries = None,
    workers: Annotated[int, typer.Option(min=0, help="Worker processes; 0 works in this process.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON and no progress.")] = False,
) -> None:
    """Convert, check, align, outline, measure and report one visit, or every visit of a folder.

    Writes report.html and report.json, the lesion labels on the visit's own grid and in template space, the
    difference and deformation maps, and the transforms. A batch goes on after a failure and ends with a
    table of what failed and why. Running it again continues where it stopped.
    """
    from cohortex.cli.beginning import tell_visits
    from cohortex.cli.outcome import batch_table, failures_in, folder_of, print_visit
    from cohortex.pipeline import VisitSource, find_visits, process_visit, run_batch
    from cohortex.progress import ProgressCallback
    from cohortex.report import write_visit_report

    contrasts = chosen_contrasts(t1=t1, t1c=t1c, t2=t2, flair=flair, ct=ct)
    sources = find_visits(visit[0] if len(visit) == 1 else visit, study_code=study_code)
    if len(sources) > 1 and (visit_name or contrasts):
        raise typer.BadParameter(
            f"{visit[0].name} holds {len(sources)} visits; --visit and the contrasts speak of one."
        )

    if len(sources) == 1:
        sources = [replace(sources[0], visit=visit_name or sources[0].visit)]
    tell_visits(sources, code_given=study_code is not None)
    failures: dict[Path, list[str]] = {}

    def process_one(source: VisitSource, folder: Path, progress: ProgressCallback) -> None:
        result = process_visit(source, folder, contrasts=contrasts, workers=workers, progress=progress)
        write_visit_report(result, folder)
        failures[folder] = failures_in(result)
        if len(sources) == 1 and not as_json:
            print_visit(result, folder, console)

    with progress_bars(quiet=as_json) as progress:
        if len(sources) == 1:
            process_one(sources[0], output, progress)
            if as_json:
                console.print_json(data={"report": str(output / "report.html"), "data": str(output / "report.json")})
            return
        outcome = run_batch(
            sources, lambda source, told: process_one(source, folder_of(source, output), told), progress=progress
        )
    if as_json:
        console.print_json(data=outcome.to_json())
    else:
        console.print(batch_table(outcome, output, failures=failures))
    if outcome.failed:
        raise typer.Exit(1)
