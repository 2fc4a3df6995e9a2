"""What happens while a page is open: changed jobs, uploads and figures of the study, as server-sent events."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy import select

from cohortex.server.api.jobs import jobs_shown
from cohortex.server.api.showing import uploads_shown
from cohortex.server.api.study import figures_state
from cohortex.server.asking import COOKIE, SignedIn, TheStudy
from cohortex.study import Study
from cohortex.study.database import Asker, StudySession
from cohortex.study.database.tables import Job, Upload, now
from cohortex.study.people import who_asks

router = APIRouter(tags=["events"])
_LOOK_EVERY_S = 0.5
_PING_EVERY_S = 15.0
_OVERLAP = timedelta(seconds=10)  # a change may be committed a little after the time it bears
_UNDER_WAY = ("receiving", "received", "checking", "held")
_RECENT = timedelta(days=30)

_Seen = tuple[str, str | None, str]


@router.get("/events", response_class=StreamingResponse)
async def stream_events(request: Request, study: TheStudy, asker: SignedIn) -> StreamingResponse:
    """Tell of changed jobs ("job"), uploads ("upload") and figures ("study") as they come, for the asker's eyes.

    With Last-Event-ID it goes on where a broken connection ended; else with what changes from now on.
    """
    watch = Watch(study, asker, since=_moment(request.headers.get("last-event-id", "")))
    return StreamingResponse(
        _told(watch, request.cookies.get(COOKIE, "")),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


@dataclass
class Watch:
    """What one open page has been told, and what is new since.

    Attributes
    ----------
    study : Study
        Where.
    asker : Asker
        For whom; nothing is seen but through a session of theirs.
    since : datetime or None
        Of the last event the page had; None for a page that was just loaded.
    """

    study: Study
    asker: Asker
    since: datetime | None
    _jobs: dict[str, datetime] = field(default_factory=dict)
    _uploads: dict[str, _Seen] | None = None
    _figures: dict[str, str | int | None] | None = None

    def changes(self) -> list[tuple[str, str]]:
        """Look once: names of events and their data."""
        with self.study.session(self.asker) as session:
            missed = self._missed_uploads(session) if self._uploads is None and self.since is not None else set()
            jobs = self._changed_jobs(session)
            return [*jobs, *self._changed_uploads(session, missed), *self._changed_figures(session)]

    def _missed_uploads(self, session: StudySession) -> set[str]:
        """What may have changed while the connection was broken."""
        open_ones = session.scalars(select(Upload.id).where(Upload.state.in_(_UNDER_WAY)))
        judged = session.scalars(
            select(Job.upload_id).where(Job.upload_id.is_not(None), Job.changed_at > (self.since or now()) - _OVERLAP)
        )
        return {*open_ones, *(key for key in judged if key)}

    def _changed_jobs(self, session: StudySession) -> list[tuple[str, str]]:
        first = self.since is None
        before = self.since or now()
        rows = session.scalars(select(Job).where(Job.changed_at > before - _OVERLAP).order_by(Job.changed_at)).all()
        fresh = [job for job in rows if self._jobs.get(job.id) != job.changed_at]
        self._jobs = {job.id: job.changed_at for job in rows}
        self.since = max([before, *(job.changed_at for job in rows)])
        shown = [] if first else jobs_shown(session, fresh, language=self.asker.language)
        return [("job", _json(job)) for job in shown]

    def _changed_uploads(self, session: StudySession, missed: set[str]) -> list[tuple[str, str]]:
        rows = session.execute(
            select(Upload.id, Upload.state, Upload.question, Upload.visit_id).where(
                Upload.state.in_(_UNDER_WAY) | (Upload.created_at > now() - _RECENT)
            )
        )
        found: dict[str, _Seen] = {key: (state, question, visit) for key, state, question, visit in rows}
        known, self._uploads = self._uploads, found
        changed = missed | {key for key in found if known is not None and known.get(key) != found[key]}
        if not changed:
            return []
        uploads = session.scalars(select(Upload).where(Upload.id.in_(changed)))
        return [("upload", _json(upload)) for upload in uploads_shown(self.study, session, uploads)]

    def _changed_figures(self, session: StudySession) -> list[tuple[str, str]]:
        figures = figures_state(session)
        known, self._figures = self._figures, figures
        return [("study", json.dumps(figures))] if known not in (None, figures) else []


async def _told(watch: Watch, token: str) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    pinged = time.monotonic()
    while await asyncio.to_thread(who_asks, watch.study, token) == watch.asker:  # until they sign out
        for name, data in await asyncio.to_thread(watch.changes):
            yield f"id: {_id(watch.since)}\nevent: {name}\ndata: {data}\n\n"
        if time.monotonic() - pinged > _PING_EVERY_S:
            pinged = time.monotonic()
            yield ": ping\n\n"
        await asyncio.sleep(_LOOK_EVERY_S)


def _json(shape: BaseModel) -> str:
    return shape.model_dump_json()


def _id(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and moment <= now() else None
