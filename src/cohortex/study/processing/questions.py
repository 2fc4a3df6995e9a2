"""What a person must judge of an upload before it is kept: whose scan it is, of when, and whether it shows a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import case, or_, select

from cohortex.study.check import Fact, UploadCheck
from cohortex.study.database import StudySession
from cohortex.study.database.tables import Patient, Upload, UploadQuestion, Visit
from cohortex.study.patients import number_of

_WORDS: dict[UploadQuestion, tuple[str, str]] = {
    "two-patients": (
        "the headers speak of more than one patient.",
        "Refuse it, and send each patient's scans by themselves.",
    ),
    "other-patient": (
        "the headers speak of another patient than the earlier uploads of {code}.",
        "If it was sent to the wrong patient, move it; if it is {code} under another number, accept it.",
    ),
    "known-patient": (
        "the headers speak of a patient the centre knows under another code, {suspected}.",
        "If it belongs there, move it; if both codes are one person, ask the coordinator before you accept.",
    ),
    "mismatch": (
        "the headers disagree with what was entered for {code}, visit {visit}: {facts}.",
        "Check patient and visit. If the scan belongs elsewhere, move it; if an entry is wrong, enter patient or visit "
        "correctly and move it there; accept it with a reason if the header is wrong.",
    ),
    "burned-in": (
        "some series may show a name or a face in the picture itself.",
        "Look at them where they were made; accept only if no name is in any picture, else refuse.",
    ),
}

_FACTS: dict[Fact, str] = {"date": "the day of the scan", "sex": "the sex", "birth-date": "the birth date"}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a person is asked about an upload.

    Attributes
    ----------
    kind : {"two-patients", "other-patient", "known-patient", "mismatch", "burned-in"}
        The question.
    suspected : str or None
        Key of the patient whose scan it may be instead.
    """

    kind: UploadQuestion
    suspected: str | None = None


def question_about(session: StudySession, upload: Upload, found: UploadCheck) -> Question | None:
    """Find what a person must judge before anything of an upload is kept; None where nothing is open."""
    if upload.released:
        return None
    if len(found.patient_hashes) > 1:
        return Question(kind="two-patients")
    patient = upload.visit.patient
    expected = _expected_hashes(session, patient)
    for patient_hash in set(found.patient_hashes) - expected:
        suspected = _known_under(session, patient_hash, other_than=patient)
        if expected:
            return Question(kind="other-patient", suspected=suspected.id if suspected else None)
        if suspected is not None:
            return Question(kind="known-patient", suspected=suspected.id)
    if found.disagreements:
        return Question(kind="mismatch")
    if _shows_perhaps_a_name(found):
        return Question(kind="burned-in")
    return None


def words_for(session: StudySession, upload: Upload, question: Question, found: UploadCheck) -> tuple[str, str]:
    """Put a question about an upload into words: why it is held, and what to do.

    Who lets it in lets all of it in: what else would have been asked is told with it.
    """
    suspected = session.get(Patient, question.suspected) if question.suspected else None
    names = {
        "code": upload.visit.patient.code,
        "visit": number_of(upload.visit),
        "suspected": suspected.code if suspected else "",
        "facts": ", ".join(_FACTS[fact] for fact in found.disagreements),
    }
    reason, remedy = (words.format(**names) for words in _WORDS[question.kind])
    further = [_WORDS[kind][0].format(**names) for kind in _further(question, found)]
    return " ".join([reason, *(f"{text[0].upper()}{text[1:]}" for text in further)]), remedy


def _further(question: Question, found: UploadCheck) -> Iterator[UploadQuestion]:
    """What a person should know besides the question that is asked."""
    if question.kind in ("other-patient", "known-patient") and found.disagreements:
        yield "mismatch"
    if question.kind in ("other-patient", "known-patient", "mismatch") and _shows_perhaps_a_name(found):
        yield "burned-in"


def _shows_perhaps_a_name(found: UploadCheck) -> bool:
    return any(verdict.verdict == "held" for verdict in found.series)


def _expected_hashes(session: StudySession, patient: Patient) -> set[str]:
    """The hospital numbers, hashed, under which a patient is known, or which a person vouched for."""
    vouched = session.scalars(
        select(Upload.patient_hash)
        .join(Visit, Visit.id == Upload.visit_id)
        .where(Visit.patient_id == patient.id, Upload.released, Upload.state == "committed")
    )
    return {entry for entry in (patient.patient_hash, *vouched) if entry}


def _known_under(session: StudySession, patient_hash: str, *, other_than: Patient) -> Patient | None:
    """Who else of the centre is known under a hospital number, by an upload or because a person vouched for it."""
    vouched = (
        select(Visit.patient_id)
        .join(Upload, Upload.visit_id == Visit.id)
        .where(Upload.released, Upload.state == "committed", Upload.patient_hash == patient_hash)
    )
    return session.scalar(
        select(Patient)
        .where(
            Patient.centre_id == other_than.centre_id,
            Patient.id != other_than.id,
            or_(Patient.patient_hash == patient_hash, Patient.id.in_(vouched)),
        )
        .order_by(case((Patient.patient_hash == patient_hash, 0), else_=1), Patient.created_at)
        .limit(1)
    )
