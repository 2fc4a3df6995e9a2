"""Uploads: sent in pieces by tus, and what a person decides on one that is held or belongs elsewhere."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import select

from cohortex.errors import NotThere, Refused
from cohortex.server import tus
from cohortex.server.api.shapes import DecisionSent, MoveSent, ReasonSent, UploadShape, UploadShapes
from cohortex.server.api.showing import offset_of, uploads_shown
from cohortex.server.asking import Database, OwnUpload, SignedIn, TheStudy, afterwards
from cohortex.server.faults import Unanswerable
from cohortex.study import Study
from cohortex.study.database import Asker, StudySession
from cohortex.study.database.tables import Upload
from cohortex.study.patients import visit_of
from cohortex.study.uploads import abandon, begin, complete, decide, move, upload_of, withdraw

router = APIRouter(tags=["uploads"])
_SPEAKS_TUS = [Depends(tus.speaks_tus)]


@router.options("/uploads", status_code=204)
@router.options("/uploads/{upload_id}", status_code=204)
def offer_tus() -> Response:
    """Say which version and parts of tus are spoken."""
    return Response(status_code=204, headers=tus.OFFERED)


@router.post("/uploads", status_code=201, dependencies=_SPEAKS_TUS)
def begin_upload(request: Request, study: TheStudy, session: Database) -> Response:
    """Announce an upload: Upload-Length, and in Upload-Metadata visit_id and filename (only its ending is kept)."""
    size, words = tus.announced_size(request), tus.announced_words(request)
    visit = visit_of(session, words.get("visit_id", ""))
    upload = begin(study, session, visit, size=size, file_name=words.get("filename", ""))
    return Response(status_code=201, headers={**tus.SPOKEN, "Location": f"/api/uploads/{upload.id}"})


@router.head("/uploads/{upload_id}", dependencies=_SPEAKS_TUS)
def tell_offset(upload: OwnUpload, study: TheStudy, asker: SignedIn) -> Response:
    """Tell how many bytes are durable; one whose last byte came before the server died gets its receipt now."""
    if upload.state == "withdrawn" and upload.received_at is None:
        raise Unanswerable(410, "This upload was abandoned.", "Begin it again.", headers=tus.SPOKEN)
    offset = offset_of(study, upload)
    _complete_if_whole(study, asker, upload, offset)
    return Response(
        status_code=200, headers={**tus.SPOKEN, "Upload-Offset": str(offset), "Upload-Length": str(upload.size)}
    )


@router.patch(
    "/uploads/{upload_id}",
    status_code=204,
    dependencies=_SPEAKS_TUS,
    openapi_extra={"requestBody": {"required": True, "content": {tus.PIECE: {"schema": {"type": "string"}}}}},
)
async def add_piece(upload_id: str, request: Request, study: TheStudy, asker: SignedIn) -> Response:
    """Add bytes at Upload-Offset; what arrived is durable before the reply, also where the connection broke off."""
    offset = tus.announced_offset(request)
    one_sender: tus.OneSender = request.app.state.one_sender
    upload = await asyncio.to_thread(_receiving, study, asker, upload_id)
    with one_sender.alone(upload.id):
        size = await tus.append(request, study.intake, upload.id, offset=offset, most=upload.size - offset)
        await asyncio.to_thread(_complete_if_whole, study, asker, upload, size)
    return Response(status_code=204, headers={**tus.SPOKEN, "Upload-Offset": str(size)})


@router.delete("/uploads/{upload_id}", status_code=204, dependencies=_SPEAKS_TUS)
def abandon_upload(upload: OwnUpload, study: TheStudy, session: Database) -> Response:
    """End an upload that is still being sent; its bytes are wiped."""
    abandon(session, upload)
    afterwards(session, lambda: study.intake.wipe(upload.id))
    return Response(status_code=204, headers=tus.SPOKEN)


@router.get("/uploads")
def list_uploads(study: TheStudy, session: Database) -> UploadShapes:
    """List the uploads of the centre, the latest first."""
    uploads = session.scalars(select(Upload).order_by(Upload.created_at.desc()))
    return UploadShapes(uploads=uploads_shown(study, session, uploads))


@router.get("/uploads/{upload_id}")
def show_upload(upload: OwnUpload, study: TheStudy, session: Database) -> UploadShape:
    """Show an upload with the verdict on each series."""
    return _shown(study, session, upload)


@router.post("/uploads/{upload_id}/decision")
def decide_on_upload(sent: DecisionSent, upload: OwnUpload, study: TheStudy, session: Database) -> UploadShape:
    """Let a held upload in, or refuse it; the trace keeps who decided and why."""
    decide(session, upload, accept=sent.decision == "accept", reason=sent.reason)
    if sent.decision == "refuse":  # also where a part of it was kept before
        afterwards(session, lambda: study.intake.wipe(upload.id))
    return _shown(study, session, upload)


@router.post("/uploads/{upload_id}/move")
def move_upload(sent: MoveSent, upload: OwnUpload, study: TheStudy, session: Database) -> UploadShape:
    """Assign an upload to the visit it belongs to; what was made of both visits follows."""
    move(session, upload, visit_of(session, sent.visit), reason=sent.reason)
    return _shown(study, session, upload)


@router.post("/uploads/{upload_id}/withdraw")
def withdraw_upload(sent: ReasonSent, upload: OwnUpload, study: TheStudy, session: Database) -> UploadShape:
    """Take an upload out of the study; rows and trace stay, and what was made from it becomes stale."""
    withdraw(session, upload, reason=sent.reason)
    afterwards(session, lambda: study.intake.wipe(upload.id))
    return _shown(study, session, upload)


def _shown(study: Study, session: StudySession, upload: Upload) -> UploadShape:
    session.flush()
    return uploads_shown(study, session, [upload])[0]


def _receiving(study: Study, asker: Asker, upload_id: str) -> Upload:
    """Fetch an upload that takes bytes; its session ends at once, for the bytes may take an hour."""
    with study.session(asker) as session:
        upload = upload_of(session, upload_id)
    if upload.state != "receiving":
        raise Refused(f"this upload is {upload.state}; no more bytes are taken.", remedy="Ask where it stands.")
    return upload


def _complete_if_whole(study: Study, asker: Asker, upload: Upload, size: int) -> None:
    if upload.state != "receiving" or size != upload.size:
        return
    try:
        receipt = study.intake.receipt(upload.id)
    except NotThere:  # another request completed it, and it has been judged since
        return
    with study.session(asker, writes=True) as session, session.begin():
        complete(study, session, upload_of(session, upload.id), receipt=receipt)
