"""The shapes of what the API takes and gives about people, patients, visits and records."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cohortex.study.database.tables import (
    JobKind,
    JobState,
    ResultKind,
    Role,
    Sex,
    TraceAction,
    UploadQuestion,
    UploadState,
    VisitKind,
)
from cohortex.study.records.fields import Kind, Missing, Occasion
from cohortex.study.standing import Standing

Short = Annotated[str, StringConstraints(max_length=1000)]
Verdict = Literal["accepted", "duplicate", "held", "refused"]


class Shape(BaseModel):
    """What the API gives."""

    model_config = ConfigDict(from_attributes=True, extra="forbid")


class Sent(BaseModel):
    """What the API takes; an entry it does not know is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Fault(Shape):
    """What is wrong, what to do, and which entry of a form it is about."""

    message: str
    remedy: str
    fields: dict[str, str]


class FaultReply(Shape):
    """The form of every reply that is not a success."""

    error: Fault


class CentreShape(Shape):
    """A centre."""

    code: str
    name: str
    country: str = ""


class PersonShape(Shape):
    """Who entered something."""

    name: str


class StudyName(Shape):
    """The study, as the frame of every page names it."""

    name: str
    version: str


class SignInSent(Sent):
    """A sign-in."""

    login: Annotated[str, StringConstraints(max_length=64)]
    password: Annotated[str, StringConstraints(max_length=1024)]


class LanguageSent(Sent):
    """The language of a person's pages."""

    language: Annotated[str, StringConstraints(max_length=8)]


class SessionShape(Shape):
    """Who is signed in."""

    login: str
    name: str
    role: Role
    language: str
    centre: CentreShape
    study: StudyName


class HealthShape(Shape):
    """Whether the server is well."""

    status: Literal["ok", "degraded"]
    version: str
    database: Literal["ok", "unreachable"]
    workers: int


class Coded(Shape):
    """A coded value and how it is read."""

    value: str
    label: str


class LesionTotals(Shape):
    """Lesions of the latest visit; None where they were not outlined."""

    count: int | None
    volume_ml: float | None


class Change(Shape):
    """What became of lesions between the latest two visits; None where they were not outlined."""

    new: int | None
    gone: int | None
    grown: int | None
    shrunk: int | None


class PatientLine(Shape):
    """A patient in the list."""

    code: str
    sex: Sex
    birth_year_shifted: int | None
    age_at_first: float | None
    diagnosis: Coded | None
    phase: Coded | None
    visits: int
    last_visit: date | None
    lesions: LesionTotals | None
    change: Change | None
    status: Standing
    created_at: datetime


class PatientLines(Shape):
    """The patients of the asker's centre."""

    patients: list[PatientLine]


class PatientSent(Sent):
    """A new patient; the birth date is the true one."""

    sex: Sex
    birth_date: date | None = None


class PatientMade(Shape):
    """A patient just added; dates are shifted."""

    code: str
    sex: Sex
    created_at: datetime


class VisitSent(Sent):
    """A new visit; the day is the true one."""

    date: date


class RecordCount(Shape):
    """How much of a record is filled in."""

    complete: int
    of: int


class SeriesShape(Shape):
    """A stored image series."""

    id: int
    upload: str
    modality: str
    contrast: str
    description: str
    instances: int
    shape: list[int]
    spacing_mm: list[float]


class VerdictShape(Shape):
    """What was found of one series in an upload."""

    series: int | None
    modality: str
    contrast: str
    description: str
    instances: int
    shape: list[int]
    spacing_mm: list[float]
    verdict: Verdict
    reason: str
    remedy: str


class UploadShape(Shape):
    """One compressed file that was sent, and what became of it."""

    id: str
    visit: str
    patient: str
    uploader: PersonShape
    size: int
    offset: int
    state: UploadState
    created_at: datetime
    received_at: datetime | None
    receipt: str | None
    reason: str
    remedy: str
    question: UploadQuestion | None
    suspected_patient: str | None
    verdicts: list[VerdictShape]


class UploadShapes(Shape):
    """The uploads of the asker's centre, the latest first."""

    uploads: list[UploadShape]


class DecisionSent(Sent):
    """What a person decides on a held upload."""

    decision: Literal["accept", "refuse"]
    reason: Short


class MoveSent(Sent):
    """The visit an upload belongs to."""

    visit: Annotated[str, StringConstraints(max_length=64)]
    reason: Short


