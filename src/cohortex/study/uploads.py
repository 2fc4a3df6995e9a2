"""Uploads: announced, received piece by piece, judged, and, where a person decides so, let in, moved or withdrawn."""

from __future__ import annotations

import re
import shutil

from sqlalchemy import ColumnElement, select

from cohortex.errors import NotThere, Refused
from cohortex.study.database import THE_STUDY, Asker, StudySession
from cohortex.study.database.tables import JobCause, Patient, Series, TraceAction, Upload, Visit, now
from cohortex.study.home import Study
from cohortex.study.jobs.queue import cancel, enqueue
from cohortex.study.patients import note, number_of
from cohortex.study.processing.following import images_changed, is_under_way

MOST_BYTES = 16 << 30
"""Of one upload: a day of functional imaging has a few."""

_ENDING = re.compile(r"\.((nii|tar)\.)?(zip|tar|tgz|gz|bz2|xz|7z|rar|nii|dcm|ima)$", re.IGNORECASE)
_ROOM = 3  # times the upload: sealed, in the clear while it is checked, and stored


def begin(study: Study, session: StudySession, visit: Visit, *, size: int, file_name: str = "") -> Upload:
    """Announce an upload for a visit.

    Parameters
    ----------
    study : Study
        Where.
    session : StudySession
        Of the asker, writing.
    visit : Visit
        Of whom and when the scan is, as chosen in the form.
    size : int
        Bytes to come.
    file_name : str
        Only its ending is kept, and only a known one: name and ending may name a person ("rossi.maria").

    Returns
    -------
    Upload
        With room in the intake.

    Raises
    ------
    Refused
        If it is empty, too large, or the disk has no room for it.
    """
    asker = session.asker
    if not isinstance(asker, Asker):
        raise Refused("an upload is sent by a person of a centre.")
    if size <= 0:
        raise Refused("the file is empty (0 bytes).", remedy="Choose the archive that the scanner or PACS exported.")
    if size > MOST_BYTES:
        raise Refused(
            f"the file has {size / 1e9:.1f} GB; one upload takes {MOST_BYTES / 1e9:.0f} GB.",
            remedy="Send the series of the visit in several archives.",
        )
    study.settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(study.settings.home).free
    if size * _ROOM > free:
        raise Refused(
            f"the server's disk has {free / 1e9:.1f} GB left, too little to take {size / 1e9:.1f} GB in safely.",
            remedy="Ask whoever runs the server to make room, then send the file again.",
        )
    ending = _ENDING.search(file_name)
    upload = Upload(
        visit_id=visit.id,
        centre_id=visit.centre_id,
        uploader_id=asker.uploader_id,
        size=size,
        ending=ending.group().lower() if ending else "",
        verdicts=[],
    )
    session.add(upload)
    session.flush()
    study.intake.begin(upload.id)
    return upload


def complete(study: Study, session: StudySession, upload: Upload, *, receipt: str | None = None) -> None:
    """Give the receipt of an upload whose last byte is durable, and queue its check; twice does no harm.

    Parameters
    ----------
    study : Study
        Where.
    session : StudySession
        Of the asker, writing.
    upload : Upload
        Which.
    receipt : str, optional
        As the intake took it before the session began to write: of a large file that takes seconds, in which nobody
        else can write. Taken here when omitted.

    Raises
    ------
    Refused
        If bytes are missing.
    """
    if upload.state != "receiving":
        return
    size = study.intake.received(upload.id)
    if size != upload.size:
        raise Refused(f"{upload.size - size} bytes are still missing.", remedy="Send them.")
    upload.receipt = receipt or study.intake.receipt(upload.id)
    upload.state, upload.received_at = "received", now()
    patient = upload.visit.patient
    what = f"visit {number_of(upload.visit)}, {upload.size / 1e6:.1f} MB"
    note(session, patient, "upload received", what, by=upload.uploader_id)
    _check(session, upload, cause="upload")


