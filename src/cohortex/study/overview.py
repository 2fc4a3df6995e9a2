"""The study in counts: centres, what they sent, the template in force, how the work stands; no patient."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select

from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Centre, Job, Patient, Series, TemplateVersion, Visit
from cohortex.study.home import Study
from cohortex.study.jobs.queue import STILL_FAILED

_STATES = ("queued", "running", "done", "failed")


@dataclass(frozen=True, kw_only=True)
class CentreCounts:
    """What one centre has given."""

    code: str
    name: str
    patients: int
    visits: int
    series: int


@dataclass(frozen=True, kw_only=True)
class TemplateInForce:
    """The latest release."""

    version: int
    n_patients: int
    n_centres: int


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A study in counts.

    Attributes
    ----------
    name : str
        Of the study.
    centres : tuple of CentreCounts
        By code.
    template : TemplateInForce or None
        None before the first release.
    jobs : dict of str to int
        State -> how many; failed ones as in `failures`.
    failures : tuple of str
        What failed and was not tried again, with reason and remedy.
    """

    name: str
    centres: tuple[CentreCounts, ...]
    template: TemplateInForce | None
    jobs: dict[str, int]
    failures: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return asdict(self)


def overview(study: Study) -> Overview:
    """Count a study, for whoever runs the machine."""
    with study.session(THE_STUDY) as session:

        def counted(table: type[Patient] | type[Visit] | type[Series]) -> dict[int, int]:
            query = select(table.centre_id, func.count()).group_by(table.centre_id)
            if table is Series:
                query = query.where(Series.withdrawn_at.is_(None))
            return dict(session.execute(query).all())

        patients, visits, series = counted(Patient), counted(Visit), counted(Series)
        states: dict[str, int] = dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())
        latest = session.scalar(select(TemplateVersion).order_by(TemplateVersion.number.desc()).limit(1))
        failed = list(session.scalars(select(Job).where(STILL_FAILED).order_by(Job.finished_at)))
        return Overview(
            name=study.info.name,
            centres=tuple(
                CentreCounts(
                    code=centre.code,
                    name=centre.name,
                    patients=patients.get(centre.id, 0),
                    visits=visits.get(centre.id, 0),
                    series=series.get(centre.id, 0),
                )
                for centre in session.scalars(select(Centre).order_by(Centre.code))
            ),
            template=None
            if latest is None
            else TemplateInForce(version=latest.number, n_patients=latest.n_patients, n_centres=latest.n_centres),
            jobs={state: states.get(state, 0) for state in _STATES} | {"failed": len(failed)},
            failures=tuple(f"{job.kind}: {job.reason} {job.remedy}".strip() for job in failed),
        )
