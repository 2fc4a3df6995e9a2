"""Releasing a new version of the study's own template from the brains of all patients who can be part of it."""

from __future__ import annotations

import json
import shutil
from typing import Any

from sqlalchemy import select

from cohortex.io import write_image
from cohortex.pipeline import ResultStore, Runner, stored_node
from cohortex.pipeline.study_steps import template_node
from cohortex.progress import ProgressCallback
from cohortex.study.database import THE_STUDY, StudySession
from cohortex.study.database.tables import Job, Result, TemplateMember, TemplateVersion
from cohortex.study.home import Study
from cohortex.study.jobs.queue import STUDY, enqueue
from cohortex.study.jobs.worker import Finish
from cohortex.study.processing.files import keep_files, note_objects, receipts_of
from cohortex.study.processing.following import (
    current_version,
    member_visits,
    release_is_due,
    template_not_released,
    template_released,
)
from cohortex.study.processing.release_rule import why_no_release


def release(study: Study, job: Job, progress: ProgressCallback) -> Finish:
    """Average the aligned brains of all patients and release the average as the next version."""
    reason = str(job.arguments.get("reason", "rule"))
    with study.session(THE_STUDY) as session:
        members = member_visits(session)
        if not (members and (release_is_due(session) if reason == "rule" else why_no_release(session) is None)):
            return template_not_released
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
        if brain_keys(session) != keys:  # somebody was withdrawn or came while the brains were averaged
            enqueue(session, "template", about=STUDY, cause=job.cause, arguments=job.arguments)
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


def averaged_brains(study: Study, session: StudySession, version: TemplateVersion) -> dict[str, str]:
    """Give the pipeline's key of each patient's brain that is in a template, also of who was withdrawn since."""
    inputs = json.dumps(ResultStore(study.settings.results).provenance(version.key)["arguments"])
    rows = session.execute(
        select(TemplateMember.patient_id, Result.summary)
        .join(Result, Result.visit_id == TemplateMember.visit_id)
        .where(TemplateMember.version == version.number, Result.kind == "visit")
    )
    brains = ((patient, summary.get("aligned_brain")) for patient, summary in rows)
    return {patient: key for patient, key in brains if key and key in inputs}