class ReasonSent(Sent):
    """Why."""

    reason: Short


class ResultBrief(Shape):
    """A result in a list."""

    id: str
    kind: ResultKind
    visit: str | None
    visits: list[str]
    template_version: int | None
    made_at: datetime
    current: bool
    superseded_by: str | None
    headline: str
    summary: dict[str, Any]


class VisitShape(Shape):
    """A visit with everything about it; dates are shifted."""

    id: str
    patient: str
    number: int
    kind: VisitKind
    date: date
    day: int
    age: float | None
    uploader: PersonShape
    record: RecordCount
    series: list[SeriesShape]
    uploads: list[UploadShape]
    results: list[ResultBrief]
    status: Standing


class VisitLine(Shape):
    """A visit in the list; the date is shifted."""

    id: str
    patient: str
    number: int
    kind: VisitKind
    date: date
    day: int


class VisitLines(Shape):
    """The visits of the asker's centre, by patient and day."""

    visits: list[VisitLine]


class TraceShape(Shape):
    """What was done about a patient."""

    at: datetime
    who: str
    by_the_study: bool = Field(description="Not `who` did it, but the study itself, with what `who` had sent.")
    action: TraceAction
    detail: str


class PatientShape(Shape):
    """A patient with everything about them; dates are shifted."""

    code: str
    sex: Sex
    age_at_first: float | None
    status: Standing
    centre: CentreShape
    uploader: PersonShape
    visits: list[VisitShape]
    comparisons: list[ResultBrief]
    deviation: ResultBrief | None
    template_version: int | None
    trace: list[TraceShape]


class ValueShape(Shape):
    """A clinical value that stands."""

    value: float | int | str | bool | None
    label: str
    unit: str
    comparator: str
    missing: str
    recorded_at: datetime
    recorded_by: str


class FindingShape(Shape):
    """What a plausibility rule says."""

    rule: str
    level: Literal["error", "warning"]
    field: str
    message: str


class HistoryShape(Shape):
    """A clinical value that was replaced."""

    field: str
    label: str
    recorded_at: datetime
    recorded_by: str
    replaced_at: datetime


class RecordShape(Shape):
    """The clinical record of a visit."""

    values: dict[str, ValueShape]
    findings: list[FindingShape]
    history: list[HistoryShape]


class RecordSent(Sent):
    """Values to enter; null takes one back, fields that are not named stay."""

    values: dict[Annotated[str, StringConstraints(max_length=64)], dict[str, Any] | str | float | bool | None]


class ChoiceShape(Shape):
    """One answer of a field."""

    value: str
    label: str
    code: str
    system: str


class LimitsShape(Shape):
    """What a number or day may be; outside the limits to ask it is asked about."""

    low: float | None
    high: float | None
    ask_low: float | None
    ask_high: float | None


class MissingShape(Shape):
    """A reason why a value is missing."""

    value: Missing
    label: str


class FieldShape(Shape):
    """A field of the clinical record."""

    name: str
    section: str
    label: str
    kind: Kind
    choices: list[ChoiceShape]
    unit: str
    units: list[str]
    unit_needed: bool
    comparators: bool
    missing: list[MissingShape]
    limits: LimitsShape
    applies_to: list[Occasion]
    help: str
    loinc: str


class SectionShape(Shape):
    """A section of the form."""

    name: str
    label: str
    fields: list[FieldShape]


class FormShape(Shape):
    """The form of the clinical record."""

    sections: list[SectionShape]


class ProblemShape(Shape):
    """What is wrong with a table that was sent."""

    row: int
    column: str
    message: str
    remedy: str


class ImportShape(Shape):
    """What became of a table that was sent."""

    rows: int
    problems: list[ProblemShape]
    changes: int
    written: bool


class JobShape(Shape):
    """A piece of work."""

    id: str
    kind: JobKind
    title: str
    patient: str | None
    visit: str | None
    state: JobState
    progress: float
    task: str
    cause: str
    reason: str
    remedy: str
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    lease_until: datetime | None


class JobCounts(Shape):
    """Jobs by state."""

    queued: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0


class JobShapes(Shape):
    """The jobs of the asker's centre and of the study as a whole, the latest first."""

    jobs: list[JobShape]
    counts: JobCounts = Field(description="Of all jobs, not only of those in the list.")
