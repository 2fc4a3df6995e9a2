"""Two checks at the same time: the second learns from the first whose scans these are."""

from __future__ import annotations

from datetime import date

import pytest

from cohortex.progress import silent
from cohortex.study.database import THE_STUDY
from cohortex.study.jobs.worker import LeaseLost
from cohortex.study.processing.checking import check

DAYS = (date(2024, 1, 1), date(2024, 2, 1))


def judged(desk, upload: str):
    """Judge an upload up to the moment when it would be kept."""
    [job] = desk.jobs(upload=upload)
    return check(desk.study, job, silent)


def keep(desk, finish) -> None:
    with desk.study.session(THE_STUDY, writes=True) as session, session.begin():
        finish(session)


@pytest.fixture
def two_visits(anna) -> tuple[str, str]:
    code = anna.patient()
    return tuple(anna.visit(code, day) for day in DAYS)


def test_two_uploads_of_one_new_patient_are_both_kept(desk, anna, two_visits, archive_of):
    uploads = [anna.send(visit, archive_of(71, scan=n, on=DAYS[n])) for n, visit in enumerate(two_visits)]
    both = [judged(desk, upload) for upload in uploads]
    for finish in both:
        keep(desk, finish)
    assert [desk.upload(upload).state for upload in uploads] == ["committed", "committed"]


def test_of_two_persons_sent_as_one_new_patient_the_second_is_not_kept_unasked(desk, anna, two_visits, archive_of):
    uploads = [anna.send(visit, archive_of(72 + n, on=DAYS[n])) for n, visit in enumerate(two_visits)]
    both = [judged(desk, upload) for upload in uploads]
    keep(desk, both[0])
    with pytest.raises(LeaseLost):
        keep(desk, both[1])
    assert not desk.series(uploads[1])
    keep(desk, judged(desk, uploads[1]))
    held = desk.upload(uploads[1])
    assert (held.state, held.question) == ("held", "other-patient")
