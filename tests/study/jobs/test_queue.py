"""A job is done once, by one worker, whoever dies."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from cohortex.errors import Refused, VisitProblem
from cohortex.progress import Progress
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Job, OpenFigure, Patient, Uploader
from cohortex.study.jobs import claim, enqueue, heartbeat, retry, work
from cohortex.study.jobs.queue import MOST_DEATHS, STUDY, release_of
from cohortex.study.jobs.worker import LeaseLost

SHORT = timedelta(seconds=-1)  # over as soon as it is given


def queue(study, kind="statistics", about=STUDY) -> str:
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        return enqueue(session, kind, about=about, cause="record").id


def jobs(study) -> list[Job]:
    with study.session(THE_STUDY) as session:
        return list(session.scalars(select(Job).order_by(Job.created_at)))


def test_the_same_work_is_queued_once(study):
    assert queue(study) == queue(study)
    assert queue(study, "distances") != queue(study)


def test_what_is_asked_for_while_it_runs_is_done_again_but_not_at_the_same_time(study):
    first = queue(study)
    assert claim(study, worker="a").id == first
    second = queue(study)
    assert second != first
    assert claim(study, worker="b") is None


def test_a_person_waits_for_nothing_less_urgent(study):
    queue(study, "statistics")
    queue(study, "template")
    assert claim(study, worker="a").kind == "template"


def test_many_workers_share_the_jobs_without_taking_one_twice(study):
    wanted = {queue(study, "deviation", f"p{n}") for n in range(12)}
    taken: list[str] = []

    def take(name: str) -> None:
        while job := claim(study, worker=name):
            taken.append(job.id)

    threads = [threading.Thread(target=take, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(wanted)


def test_a_job_whose_lease_is_over_goes_to_the_next_worker(study):
    job = queue(study)
    claim(study, worker="dead", lease=SHORT)
    again = claim(study, worker="alive")
    assert (again.id, again.worker, again.attempts) == (job, "alive", 2)
    assert not heartbeat(study, job, worker="dead", progress=0.5, task="")
    assert heartbeat(study, job, worker="alive", progress=0.5, task="counting")


def test_what_a_worker_known_to_be_dead_held_is_free_at_once(study):
    job = queue(study)
    claim(study, worker="dead")
    release_of(study, "dead")
    assert claim(study, worker="alive").id == job


def test_a_job_that_kills_its_workers_is_given_up_with_the_reason(study):
    queue(study)
    for number in range(MOST_DEATHS):
        assert claim(study, worker=f"w{number}", lease=SHORT)
    assert claim(study, worker="last") is None
    [job] = jobs(study)
    assert job.state == "failed"
    assert f"died {MOST_DEATHS} times" in job.reason
    assert "memory" in job.remedy


def test_a_job_whose_workers_were_told_to_end_is_not_given_up(study):
    job = queue(study)
    for _ in range(MOST_DEATHS + 1):
        assert claim(study, worker="told").id == job
        release_of(study, "told", blameless=True)
    [row] = jobs(study)
    assert (row.state, row.attempts) == ("queued", 0)


def test_a_failed_job_is_tried_again_when_a_person_says_so(study):
    queue(study)
    work(study, {"statistics": _fails}, until_idle=True)
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        retry(session, session.scalars(select(Job)).one())
    assert [job.state for job in jobs(study)] == ["cancelled", "queued"]
    with study.session(THE_STUDY, writes=True) as session, pytest.raises(Refused, match="only a failed one"):
        retry(session, session.scalars(select(Job).where(Job.state == "queued")).one())


def _fails(*_):
    raise VisitProblem("the visit holds no image. Send it again.")


def _figure(_, __, progress):
    progress(Progress(task="counting", done=1, total=2))
    return lambda session: session.add(OpenFigure(kind="statistics", content={"n": 1}))


def figures(study) -> int:
    with study.session(THE_STUDY) as session:
        return len(list(session.scalars(select(OpenFigure))))


def test_a_job_that_is_done_is_marked_so_together_with_what_it_made(study):
    queue(study)
    assert work(study, {"statistics": _figure}, until_idle=True) == 1
    [job] = jobs(study)
    assert (job.state, job.progress, job.lease_until) == ("done", 1.0, None)
    assert figures(study) == 1


def test_a_failure_is_said_in_words_with_its_remedy(study):
    queue(study)
    work(study, {"statistics": _fails}, until_idle=True)
    [job] = jobs(study)
    assert (job.state, job.reason) == ("failed", "the visit holds no image. Send it again.")


def test_of_an_error_nobody_foresaw_no_word_is_passed_on(study, caplog):
    def breaks(*_):
        raise RuntimeError("PHANTOM^ROSSI")

    queue(study)
    with caplog.at_level("CRITICAL"):
        work(study, {"statistics": breaks}, until_idle=True)
    [job] = jobs(study)
    assert "ROSSI" not in job.reason + job.remedy
    assert "RuntimeError" in job.reason


def test_a_worker_that_lost_its_lease_keeps_nothing(study):
    queue(study)

    def slow(study, job, _):
        release_of(study, job.worker)
        claim(study, worker="thief")
        return _figure(study, job, lambda _: None)

    def once() -> bool:
        return not figures(study) and jobs(study)[0].state == "queued"

    work(study, {"statistics": slow}, go_on=once)
    assert figures(study) == 0
    assert jobs(study)[0].worker == "thief"


def test_progress_raises_once_the_lease_is_lost(study):
    seen = []

    def watches(study, job, progress):
        release_of(study, job.worker)
        claim(study, worker="thief")
        try:
            for _ in range(600):
                progress(Progress(task=f"step {_}", done=_, total=600))
                threading.Event().wait(0.01)
        except LeaseLost:
            seen.append("lost")
            raise

    queue(study)
    work(study, {"statistics": watches}, go_on=lambda: jobs(study)[0].state == "queued")
    assert seen == ["lost"]


def test_two_uploads_of_one_patient_are_checked_one_after_the_other(staffed):
    with staffed.session(THE_STUDY, writes=True) as session, session.begin():
        person = session.scalars(select(Uploader)).first()
        owner = {"centre_id": person.centre_id, "uploader_id": person.id}
        for code in ("AA-0001", "AA-0002"):
            patient = Patient(code=code, sex="F", **owner)
            session.add(patient)
            session.flush()
            for number in range(2):
                enqueue(session, "check", about=f"{code} {number}", cause="upload", patient_id=patient.id, **owner)
    first, second = claim(staffed, worker="a"), claim(staffed, worker="b")
    assert first.patient_id != second.patient_id
    assert claim(staffed, worker="c") is None
