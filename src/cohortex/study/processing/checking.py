"""The check of an upload: opened, parsed in a child process, de-identified, judged, and kept or held."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cohortex.progress import Progress, ProgressCallback
from cohortex.study.check import CheckProblem, EnteredFacts, SeriesVerdict, UploadCheck, check_upload
from cohortex.study.database import THE_STUDY, StudySession
from cohortex.study.database.tables import Centre, Instance, Job, Series, TraceAction, Upload, Visit
from cohortex.study.home import Study
from cohortex.study.identity.reassign import rewrite_instance
from cohortex.study.jobs.worker import Finish, LeaseLost
from cohortex.study.objects import Receipt
from cohortex.study.patients import note, number_of, pseudonyms, shift_of
from cohortex.study.processing.files import note_objects
from cohortex.study.processing.following import images_changed
from cohortex.study.processing.questions import Question, question_about, words_for
from cohortex.study.uploads import remember_patient

_BECAME: dict[str, TraceAction] = {
    "committed": "upload committed",
    "held": "upload held",
    "refused": "upload not taken",
}


@dataclass(frozen=True, kw_only=True)
class _About:
    """What is known of an upload before it is opened."""

    centre: str
    visit_id: str
    patient_id: str
    patient_code: str
    ending: str
    released: bool
    entered: EnteredFacts
    known_instances: frozenset[str]


def check(study: Study, job: Job, progress: ProgressCallback) -> Finish:
    """Check an upload, or write one anew under the patient it was moved to."""
    if rewrite := job.arguments.get("rewrite"):
        return _rewritten(study, job, list(rewrite), progress)
    about = _begin(study, job)
    if about is None:
        return _nothing
    folder = study.work_folder(job.id)
    with _emptied(folder):
        sent, clean = folder / f"upload{about.ending}", folder / "clean"
        (folder / "scratch").mkdir()
        study.intake.unseal(_upload(job), sent)
        keys = pseudonyms(study)
        found = check_upload(
            sent,
            output=clean,
            pseudonyms=keys,
            centre=about.centre,
            patient_code=about.patient_code,
            day_shift=keys.day_shift(about.patient_id),
            entered=about.entered,
            known_instances=about.known_instances,
            scratch=folder / "scratch",
            progress=progress,
        )
        sent.unlink()
        with study.session(THE_STUDY) as session:
            question = question_about(session, session.get_one(Upload, _upload(job)), found)
        taken = _taken(found, about, question)
        receipts = {
            instance.file: study.objects.put_file(clean / instance.file)
            for verdict in taken
            for instance in verdict.instances
        }

    def finish(session: StudySession) -> Any:
        upload = _unchanged(session, job, about)
        if question_about(session, upload, found) != question:
            raise LeaseLost  # another upload told meanwhile whose scans these are: judged again when the lease is over
        upload.patient_hash = found.patient_hashes[0] if len(found.patient_hashes) == 1 else None
        upload.verdicts = _shown(found, before=upload.verdicts if about.released else None)
        _keep(session, upload, taken, receipts)
        _conclude(session, upload, found, question, taken)
        if upload.state == "held":
            return None
        return lambda: study.intake.wipe(upload.id)

    return finish


def _begin(study: Study, job: Job) -> _About | None:
    """Mark an upload as being checked, unless it was withdrawn meanwhile."""
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        upload = session.get_one(Upload, _upload(job))
        if upload.state not in ("received", "checking"):
            return None
        upload.state = "checking"
        visit = upload.visit
        patient = visit.patient
        known = session.scalars(
            select(Instance.sop_uid)
            .join(Series, Series.id == Instance.series_id)
            .where(Instance.centre_id == upload.centre_id, Series.withdrawn_at.is_(None))
        )
        return _About(
            centre=session.get_one(Centre, upload.centre_id).code,
            visit_id=visit.id,
            patient_id=patient.id,
            patient_code=patient.code,
            ending=upload.ending,
            released=upload.released,
            entered=_entered(visit, shift_of(study, patient.id)),
            known_instances=frozenset(known),
        )


def _entered(visit: Visit, shift: timedelta) -> EnteredFacts:
    """What was entered of a visit and its patient, as it truly is: what is stored is shifted."""
    born = visit.patient.birth_date
    return EnteredFacts(
        day=visit.date - shift, sex=visit.patient.sex, birth_date=None if born is None else born - shift
    )


def _taken(found: UploadCheck, about: _About, question: Question | None) -> list[SeriesVerdict]:
    """The series to keep now: none while it is open whose they are."""
    if question is not None and question.kind != "burned-in":
        return []
    wanted = {"accepted", "held"} if about.released else {"accepted"}
    return [verdict for verdict in found.series if verdict.verdict in wanted and verdict.instances]


def _keep(session: StudySession, upload: Upload, taken: list[SeriesVerdict], receipts: dict[str, Receipt]) -> None:
    note_objects(session, {receipt.sha256: receipt.size for receipt in receipts.values()})
    for verdict in taken:
        series = Series(
            upload_id=upload.id,
            visit_id=upload.visit_id,
            centre_id=upload.centre_id,
            uploader_id=upload.uploader_id,
            series_uid=verdict.series_uid,
            modality=verdict.modality,
            contrast=verdict.contrast,
            description=verdict.description,
            shape=list(verdict.shape),
            spacing_mm=list(verdict.spacing_mm),
        )
        series.instances = [
            Instance(
                centre_id=upload.centre_id, uploader_id=upload.uploader_id, sop_uid=instance.uid,
                sha256=receipts[instance.file].sha256, size=receipts[instance.file].size,
            )
            for instance in verdict.instances
        ]  # fmt: skip
        session.add(series)
    session.flush()


def _conclude(
    session: StudySession,
    upload: Upload,
    found: UploadCheck,
    question: Question | None,
    taken: list[SeriesVerdict],
) -> None:
    """Say what became of an upload, and start what follows."""
    patient = upload.visit.patient
    upload.question, upload.suspected_patient_id, upload.reason, upload.remedy = None, None, "", ""
    if question is not None:
        upload.state = "held"
        upload.question, upload.suspected_patient_id = question.kind, question.suspected
        upload.reason, upload.remedy = words_for(session, upload, question, found)
    elif taken:
        upload.state = "committed"
    elif any(verdict.verdict == "duplicate" for verdict in found.series):
        upload.state = "refused"
        upload.reason, upload.remedy = _stored_already(session, upload, found)
    else:
        upload.state = "refused"
        why: list[CheckProblem | SeriesVerdict] = [*found.problems, *found.series]
        upload.reason = why[0].reason if why else "there is no image series in it."
        upload.remedy = why[0].remedy if why else "Send the archive that holds the DICOM files of the scan."
    note(session, patient, _BECAME[upload.state], upload.reason or f"{len(taken)} series", by=upload.uploader_id)
    session.flush()
    if taken:
        remember_patient(session, patient)
    if taken:
        images_changed(session, upload.visit, cause="upload")


def _stored_already(session: StudySession, upload: Upload, found: UploadCheck) -> tuple[str, str]:
    """Reason and remedy where everything came before, for this visit or for another."""
    places = session.scalars(
        select(Visit)
        .join(Series, Series.visit_id == Visit.id)
        .where(
            Series.series_uid.in_([verdict.series_uid for verdict in found.series]),
            Series.centre_id == upload.centre_id,
            Series.withdrawn_at.is_(None),
        )
        .order_by(Visit.date)
    ).unique()
    elsewhere = [f"{visit.patient.code}, visit {number_of(visit)}" for visit in places if visit.id != upload.visit_id]
    if not elsewhere:
        return "everything in it is stored already.", "Nothing needs to be done."
    return (
        f"everything in it is stored already, for {' and '.join(elsewhere)}.",
        "If it belongs here, move that upload to this visit.",
    )


def _shown(found: UploadCheck, *, before: list[Any] | None) -> list[Any]:
    """What the page says of each series; where a person has let in what was held, that and what was kept before it."""
    verdicts = [
        {
            "series_uid": verdict.series_uid,
            "modality": verdict.modality,
            "contrast": verdict.contrast,
            "description": verdict.description,
            "instances": verdict.instance_count,
            "shape": list(verdict.shape),
            "spacing_mm": list(verdict.spacing_mm),
            "verdict": verdict.verdict,
            "reason": verdict.reason,
            "remedy": verdict.remedy,
        }
        for verdict in found.series
    ]
    if before is None:
        return verdicts
    kept = {entry["series_uid"]: entry for entry in before if entry["verdict"] == "accepted"}
    let_in = {"verdict": "accepted", "reason": "a person looked at it and let it in.", "remedy": ""}
    return [
        kept.get(entry["series_uid"], entry)
        if entry["verdict"] == "duplicate"
        else entry | let_in
        if entry["verdict"] == "held"
        else entry
        for entry in verdicts
    ]


def _rewritten(study: Study, job: Job, series_ids: list[int], progress: ProgressCallback) -> Finish:
    """Write the instances of a moved upload anew under the code and the dates of the patient it belongs to."""
    keys = pseudonyms(study)
    folder = study.work_folder(job.id)
    with _emptied(folder), study.session(THE_STUDY) as session:
        upload = session.get_one(Upload, _upload(job))
        if upload.state != "checking":
            return _nothing
        target = upload.visit.patient
        old = list(session.scalars(select(Series).where(Series.id.in_(series_ids)).order_by(Series.id)))
        source = session.get_one(Visit, old[0].visit_id).patient
        shift = keys.day_shift(target.id) - keys.day_shift(source.id)
        written: dict[int, list[tuple[str, Receipt]]] = {}
        for done, row in enumerate(old):
            progress(Progress(task="writing under the right patient", done=done, total=len(old)))
            written[row.id] = []
            for number, instance in enumerate(row.instances):
                path: Path = folder / f"{row.id}-{number}.dcm"
                with study.objects.reading(instance.sha256) as stream:
                    rewrite_instance(stream, path, patient_code=target.code, further_days=shift)
                written[row.id].append((instance.sop_uid, study.objects.put_file(path)))
                path.unlink()

    def finish(session: StudySession) -> None:
        upload = session.get_one(Upload, _upload(job))
        note_objects(session, {r.sha256: r.size for pairs in written.values() for _, r in pairs})
        for row in session.scalars(select(Series).where(Series.id.in_(series_ids))):
            fresh = Series(
                upload_id=upload.id, visit_id=upload.visit_id, centre_id=upload.centre_id,
                uploader_id=upload.uploader_id, series_uid=row.series_uid, modality=row.modality,
                contrast=row.contrast, description=row.description, shape=row.shape, spacing_mm=row.spacing_mm,
            )  # fmt: skip
            fresh.instances = [
                Instance(
                    centre_id=upload.centre_id, uploader_id=upload.uploader_id, sop_uid=sop_uid, sha256=r.sha256,
                    size=r.size,
                )
                for sop_uid, r in written[row.id]
            ]  # fmt: skip
            session.add(fresh)
        upload.state = "committed"
        session.flush()
        remember_patient(session, upload.visit.patient)
        images_changed(session, upload.visit, cause="move")

    return finish


@contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unchanged(session: StudySession, job: Job, about: _About) -> Upload:
    upload = session.get_one(Upload, _upload(job))
    if upload.state != "checking" or upload.visit_id != about.visit_id:
        raise LeaseLost
    return upload


def _upload(job: Job) -> str:
    if job.upload_id is None:
        raise ValueError(f"job {job.id} names no upload.")
    return job.upload_id


def _nothing(_: StudySession) -> None:
    """Nothing was left to do."""
