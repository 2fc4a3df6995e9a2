"""The application: the JSON API of one study and its pages, with the headers, errors and files every reply shares."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from cohortex import __version__
from cohortex.server.api import API, api_routes
from cohortex.server.api.shapes import FaultReply
from cohortex.server.asking import SignedIn, Turns
from cohortex.server.assets import serve_assets
from cohortex.server.faults import Unforeseen, answer_faults
from cohortex.server.headers import BoundedBodies, SafeHeaders
from cohortex.server.lookup import Lookups
from cohortex.server.pages.routes import serve_pages
from cohortex.server.throttle import Throttle
from cohortex.server.tus import OneSender
from cohortex.study import Study

_STREAM_THREADS = 32  # for uploads and live events, so that they take none from the rest
_WRITERS = 10  # where the database takes several
_FAULTS: dict[int | str, dict[str, Any]] = {
    status: {"model": FaultReply} for status in (400, 401, 403, 404, 409, 413, 422, 503)
}


def create_app(study: Study, *, pages: bool = True) -> FastAPI:
    """Make the application that serves a study.

    Parameters
    ----------
    study : Study
        Opened; it stays open when the application ends.
    pages : bool
        Whether to serve the pages too, or the API alone.

    Returns
    -------
    FastAPI
        An ASGI application.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with ThreadPoolExecutor(_STREAM_THREADS, thread_name_prefix="stream") as threads:
            asyncio.get_running_loop().set_default_executor(threads)
            yield
        app.state.lookups.close()
        if pages:
            await app.state.pages_client.aclose()

    app = FastAPI(
        title="cohortex",
        version=__version__,
        description="Research use only, not a medical device.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses=_FAULTS,
    )
    app.state.study = study
    app.state.turns = Turns(writers=1 if study.engine.dialect.name == "sqlite" else _WRITERS)
    app.state.throttle = Throttle()
    app.state.one_sender = OneSender()
    app.state.lookups = Lookups(study.settings)
    app.state.workers_alive = lambda: 0
    answer_faults(app)
    app.include_router(api_routes())

    @app.get(f"{API}/openapi.json", tags=["openapi"])
    def describe_api(_: SignedIn) -> dict[str, Any]:
        """Describe every route of the API, as OpenAPI."""
        return app.openapi()

    if pages:
        serve_assets(app)
        serve_pages(app)
    for layer in (BoundedBodies, Unforeseen, SafeHeaders):  # the last added is the outermost
        app.add_middleware(layer)
    return app
