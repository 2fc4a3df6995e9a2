"""What each centre has given to the study: counts every centre may see."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select

from cohortex.study.database import THE_STUDY, StudySession
from cohortex.study.database.tables import Centre, Patient, Series, TemplateMember, Visit
from cohortex.study.home import Study
from cohortex.study.processing.following import current_version, member_visits
from cohortex.study.record_entries import complete_visits


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """What one centre has given.

    Attributes
    ----------
    code, name : str
        Of the centre.
    patients, visits, series : int
        Entered and in force.
    complete_records : int
        Visits whose every field has a value or a reason why there is none.
    """

    code: str
    name: str
    patients: int
    visits: int
    series: int
    complete_records: int


def contributions(study: Study) -> list[Contribution]:
    """Count what every centre has given, by code.

    Parameters
    ----------
    study : Study
        Where; counted by the study itself, for the counts are open to all and the rows are not.

    Returns
    -------
    list of Contribution
        A centre that has given nothing is in it with zeros.
    """
    with study.session(THE_STUDY) as session:
        counts = {
            row: dict(session.execute(select(row.centre_id, func.count()).group_by(row.centre_id)).all())
            for row in (Patient, Visit)
        }
        series = Counter(session.scalars(select(Series.centre_id).where(Series.withdrawn_at.is_(None))))
        complete = complete_visits(session)
        records = Counter(
            centre for visit, centre in session.execute(select(Visit.id, Visit.centre_id)) if visit in complete
        )
        return [
            Contribution(
                code=centre.code,
                name=centre.name,
                patients=counts[Patient].get(centre.id, 0),
                visits=counts[Visit].get(centre.id, 0),
                series=series[centre.id],
                complete_records=records[centre.id],
            )
            for centre in session.scalars(select(Centre).order_by(Centre.code))
        ]


def new_since_release(session: StudySession) -> int:
    """Count the asker's patients who can be part of the template and are not yet."""
    version = current_version(session)
    members = set(session.scalars(select(TemplateMember.patient_id).where(TemplateMember.version == version)))
    return len(member_visits(session).keys() - members)
