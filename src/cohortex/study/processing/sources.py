"""The stored series of a visit laid out as files for the pipeline, under names that tell only what they are."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from cohortex.pipeline import VisitSource
from cohortex.study.database import THE_STUDY, StudySession
from cohortex.study.database.tables import Series, Visit
from cohortex.study.home import Study
from cohortex.study.patients import number_of


def series_in(session: StudySession, *visits: str) -> frozenset[tuple[str, int]]:
    """Tell which series visits hold now: a result of others than these is not kept, for they changed meanwhile.

    Returns
    -------
    frozenset of (str, int)
        Visit and key of each series; empty where any of the visits holds none.
    """
    rows = session.execute(
        select(Series.visit_id, Series.id).where(Series.visit_id.in_(visits), Series.withdrawn_at.is_(None))
    )
    found = frozenset((visit, key) for visit, key in rows)
    return found if {visit for visit, _ in found} == set(visits) else frozenset()


def lay_out(study: Study, visit_id: str, folder: Path) -> VisitSource:
    """Lay the stored instances of a visit out, one folder for each series.

    Parameters
    ----------
    study : Study
        Where.
    visit_id : str
        Which visit.
    folder : Path
        Empty folder.

    Returns
    -------
    VisitSource
        Named by study code and number of the visit. The names of folders and files follow from the content alone, so
        the pipeline knows again what it has computed.
    """
    with study.session(THE_STUDY) as session:
        visit = session.get_one(Visit, visit_id)
        rows = session.scalars(
            select(Series)
            .where(Series.visit_id == visit_id, Series.withdrawn_at.is_(None))
            .options(selectinload(Series.instances))
            .order_by(Series.series_uid, Series.id)
        )
        paths: dict[str, Path] = {}
        for series in rows:
            name = f"{series.contrast or series.modality}-{series.series_uid[-8:]}"
            paths[name] = folder / name
            paths[name].mkdir(exist_ok=True)
            for instance in series.instances:
                target = paths[name] / f"{instance.sha256[:16]}.dcm"
                if not target.exists():
                    study.objects.copy_to(instance.sha256, target)
        return VisitSource(
            study_code=visit.patient.code,
            visit=f"visit-{number_of(visit)}",
            paths=tuple(paths[name] for name in sorted(paths)),
            reason="the visit chosen when it was uploaded",
            apart=True,
        )
