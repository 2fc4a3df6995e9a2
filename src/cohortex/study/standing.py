"""How a patient or a visit stands: empty, waiting, processing, ready, or in need of a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from cohortex.study.database import StudySession
from cohortex.study.database.tables import Job, Result, Series, Upload, Visit
from cohortex.study.jobs.queue import STILL_FAILED

Standing = Literal["empty", "waiting", "processing", "ready", "attention"]

_GRAVEST: tuple[Standing, ...] = ("attention", "processing", "waiting", "ready", "empty")


@dataclass(frozen=True, kw_only=True)
class Standings:
    """How every patient and every visit an asker may see stands.

    Attributes
    ----------
    patients, visits : dict of str to str
        Key of the row -> "attention" (an upload is held, nothing usable came, or a job failed and was not done since),
        "processing" (something is checked or computed), "waiting" (bytes are still coming, or images wait for a
        result), "ready" (there is a result), "empty" (nothing was sent).
    """

    patients: dict[str, Standing]
    visits: dict[str, Standing]


def standings(session: StudySession, *, patient: str | None = None) -> Standings:
    """Tell how patients and visits stand.

    Parameters
    ----------
    session : StudySession
        Of the asker.
    patient : str, optional
        Key of the only patient to look at; all when omitted.

    Returns
    -------
    Standings
        A patient without visits is not in it: it is empty.
    """
    visits = select(Visit.id, Visit.patient_id)
    uploads = select(Upload.visit_id, Upload.state).join(Visit, Visit.id == Upload.visit_id)
    series = select(Series.visit_id).join(Visit, Visit.id == Series.visit_id).where(Series.withdrawn_at.is_(None))
    results = select(Result.visit_id).where(Result.kind == "visit", Result.stale_at.is_(None))
    jobs = select(Job.patient_id, Job.visit_id, Job.state).where(
        Job.patient_id.is_not(None),
        Job.state.in_(("queued", "running")) | STILL_FAILED,
    )
    if patient is not None:
        visits = visits.where(Visit.patient_id == patient)
        uploads = uploads.where(Visit.patient_id == patient)
        series = series.where(Visit.patient_id == patient)
        results = results.where(Result.patient_id == patient)
        jobs = jobs.where(Job.patient_id == patient)
    patient_of_visit = dict(session.execute(visits).all())
    states: dict[str, set[str]] = defaultdict(set)
    for visit, state in session.execute(uploads):
        states[visit].add(f"upload {state}")
    for visit in session.scalars(series.distinct()):
        states[visit].add("series")
    for visit in session.scalars(results.distinct()):
        states[visit].add("result")
    of_patient: dict[str, set[Standing]] = defaultdict(set)
    for whose, of_visit, job_state in session.execute(jobs):
        states[of_visit or ""].add(f"job {job_state}")
        of_patient[str(whose)].add(_standing((f"job {job_state}",)))
    stands = {visit: _standing(states[visit]) for visit in patient_of_visit}
    for visit, whose in patient_of_visit.items():
        of_patient[whose].add(stands[visit])
    return Standings(
        patients={whose: min(found, key=_GRAVEST.index) for whose, found in of_patient.items()}, visits=stands
    )


def _standing(states: Iterable[str]) -> Standing:
    found = set(states)
    if found & {"upload held", "job failed"} or ("upload refused" in found and "series" not in found):
        return "attention"
    if found & {"job queued", "job running", "upload received", "upload checking"}:
        return "processing"
    if "upload receiving" in found or ("series" in found and "result" not in found):
        return "waiting"
    return "ready" if "series" in found else "empty"
