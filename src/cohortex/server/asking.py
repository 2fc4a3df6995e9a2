"""Who asks: the cookie of a sign-in turned into a person, a database session on their behalf, and their own rows.

A route names what it needs by the types of its parameters. Each row is fetched through the session that carries the
asker, so one that belongs to another centre is as absent as one that never was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from cohortex.server.faults import Unanswerable
from cohortex.study import Study
from cohortex.study.database import Asker, StudySession
from cohortex.study.database.tables import Job, Patient, Result, Series, TemplateVersion, Upload, Visit
from cohortex.study.jobs.queue import job_of
from cohortex.study.patients import patient_of, visit_of
from cohortex.study.people import who_asks
from cohortex.study.results import result_of, series_of, template_of
from cohortex.study.uploads import upload_of

COOKIE = "cohortex_session"
OWN_HEADER = "X-Cohortex"
_CHANGES_NOTHING = ("GET", "HEAD", "OPTIONS")
_AFTERWARDS = "afterwards"
_READERS = 20


class Turns:
    """How many requests have the database at once: fewer than there are threads, and no more writers than it takes.

    Parameters
    ----------
    writers : int
        SQLite takes one; others would stand in line for it, each holding a thread.
    """

    def __init__(self, *, writers: int) -> None:
        self.readers = asyncio.Semaphore(_READERS)
        self.writers = asyncio.Semaphore(writers)


async def the_study(request: Request) -> Study:
    """Give the study that is served."""
    study: Study = request.app.state.study
    return study


TheStudy = Annotated[Study, Depends(the_study)]


async def sent_by_our_pages(request: Request) -> None:
    """Let changes through only with a header that no form or link of another site can send."""
    if request.method not in _CHANGES_NOTHING and request.headers.get(OWN_HEADER) != "1":
        raise Unanswerable(403, f"A change came without the header {OWN_HEADER}: 1.", "Send it with every change.")


def signed_in(request: Request, study: TheStudy) -> Asker:
    """Tell who asks.

    Raises
    ------
    Unanswerable
        With 401, if nobody signed in with the cookie that came, or none came.
    """
    token = request.cookies.get(COOKIE, "")
    asker = who_asks(study, token) if token else None
    if asker is None:
        raise Unanswerable(401, "You are not signed in.", "Sign in.")
    return asker


SignedIn = Annotated[Asker, Depends(signed_in)]


async def signed_in_coordinator(asker: SignedIn) -> Asker:
    """Tell who asks, if it is a coordinator.

    Raises
    ------
    Unanswerable
        With 403, if it is not.
    """
    if asker.role != "coordinator":
        raise Unanswerable(403, "Only a coordinator may do this.", "Ask the coordinator of the study.")
    return asker


Coordinator = Annotated[Asker, Depends(signed_in_coordinator)]


async def turn(request: Request, asker: SignedIn) -> AsyncIterator[None]:
    """Wait for one's turn with the database, in no thread: those that have it need the threads to come to an end."""
    del asker  # who has not signed in waits for nothing
    turns: Turns = request.app.state.turns
    async with turns.readers if request.method in _CHANGES_NOTHING else turns.writers:
        yield


def database(
    request: Request, study: TheStudy, asker: SignedIn, _: Annotated[None, Depends(turn, scope="function")]
) -> Iterator[StudySession]:
    """Open a session on behalf of the asker; for a change it writes, and commits before the reply."""
    with study.session(asker, writes=request.method not in _CHANGES_NOTHING) as session:
        with session.begin():
            yield session
        for act in session.info.pop(_AFTERWARDS, []):
            act()


Database = Annotated[StudySession, Depends(database, scope="function")]
"""A session that carries the asker; reads, or writes and commits before the reply."""


def afterwards(session: Session, act: Callable[[], object]) -> None:
    """Do something once what the session wrote is durable."""
    session.info.setdefault(_AFTERWARDS, []).append(act)


def own_patient(session: Database, code: str) -> Patient:
    """Fetch the patient of a study code in the address."""
    return patient_of(session, code)


def own_visit(session: Database, visit_id: str) -> Visit:
    """Fetch the visit named in the address."""
    return visit_of(session, visit_id)


def own_upload(session: Database, upload_id: str) -> Upload:
    """Fetch the upload named in the address."""
    return upload_of(session, upload_id)


def own_series(session: Database, series_id: str) -> Series:
    """Fetch the series named in the address."""
    return series_of(session, series_id)


def own_result(session: Database, result_id: str) -> Result:
    """Fetch the result named in the address."""
    return result_of(session, result_id)


def own_job(session: Database, job_id: str) -> Job:
    """Fetch the job named in the address: of the asker's centre, or of the study as a whole."""
    return job_of(session, job_id)


def a_version(session: Database, version: str) -> TemplateVersion:
    """Fetch the template version named in the address; every centre may."""
    return template_of(session, version)


OwnPatient = Annotated[Patient, Depends(own_patient, scope="function")]
OwnVisit = Annotated[Visit, Depends(own_visit, scope="function")]
OwnUpload = Annotated[Upload, Depends(own_upload, scope="function")]
OwnSeries = Annotated[Series, Depends(own_series, scope="function")]
OwnResult = Annotated[Result, Depends(own_result, scope="function")]
OwnJob = Annotated[Job, Depends(own_job, scope="function")]
AVersion = Annotated[TemplateVersion, Depends(a_version, scope="function")]
