"""Patients and their visits: study codes, shifted dates, the first examination and the follow-ups."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import func, select

from cohortex.errors import NotThere, Refused
from cohortex.study.database import Asker, StudySession
from cohortex.study.database.tables import Centre, Patient, Sex, TraceAction, TraceEntry, Visit, new_id
from cohortex.study.home import Study
from cohortex.study.pseudonyms import Pseudonyms

_OLDEST_YEARS = 120
_DAYS_PER_YEAR = 365.2425


def pseudonyms(study: Study) -> Pseudonyms:
    """Give what turns identities of this study into pseudonyms."""
    return Pseudonyms(study.keys.for_purpose("pseudonyms"))


def add_patient(study: Study, session: StudySession, *, sex: Sex, birth_date: date | None = None) -> Patient:
    """Add a patient to the asker's centre under a new study code.

    Parameters
    ----------
    study : Study
        Where.
    session : StudySession
        Of the asker, writing.
    sex : {"F", "M", "O", "U"}
        As DICOM and hospitals write it; U is unknown.
    birth_date : date, optional
        The true one; stored shifted by the patient's secret number of days, so that ages stay exact.

    Returns
    -------
    Patient
        With code, such as MI1-0007.

    Raises
    ------
    Refused
        If an entry cannot be.
    """
    asker = _person(session)
    if sex not in ("F", "M", "O", "U"):
        raise Refused("the sex is not one of F, M, O, U.", fields={"sex": "Choose F, M, O or U."})
    if birth_date is not None and not 0 <= (date.today() - birth_date).days <= _OLDEST_YEARS * _DAYS_PER_YEAR:
        raise Refused(
            "the birth date lies in the future or more than 120 years ago.",
            fields={"birth_date": "Give a day between 120 years ago and today."},
        )
    identifier = new_id()
    centre = session.get_one(Centre, asker.centre_id)
    count = session.scalar(select(func.count()).select_from(Patient)) or 0
    patient = Patient(
        id=identifier,
        code=f"{centre.code}-{count + 1:04d}",
        centre_id=asker.centre_id,
        uploader_id=asker.uploader_id,
        sex=sex,
        birth_date=None if birth_date is None else birth_date + shift_of(study, identifier),
    )
    session.add(patient)
    session.flush()
    note(session, patient, "patient added")
    return patient


def add_visit(study: Study, session: StudySession, patient: Patient, *, on: date) -> Visit:
    """Add a visit; the first one is the first examination, all later ones are follow-ups.

    Parameters
    ----------
    study : Study
        Where.
    session : StudySession
        Of the asker, writing.
    patient : Patient
        Whose.
    on : date
        The true day; stored shifted.

    Returns
    -------
    Visit
        With its shifted day.

    Raises
    ------
    Refused
        If the day lies in the future, before birth, before the first examination, or has a visit already.
    """
    if on > date.today():
        raise Refused("the day of the visit lies in the future.", fields={"date": "Give today or an earlier day."})
    shifted = on + shift_of(study, patient.id)
    days = sorted(visit.date for visit in patient.visits)
    if patient.birth_date is not None and shifted < patient.birth_date:
        raise Refused("the visit lies before the birth of the patient.", fields={"date": "Check day and birth date."})
    if shifted in days:
        raise Refused(
            f"{patient.code} has a visit on that day already.",
            fields={"date": "Open that visit, or give another day."},
        )
    if days and shifted < days[0]:
        raise Refused(
            f"that day lies before the first examination of {patient.code}.",
            remedy="Follow-ups come after the first examination. If that is the wrong one, withdraw its uploads.",
            fields={"date": "Give a day after the first examination."},
        )
    asker = _person(session)
    visit = Visit(
        patient_id=patient.id,
        centre_id=patient.centre_id,
        uploader_id=asker.uploader_id,
        kind="follow-up" if days else "first",
        date=shifted,
    )
    session.add(visit)
    session.flush()
    session.refresh(patient, ["visits"])
    note(session, patient, "visit added", f"visit {number_of(visit)}")
    return visit


def patient_of(session: StudySession, code: str) -> Patient:
    """Fetch a patient by study code.

    Raises
    ------
    NotThere
        If there is none, or none the asker may see: both sound alike.
    """
    found = session.scalar(select(Patient).where(Patient.code == code))
    if found is None:
        raise NotThere("There is no such patient.")
    return found


def visit_of(session: StudySession, visit: str) -> Visit:
    """Fetch a visit.

    Raises
    ------
    NotThere
        If there is none, or none the asker may see.
    """
    found = session.scalar(select(Visit).where(Visit.id == visit))
    if found is None:
        raise NotThere("There is no such visit.")
    return found


def number_of(visit: Visit) -> int:
    """Count visits of the patient up to this one, by day: 1 is the first examination."""
    return 1 + sum(other.date < visit.date for other in visit.patient.visits)


def age_at(patient: Patient, day: date) -> float | None:
    """Tell the age in years on a shifted day, exact to the day; None where the birth date was not given."""
    if patient.birth_date is None:
        return None
    return (day - patient.birth_date).days / _DAYS_PER_YEAR


def note(
    session: StudySession, patient: Patient, action: TraceAction, detail: str = "", *, by: int | None = None
) -> None:
    """Write into the trace of a patient who did what."""
    asker = session.asker
    uploader = by if by is not None else asker.uploader_id if isinstance(asker, Asker) else patient.uploader_id
    session.add(
        TraceEntry(
            patient_id=patient.id, centre_id=patient.centre_id, uploader_id=uploader, action=action, detail=detail
        )
    )


def shift_of(study: Study, patient_id: str) -> timedelta:
    """Give the patient's secret number of days."""
    return timedelta(days=pseudonyms(study).day_shift(patient_id))


def _person(session: StudySession) -> Asker:
    if not isinstance(session.asker, Asker):
        raise Refused("a patient is entered by a person of a centre.")
    return session.asker
