"""Processing a visit: its series through the pipeline, what came out kept, its brain brought to the template."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cohortex.io import write_image
from cohortex.pipeline import Runner, process_visit
from cohortex.pipeline.results import VisitResult
from cohortex.pipeline.study_steps import aligned_brain_node
from cohortex.pipeline.visit_plan import look_at_visit, plan_visit
from cohortex.progress import Progress, ProgressCallback
from cohortex.study.database import THE_STUDY, StudySession
from cohortex.study.database.tables import Job, Patient, Result, ResultKind, TraceAction, Visit, now
from cohortex.study.home import Study
from cohortex.study.jobs.worker import Finish, Handler
from cohortex.study.patients import note, number_of
from cohortex.study.processing.files import keep_files, note_objects, receipts_of
from cohortex.study.processing.following import visit_processed
from cohortex.study.processing.sources import lay_out, series_in

_MADE: dict[ResultKind, TraceAction] = {
    "visit": "visit result",
    "comparison": "comparison result",
    "deviation": "deviation result",
}
_SHARE_OF_VISIT = 0.9  # of the work; the rest brings the brain to the template and keeps the files


def visit_handler(write_report: Callable[[VisitResult, Path], Path]) -> Handler:
    """Make the handler of "visit" jobs.

    Parameters
    ----------
    write_report : callable
        `report.write_visit_report`, from the floor above.

    Returns
    -------
    Handler
        For `jobs.work`.
    """

    def process(study: Study, job: Job, progress: ProgressCallback) -> Finish:
        visit_id = needed(job.visit_id, job)
        with study.session(THE_STUDY) as session:
            series = series_in(session, visit_id)
        if not series:
            return _nothing
        folder = study.work_folder(job.id)
        try:
            sources, output = folder / "series", folder / "result"
            sources.mkdir()
            source = lay_out(study, visit_id, sources)
            result = process_visit(
                source, output, store=study.settings.results, workers=0, progress=partly(progress, _SHARE_OF_VISIT)
            )
            write_report(result, output)
            key, why_not = None, _why_not_in_template(study, result)
            if not why_not:
                with Runner(study.settings.results, workers=0, progress=progress) as runner:
                    node = aligned_brain_node(plan_visit(look_at_visit(runner, source)))
                    brain = runner.value(node)
                key = node.source.key
                write_image(brain.image, output / "brain_template.nii.gz")
                write_image(brain.log_jacobian, output / "deformation_template.nii.gz")
            record = json.loads((output / "report.json").read_text(encoding="utf-8"))
            files = keep_files(study, output, visits={"": visit_id})
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        summary = {
            "lesion_count": record["lesion_count"],
            "lesion_volume_ml": record["total_lesion_volume_ml"],
            "brain_volume_ml": record["brain_volume_ml"],
            "quality": record["quality"],
            "aligned_brain": key,
            "not_in_template_because": why_not,
        }

        def finish(session: StudySession) -> None:
            if series_in(session, visit_id) != series:
                return  # what changed them has queued the visit again, or left it without a scan
            visit = session.get_one(Visit, visit_id)
            keep_result(session, kind="visit", visit=visit, record=record, files=files, summary=summary)
            visit_processed(session, visit, cause=job.cause)

        return finish

    return process


def keep_result(
    session: StudySession,
    *,
    kind: ResultKind,
    visit: Visit,
    record: dict[str, Any],
    files: dict[str, Any],
    summary: dict[str, Any],
    earlier: str | None = None,
    template_version: int | None = None,
) -> Result:
    """Keep a result, beside the older ones it takes the place of; the very same one is kept once.

    A patient has one deviation, whichever visit it was measured at.

    Returns
    -------
    Result
        The row that is in force now.
    """
    note_objects(session, receipts_of(files.values()))
    content = [kind, visit.id, earlier, template_version, {name: file["sha256"] for name, file in files.items()}]
    key = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    place = Result.patient_id == visit.patient_id if kind == "deviation" else Result.visit_id == visit.id
    same_place = (Result.kind == kind, place, Result.earlier_visit_id.is_not_distinct_from(earlier))
    result = session.scalar(select(Result).where(*same_place, Result.visit_id == visit.id, Result.key == key))
    if result is None:
        result = Result(
            kind=kind, key=key, patient_id=visit.patient_id, visit_id=visit.id, earlier_visit_id=earlier,
            template_version=template_version, centre_id=visit.centre_id, uploader_id=visit.uploader_id,
            headline=record.get("headline", ""), summary=summary, record=files["report.json"]["sha256"], files=files,
        )  # fmt: skip
        session.add(result)
        session.flush()
        note(session, session.get_one(Patient, visit.patient_id), _MADE[kind], f"visit {number_of(visit)}",
             by=visit.uploader_id)  # fmt: skip
    result.stale_at, result.superseded_by = None, None
    for older in session.scalars(select(Result).where(*same_place, Result.id != result.id)):
        older.stale_at = older.stale_at or now()
        older.superseded_by = result.id
    session.flush()
    return result


def partly(progress: ProgressCallback, share: float) -> ProgressCallback:
    """Let a part of the work tell its progress as that share of the whole."""

    def told(inner: Progress) -> None:
        fraction = inner.done / inner.total if inner.total > 0 else 0.0
        progress(Progress(task=inner.task, done=share * fraction, total=1.0))

    return told


def needed(value: str | None, job: Job) -> str:
    """Give what a job must name."""
    if value is None:
        raise ValueError(f"job {job.id} ({job.kind}) does not say what it is about.")
    return value


def _nothing(_: StudySession) -> None:
    """The visit was left without a scan."""


def _why_not_in_template(study: Study, result: VisitResult) -> str:
    """Why a visit takes no part in the study's template; empty where it does."""
    wanted = study.info.template_contrast
    if not result.alignment.converged:
        return "the alignment with MNI152 failed"
    if result.lesion_contrast != wanted:
        found = result.lesion_contrast
        return f"the study's template is made of {wanted}, and lesions of this visit were outlined on {found}"
    return ""
