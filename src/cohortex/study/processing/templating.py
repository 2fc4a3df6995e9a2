"""Releasing a new version of the study's own template from the brains of all patients who can be part of it."""

from __future__ import annotations

import shutil
from typing import Any

from sqlalchemy import select

from cohortex.errors import Refused
from cohortex.io import write_image
from cohortex.pipeline import Runner, stored_node
from cohortex.pipeline.study_steps import template_node
from cohortex.progress import ProgressCallback
from cohortex.study.database import THE_STUDY, StudySession
from cohortex.study.database.tables import Job, Result, StudyInfo, TemplateMember, TemplateVersion, Visit
from cohortex.study.home import Study
from cohortex.study.jobs.queue import STUDY, enqueue
from cohortex.study.jobs.worker import Finish
from cohortex.study.processing.files import keep_files, note_objects, receipts_of
from cohortex.study.processing.following import (
    current_version,
    is_under_way,
    member_visits,
    release_is_due,
    template_released,
)


def release(study: Study, job: Job, progress: ProgressCallback) -> Finish:
    """Average the aligned brains of all patients and release the average as the next version."""
    reason = str(job.arguments.get("reason", "rule"))
    with study.session(THE_STUDY) as session:
        members = member_visits(session)
        if not (members and (release_is_due(session) if reason == "rule" else _may_release(session) is None)):
            return _nothing
        keys = brain_keys(session)
        number = (current_version(session) or 0) + 1
    node = template_node(stored_node(key) for key in keys.values())
    with Runner(study.settings.results, workers=0, progress=progress) as runner:
        template = runner.value(node)
    folder = study.work_folder(job.id)
    try:
        write_image(template.image, folder / "template_mean.nii.gz")
        write_image(template.sd, folder / "template_sd.nii.gz")
        write_image(template.log_jacobian, folder / "template_deformation.nii.gz")
        files = keep_files(study, folder, visits={})
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    def finish(session: StudySession) -> None:
        if session.get(TemplateVersion, number) is not None:
            return
        note_objects(session, receipts_of(files.values()))
        centres = {visit.centre_id for visit in members.values()}
        session.add(
            TemplateVersion(
                number=number, n_patients=len(members), n_centres=len(centres), reason=reason,
                key=node.source.key, files=files,
            )
        )  # fmt: skip
        session.flush()
        for patient_id, visit in members.items():
            session.add(
                TemplateMember(
                    version=number, patient_id=patient_id, visit_id=visit.id, centre_id=visit.centre_id,
                    uploader_id=visit.uploader_id,
                )
            )  # fmt: skip
        session.flush()
        template_released(session)

    return finish


def ask_for_release(session: StudySession) -> Job:
    """Queue a release that the coordinator wishes.

    Parameters
    ----------
    session : StudySession
        Of the study itself, writing: whether it may be depends on patients of all centres.

    Returns
    -------
    Job
        Queued.

    Raises
    ------
    Refused
        If a release is under way, or it would let the image of a single patient be computed from the difference.
    """
    if is_under_way(session, "template", STUDY):
        raise Refused("a new version is being made already.", remedy="Wait until it is released.")
    if why_not := _may_release(session):
        raise Refused(why_not, remedy="Wait for more patients; the rule of the study releases it by itself then.")
    return enqueue(session, "template", about=STUDY, cause="coordinator", arguments={"reason": "coordinator"})


def brain_keys(session: StudySession) -> dict[str, str]:
    """Give the pipeline's key of the aligned brain of each patient who can be part of a template."""
    visits = member_visits(session)
    rows = session.execute(
        select(Result.visit_id, Result.summary).where(
            Result.kind == "visit", Result.stale_at.is_(None), Result.visit_id.in_([v.id for v in visits.values()])
        )
    )
    by_visit: dict[str, Any] = {visit: summary["aligned_brain"] for visit, summary in rows}
    return {patient: by_visit[visit.id] for patient, visit in visits.items()}


def _may_release(session: StudySession) -> str | None:
    """Why not even a coordinator may release now: fewer than two new patients could be told from the difference."""
    info = session.scalars(select(StudyInfo)).one()
    version = current_version(session)
    before = set(session.scalars(select(TemplateMember.patient_id).where(TemplateMember.version == version)))
    members: dict[str, Visit] = member_visits(session)
    changed = before ^ members.keys()
    if len(members) < info.least_patients:
        return f"{len(members)} patients can be part of a template; it takes {info.least_patients}."
    if len({visit.centre_id for visit in members.values()}) < info.least_centres:
        return f"the patients come from too few centres; it takes {info.least_centres}."
    if len(changed) < 2:
        return "fewer than two patients are new since the last version: one could be computed from the difference."
    return None


def _nothing(_: StudySession) -> None:
    """The rule is not met any more, or another release was faster."""
