"""Pages as replies: in the language of the person, or the one chosen before sign-in; errors as pages, too."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, cast
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from cohortex.server.asking import COOKIE
from cohortex.server.catalogue import LANGUAGES, Language, catalogue
from cohortex.server.faults import noted_error
from cohortex.server.pages.answers import Answers, Unanswered
from cohortex.server.pages.rendering import render

LANGUAGE_COOKIE = "cohortex_language"
HOME = "/patients"
SIGN_IN = "/sign-in"
_YEAR_S = 31_536_000
_OWN_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")  # no backslash, blank or control: browsers mend those
_NOT_PAGES = ("/api/", "/static/")
_WORDED = (400, 401, 403, 404, 405, 422, 503)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A route whose errors are pages, and which sends to the sign-in whom nobody knows."""

    def get_route_handler(self) -> Handler:
        """Wrap the handler of the route."""
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except Unanswered as refused:
                return await refusal_page(request, refused)
            except RequestValidationError:
                return await error_page(request, 404)
            except Exception as error:
                return await error_page(request, 500, number=noted_error(request, error))

        return answered


def answers_for(request: Request) -> Answers:
    """Give the API as whoever asks for a page sees it."""
    return Answers(request.app.state.pages_client, request.cookies.get(COOKIE, ""))


async def page(
    request: Request, template: str, who: Mapping[str, object] | None, *, reply: int = 200, **context: object
) -> HTMLResponse:
    """Draw a page for a person.

    Parameters
    ----------
    request : Request
        Says the language where nobody is signed in.
    template : str
        File name under ``server/templates``.
    who : Mapping or None
        The answer of ``GET /api/session``.
    reply : int
        Its status.
    **context : object
        What the template shows.

    Returns
    -------
    HTMLResponse
        Kept by no cache.
    """
    language = cast(Language, who["language"]) if who else chosen_language(request)
    text = await run_in_threadpool(render, template, language=language, who=who, **context)
    return HTMLResponse(text, status_code=reply)


def chosen_language(request: Request) -> Language:
    """Tell the language of somebody not signed in: from the address, from before, from the browser's settings."""
    wanted = [request.query_params.get("language"), request.cookies.get(LANGUAGE_COOKIE)]
    wanted += [part.split(";")[0].strip()[:2].lower() for part in request.headers.get("accept-language", "").split(",")]
    return next((language for name in wanted for language in LANGUAGES if language == name), LANGUAGES[0])


def remember_language(request: Request, response: Response, language: Language) -> None:
    """Keep the language somebody chose before signing in."""
    response.set_cookie(
        LANGUAGE_COOKIE, language, max_age=_YEAR_S, httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip


def own_path(text: str | None) -> str:
    """Give the page to go on to after sign-in: one of ours, never an address elsewhere."""
    if text and _OWN_PATH.fullmatch(text) and not text.startswith((SIGN_IN, *_NOT_PAGES)):
        return text
    return HOME


async def refusal_page(request: Request, refused: Unanswered) -> Response:
    """Show what the API would not answer; somebody it does not know is sent to the sign-in and back."""
    if refused.status == 401:
        return to_sign_in(request)
    detail = refused.message if refused.status >= 500 else ""
    return await error_page(request, refused.status, detail=detail)


def to_sign_in(request: Request) -> Response:
    """Send somebody to the sign-in, to come back to the page they see."""
    partial = "hx-request" in request.headers
    seen = urlsplit(request.headers.get("hx-current-url", "")) if partial else request.url
    back = own_path(seen.path + (f"?{seen.query}" if seen.query else ""))
    address = SIGN_IN if back == HOME else f"{SIGN_IN}?next={quote(back, safe='/')}"
    if partial:  # a redirect would be followed by the script, and the sign-in swapped into the page
        return Response(status_code=401, headers={"HX-Redirect": address})
    return RedirectResponse(address, status_code=303)


async def error_page(request: Request, status: int, *, number: str = "", detail: str = "") -> HTMLResponse:
    """Say on a page what went wrong and what to do.

    Parameters
    ----------
    request : Request
        Of the page that failed.
    status : int
        Of the reply.
    number : str
        Under which the error stands in the log.
    detail : str
        What the API said, where that may help whoever runs the server.

    Returns
    -------
    HTMLResponse
        In the language of the person.
    """
    try:
        who = await answers_for(request).get("/api/session")
    except Exception:
        who = None
    words = catalogue(who["language"] if who else chosen_language(request))
    known = str(status) if status in _WORDED else "unforeseen"
    return await page(
        request, "error.html", who, reply=status, page="", code=status, log_number=number, detail=detail,
        message=words(f"error.{known}"), remedy=words(f"error.{known}_remedy"),
    )  # fmt: skip


def answer_unknown_addresses(app: FastAPI) -> None:
    """Let addresses without a route get an error page, outside the API."""
    of_api = app.exception_handlers[HTTPException]

    async def answer(request: Request, error: Exception) -> Response:
        if request.url.path.startswith(_NOT_PAGES):
            return cast(Response, of_api(request, error))
        return await error_page(request, cast(HTTPException, error).status_code)

    app.add_exception_handler(HTTPException, answer)
