"""Centres, the people in them, and how they sign in."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import delete, select

from cohortex.errors import Refused
from cohortex.study.database import THE_STUDY, Asker, StudySession
from cohortex.study.database.tables import Centre, Role, SignIn, Uploader, now
from cohortex.study.home import Study

SIGNED_IN_FOR = timedelta(hours=12)
LEAST_PASSWORD = 10
_CODE = re.compile(r"[A-Z][A-Z0-9]{0,7}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_hex())  # so that an unknown login takes as long as a wrong password


@dataclass(frozen=True, kw_only=True)
class NewUploader:
    """A person just added.

    Attributes
    ----------
    id : int
        Key of the row.
    login, password : str
        What to sign in with; the password is stored nowhere but as its hash.
    """

    id: int
    login: str
    password: str


def add_centre(study: Study, *, code: str, name: str, country: str = "") -> int:
    """Add a centre.

    Parameters
    ----------
    study : Study
        Where.
    code : str
        Up to eight capital letters and digits; study codes of its patients begin with it.
    name : str
        In full.
    country : str
        ISO 3166 alpha-2, if wanted.

    Returns
    -------
    int
        Key of the row.

    Raises
    ------
    Refused
        If the code is malformed or taken.
    """
    if not _CODE.fullmatch(code):
        raise Refused(
            f"{code!r} is no code of a centre.", remedy="Give a capital letter and up to seven letters or digits: MI1."
        )
    if not name.strip():
        raise Refused("the centre has no name.", remedy="Give its full name.")
    if country and not _COUNTRY.fullmatch(country.upper()):
        raise Refused(f"{country!r} is no country code.", remedy="Give its two letters of ISO 3166: IT.")
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        if session.scalar(select(Centre).where(Centre.code == code)):
            raise Refused(f"there is a centre {code} already.", remedy="Give another code.")
        centre = Centre(code=code, name=name.strip(), country=country.upper())
        session.add(centre)
        session.flush()
        return centre.id


def add_uploader(
    study: Study, *, centre: str, login: str, name: str, role: Role = "uploader", password: str | None = None,
    language: str = "en",
) -> NewUploader:  # fmt: skip
    """Add a person to a centre.

    Parameters
    ----------
    study : Study
        Where.
    centre : str
        Code of the centre.
    login : str
        Small letters, digits, dot, dash; unique in the study.
    name : str
        As it stands beside what the person enters.
    role : {"uploader", "coordinator"}
        A coordinator may also release the template.
    password : str, optional
        At least 10 characters; drawn when omitted. There is no default one.
    language : {"en", "it"}
        Of the pages.

    Returns
    -------
    NewUploader
        With the password, for this one time.

    Raises
    ------
    Refused
        If there is no such centre, the login is malformed or taken, or the password too short.
    """
    if not _LOGIN.fullmatch(login):
        raise Refused(f"{login!r} is no login.", remedy="Give at least two small letters, digits, dots or dashes.")
    password = _good_password(password)
    if language not in ("en", "it"):
        raise Refused(f"{language!r} is no language of the pages.", remedy="Give en or it.")
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        found = session.scalar(select(Centre).where(Centre.code == centre))
        if found is None:
            codes = ", ".join(session.scalars(select(Centre.code).order_by(Centre.code))) or "none yet"
            raise Refused(f"there is no centre {centre}.", remedy=f"Give one of: {codes}.")
        if session.scalar(select(Uploader).where(Uploader.login == login)):
            raise Refused(f"the login {login} is taken.", remedy="Give another.")
        uploader = Uploader(
            centre_id=found.id, login=login, name=name.strip() or login, role=role, language=language,
            password_hash=_HASHER.hash(password),
        )  # fmt: skip
        session.add(uploader)
        session.flush()
        return NewUploader(id=uploader.id, login=login, password=password)


def set_password(study: Study, login: str, *, password: str | None = None) -> str:
    """Give a person another password, and end what they are signed in to.

    Parameters
    ----------
    study : Study
        Where.
    login : str
        The person's.
    password : str, optional
        At least 10 characters; drawn when omitted.

    Returns
    -------
    str
        The password, for this one time.

    Raises
    ------
    Refused
        If there is no such person, or the password is too short.
    """
    password = _good_password(password)
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        found = _person(session, login)
        found.password_hash = _HASHER.hash(password)
        session.execute(delete(SignIn).where(SignIn.uploader_id == found.id))
    return password


def let_sign_in(study: Study, login: str, *, allowed: bool) -> None:
    """Lock a person out who has left, at once and wherever they are signed in, or let them in again.

    What they entered stays, under their name.

    Raises
    ------
    Refused
        If there is no such person.
    """
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        found = _person(session, login)
        found.active = allowed
        session.execute(delete(SignIn).where(SignIn.uploader_id == found.id))


def sign_in(study: Study, *, login: str, password: str) -> str | None:
    """Check a password and begin a sign-in.

    Returns
    -------
    str or None
        The token for the cookie; None where login or password are wrong, without telling which.
    """
    with study.session(THE_STUDY) as session:
        uploader = session.scalar(select(Uploader).where(Uploader.login == login.strip().lower(), Uploader.active))
    try:
        _HASHER.verify(uploader.password_hash if uploader else _NOBODY, password)
    except VerificationError:
        return None
    if uploader is None:
        return None
    token = secrets.token_urlsafe(32)
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        still = session.get_one(Uploader, uploader.id)
        if not still.active or still.password_hash != uploader.password_hash:
            return None  # locked out, or given another password, while this one was being checked
        session.execute(delete(SignIn).where(SignIn.expires_at < now()))
        session.add(SignIn(token_hash=_hashed(token), uploader_id=uploader.id, expires_at=now() + SIGNED_IN_FOR))
    return token


def sign_out(study: Study, token: str) -> None:
    """End a sign-in."""
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        session.execute(delete(SignIn).where(SignIn.token_hash == _hashed(token)))


def who_asks(study: Study, token: str) -> Asker | None:
    """Tell who signed in with a token; None where it is unknown, over, or the person has left."""
    with study.session(THE_STUDY) as session:
        uploader = session.scalar(
            select(Uploader)
            .join(SignIn, SignIn.uploader_id == Uploader.id)
            .where(SignIn.token_hash == _hashed(token), SignIn.expires_at > now(), Uploader.active)
        )
    if uploader is None:
        return None
    return Asker(uploader_id=uploader.id, centre_id=uploader.centre_id, role=uploader.role, language=uploader.language)


def asker_named(study: Study, login: str) -> Asker:
    """Act for a person, at the machine itself, where whoever can read the folder of the study needs no password.

    Raises
    ------
    Refused
        If there is no such person.
    """
    with study.session(THE_STUDY) as session:
        found = session.scalar(select(Uploader).where(Uploader.login == login, Uploader.active))
    if found is None:
        raise Refused(f"nobody signs in as {login}.", remedy="Add the person with: cohortex study add-user")
    return Asker(uploader_id=found.id, centre_id=found.centre_id, role=found.role, language=found.language)


def speak(study: Study, asker: Asker, language: str) -> None:
    """Set the language of a person's pages.

    Raises
    ------
    Refused
        If the pages are not written in it.
    """
    if language not in ("en", "it"):
        raise Refused(f"{language!r} is no language of the pages.", remedy="Choose en or it.")
    with study.session(asker, writes=True) as session, session.begin():
        themself(session).language = language


def themself(session: StudySession) -> Uploader:
    """Give the row of the person who asks."""
    asker = session.asker
    if not isinstance(asker, Asker):
        raise Refused("nobody in particular asks.")
    return session.get_one(Uploader, asker.uploader_id)


def _person(session: StudySession, login: str) -> Uploader:
    found = session.scalar(select(Uploader).where(Uploader.login == login))
    if found is None:
        known = ", ".join(session.scalars(select(Uploader.login).order_by(Uploader.login))) or "nobody yet"
        raise Refused(f"there is no login {login}.", remedy=f"Give one of: {known}.")
    return found


def _good_password(password: str | None) -> str:
    if password is None:
        return secrets.token_urlsafe(12)
    if len(password) < LEAST_PASSWORD:
        raise Refused(
            f"the password has {len(password)} characters.",
            remedy=f"Give at least {LEAST_PASSWORD}, or none to draw one.",
        )
    return password


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
