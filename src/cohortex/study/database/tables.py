"""The rows of a study: who, about whom, what was sent, what was made of it.

Times are UTC and zone-aware. Dates about a patient are shifted by the patient's secret number of days. Every row about
a patient names its centre, by which it is found or not found, and its uploader, who is never missing.
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

Role = Literal["uploader", "coordinator"]
Sex = Literal["F", "M", "O", "U"]
VisitKind = Literal["first", "follow-up"]
UploadState = Literal["receiving", "received", "checking", "held", "committed", "refused", "withdrawn"]
UploadQuestion = Literal["two-patients", "other-patient", "known-patient", "mismatch", "burned-in"]
JobKind = Literal["check", "visit", "comparison", "template", "deviation", "distances", "statistics"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
ResultKind = Literal["visit", "comparison", "deviation"]
JobCause = Literal["upload", "decision", "move", "withdrawal", "record", "template", "coordinator", "retry", "update"]
TraceAction = Literal[
    "patient added", "visit added", "record changed", "upload received", "upload committed", "upload held",
    "upload not taken", "upload refused", "upload let in", "upload moved away", "upload moved here",
    "upload withdrawn", "upload abandoned", "upload ended", "visit result", "comparison result", "deviation result",
]  # fmt: skip
BY_THE_STUDY: frozenset[TraceAction] = frozenset((
    "upload committed", "upload held", "upload not taken", "upload ended",
    "visit result", "comparison result", "deviation result",
))  # fmt: skip
"""What the study itself does with what a person sent: the person of such an entry did not do it."""
FigureKind = Literal["map", "statistics"]


def now() -> datetime:
    """Tell the time, zone-aware."""
    return datetime.now(UTC)


def new_id() -> str:
    """Draw an identifier that tells nothing and is not guessed."""
    return uuid.uuid4().hex


class Moment(TypeDecorator[datetime]):
    """A point in time, kept as UTC: SQLite forgets zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse what has no zone, turn the rest into UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone was given; use study.database.now().")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        del dialect
        return value if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it off the class
        datetime: Moment,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        Role: String(16),
        Sex: String(1),
        VisitKind: String(16),
        UploadState: String(16),
        JobKind: String(16),
        JobState: String(16),
        ResultKind: String(16),
        FigureKind: String(16),
    }


class OfCentre:
    """A row that belongs to one centre; others never find it."""

    @declared_attr
    def centre_id(cls) -> Mapped[int]:  # noqa: N805 - SQLAlchemy calls it on the class
        """Centre it belongs to."""
        return mapped_column(ForeignKey("centre.id"), index=True)


class AboutPatient(OfCentre):
    """A row about a patient: of a centre, and by an uploader who is never missing."""

    @declared_attr
    def uploader_id(cls) -> Mapped[int]:  # noqa: N805
        """Who entered it, or whose upload it comes from."""
        return mapped_column(ForeignKey("uploader.id"))


class OfCentreOrStudy:
    """A row of one centre, or, without a centre, of the study as a whole and open to all."""

    @declared_attr
    def centre_id(cls) -> Mapped[int | None]:  # noqa: N805
        """Centre it belongs to, if any."""
        return mapped_column(ForeignKey("centre.id"), index=True)


class Closed:
    """A row only the study itself reads, never a person."""


class StudyInfo(Base):
    """The study: one row."""

    __tablename__ = "study"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    rule_patients: Mapped[int] = mapped_column(default=5)
    rule_centres: Mapped[int] = mapped_column(default=2)
    least_patients: Mapped[int] = mapped_column(default=5)
    least_centres: Mapped[int] = mapped_column(default=2)
    template_contrast: Mapped[str] = mapped_column(String(16), default="FLAIR")
    created_at: Mapped[datetime] = mapped_column(default=now)
    __table_args__ = (CheckConstraint("id = 1"),)


class Centre(Base):
    """A hospital or institute that takes part."""

    __tablename__ = "centre"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str]
    country: Mapped[str] = mapped_column(String(2), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)


class Uploader(OfCentre, Base):
    """A person of a centre who signs in."""

    __tablename__ = "uploader"
    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str]
    role: Mapped[Role] = mapped_column(default="uploader")
    language: Mapped[str] = mapped_column(String(2), default="en")
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    centre: Mapped[Centre] = relationship()