def abandon(session: StudySession, upload: Upload) -> None:
    """End an upload before all of it has come; its row stays, its bytes are to be wiped once that is durable.

    Raises
    ------
    Refused
        If all of it has come: then it is withdrawn, with a reason.
    """
    if upload.state != "receiving":
        raise Refused(
            f"this upload is {upload.state}; only one that is still being sent can be abandoned.",
            remedy="Withdraw it with a reason.",
        )
    upload.state, upload.reason = "withdrawn", "abandoned while it was being sent."
    note(session, upload.visit.patient, "upload abandoned", f"visit {number_of(upload.visit)}")


def decide(session: StudySession, upload: Upload, *, accept: bool, reason: str) -> None:
    """Let a held upload in, or refuse for good what is held of it; the trace keeps who decided and why.

    Raises
    ------
    Refused
        If it is not held, or no reason is given.
    """
    if upload.state != "held":
        raise Refused(f"this upload is {upload.state}; only a held one is decided on.")
    if accept and upload.question == "two-patients":
        raise Refused(
            "scans of two patients cannot be kept under one code.",
            remedy="Refuse it, and send each patient's scans by themselves.",
        )
    _note_decision(session, upload, "upload let in" if accept else "upload refused", reason)
    if accept:
        upload.released = True
        upload.state, upload.reason, upload.remedy = "received", "", ""
        _check(session, upload, cause="decision")
        return
    upload.question, upload.reason, upload.remedy = None, "refused by a person.", ""
    if not _series_of(session, upload):
        upload.state = "refused"
        return
    upload.state, upload.reason = "committed", "what was held of it was refused by a person; the rest is kept."
    upload.verdicts = [
        {**entry, "verdict": "refused", "reason": "refused by a person.", "remedy": ""}
        if entry["verdict"] == "held"
        else entry
        for entry in upload.verdicts
    ]
    remember_patient(session, upload.visit.patient)


def move(session: StudySession, upload: Upload, target: Visit, *, reason: str) -> None:
    """Assign an upload to the visit it belongs to; what was made of both visits follows.

    What still lies in the intake is checked anew for the visit it is moved to. Of a committed upload the stored series
    change their visit within one patient; to another patient they are written anew under that patient's code and
    dates, by a job.

    Raises
    ------
    Refused
        If it was refused or withdrawn, is just being received or checked, is there already, or no reason is given.
    """
    source = upload.visit
    if upload.state not in ("held", "committed", "received"):
        raise Refused(f"this upload is {upload.state}; it cannot be moved.")
    if target.id == source.id:
        raise Refused("the upload belongs to that visit already.", fields={"visit": "Choose another visit."})
    _note_decision(session, upload, "upload moved away", reason, f"to {_named(target)}")
    series = _series_of(session, upload)
    upload.visit_id, upload.visit = target.id, target
    note(session, target.patient, "upload moved here", f"from {_named(source)}: {reason}")
    if upload.state != "committed":
        _withdraw_series(session, series, source, cause="move")
        upload.state, upload.question, upload.reason, upload.remedy = "received", None, "", ""
        upload.released = False  # what was let in was let in under another patient
        _check(session, upload, cause="move")
    elif target.patient_id != source.patient_id:
        upload.state = "checking"
        _withdraw_series(session, series, source, cause="move")
        _check(session, upload, cause="move", arguments={"rewrite": [row.id for row in series]})
    else:
        for row in series:
            row.visit_id = target.id
        session.flush()
        images_changed(session, source, cause="move")
        images_changed(session, target, cause="move")
    for patient in {source.patient_id: source.patient, target.patient_id: target.patient}.values():
        remember_patient(session, patient)


