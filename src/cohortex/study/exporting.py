"""The study as files for R, Octave and spreadsheets: tables as CSV, and the template in force."""

from __future__ import annotations

import csv
from pathlib import Path

from sqlalchemy import select, text

from cohortex.errors import Refused, TargetExists
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Centre, TemplateVersion
from cohortex.study.database.views import VIEWS, refresh_views
from cohortex.study.home import Study


def export_study(study: Study, folder: Path, *, centre: str | None = None) -> tuple[Path, ...]:
    """Write the tables of a study, and its template, into a folder.

    Parameters
    ----------
    study : Study
        Which.
    folder : Path
        New or empty.
    centre : str, optional
        Code of the only centre to export; all when omitted, for whoever runs the study.

    Returns
    -------
    tuple of Path
        `at_patients.csv`, `ht_patients_primary.csv`, `ht_patients_followup.csv`, `at_visits.csv` (one row per visit,
        record and image measures joined), and the files of the template in force. Dates are shifted by each patient's
        secret days; days since the first examination and ages are true.

    Raises
    ------
    TargetExists
        If the folder holds anything.
    Refused
        If there is no such centre.
    """
    if folder.exists() and any(folder.iterdir()):
        raise TargetExists(f"{folder.name}: the folder is not empty. Give a new one for the export.")
    with study.session(THE_STUDY) as session:
        codes = set(session.scalars(select(Centre.code)))
        template = session.scalar(select(TemplateVersion).order_by(TemplateVersion.number.desc()).limit(1))
    if centre is not None and centre not in codes:
        raise Refused(f"there is no centre {centre}.", remedy=f"Give one of: {', '.join(sorted(codes)) or 'none yet'}.")
    folder.mkdir(parents=True, exist_ok=True)
    refresh_views(study.engine)
    written = [_write_view(study, name, folder / f"{name}.csv", centre=centre) for name in VIEWS]
    if template is not None:
        for name, file in template.files.items():
            target = folder / f"template-{template.number}" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(study.objects.read(file["sha256"]))
            written.append(target)
    return tuple(written)


def _write_view(study: Study, name: str, target: Path, *, centre: str | None) -> Path:
    """Write one view, whose name is one of ours, as CSV with a header."""
    where = " WHERE centre = :centre" if centre else ""
    with study.engine.connect() as connection, target.open("x", newline="", encoding="utf-8") as stream:
        rows = connection.execute(text(f"SELECT * FROM {name}{where}"), {"centre": centre} if centre else {})
        writer = csv.writer(stream)
        writer.writerow(rows.keys())
        writer.writerows(rows)
    return target
