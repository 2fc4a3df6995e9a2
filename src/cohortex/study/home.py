"""A study as a whole: its folder opened, with database, keys, objects, results and intake in it."""

from __future__ import annotations

import shutil
from functools import cached_property
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine, select

from cohortex.errors import StudyProblem, TargetExists
from cohortex.study.database import THE_STUDY, Asker, StudySession, TheStudyItself, connect, migrate
from cohortex.study.database.tables import StudyInfo
from cohortex.study.intake import Intake
from cohortex.study.keys import StudyKeys
from cohortex.study.objects import ObjectStore
from cohortex.study.settings import StudySettings

LEAST_RULE = 2  # patients in a release: one alone could be computed from the difference


class Study:
    """An opened study.

    Parameters
    ----------
    settings : StudySettings
        Where everything lies.
    engine : Engine
        Its database, in the form this version expects.
    keys : StudyKeys
        Its secret.
    """

    def __init__(self, settings: StudySettings, engine: Engine, keys: StudyKeys) -> None:
        self.settings = settings
        self.engine = engine
        self.keys = keys
        self.objects = ObjectStore(settings.objects)
        self.intake = Intake(settings.intake, key=keys.for_purpose("intake"), content_key=keys.for_purpose("contents"))

    @classmethod
    def create(
        cls,
        home: Path,
        *,
        name: str,
        rule_patients: int = 5,
        rule_centres: int = 2,
        template_contrast: Literal["T1", "T1c", "T2", "FLAIR"] = "FLAIR",
    ) -> Study:
        """Make a new study in a folder.

        Parameters
        ----------
        home : Path
            The folder; made where it is missing, else empty.
        name : str
            What the study is called on every page.
        rule_patients, rule_centres : int
            New patients, and centres they come from, that release a new version of the template.
        template_contrast : {"T1", "T1c", "T2", "FLAIR"}
            What the template is made of: visits whose lesions were outlined on another contrast take no part in it.

        Returns
        -------
        Study
            With no centre and nobody in it.

        Raises
        ------
        TargetExists
            If the folder holds anything.
        ValueError
            If the name is empty or the rule would release a template after one patient.
        """
        if not name.strip():
            raise ValueError("the study has no name; give the one that should stand on its pages.")
        if rule_patients < LEAST_RULE or rule_centres < 1:
            raise ValueError(
                f"a template from {rule_patients} new patients of {rule_centres} centres was asked for; it takes at "
                f"least {LEAST_RULE} patients, for the image of a single one could be computed from the difference."
            )
        settings = StudySettings.of(home)
        if settings.home.exists() and any(settings.home.iterdir()):
            raise TargetExists(f"{settings.home.name}: the folder is not empty. Give a new one for the study.")
        settings.home.mkdir(parents=True, exist_ok=True)
        keys = StudyKeys.make(settings.key_file)
        engine = connect(settings.database_url)
        migrate(engine)
        study = cls(settings, engine, keys)
        with study.session(THE_STUDY, writes=True) as session, session.begin():
            session.add(
                StudyInfo(
                    id=1,
                    name=name.strip(),
                    rule_patients=rule_patients,
                    rule_centres=rule_centres,
                    template_contrast=template_contrast,
                )
            )
        return study

    @classmethod
    def open(cls, home: Path) -> Study:
        """Open the study in a folder; its database is brought to the form of this version.

        Raises
        ------
        StudyProblem
            If there is none, its key is missing, or a newer version wrote it.
        """
        settings = StudySettings.of(home)
        if not settings.home.is_dir():
            raise StudyProblem(
                f"{Path(home).name}: there is no study in this folder. Make one with: "
                f"cohortex study init {Path(home).name}"
            )
        keys = StudyKeys.load(settings.key_file)
        engine = connect(settings.database_url)
        migrate(engine)
        study = cls(settings, engine, keys)
        with study.session(THE_STUDY) as session:
            if session.scalar(select(StudyInfo)) is None:
                raise StudyProblem(f"{Path(home).name}: its database holds no study. Make one: cohortex study init")
        return study

    @cached_property
    def info(self) -> StudyInfo:
        """Name and rules of the study."""
        with self.session(THE_STUDY) as session:
            return session.scalars(select(StudyInfo)).one()

    def session(self, asker: Asker | TheStudyItself, *, writes: bool = False) -> StudySession:
        """Begin a session with the database on behalf of somebody."""
        return StudySession(self.engine, asker, writes=writes)

    def work_folder(self, name: str) -> Path:
        """Give an empty folder for one piece of work, readable by nobody else."""
        folder = self.settings.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        return folder

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()
