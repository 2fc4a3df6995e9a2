"""`cohortex study …`: a study made, staffed, filled, worked on and looked at from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table

from cohortex.cli.screen import console, errors, progress_bars, stopped_in_words

if TYPE_CHECKING:
    from cohortex.study.overview import Overview

study_app = typer.Typer(
    name="study",
    help="Make a study that several centres share, add centres and people, process it and look at it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Home = Annotated[Path, typer.Argument(help="Folder of the study.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print for machines.")]


@study_app.command()
def init(
    home: Home,
    name: Annotated[str, typer.Option(help="What the study is called on its pages.")],
    rule_patients: Annotated[int, typer.Option(min=2, help="New patients that release a new template …")] = 5,
    rule_centres: Annotated[int, typer.Option(min=1, help="… and centres they come from.")] = 2,
    template_contrast: Annotated[
        Literal["T1", "T1c", "T2", "FLAIR"], typer.Option(help="Contrast the study's template is made of.")
    ] = "FLAIR",
) -> None:
    """Make a new study in an empty folder."""
    from cohortex.study import Study

    study = Study.create(
        home, name=name, rule_patients=rule_patients, rule_centres=rule_centres, template_contrast=template_contrast
    )
    console.print(f"[bold green]✓[/] the study [bold]{name}[/] lies in {home}")
    key = study.settings.key_file
    console.print(f"  Its secret is [bold]{key}[/]: keep a copy apart from every backup of the study.", soft_wrap=True)
    console.print(f"  Next: cohortex study add-centre {home} CODE NAME", soft_wrap=True)


@study_app.command("add-centre")
def add_a_centre(
    home: Home,
    code: Annotated[str, typer.Argument(help="Capital letters and digits, up to eight: study codes begin with it.")],
    name: Annotated[str, typer.Argument(help="Name of the hospital or institute.")],
    country: Annotated[str, typer.Option(help="Two letters, ISO 3166.")] = "",
) -> None:
    """Add a centre to the study."""
    from cohortex.study import Study
    from cohortex.study.people import add_centre

    add_centre(Study.open(home), code=code, name=name, country=country)
    console.print(f"[bold green]✓[/] {code} {name}")
    console.print(f"  Next: cohortex study add-user {home} LOGIN --centre {code} --name NAME", soft_wrap=True)


@study_app.command("add-user")
def add_a_user(
    home: Home,
    login: Annotated[str, typer.Argument(help="Small letters, digits, dots, dashes.")],
    centre: Annotated[str, typer.Option(help="Code of the person's centre.")],
    name: Annotated[str, typer.Option(help="As it stands beside what the person enters.")],
    role: Annotated[
        Literal["uploader", "coordinator"], typer.Option(help="A coordinator may also release the template.")
    ] = "uploader",
    language: Annotated[Literal["en", "it"], typer.Option(help="Of the pages.")] = "en",
    ask_password: Annotated[bool, typer.Option(help="Ask for the password instead of drawing one.")] = False,
) -> None:
    """Add a person; the password is drawn and printed once, unless it is asked for."""
    from cohortex.study import Study
    from cohortex.study.people import add_uploader

    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if ask_password else None
    added = add_uploader(
        Study.open(home), centre=centre, login=login, name=name, role=role, language=language, password=password
    )
    console.print(f"[bold green]✓[/] {added.login} of {centre}")
    if not ask_password:
        console.print(f"  Password, shown this once: [bold]{added.password}[/]", soft_wrap=True)


@study_app.command("set-password")
def set_a_password(
    home: Home,
    login: Annotated[str, typer.Argument(help="Of whom.")],
    ask_password: Annotated[bool, typer.Option(help="Ask for the password instead of drawing one.")] = False,
) -> None:
    """Give a person another password, drawn and printed once unless asked for; ends what they are signed in to."""
    from cohortex.study import Study
    from cohortex.study.people import set_password

    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if ask_password else None
    password = set_password(Study.open(home), login, password=password)
    console.print(f"[bold green]✓[/] {escape(login)} has another password")
    if not ask_password:
        console.print(f"  Password, shown this once: [bold]{password}[/]", soft_wrap=True)


@study_app.command("lock-user")
def lock_a_user(
    home: Home,
    login: Annotated[str, typer.Argument(help="Whom.")],
    undo: Annotated[bool, typer.Option("--undo", help="Let the person in again.")] = False,
) -> None:
    """Lock out a person who has left, at once; what they entered stays, under their name."""
    from cohortex.study import Study
    from cohortex.study.people import let_sign_in

    let_sign_in(Study.open(home), login, allowed=undo)
    console.print(f"[bold green]✓[/] {escape(login)} may {'sign in again' if undo else 'no longer sign in'}")


@study_app.command()
@stopped_in_words
def process(
    home: Home,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 2,
) -> None:
    """Do all the work that waits, and return when nothing is left."""
    from cohortex.server.processing import process_until_idle
    from cohortex.study import Study

    with progress_bars() as progress:
        counts = process_until_idle(Study.open(home), workers=workers, progress=progress)
    failed = f", [bold red]{counts.failed} failed[/]" if counts.failed else ""
    console.print(f"[bold green]✓[/] {counts.done} jobs done{failed}")
    for failure in counts.failures:
        console.print(f"[bold red]✗[/] {failure}", soft_wrap=True)
    if counts.failed:
        raise typer.Exit(1)


@study_app.command()
def status(home: Home, as_json: AsJson = False) -> None:
    """Say what is in the study and how its work stands; counts only, no patient."""
    from cohortex.study import Study
    from cohortex.study.overview import overview

    found = overview(Study.open(home))
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=1))
        return
    print_overview(found)


def print_overview(found: Overview) -> None:
    """Print a study in counts."""
    console.print(f"[bold]{found.name}[/]")
    table = Table("centre", "name", "patients", "visits", "series", box=None, header_style="dim")
    for row in found.centres:
        table.add_row(row.code, row.name, *(str(count) for count in (row.patients, row.visits, row.series)))
    console.print(table)
    template = found.template
    console.print(
        f"template: version {template.version}, {template.n_patients} patients of {template.n_centres} centres"
        if template
        else "template: MNI152 (version 0); no version of the study's own yet"
    )
    console.print("jobs: " + ", ".join(f"{count} {state}" for state, count in found.jobs.items()))
    for failure in found.failures:
        console.print(f"[bold red]✗[/] {failure}", soft_wrap=True)


@study_app.command("import")
def import_table(
    home: Home,
    table: Annotated[Path, typer.Argument(help="CSV of clinical records, as the pages offer it empty.", exists=True)],
    login: Annotated[str, typer.Option("--as", help="Login of the person who enters them.")],
    dry_run: Annotated[bool, typer.Option(help="Only say what would be written.")] = False,
) -> None:
    """Enter a table of clinical records of a person's centre; all of it, or nothing if anything is wrong."""
    from cohortex.study import Study
    from cohortex.study.people import asker_named
    from cohortex.study.processing.following import record_changed
    from cohortex.study.record_tables import import_records

    study = Study.open(home)
    with study.session(asker_named(study, login), writes=True) as session, session.begin():
        found = import_records(study, session, table.read_bytes(), dry_run=dry_run)
        if found.written:
            record_changed(session)
    for problem in found.problems:
        words = problem.to_json("en")
        where = ", ".join(str(words[part]) for part in ("row", "column") if words.get(part))
        said = f"{f'row {where}: ' if where else ''}{words['message']} {words['remedy']}"
        errors.print(f"[bold red]✗[/] {escape(said)}", soft_wrap=True)
    if found.problems:
        errors.print("nothing was written")
        raise typer.Exit(1)
    said = "would be written" if dry_run else "written"
    console.print(f"[bold green]✓[/] {found.rows} rows read, {found.changes} values {said}")


@study_app.command()
def export(
    home: Home,
    folder: Annotated[Path, typer.Argument(help="New folder for the tables and the template.")],
    centre: Annotated[str | None, typer.Option(help="Only this centre's patients.")] = None,
) -> None:
    """Write the tables of the study as CSV, one row per patient or visit, and the template in force as NIfTI."""
    from cohortex.study import Study
    from cohortex.study.exporting import export_study

    written = export_study(Study.open(home), folder, centre=centre)
    for path in written:
        console.print(f"[bold green]✓[/] {path}", soft_wrap=True)


@study_app.command(hidden=True)
def worker(
    home: Home,
    name: Annotated[str | None, typer.Option(help="Of this worker.")] = None,
    parent: Annotated[int | None, typer.Option(help="Process to work for.")] = None,
) -> None:
    """Work for the process that started this one; ends with it."""
    from cohortex.server.parenthood import end_with

    farewell: list[Callable[[], None]] = []
    if parent is not None:
        end_with(parent, farewell=farewell)  # while the rest is still being loaded, which takes seconds
    from cohortex.server.working import run_worker

    run_worker(home, name=name, farewell=farewell if parent is not None else None)
