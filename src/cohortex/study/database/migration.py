"""Bringing a database to the form this version expects, step by step, whichever version wrote it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from cohortex.errors import StudyProblem
from cohortex.study.database.engine import writing

SCRIPTS = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Apply the migrations a database lacks; a database without tables gets all.

    Raises
    ------
    StudyProblem
        If a newer version of cohortex wrote it.
    """
    config = _configuration(engine)
    scripts = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if present is not None and present not in known:
        raise StudyProblem(
            f"the study's database is at revision {present}, which this version of cohortex does not know: a newer one "
            "wrote it. Install that version or a later one."
        )
    if present != scripts.get_current_head():
        command.upgrade(config, "head")


def _configuration(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["engine"] = writing(engine)
    return config
