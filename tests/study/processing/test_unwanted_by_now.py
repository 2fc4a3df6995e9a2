"""What a job was asked for may be unwanted by now, or wrong: another visit stands between, another scan is averaged."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from cohortex.study import Study
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Job, Result, Series, TemplateVersion, Upload, Visit, now
from cohortex.study.jobs import enqueue, work
from cohortex.study.processing import comparing, deviating

LESIONS = {"lesion_count": 1, "total_lesion_volume_ml": 2.0, "brain_volume_ml": 1200.0, "quality": []}
CHANGES = {"event_counts": {"new": 1}, "follow_up": LESIONS, "follow_up_total_ml": 2.0, "total_change_ml": 1.0}


@pytest.fixture
def visits(staffed, person_of) -> Callable[..., list[str]]:
    """Visits of a new patient, each with a committed series and a result."""

    def make(centre: str = "aa", *, count: int = 1) -> list[str]:
        person = person_of(staffed, f"anna.{centre}")
        patient = person.patient()
        made = [person.visit(patient, date(2024, 1, 1) + timedelta(days=day)) for day in range(count)]
        with staffed.session(THE_STUDY, writes=True) as session, session.begin():
            for key in made:
                visit = session.get_one(Visit, key)
                owner = {"centre_id": visit.centre_id, "uploader_id": visit.uploader_id}
                upload = Upload(visit_id=key, state="committed", size=1, verdicts=[], **owner)
                session.add(upload)
                session.flush()
                session.add_all(
                    (
                        Series(upload_id=upload.id, visit_id=key, series_uid="2.25.1", modality="MR", contrast="FLAIR",
                               description="", shape=[], spacing_mm=[], **owner),
                        Result(kind="visit", key=key, patient_id=visit.patient_id, visit_id=key, record="0" * 64,
                               summary={"aligned_brain": key}, files={}, **owner),
                    )
                )  # fmt: skip
        return made

    return make


def queue(study: Study, kind: str, *, visit: str, earlier: str | None = None) -> None:
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        row = session.get_one(Visit, visit)
        enqueue(session, kind, about=visit, cause="upload", centre_id=row.centre_id, uploader_id=row.uploader_id,
                patient_id=row.patient_id, visit_id=visit, arguments={"earlier": earlier})  # fmt: skip


def in_force(study: Study, kind: str) -> Sequence[Result]:
    with study.session(THE_STUDY) as session:
        return session.scalars(select(Result).where(Result.kind == kind, Result.stale_at.is_(None))).all()


def work_once(study: Study, kind: str, handler: object) -> None:
    """Do the one job of that kind; what follows from it is only taken away."""
    done = {name: lambda *_: lambda _: None for name in ("visit", "comparison", "deviation", "distances", "statistics")}
    work(study, {**done, "template": done["visit"], kind: handler}, until_idle=True)
    with study.session(THE_STUDY) as session:
        failures = session.scalars(select(Job.reason).where(Job.kind == kind, Job.state == "failed")).all()
    assert failures == []


def writes(record: dict[str, object], meanwhile: Callable[[], None]) -> Callable[..., object]:
    """Stand in for the pipeline, which takes minutes; something happens while it works."""

    def run(*arguments: object, **_: object) -> object:
        output = next(entry for entry in reversed(arguments) if isinstance(entry, Path))
        output.mkdir(parents=True, exist_ok=True)
        (output / "report.json").write_text(json.dumps(record), encoding="utf-8")
        meanwhile()
        return SimpleNamespace(alignment=SimpleNamespace(converged=False))

    return run


def let_go(study: Study, visit: str, *, come_back: bool = False) -> None:
    """Take the result of a visit out of force, or bring it back."""
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        session.execute(update(Result).where(Result.visit_id == visit).values(stale_at=None if come_back else now()))


@pytest.mark.parametrize("when", ["before", "meanwhile", "never"])
def test_visits_between_which_another_stands_by_now_get_no_comparison(staffed, visits, monkeypatch, when):
    first, between, last = visits(count=3)
    if when != "before":
        let_go(staffed, between)
    meanwhile = (lambda: let_go(staffed, between, come_back=True)) if when == "meanwhile" else lambda: None
    monkeypatch.setattr(comparing, "compare_visits", writes(CHANGES, meanwhile))
    queue(staffed, "comparison", visit=last, earlier=first)
    work_once(staffed, "comparison", comparing.comparison_handler(lambda _, folder: folder))
    assert len(in_force(staffed, "comparison")) == (1 if when == "never" else 0)


@pytest.fixture
def held_against(staffed, monkeypatch) -> Callable[..., dict[str, object]]:
    """Hold a visit against a template in which some brain of its patient was averaged; gives what is asked and said."""

    def hold(visit: str, *, averaged: str | None, meanwhile: Callable[[], None] = lambda: None) -> dict[str, object]:
        asked: dict[str, object] = {}

        def why_not(_: object, *, member: bool) -> str:
            asked["member"] = member
            meanwhile()
            return "too few"

        release(staffed, 1)
        with staffed.session(THE_STUDY) as session:
            patient = session.get_one(Visit, visit).patient_id
        monkeypatch.setattr(deviating, "averaged_brains", lambda *_: {patient: averaged} if averaged else {})
        monkeypatch.setattr(deviating, "why_no_deviation", why_not)
        monkeypatch.setattr(deviating, "Runner", lambda *_, **__: nullcontext(SimpleNamespace(value=lambda _: None)))
        queue(staffed, "deviation", visit=visit)
        work_once(staffed, "deviation", deviating.deviation)
        return asked | {"said": [result.headline for result in in_force(staffed, "deviation")]}

    return hold


def release(study: Study, number: int) -> None:
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        session.add(TemplateVersion(number=number, n_patients=5, n_centres=2, reason="rule", key="k", files={}))


def test_a_brain_is_taken_out_of_the_template_only_where_it_is_the_one_averaged(visits, held_against):
    [visit] = visits()
    assert held_against(visit, averaged=visit) == {"member": True, "said": ["too few"]}


def test_a_scan_other_than_the_one_averaged_is_held_against_no_template_with_the_patient_in_it(visits, held_against):
    [visit] = visits()
    found = held_against(visit, averaged="0" * 64)
    assert found == {"member": False, "said": [deviating._ANOTHER]}


def test_who_is_not_in_the_template_is_held_against_all_of_it(visits, held_against):
    [visit] = visits()
    assert held_against(visit, averaged=None) == {"member": False, "said": ["too few"]}


def test_what_was_held_against_a_version_that_was_followed_meanwhile_is_not_in_force(staffed, visits, held_against):
    [visit] = visits()
    assert held_against(visit, averaged=visit, meanwhile=lambda: release(staffed, 2))["said"] == []
