"""Whether a coordinator may ask for a new version of the template; knows rows only, no image."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select

from cohortex.errors import Refused
from cohortex.study.database import Asker, StudySession
from cohortex.study.database.tables import Job, StudyInfo, TemplateMember, Visit
from cohortex.study.jobs.queue import STUDY, enqueue
from cohortex.study.processing.following import current_version, is_under_way, member_visits


def ask_for_release(session: StudySession, *, by: Asker, why: str) -> Job:
    """Queue a release that the coordinator wishes.

    Parameters
    ----------
    session : StudySession
        Of the study itself, writing: whether it may be depends on patients of all centres.
    by : Asker
        The coordinator.
    why : str
        In a few words; kept with the job.

    Returns
    -------
    Job
        Queued.

    Raises
    ------
    Refused
        If no reason is given, a release is under way, or it would let the image of a single patient be computed from
        the difference.
    """
    if not why.strip():
        raise Refused("no reason was given.", fields={"reason": "Say why in a few words; it stays with the release."})
    if is_under_way(session, "template", STUDY):
        raise Refused("a new version is being made already.", remedy="Wait until it is released.")
    if why_not := why_no_release(session):
        raise Refused(why_not, remedy="Wait for more patients; the rule of the study releases it by itself then.")
    arguments = {"reason": "coordinator", "why": why.strip(), "by": by.uploader_id}
    return enqueue(session, "template", about=STUDY, cause="coordinator", arguments=arguments)


def why_no_release(session: StudySession) -> str | None:
    """Why not even a coordinator may release now: what a centre can subtract must leave two patients, not one."""
    info = session.scalars(select(StudyInfo)).one()
    version = current_version(session)
    before = dict(
        session.execute(
            select(TemplateMember.patient_id, TemplateMember.centre_id).where(TemplateMember.version == version)
        ).all()
    )
    members: dict[str, Visit] = member_visits(session)
    centres = before | {patient: visit.centre_id for patient, visit in members.items()}
    changed = Counter(centres[patient] for patient in before.keys() ^ members.keys())
    if len(members) < info.least_patients:
        return f"{len(members)} patients can be part of a template; it takes {info.least_patients}."
    if len({visit.centre_id for visit in members.values()}) < info.least_centres:
        return f"the patients come from too few centres; it takes {info.least_centres}."
    if changed.total() < 2:
        return "fewer than two patients are new since the last version: one could be computed from the difference."
    if any(changed.total() - own == 1 for own in changed.values()):
        return (
            "all but one of the patients who changed since the last version are of one centre, which could compute "
            "that one from the difference."
        )
    return None