class SignIn(Closed, Base):
    """A browser that signed in; the token itself is only in its cookie."""

    __tablename__ = "sign_in"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    uploader_id: Mapped[int] = mapped_column(ForeignKey("uploader.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class Patient(AboutPatient, Base):
    """A patient, known by a study code."""

    __tablename__ = "patient"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    sex: Mapped[Sex]
    birth_date: Mapped[date | None]
    patient_hash: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
    uploader: Mapped[Uploader] = relationship()
    visits: Mapped[list[Visit]] = relationship(back_populates="patient", order_by="Visit.date")
    __table_args__ = (UniqueConstraint("centre_id", "patient_hash"),)


class Visit(AboutPatient, Base):
    """A first examination or a follow-up."""

    __tablename__ = "visit"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    kind: Mapped[VisitKind]
    date: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(default=now)
    patient: Mapped[Patient] = relationship(back_populates="visits")
    uploader: Mapped[Uploader] = relationship()
    entries: Mapped[list[RecordEntry]] = relationship(back_populates="visit", order_by="RecordEntry.id")
    uploads: Mapped[list[Upload]] = relationship(back_populates="visit", order_by="Upload.created_at")
    series: Mapped[list[Series]] = relationship(back_populates="visit", order_by="Series.id")
    __table_args__ = (
        UniqueConstraint("patient_id", "date"),
        Index("one_first_examination", "patient_id", unique=True, sqlite_where=text("kind = 'first'"),
              postgresql_where=text("kind = 'first'")),
        CheckConstraint("kind IN ('first', 'follow-up')"),
    )  # fmt: skip


class RecordEntry(AboutPatient, Base):
    """One clinical value of a visit; an older one stays, with the time at which it was replaced."""

    __tablename__ = "record_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id"), index=True)
    field: Mapped[str] = mapped_column(String(64))
    value: Mapped[str | None]
    unit: Mapped[str] = mapped_column(String(32), default="")
    comparator: Mapped[str] = mapped_column(String(1), default="")
    missing: Mapped[str] = mapped_column(String(32), default="")
    entered_at: Mapped[datetime] = mapped_column(default=now)
    replaced_at: Mapped[datetime | None]
    visit: Mapped[Visit] = relationship(back_populates="entries")
    uploader: Mapped[Uploader] = relationship()
    __table_args__ = (
        Index("one_value_of_a_field", "visit_id", "field", unique=True, sqlite_where=text("replaced_at IS NULL"),
              postgresql_where=text("replaced_at IS NULL")),
    )  # fmt: skip


class Upload(AboutPatient, Base):
    """One compressed file on its way into the study, and what became of it."""

    __tablename__ = "upload"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id"), index=True)
    state: Mapped[UploadState] = mapped_column(default="receiving")
    ending: Mapped[str] = mapped_column(String(16), default="")  # of the file name; the name itself may name a person
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=now)
    received_at: Mapped[datetime | None]
    receipt: Mapped[str | None] = mapped_column(String(64))  # keyed hash of what was sent
    question: Mapped[UploadQuestion | None] = mapped_column(String(32))
    suspected_patient_id: Mapped[str | None] = mapped_column(ForeignKey("patient.id"))
    released: Mapped[bool] = mapped_column(default=False)  # a person looked at what was held and let it in
    reason: Mapped[str] = mapped_column(default="")
    remedy: Mapped[str] = mapped_column(default="")
    patient_hash: Mapped[str | None] = mapped_column(String(64))
    verdicts: Mapped[list[Any]] = mapped_column(default=list)
    visit: Mapped[Visit] = relationship(back_populates="uploads")
    uploader: Mapped[Uploader] = relationship()


class Series(AboutPatient, Base):
    """One accepted image series; withdrawn ones stay, with the time."""

    __tablename__ = "series"
    id: Mapped[int] = mapped_column(primary_key=True)
    upload_id: Mapped[str] = mapped_column(ForeignKey("upload.id"), index=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id"), index=True)
    series_uid: Mapped[str] = mapped_column(String(64))
    modality: Mapped[str] = mapped_column(String(16))
    contrast: Mapped[str] = mapped_column(String(16))
    description: Mapped[str]
    shape: Mapped[list[Any]]
    spacing_mm: Mapped[list[Any]]
    withdrawn_at: Mapped[datetime | None]
    visit: Mapped[Visit] = relationship(back_populates="series")
    instances: Mapped[list[Instance]] = relationship(back_populates="series", order_by="Instance.id")


class Instance(AboutPatient, Base):
    """One de-identified SOP instance, and the object that holds it."""

    __tablename__ = "instance"
    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), index=True)
    sop_uid: Mapped[str] = mapped_column(String(64), index=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("object.sha256"))
    size: Mapped[int] = mapped_column(BigInteger)
    series: Mapped[Series] = relationship(back_populates="instances")
    __table_args__ = (UniqueConstraint("series_id", "sop_uid"),)


