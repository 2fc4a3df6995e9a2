"""`cohortex compare`: two visits of one patient, and what changed between them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cohortex.cli.contrasts import CtSeries, FlairSeries, T1cSeries, T1Series, T2Series, chosen_contrasts
from cohortex.cli.screen import console, progress_bars


def compare(
    baseline: Annotated[
        Path,
        typer.Argument(
            help="The earlier visit, a zip or a folder; or one folder that holds exactly two visits.", exists=True
        ),
    ],
    follow_up: Annotated[Path | None, typer.Argument(help="The later visit.", exists=True, show_default=False)] = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the report and the images.")],
    study_code: Annotated[
        str | None, typer.Option(help="Code of the patient in the study; never a name or a hospital number.")
    ] = None,
    same_person: Annotated[
        bool, typer.Option("--same-person", help="Both visits are of one person, whatever their headers say.")
    ] = False,
    t1: T1Series = None,
    t1c: T1cSeries = None,
    t2: T2Series = None,
    flair: FlairSeries = None,
    ct: CtSeries = None,
    workers: Annotated[int, typer.Option(min=0, help="Worker processes; 0 works in this process.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON and no progress.")] = False,
) -> None:
    """Say what changed between two visits: each lesion the same, grown, shrunk, new or gone.

    Writes report.html and report.json, the lesion labels of each visit on its own grid and in template
    space, the change maps (1 = new or grown tissue, 2 = gone or shrunk) on both grids and halfway, and
    the transforms. Running it again continues where it stopped.
    """
    from cohortex.cli.beginning import tell_pair
    from cohortex.cli.outcome import print_comparison
    from cohortex.pipeline import compare_visits, find_visit_pair
    from cohortex.report import write_comparison_report

    pair = find_visit_pair(baseline, follow_up, study_code=study_code, same_person=same_person)
    tell_pair(*pair, code_given=study_code is not None)
    contrasts = chosen_contrasts(t1=t1, t1c=t1c, t2=t2, flair=flair, ct=ct)
    with progress_bars(quiet=as_json) as progress:
        result = compare_visits(
            *pair, output, contrasts=contrasts, same_person=same_person, workers=workers, progress=progress
        )
        write_comparison_report(result, output)
    if as_json:
        console.print_json(data={"report": str(output / "report.html"), "data": str(output / "report.json")})
    else:
        print_comparison(result, output, console)
