"""Who may sign in, and that a wrong word tells nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from cohortex.errors import Refused
from cohortex.study import people
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import SignIn, Uploader, now
from cohortex.study.people import (
    add_centre,
    add_uploader,
    let_sign_in,
    set_password,
    sign_in,
    sign_out,
    speak,
    who_asks,
)


def test_who_knows_the_password_is_known_by_the_token(staffed):
    token = sign_in(staffed, login="anna.bb", password="correct horse")
    asker = who_asks(staffed, token)
    with staffed.session(asker) as session:
        assert [person.login for person in session.scalars(select(Uploader))] == ["anna.bb"]
    sign_out(staffed, token)
    assert who_asks(staffed, token) is None


@pytest.mark.parametrize(("login", "password"), [("anna.bb", "wrong horse!"), ("nobody", "correct horse"), ("", "")])
def test_a_wrong_login_or_password_is_not_told_apart(staffed, login, password):
    assert sign_in(staffed, login=login, password=password) is None


def test_neither_password_nor_token_is_stored(staffed):
    token = sign_in(staffed, login="anna.aa", password="correct horse")
    with staffed.session(THE_STUDY) as session:
        stored = [row.password_hash for row in session.scalars(select(Uploader))]
        stored += [row.token_hash for row in session.scalars(select(SignIn))]
    assert not any("correct horse" in entry or token in entry for entry in stored)


def test_a_sign_in_ends(staffed):
    token = sign_in(staffed, login="anna.aa", password="correct horse")
    with staffed.session(THE_STUDY, writes=True) as session, session.begin():
        session.execute(update(SignIn).values(expires_at=now() - timedelta(seconds=1)))
    assert who_asks(staffed, token) is None


def test_who_has_left_is_not_let_in(staffed):
    token = sign_in(staffed, login="anna.aa", password="correct horse")
    with staffed.session(THE_STUDY, writes=True) as session, session.begin():
        session.execute(update(Uploader).values(active=False))
    assert who_asks(staffed, token) is None
    assert sign_in(staffed, login="anna.aa", password="correct horse") is None


def test_a_password_that_is_not_given_is_drawn(staffed):
    drawn = [add_uploader(staffed, centre="AA", login=f"p{n}", name="P").password for n in range(2)]
    assert len(set(drawn)) == 2
    assert sign_in(staffed, login="p1", password=drawn[1])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"login": "Anna"}, "no login"),
        ({"login": "anna.aa"}, "taken"),
        ({"password": "short"}, "5 characters"),
        ({"centre": "ZZ"}, "no centre ZZ"),
        ({"language": "de"}, "no language"),
    ],
)
def test_a_person_who_cannot_be_added_is_refused_with_the_reason(staffed, change, said):
    with pytest.raises(Refused, match=said):
        add_uploader(staffed, **{"centre": "AA", "login": "bea", "name": "Bea", **change})


@pytest.mark.parametrize(
    ("code", "name", "said"), [("aa", "X", "no code"), ("AA", "X", "already"), ("DD", " ", "no name")]
)
def test_a_centre_that_cannot_be_added_is_refused(staffed, code, name, said):
    with pytest.raises(Refused, match=said):
        add_centre(staffed, code=code, name=name)


def test_a_person_chooses_the_language_of_the_pages(staffed):
    token = sign_in(staffed, login="anna.cc", password="correct horse")
    speak(staffed, who_asks(staffed, token), "it")
    assert who_asks(staffed, token).language == "it"


def test_another_password_ends_the_old_one_and_what_was_begun_with_it(staffed):
    token = sign_in(staffed, login="anna.aa", password="correct horse")
    drawn = set_password(staffed, "anna.aa")
    assert who_asks(staffed, token) is None
    assert sign_in(staffed, login="anna.aa", password="correct horse") is None
    assert sign_in(staffed, login="anna.aa", password=drawn)
    assert set_password(staffed, "anna.aa", password="battery staple") == "battery staple"
    assert sign_in(staffed, login="anna.aa", password="battery staple")


def test_a_sign_in_that_was_being_checked_when_the_password_changed_is_none(staffed, monkeypatch):
    class Slow:
        def __init__(self, hasher):
            self.verify = lambda *words: (hasher.verify(*words), set_password(staffed, "anna.aa"))[0]
            self.hash = hasher.hash

    monkeypatch.setattr(people, "_HASHER", Slow(people._HASHER))
    assert sign_in(staffed, login="anna.aa", password="correct horse") is None


def test_who_is_locked_out_is_out_at_once_until_let_in_again(staffed):
    token = sign_in(staffed, login="anna.aa", password="correct horse")
    let_sign_in(staffed, "anna.aa", allowed=False)
    assert who_asks(staffed, token) is None
    assert sign_in(staffed, login="anna.aa", password="correct horse") is None
    let_sign_in(staffed, "anna.aa", allowed=True)
    assert who_asks(staffed, token) is None
    assert sign_in(staffed, login="anna.aa", password="correct horse")


@pytest.mark.parametrize(
    "act",
    [
        lambda study: set_password(study, "nobody"),
        lambda study: let_sign_in(study, "nobody", allowed=False),
        lambda study: set_password(study, "anna.aa", password="short"),
        lambda study: add_centre(study, code="DD", name="Centre", country="Italy"),
    ],
)
def test_what_cannot_be_done_for_people_is_refused_with_a_remedy(staffed, act):
    with pytest.raises(Refused) as refused:
        act(staffed)
    assert refused.value.remedy