def withdraw(session: StudySession, upload: Upload, *, reason: str) -> None:
    """Take an upload out of the study; its rows and its trace stay, nothing is made from it any more.

    Raises
    ------
    Refused
        If it is withdrawn already, or no reason is given.
    """
    if upload.state == "withdrawn":
        raise Refused("this upload is withdrawn already.")
    if upload.state == "checking" and is_under_way(session, "check", upload.id):
        raise Refused("this upload is just being checked.", remedy="Wait until that is done, a minute at most.")
    _note_decision(session, upload, "upload withdrawn", reason)
    cancel(session, kind="check", about=upload.id, reason="the upload was withdrawn")
    upload.state, upload.question = "withdrawn", None
    upload.reason, upload.remedy = f"withdrawn: {reason}", ""
    _withdraw_series(session, _series_of(session, upload), upload.visit, cause="withdrawal")
    remember_patient(session, upload.visit.patient)


def upload_of(session: StudySession, upload: str) -> Upload:
    """Fetch an upload.

    Raises
    ------
    NotThere
        If there is none, or none the asker may see.
    """
    found = session.scalar(select(Upload).where(Upload.id == upload))
    if found is None:
        raise NotThere("There is no such upload.")
    return found


def wipe_decided(study: Study) -> list[str]:
    """Wipe from the intake what is committed, refused or withdrawn, and what nobody knows; done at every start too.

    Returns
    -------
    list of str
        What was wiped.
    """
    from_intake = study.intake.uploads()
    with study.session(THE_STUDY) as session:
        needed = set(
            session.scalars(select(Upload.id).where(Upload.state.in_(("receiving", "received", "checking", "held"))))
        )
    gone = [upload for upload in from_intake if upload not in needed]
    for upload in gone:
        study.intake.wipe(upload)
    return gone


def remember_patient(session: StudySession, patient: Patient) -> None:
    """Keep as the patient's keyed hash that of the earliest upload still in; none where none is."""
    session.flush()
    earliest = session.scalar(
        select(Upload.patient_hash)
        .join(Visit, Visit.id == Upload.visit_id)
        .where(Visit.patient_id == patient.id, Upload.patient_hash.is_not(None), _is_in())
        .order_by(Upload.created_at)
        .limit(1)
    )
    taken = earliest is not None and session.scalar(
        select(Patient.id).where(
            Patient.centre_id == patient.centre_id, Patient.patient_hash == earliest, Patient.id != patient.id
        )
    )
    patient.patient_hash = None if taken else earliest


def _is_in() -> ColumnElement[bool]:
    """Whether anything of an upload is in the study, be it that the rest of it is held."""
    return select(Series.id).where(Series.upload_id == Upload.id, Series.withdrawn_at.is_(None)).exists()


def _series_of(session: StudySession, upload: Upload) -> list[Series]:
    return list(session.scalars(select(Series).where(Series.upload_id == upload.id, Series.withdrawn_at.is_(None))))


def _withdraw_series(session: StudySession, series: list[Series], visit: Visit, *, cause: JobCause) -> None:
    for row in series:
        row.withdrawn_at = now()
    session.flush()
    if series:
        images_changed(session, visit, cause=cause)


def _check(
    session: StudySession, upload: Upload, *, cause: JobCause, arguments: dict[str, object] | None = None
) -> None:
    visit = upload.visit
    enqueue(
        session, "check", about=upload.id, cause=cause, centre_id=upload.centre_id, uploader_id=upload.uploader_id,
        patient_id=visit.patient_id, visit_id=visit.id, upload_id=upload.id, arguments=arguments,
    )  # fmt: skip


def _note_decision(session: StudySession, upload: Upload, action: TraceAction, reason: str, detail: str = "") -> None:
    if not reason.strip():
        raise Refused("no reason was given.", fields={"reason": "Say why in a few words; it stays in the trace."})
    words = f"{detail}: {reason.strip()}" if detail else reason.strip()
    note(session, upload.visit.patient, action, words)


def _named(visit: Visit) -> str:
    return f"{visit.patient.code}, visit {number_of(visit)}"
