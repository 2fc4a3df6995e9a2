"""Uploads whose sender went away: what came whole gets its receipt, what was given up on ends."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from cohortex.errors import NotThere, UnreadableFile
from cohortex.study.database import THE_STUDY, StudySession
from cohortex.study.database.tables import Upload, now
from cohortex.study.home import Study
from cohortex.study.patients import note, number_of
from cohortex.study.uploads import complete

RESUMABLE_FOR = timedelta(days=14)
"""How long an upload may be gone on with after its begin."""


def settle_unfinished(study: Study) -> None:
    """Complete uploads whose last byte came but whose sender never heard so; end those begun too long ago.

    Parameters
    ----------
    study : Study
        With no server that takes bytes at the moment. The bytes of what ends are wiped by `wipe_decided`.
    """
    with study.session(THE_STUDY) as session:
        receiving = session.scalars(select(Upload).where(Upload.state == "receiving")).all()
    for left in receiving:
        receipt, ended = None, ""
        try:
            if study.intake.received(left.id) == left.size:
                receipt = study.intake.receipt(left.id)
        except NotThere:  # its begin was not durable yet
            pass
        except UnreadableFile:
            ended = "damaged while it was being sent."
        if receipt is None and now() - left.created_at > RESUMABLE_FOR:
            ended = f"not finished within {RESUMABLE_FOR.days} days."
        if receipt is None and not ended:
            continue
        with study.session(THE_STUDY, writes=True) as session, session.begin():
            upload = session.get_one(Upload, left.id)
            if receipt is not None:
                complete(study, session, upload, receipt=receipt)
            elif upload.state == "receiving":
                _end(session, upload, ended)


def _end(session: StudySession, upload: Upload, reason: str) -> None:
    upload.state, upload.reason, upload.remedy = "withdrawn", reason, "Send the file again."
    words = f"visit {number_of(upload.visit)}: {reason}"
    note(session, upload.visit.patient, "upload ended", words, by=upload.uploader_id)
