"""Signing in and out, and who is signed in."""

from __future__ import annotations

import math

from fastapi import APIRouter, Request, Response

from cohortex import __version__
from cohortex.server.api.shapes import CentreShape, LanguageSent, SessionShape, SignInSent, StudyName
from cohortex.server.asking import COOKIE, Database, SignedIn, TheStudy
from cohortex.server.faults import Unanswerable
from cohortex.server.throttle import Throttle
from cohortex.study import Study
from cohortex.study.database import Asker, StudySession
from cohortex.study.people import SIGNED_IN_FOR, sign_in, sign_out, speak, themself, who_asks

router = APIRouter(tags=["session"])


@router.post("/session")
def begin_session(sent: SignInSent, request: Request, response: Response, study: TheStudy) -> SessionShape:
    """Sign in; the cookie that comes back is readable by no script."""
    throttle: Throttle = request.app.state.throttle
    address = request.client.host if request.client else ""
    wait_s = throttle.seconds_to_wait(login=sent.login, address=address)
    if wait_s > 0:
        seconds = math.ceil(wait_s)
        raise Unanswerable(
            429, "There were too many wrong passwords.", f"Try again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )  # fmt: skip
    token = sign_in(study, login=sent.login, password=sent.password)
    asker = who_asks(study, token) if token else None
    if token is None or asker is None:
        throttle.failed(login=sent.login, address=address)
        raise Unanswerable(401, "Login or password is wrong.", "Check both; ask the administrator for a new password.")
    throttle.succeeded(login=sent.login)
    response.set_cookie(
        COOKIE, token, max_age=int(SIGNED_IN_FOR.total_seconds()), httponly=True, samesite="strict",
        secure=request.url.scheme == "https", path="/",
    )  # fmt: skip
    return _seen_by(study, asker)


@router.delete("/session", status_code=204)
def end_session(request: Request, response: Response, study: TheStudy) -> None:
    """Sign out; twice does no harm."""
    sign_out(study, request.cookies.get(COOKIE, ""))
    response.headers["Clear-Site-Data"] = '"cache"'  # scans seen here are not left to the next person at this screen
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/")


@router.get("/session")
def tell_session(study: TheStudy, session: Database) -> SessionShape:
    """Tell who is signed in."""
    return _shown(study, session)


@router.patch("/session")
def change_session(sent: LanguageSent, study: TheStudy, asker: SignedIn) -> SessionShape:
    """Change the language of the pages."""
    speak(study, asker, sent.language)
    return _seen_by(study, asker)


def _seen_by(study: Study, asker: Asker) -> SessionShape:
    with study.session(asker) as session:
        return _shown(study, session)


def _shown(study: Study, session: StudySession) -> SessionShape:
    person = themself(session)
    return SessionShape(
        login=person.login,
        name=person.name,
        role=person.role,
        language=person.language,
        centre=CentreShape.model_validate(person.centre),
        study=StudyName(name=study.info.name, version=__version__),
    )
