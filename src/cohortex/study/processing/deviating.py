"""How one patient departs from the others of the study, against the template in force."""

from __future__ import annotations

import dataclasses
import json
import shutil
from typing import Any

from cohortex.io import write_image
from cohortex.pipeline import Runner, stored_node
from cohortex.pipeline.study_steps import deviate
from cohortex.progress import ProgressCallback
from cohortex.study.database import THE_STUDY, StudySession
from cohortex.study.database.tables import Job, Patient, TemplateVersion, Visit
from cohortex.study.home import Study
from cohortex.study.jobs.worker import Finish
from cohortex.study.processing.files import keep_files
from cohortex.study.processing.following import current_version, member_visits
from cohortex.study.processing.templating import averaged_brains, brain_keys
from cohortex.study.processing.visiting import keep_result, needed
from cohortex.templates.deviation_from_study import StudyDeviation, StudyGroup, why_no_deviation

_ANOTHER = "the template holds another scan of this patient; the next release takes this one"


def deviation(study: Study, job: Job, progress: ProgressCallback) -> Finish:
    """Hold a patient's brain against the template, by the predictive t; members against the others of it."""
    patient_id = needed(job.patient_id, job)
    with study.session(THE_STUDY) as session:
        number = current_version(session)
        visit, brain_key = member_visits(session).get(patient_id), brain_keys(session).get(patient_id)
        if number is None or visit is None or brain_key is None:
            return _nothing
        visit_id = visit.id
        version = session.get_one(TemplateVersion, number)
        averaged = averaged_brains(study, session, version).get(patient_id)
        member = averaged == brain_key
        code = session.get_one(Patient, patient_id).code
    template, brain = stored_node(version.key), stored_node(brain_key)
    with Runner(study.settings.results, workers=0, progress=progress) as runner:
        found: StudyDeviation | None = None
        why_not = why_no_deviation(runner.value(template), member=member)
        if averaged is not None and not member:  # that one cannot be taken out by this one's values
            why_not = _ANOTHER
        if not why_not:
            found = runner.value(deviate(brain, template, member=member))
    record = _record(found, code=code, version=version, member=member, why_not=why_not)
    folder = study.work_folder(job.id)
    try:
        if found is not None:
            write_image(found.grey.z, folder / "deviation_intensity.nii.gz")
            write_image(found.volume.z, folder / "deviation_volume.nii.gz")
        (folder / "report.json").write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        files = keep_files(study, folder, visits={"": visit_id})
    finally:
        shutil.rmtree(folder, ignore_errors=True)

    def finish(session: StudySession) -> None:
        if current_version(session) != number or brain_keys(session).get(patient_id) != brain_key:
            return  # a release came between, or the visit was withdrawn or is being processed again: queued again
        keep_result(
            session, kind="deviation", visit=session.get_one(Visit, visit_id), record=record, files=files,
            summary={key: record[key] for key in ("groups_intensity", "groups_volume", "n")}, template_version=number,
        )  # fmt: skip

    return finish


def _record(
    found: StudyDeviation | None, *, code: str, version: TemplateVersion, member: bool, why_not: str
) -> dict[str, Any]:
    intensity = [_group(group) for group in found.grey.groups] if found else []
    volume = [_group(group) for group in found.volume.groups] if found else []
    return {
        "schema": "cohortex.deviation/1",
        "study_code": code,
        "template_version": version.number,
        "template_patients": version.n_patients,
        "member": member,
        "n": found.others if found else 0,
        "why_not": why_not,
        "least_z": found.least_z if found else None,
        "fwhm_mm": found.fwhm_mm if found else None,
        "caution": found.caution if found else "",
        "groups_intensity": len(intensity),
        "groups_volume": len(volume),
        "intensity": intensity,
        "volume": volume,
        "headline": why_not
        or f"{_count(len(intensity))} of other brightness and {_count(len(volume))} of other size than in the "
        f"{found.others if found else 0} others of the study.",
    }


def _count(groups: int) -> str:
    return {0: "No region", 1: "One region"}.get(groups, f"{groups} regions")


def _group(group: StudyGroup) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in dataclasses.asdict(group).items()}


def _nothing(_: StudySession) -> None:
    """There is no template yet, or the visit was withdrawn meanwhile."""
