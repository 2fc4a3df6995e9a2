"""Uploads whose sender went away: what came whole gets its receipt, what was given up on ends."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from cohortex.errors import NotThere
from cohortex.study.database import THE_STUDY
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
        try:
            whole = study.intake.received(left.id) == left.size
            receipt = study.intake.receipt(left.id) if whole else None
        except NotThere:  # its begin was not durable yet
            whole, receipt = False, None
        over = now() - left.created_at > RESUMABLE_FOR
        if not (whole or over):
            continue
        with study.session(THE_STUDY, writes=True) as session, session.begin():
            upload = session.get_one(Upload, left.id)
            if whole:
                complete(study, session, upload, receipt=receipt)
            else:
                upload.state = "withdrawn"
                upload.reason = f"not finished within {RESUMABLE_FOR.days} days."
                upload.remedy = "Send the file again."
                note(
                    session,
                    upload.visit.patient,
                    "upload ended",
                    f"visit {number_of(upload.visit)}: {upload.reason}",
                    by=upload.uploader_id,
                )
