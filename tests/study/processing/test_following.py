"""A change starts exactly the jobs that depend on it."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import (
    Centre,
    Job,
    Patient,
    Result,
    Series,
    TemplateMember,
    TemplateVersion,
    Upload,
    Uploader,
    Visit,
)
from cohortex.study.processing.following import (
    images_changed,
    record_changed,
    release_is_due,
    template_not_released,
    template_released,
    visit_processed,
)


class Rows:
    """Rows of patients and visits, as if they had been entered and processed."""

    def __init__(self, study) -> None:
        self.session = study.session(THE_STUDY, writes=True)
        self.centres = {c.code: c.id for c in self.session.scalars(select(Centre))}
        self.people = {u.centre_id: u.id for u in self.session.scalars(select(Uploader))}
        self.count = 0

    def patient(self, centre: str, *, visits: int = 1, processed: bool = True) -> list[Visit]:
        self.count += 1
        owner = {"centre_id": self.centres[centre], "uploader_id": self.people[self.centres[centre]]}
        patient = Patient(code=f"{centre}-{self.count:04d}", sex="F", **owner)
        self.session.add(patient)
        self.session.flush()
        made = []
        for number in range(visits):
            kind = "follow-up" if number else "first"
            day = date(2024, 1, 1) + timedelta(days=number)
            visit = Visit(patient_id=patient.id, kind=kind, date=day, **owner)
            self.session.add(visit)
            self.session.flush()
            upload = Upload(visit_id=visit.id, state="committed", size=1, verdicts=[], **owner)
            self.session.add(upload)
            self.session.flush()
            self.session.add(
                Series(upload_id=upload.id, visit_id=visit.id, series_uid="2.25.1", modality="MR", contrast="FLAIR",
                       description="", shape=[], spacing_mm=[], **owner)
            )  # fmt: skip
            made.append(visit)
            if processed:
                self.processed(visit)
        return made

    def processed(self, visit: Visit) -> None:
        self.session.add(
            Result(kind="visit", key=visit.id, patient_id=visit.patient_id, visit_id=visit.id,
                   centre_id=visit.centre_id, uploader_id=visit.uploader_id, summary={"aligned_brain": visit.id},
                   record="0" * 64, files={})
        )  # fmt: skip
        self.session.flush()

    def compared(self, earlier: Visit, later: Visit) -> Result:
        result = Result(
            kind="comparison", key=earlier.id + later.id, patient_id=later.patient_id, visit_id=later.id,
            earlier_visit_id=earlier.id, centre_id=later.centre_id, uploader_id=later.uploader_id, record="0" * 64,
            files={},
        )  # fmt: skip
        self.session.add(result)
        self.session.flush()
        return result

    def release(self, *visits: Visit) -> None:
        number = 1 + len(list(self.session.scalars(select(TemplateVersion))))
        self.session.add(TemplateVersion(number=number, n_patients=1, n_centres=1, reason="rule", key="k", files={}))
        self.session.flush()
        for visit in visits:
            self.session.add(
                TemplateMember(version=number, patient_id=visit.patient_id, visit_id=visit.id,
                               centre_id=visit.centre_id, uploader_id=visit.uploader_id)
            )  # fmt: skip
        self.session.flush()

    def jobs(self) -> Counter[str]:
        found = Counter(job.kind for job in self.session.scalars(select(Job).where(Job.state == "queued")))
        self.session.execute(update(Job).values(state="done"))
        return found


@pytest.fixture
def rows(staffed):
    return Rows(staffed)


def test_a_clinical_value_recomputes_statistics_and_no_image_step(rows):
    record_changed(rows.session)
    assert rows.jobs() == {"statistics": 1}


def test_a_new_series_processes_its_visit_only_and_makes_what_was_made_of_it_stale(rows):
    first, second = rows.patient("AA", visits=2)
    images_changed(rows.session, second, cause="upload")
    assert rows.jobs() == {"visit": 1}
    stale = {r.visit_id: r.stale_at is not None for r in rows.session.scalars(select(Result))}
    assert stale == {first.id: False, second.id: True}


def test_a_visit_without_series_left_is_not_processed(rows):
    [visit] = rows.patient("AA")
    rows.session.execute(update(Series).values(withdrawn_at=visit.created_at))
    images_changed(rows.session, visit, cause="withdrawal")
    assert rows.jobs() == {"statistics": 1}


def test_a_follow_up_is_compared_with_the_visit_before_it(rows):
    visits = rows.patient("AA", visits=3)
    visit_processed(rows.session, visits[2], cause="upload")
    [comparison] = rows.session.scalars(select(Job).where(Job.kind == "comparison"))
    assert (comparison.arguments["earlier"], comparison.visit_id) == (visits[1].id, visits[2].id)
    assert rows.jobs() == {"comparison": 1, "statistics": 1}


def test_a_visit_between_two_others_is_compared_with_both(rows):
    visits = rows.patient("AA", visits=3)
    visit_processed(rows.session, visits[1], cause="upload")
    assert rows.jobs() == {"comparison": 2, "statistics": 1}


def test_when_the_visit_between_two_others_is_withdrawn_those_are_compared(rows):
    first, second, third = rows.patient("AA", visits=3)
    rows.session.execute(update(Series).where(Series.visit_id == second.id).values(withdrawn_at=second.created_at))
    images_changed(rows.session, second, cause="withdrawal")
    [comparison] = rows.session.scalars(select(Job).where(Job.kind == "comparison"))
    assert (comparison.arguments["earlier"], comparison.visit_id) == (first.id, third.id)
    assert rows.jobs() == {"comparison": 1, "statistics": 1}


def test_a_visit_that_comes_between_makes_the_comparison_that_skips_it_stale(rows):
    first, second, third = rows.patient("AA", visits=3)
    skips, stays = rows.compared(first, third), rows.compared(first, second)
    visit_processed(rows.session, second, cause="upload")
    rows.session.flush()
    assert skips.stale_at is not None
    assert stays.stale_at is None
    assert rows.jobs() == {"comparison": 2, "statistics": 1}


def test_the_fourth_patient_releases_no_template_and_the_fifth_does(rows):
    for centre in ("AA", "AA", "BB", "AA"):
        [visit] = rows.patient(centre)
    visit_processed(rows.session, visit, cause="upload")
    assert rows.jobs() == {"statistics": 1}
    [visit] = rows.patient("AA")
    visit_processed(rows.session, visit, cause="upload")
    assert rows.jobs() == {"template": 1}  # what depends on it follows its release


def test_five_patients_of_one_centre_release_none(rows):
    for _ in range(6):
        [visit] = rows.patient("AA")
    visit_processed(rows.session, visit, cause="upload")
    assert rows.jobs() == {"statistics": 1}


def test_a_second_visit_is_no_new_patient(rows):
    for centre in ("AA", "BB"):
        visits = rows.patient(centre, visits=3)
    visit_processed(rows.session, visits[0], cause="upload")
    assert "template" not in rows.jobs()


def test_a_release_starts_exactly_deviation_distances_and_statistics(rows):
    visits = [rows.patient(centre)[0] for centre in ("AA", "AA", "BB", "AA", "CC")]
    rows.release(*visits)
    template_released(rows.session)
    assert rows.jobs() == {"deviation": 5, "distances": 1, "statistics": 1}


def test_after_a_release_one_more_patient_changes_the_patients_own_deviation_and_the_map_not_the_template(rows):
    visits = [rows.patient(centre)[0] for centre in ("AA", "AA", "BB", "AA", "CC")]
    rows.release(*visits)
    [late] = rows.patient("BB")
    visit_processed(rows.session, late, cause="upload")
    [deviation] = rows.session.scalars(select(Job).where(Job.kind == "deviation"))
    assert deviation.patient_id == late.patient_id
    assert rows.jobs() == {"deviation": 1, "distances": 1, "statistics": 1}


def test_the_rule_counts_patients_new_since_the_last_release(rows):
    visits = [rows.patient(centre)[0] for centre in ("AA", "AA", "BB", "AA", "CC")]
    assert release_is_due(rows.session)
    rows.release(*visits)
    for _ in range(4):
        rows.patient("BB")
    assert not release_is_due(rows.session)
    rows.patient("CC")
    assert release_is_due(rows.session)


def test_a_visit_that_was_not_aligned_takes_no_part(rows):
    visits = [rows.patient(centre)[0] for centre in ("AA", "AA", "BB", "AA", "CC")]
    rows.session.execute(update(Result).where(Result.visit_id == visits[0].id).values(summary={"aligned_brain": None}))
    assert not release_is_due(rows.session)


def test_when_a_release_is_left_what_was_left_to_it_is_done_for_the_template_in_force(rows):
    visits = [rows.patient(centre)[0] for centre in ("AA", "AA", "BB", "AA", "CC")]
    template_not_released(rows.session)
    assert rows.jobs() == {"statistics": 1}
    rows.release(*visits)
    template_released(rows.session)
    rows.jobs()
    [late] = rows.patient("BB")
    for visit in visits:
        rows.session.add(
            Result(kind="deviation", key="k", patient_id=visit.patient_id, visit_id=visit.id, template_version=1,
                   centre_id=visit.centre_id, uploader_id=visit.uploader_id, record="0" * 64, files={})
        )  # fmt: skip
    rows.session.flush()
    template_not_released(rows.session)
    [deviation] = rows.session.scalars(select(Job).where(Job.kind == "deviation", Job.state == "queued"))
    assert deviation.patient_id == late.patient_id
    assert rows.jobs() == {"deviation": 1, "distances": 1, "statistics": 1}


@pytest.mark.parametrize("state", ["queued", "failed"])
def test_work_on_a_visit_that_was_withdrawn_is_taken_back(rows, state):
    _, second = rows.patient("AA", visits=2)
    visit_processed(rows.session, second, cause="upload")
    images_changed(rows.session, second, cause="upload")
    rows.session.execute(update(Job).where(Job.kind.in_(("visit", "comparison"))).values(state=state, reason="why"))
    rows.session.execute(update(Series).where(Series.visit_id == second.id).values(withdrawn_at=second.created_at))
    images_changed(rows.session, second, cause="withdrawal")
    states = {job.kind: job.state for job in rows.session.scalars(select(Job))}
    assert states == {"visit": "cancelled", "comparison": "cancelled", "statistics": "queued"}
