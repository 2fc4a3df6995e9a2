"""Rows of the database in the shapes of the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from cohortex.errors import NotThere
from cohortex.server.api.result_shapes import FileShape
from cohortex.server.api.shapes import (
    PersonShape,
    RecordCount,
    ResultBrief,
    SeriesShape,
    UploadShape,
    VerdictShape,
    VisitShape,
)
from cohortex.server.catalogue import Language, reason_in_words
from cohortex.study import Study
from cohortex.study.database import Asker, StudySession
from cohortex.study.database.tables import Instance, Patient, Result, Series, Upload, Visit
from cohortex.study.patients import age_at, number_of
from cohortex.study.record_entries import completeness
from cohortex.study.standing import Standing, standings

_LISTED = ("image", "labels", "map", "transform", "report")
_PRIVATE = ("aligned_brain",)  # keys of the machinery in summaries; no business of a page


def visits_shown(
    study: Study, session: StudySession, visits: Sequence[Visit], *, stands: Mapping[str, Standing]
) -> list[VisitShape]:
    """Show visits of one patient with their uploads, series and results, and how each stands."""
    if not visits:
        return []
    patient = visits[0].patient
    first = min(visit.date for visit in patient.visits)
    ids = [visit.id for visit in visits]
    results = session.scalars(
        select(Result).where(Result.visit_id.in_(ids), Result.kind == "visit").order_by(Result.made_at.desc())
    ).all()
    uploads = session.scalars(select(Upload).where(Upload.visit_id.in_(ids)).order_by(Upload.created_at.desc())).all()
    shown = {upload.id: upload for upload in uploads_shown(study, session, uploads)}
    series = _series_shown(session, ids)
    return [
        VisitShape(
            id=visit.id,
            patient=patient.code,
            number=number_of(visit),
            kind=visit.kind,
            date=visit.date,
            day=(visit.date - first).days,
            age=age_at(patient, visit.date),
            uploader=PersonShape(name=visit.uploader.name),
            record=RecordCount(**dict(zip(("complete", "of"), completeness(visit), strict=True))),
            series=series.get(visit.id, []),
            uploads=[shown[upload.id] for upload in uploads if upload.visit_id == visit.id],
            results=[result_brief(result) for result in results if result.visit_id == visit.id],
            status=stands[visit.id],
        )
        for visit in visits
    ]


def visit_shown(study: Study, session: StudySession, visit: Visit) -> VisitShape:
    """Show one visit."""
    stands = standings(session, patient=visit.patient_id).visits
    return visits_shown(study, session, [visit], stands=stands)[0]


def uploads_shown(study: Study, session: StudySession, uploads: Iterable[Upload]) -> list[UploadShape]:
    """Show uploads with the verdict on each series, and why, in the asker's language."""
    uploads, language = list(uploads), language_of(session)
    kept: dict[tuple[str, str], int] = {}
    rows = session.execute(
        select(Series.upload_id, Series.series_uid, Series.id)
        .where(Series.upload_id.in_([upload.id for upload in uploads]), Series.withdrawn_at.is_(None))
        .order_by(Series.id)
    )
    for upload_id, series_uid, key in rows:
        kept[upload_id, series_uid] = key
    suspects = {upload.suspected_patient_id for upload in uploads if upload.suspected_patient_id}
    codes = dict(session.execute(select(Patient.id, Patient.code).where(Patient.id.in_(suspects))).all())
    return [
        UploadShape(
            id=upload.id,
            visit=upload.visit_id,
            patient=upload.visit.patient.code,
            uploader=PersonShape(name=upload.uploader.name),
            size=upload.size,
            offset=offset_of(study, upload),
            state=upload.state,
            created_at=upload.created_at,
            received_at=upload.received_at,
            receipt=upload.receipt,
            reason=reason_in_words(upload.reason, language),
            remedy=reason_in_words(upload.remedy, language),
            question=upload.question,
            suspected_patient=codes.get(upload.suspected_patient_id or ""),
            verdicts=[
                _verdict(verdict, kept.get((upload.id, verdict["series_uid"])), language) for verdict in upload.verdicts
            ],
        )
        for upload in uploads
    ]


def language_of(session: StudySession) -> Language:
    """Tell the language of whoever asks."""
    return "it" if isinstance(session.asker, Asker) and session.asker.language == "it" else "en"


def offset_of(study: Study, upload: Upload) -> int:
    """Tell how many bytes of an upload are durable."""
    if upload.state != "receiving":
        return upload.size if upload.received_at else 0
    try:
        return study.intake.received(upload.id)
    except NotThere:  # it was decided on and wiped since the row was read
        return 0


def result_brief(result: Result) -> ResultBrief:
    """Show a result in a line."""
    earlier = [result.earlier_visit_id] if result.earlier_visit_id else []
    return ResultBrief(
        id=result.id,
        kind=result.kind,
        visit=result.visit_id,
        visits=[*earlier, result.visit_id],
        template_version=result.template_version,
        made_at=result.made_at,
        current=result.stale_at is None,
        superseded_by=result.superseded_by,
        headline=result.headline,
        summary={key: value for key, value in result.summary.items() if key not in _PRIVATE},
    )


def files_shown(files: Mapping[str, Mapping[str, Any]], *, base: str) -> list[FileShape]:
    """Show files with the addresses of their bytes; records and sidecars are fetched by name, not listed."""
    return [
        FileShape(
            name=name,
            title=file["title"],
            kind=file["kind"],
            space=file["space"],
            visit=file["visit"],
            size=file["size"],
            url=f"{base}/{quote(name)}",
            preview_url=f"{base}/{quote(name)}?preview=true" if file["preview"] else None,
            unit=file["unit"],
            range=file["range"],
        )
        for name, file in files.items()
        if file["kind"] in _LISTED
    ]


def _series_shown(session: StudySession, visits: Sequence[str]) -> dict[str, list[SeriesShape]]:
    counts = select(Instance.series_id, func.count().label("n")).group_by(Instance.series_id).subquery()
    rows = session.execute(
        select(Series, counts.c.n)
        .join(counts, counts.c.series_id == Series.id, isouter=True)
        .where(Series.visit_id.in_(visits), Series.withdrawn_at.is_(None))
        .order_by(Series.id)
        .options(selectinload(Series.visit))
    )
    shown: dict[str, list[SeriesShape]] = {}
    for series, count in rows:
        shown.setdefault(series.visit_id, []).append(
            SeriesShape(
                id=series.id,
                upload=series.upload_id,
                modality=series.modality,
                contrast=series.contrast,
                description=series.description,
                instances=count or 0,
                shape=series.shape,
                spacing_mm=series.spacing_mm,
            )
        )
    return shown


def _verdict(verdict: Mapping[str, Any], series: int | None, language: Language) -> VerdictShape:
    fields = {key: value for key, value in verdict.items() if key != "series_uid"}
    fields |= {key: reason_in_words(fields[key], language) for key in ("reason", "remedy")}
    return VerdictShape(series=series, **fields)
