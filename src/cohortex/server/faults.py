"""Errors as replies: what is wrong, what to do, which entry; one nobody foresaw gets a number and tells no more."""

from __future__ import annotations

import errno
import logging
import uuid
from collections.abc import Mapping
from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cohortex.errors import CohortexError, NotThere, Refused
from cohortex.server.catalogue import units_printed

_LOG = logging.getLogger(__name__)
_WORDS = {
    401: ("You are not signed in.", "Sign in."),
    403: ("You may not do this.", ""),
    404: ("There is no such page.", "Check the address."),
    405: ("This address does not take this method.", "See /api/openapi.json for what it takes."),
}


class Unanswerable(Exception):
    """A request that is turned down before anything is looked up.

    Parameters
    ----------
    status : int
        Of the reply.
    message, remedy : str
        What is wrong and what to do.
    headers : mapping of str to str, optional
        Of the reply.
    """

    def __init__(
        self, status: int, message: str, remedy: str = "", *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.remedy = remedy
        self.headers = dict(headers or {})


def answer_faults(app: FastAPI) -> None:
    """Let an application answer every error in the form of the API."""
    app.add_exception_handler(Unanswerable, _unanswerable)
    app.add_exception_handler(CohortexError, _foreseen)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _without_route)
    app.add_exception_handler(OperationalError, _database_busy)
    app.add_exception_handler(NoConnection, _database_busy)
    app.add_exception_handler(IntegrityError, _collision)
    app.add_exception_handler(OSError, _disk)


class Unforeseen:
    """Answers errors no handler foresaw; below the headers of safety, so that such a reply has them too.

    Parameters
    ----------
    app : ASGI application
        What replies.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        begun = False

        async def send_noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:
            if scope["type"] != "http":
                raise
            answer = _unforeseen(Request(scope), error)
            if not begun:
                await answer(scope, receive, send)


def fault(
    status: int,
    message: str,
    remedy: str = "",
    *,
    fields: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Write an error as every client of the API expects it."""
    content = {"error": {"message": message, "remedy": remedy, "fields": dict(fields or {})}}
    return JSONResponse(content, status_code=status, headers=dict(headers or {}))


def _unanswerable(_: Request, error: Exception) -> JSONResponse:
    turned_down = cast(Unanswerable, error)
    return fault(turned_down.status, turned_down.message, turned_down.remedy, headers=turned_down.headers)


def _foreseen(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, NotThere):
        return fault(404, _sentence(error), error.remedy)
    if isinstance(error, Refused):
        fields = {name: units_printed(said) for name, said in error.fields.items()}
        return fault(
            422 if fields else 409, units_printed(_sentence(error)), units_printed(error.remedy), fields=fields
        )
    _LOG.error("%s: %s", type(error).__name__, error)
    return fault(503, _sentence(error), getattr(error, "remedy", ""))


def _malformed(_: Request, error: Exception) -> JSONResponse:
    fields = {}
    for problem in getattr(error, "errors", list)():
        place = [str(part) for part in problem["loc"] if part not in ("body", "query", "path", "header")]
        fields[".".join(place) or "body"] = problem["msg"]  # never the input itself: it may be a name
    return fault(422, "The request is not in the form this address takes.", "Correct what is named.", fields=fields)


def _without_route(_: Request, error: Exception) -> JSONResponse:
    status = getattr(error, "status_code", 500)
    message, remedy = _WORDS.get(status, ("The request cannot be answered.", ""))
    return fault(status, message, remedy, headers=getattr(error, "headers", None))


def _database_busy(_: Request, error: Exception) -> JSONResponse:
    _LOG.error("the database did not answer: %s", type(getattr(error, "orig", error)).__name__)
    return fault(503, "The database did not answer in time.", "Try again in a moment.", headers={"Retry-After": "2"})


def _collision(_: Request, error: Exception) -> JSONResponse:
    _LOG.warning("two changes at once: %s", type(getattr(error, "orig", error)).__name__)
    return fault(409, "Somebody changed the same thing at the same moment.", "Look at it again, then try again.")


def _disk(request: Request, error: Exception) -> JSONResponse:
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        _LOG.error("the disk is full")
        return fault(503, "The server's disk is full.", "Ask whoever runs the server to make room, then try again.")
    return _unforeseen(request, error)


def noted_error(request: Request, error: Exception) -> str:
    """Write an error nobody foresaw into the log, and give the number it stands under."""
    number = uuid.uuid4().hex[:12]
    route = request.scope.get("route")
    path = getattr(route, "path", "?")  # of the route, without the ids in the address
    _LOG.error(
        "error %s: %s in %s %s", number, type(error).__name__, request.method, path, exc_info=_without_message(error)
    )
    return number


def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    number = noted_error(request, error)
    return fault(
        500,
        f"An error nobody foresaw (number {number}).",
        "Try again; if it repeats, give the number to whoever runs the server.",
    )


def _without_message(error: Exception) -> Exception:
    """Keep where it happened and drop the words, which may hold a value somebody entered."""
    return RuntimeError(type(error).__name__).with_traceback(error.__traceback__)


def _sentence(error: Exception) -> str:
    words = str(error)
    return words[:1].upper() + words[1:]
