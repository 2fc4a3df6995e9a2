"""Where a study lives: its folder, and the addresses that carry it from a laptop to a hospital network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cohortex.errors import StudyProblem

DATABASE_URL = "COHORTEX_DATABASE_URL"
STORAGE_URL = "COHORTEX_STORAGE_URL"
KEY_FILE = "COHORTEX_KEY_FILE"
EXECUTOR_URL = "COHORTEX_EXECUTOR_URL"


@dataclass(frozen=True, kw_only=True)
class StudySettings:
    """Addresses of everything a study is made of.

    Attributes
    ----------
    home : Path
        The folder of the study.
    database_url : str
        SQLAlchemy URL; a SQLite file in the folder by default.
    objects : Path
        Folder of the de-identified objects and of the files of results, named by their SHA-256.
    results : Path
        Folder of the pipeline's results, so that nothing is computed twice.
    intake : Path
        Folder of what was uploaded and not yet judged, encrypted; outside objects, database and backup.
    work : Path
        Folder for what is being worked on; emptied at every start.
    key_file : Path
        The secret from which all keys come; never in the database, and to be kept out of the same backup.
    """

    home: Path
    database_url: str
    objects: Path
    results: Path
    intake: Path
    work: Path
    key_file: Path

    @classmethod
    def of(cls, home: Path, *, environment: Mapping[str, str] | None = None) -> StudySettings:
        """Settle the addresses of the study in a folder.

        Parameters
        ----------
        home : Path
            The folder.
        environment : mapping of str to str, optional
            Where `COHORTEX_DATABASE_URL`, `COHORTEX_STORAGE_URL` and `COHORTEX_KEY_FILE` may say otherwise; the
            process's environment when omitted.

        Returns
        -------
        StudySettings
            The addresses.

        Raises
        ------
        StudyProblem
            If a storage or an executor is asked for that this version cannot reach.
        """
        said = os.environ if environment is None else environment
        home = Path(home).resolve()
        storage = said.get(STORAGE_URL, "")
        if "://" in storage and not storage.startswith("file://"):
            raise StudyProblem(
                f"{STORAGE_URL} names a {storage.partition('://')[0]} store; this version keeps objects in a folder. "
                f"Give a folder, or unset {STORAGE_URL}."
            )
        if said.get(EXECUTOR_URL):
            raise StudyProblem(
                f"{EXECUTOR_URL} is set; this version works in processes of this machine only. Unset {EXECUTOR_URL}."
            )
        return cls(
            home=home,
            database_url=said.get(DATABASE_URL) or f"sqlite:///{home / 'study.db'}",
            objects=Path(storage.removeprefix("file://")) if storage else home / "objects",
            results=home / "results",
            intake=home / "intake",
            work=home / "work",
            key_file=Path(said.get(KEY_FILE) or home / "keys" / "study.key"),
        )
