"""A study of three centres behind its API: empty, or filled by rows as processing would leave them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from cohortex.server.app import create_app
from cohortex.study import Study
from cohortex.study.people import add_centre, add_uploader

PASSWORD = "correct horse"
CENTRES = ("AA", "BB", "CC")


@pytest.fixture(scope="session")
def password() -> str:
    return PASSWORD


@pytest.fixture(scope="session")
def staffed_home(tmp_path_factory) -> Path:
    """A study with its people, made once: hashing passwords is slow on purpose."""
    home = tmp_path_factory.mktemp("staffed") / "study"
    study = Study.create(home, name="Lesions")
    for code in CENTRES:
        add_centre(study, code=code, name=f"Centre {code}", country="IT")
        add_uploader(
            study, centre=code, login=f"anna.{code.lower()}", name=f"Anna of {code}", password=PASSWORD,
            role="coordinator" if code == "AA" else "uploader", language="it" if code == "CC" else "en",
        )  # fmt: skip
    study.close()
    return home


@pytest.fixture
def study(staffed_home, tmp_path) -> Iterator[Study]:
    study = Study.open(shutil.copytree(staffed_home, tmp_path / "study"))
    yield study
    study.close()


@pytest.fixture
def stranger(study) -> Iterator[TestClient]:
    """Somebody who has not signed in."""
    with TestClient(
        create_app(study, pages=False), headers={"X-Cohortex": "1"}, raise_server_exceptions=False
    ) as client:
        yield client


@pytest.fixture
def person_of(stranger) -> Callable[[str], TestClient]:
    """Sign a person of a centre in, on a browser of their own."""

    def sign_in(centre: str) -> TestClient:
        client = TestClient(stranger.app, headers={"X-Cohortex": "1"}, raise_server_exceptions=False)
        reply = client.post("/api/session", json={"login": f"anna.{centre.lower()}", "password": PASSWORD})
        assert reply.status_code == 200, reply.text
        return client

    return sign_in


@pytest.fixture
def anna(person_of) -> TestClient:
    """A person of centre AA, who is also the coordinator."""
    return person_of("AA")