class StoredObject(Closed, Base):
    """An object that is durably in the object store."""

    __tablename__ = "object"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Job(OfCentreOrStudy, Base):
    """A piece of work: queued, running with a lease, done, or failed with the reason."""

    __tablename__ = "job"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    kind: Mapped[JobKind]
    about: Mapped[str] = mapped_column(String(80))  # what it works on; one queued job of a kind about one thing
    uploader_id: Mapped[int | None] = mapped_column(ForeignKey("uploader.id"))
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patient.id"), index=True)
    visit_id: Mapped[str | None] = mapped_column(ForeignKey("visit.id"))
    upload_id: Mapped[str | None] = mapped_column(ForeignKey("upload.id"))
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    cause: Mapped[JobCause] = mapped_column(String(32))
    priority: Mapped[int] = mapped_column(default=0)
    state: Mapped[JobState] = mapped_column(default="queued")
    progress: Mapped[float] = mapped_column(default=0.0)
    task: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    remedy: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now, index=True)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    patient: Mapped[Patient | None] = relationship()
    __table_args__ = (
        Index("one_queued_job", "kind", "about", unique=True, sqlite_where=text("state = 'queued'"),
              postgresql_where=text("state = 'queued'")),
        Index("jobs_to_do", "state", "priority", "created_at"),
        CheckConstraint("patient_id IS NULL OR (centre_id IS NOT NULL AND uploader_id IS NOT NULL)"),
    )  # fmt: skip


class Result(AboutPatient, Base):
    """What was made of a patient's images; an older one stays readable when a newer replaces it."""

    __tablename__ = "result"
    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    kind: Mapped[ResultKind]
    key: Mapped[str] = mapped_column(String(64))  # hash of all that went in: the same work is never kept twice
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id"), index=True)  # the later one of a comparison
    earlier_visit_id: Mapped[str | None] = mapped_column(ForeignKey("visit.id"))
    template_version: Mapped[int | None] = mapped_column(ForeignKey("template_version.number"))
    headline: Mapped[str] = mapped_column(default="")
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)
    record: Mapped[str]  # SHA-256 of the object that holds report.json
    files: Mapped[dict[str, Any]]  # name -> sha256, size, title, kind, space, visit, unit, range, preview
    made_at: Mapped[datetime] = mapped_column(default=now)
    stale_at: Mapped[datetime | None]  # what it was made from has changed since
    superseded_by: Mapped[str | None] = mapped_column(ForeignKey("result.id"))
    patient: Mapped[Patient] = relationship()
    visit: Mapped[Visit] = relationship(foreign_keys=[visit_id])
    __table_args__ = (UniqueConstraint("kind", "visit_id", "key"),)


class TemplateVersion(Base):
    """One release of the study's own template; open to every centre."""

    __tablename__ = "template_version"
    number: Mapped[int] = mapped_column(primary_key=True)
    n_patients: Mapped[int]
    n_centres: Mapped[int]
    reason: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(64))  # of the pipeline's result
    files: Mapped[dict[str, Any]]
    released_at: Mapped[datetime] = mapped_column(default=now)


class TemplateMember(AboutPatient, Base):
    """A patient whose brain is part of a template version."""

    __tablename__ = "template_member"
    version: Mapped[int] = mapped_column(ForeignKey("template_version.number"), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id"))


class CountedPatient(AboutPatient, Base):
    """A patient whom the statistics of the study count; patients enter in batches, so that none can be told."""

    __tablename__ = "counted_patient"
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(default=now)


class MapPoint(AboutPatient, Base):
    """Where a patient lies on the map of the study; only its own centre sees the point."""

    __tablename__ = "map_point"
    version: Mapped[int] = mapped_column(ForeignKey("template_version.number"), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    x: Mapped[float]
    y: Mapped[float]
    distance_to_template: Mapped[float]
    patient: Mapped[Patient] = relationship()


class OpenFigure(Base):
    """A figure of the whole study, made so that nobody in it can be told; open to every centre."""

    __tablename__ = "open_figure"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[FigureKind] = mapped_column(index=True)
    template_version: Mapped[int | None] = mapped_column(ForeignKey("template_version.number"))
    content: Mapped[dict[str, Any]]
    made_at: Mapped[datetime] = mapped_column(default=now)


class TraceEntry(AboutPatient, Base):
    """What was done about a patient, when, and why; never changed, never removed.

    The uploader is who did it; of what the study did itself (`BY_THE_STUDY`), who had sent what it was done with.
    """

    __tablename__ = "trace_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    at: Mapped[datetime] = mapped_column(default=now)
    action: Mapped[TraceAction] = mapped_column(String(32))
    detail: Mapped[str] = mapped_column(default="")
    uploader: Mapped[Uploader] = relationship()
