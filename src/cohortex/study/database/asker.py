"""The one place where it is decided who sees what: a session that carries the asker and filters every query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event, false, or_
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria

from cohortex.errors import Refused
from cohortex.study.database.engine import writing
from cohortex.study.database.tables import Closed, OfCentre, OfCentreOrStudy, Role


@dataclass(frozen=True, kw_only=True)
class Asker:
    """A person who asks.

    Attributes
    ----------
    uploader_id, centre_id : int
        Who, of which centre.
    role : {"uploader", "coordinator"}
        What the person may do beside looking; it opens no other centre's patients.
    language : str
        "en" or "it".
    """

    uploader_id: int
    centre_id: int
    role: Role
    language: str = "en"


@dataclass(frozen=True)
class TheStudyItself:
    """The worker and the administrator at the machine: sees all, answers nobody."""


THE_STUDY = TheStudyItself()


class StudySession(Session):
    """A database session on behalf of an asker.

    Every query through it finds rows of the asker's centre and of the study as a whole, and no others, whichever way
    they are asked for: by select, by key, along a relationship, in bulk updates and deletes. What bypasses the mapped
    classes is refused, and so is writing a row of another centre.

    Parameters
    ----------
    engine : Engine
        The database.
    asker : Asker or TheStudyItself
        On whose behalf.
    writes : bool
        Whether it may change anything.
    """

    def __init__(self, engine: Engine, asker: Asker | TheStudyItself, *, writes: bool = False) -> None:
        super().__init__(writing(engine) if writes else engine, expire_on_commit=False)
        self.asker = asker
        self.writes = writes


@event.listens_for(StudySession, "do_orm_execute")
def _filter(state: ORMExecuteState) -> None:
    asker = state.session.asker  # type: ignore[attr-defined]  # every session here is a StudySession
    if isinstance(asker, TheStudyItself):
        return
    if not state.is_orm_statement:
        raise Refused("a query that bypasses the mapped classes was asked for; who may see its rows cannot be told.")
    if state.is_insert:
        raise Refused("rows are added one by one, so that each can be checked.")
    centre = asker.centre_id
    state.statement = state.statement.options(
        with_loader_criteria(OfCentre, lambda cls: cls.centre_id == centre, include_aliases=True),
        with_loader_criteria(
            OfCentreOrStudy, lambda cls: or_(cls.centre_id == centre, cls.centre_id.is_(None)), include_aliases=True
        ),
        with_loader_criteria(Closed, lambda cls: false(), include_aliases=True),  # noqa: ARG005
    )


@event.listens_for(StudySession, "before_flush")
def _refuse_foreign_rows(session: Session, _: UOWTransaction, __: Any) -> None:
    asker = session.asker  # type: ignore[attr-defined]
    changed: Iterable[Any] = [*session.new, *session.dirty, *session.deleted]
    if changed and not session.writes:  # type: ignore[attr-defined]
        raise Refused("this session only reads.")
    if isinstance(asker, TheStudyItself):
        return
    for row in changed:
        if isinstance(row, OfCentre | OfCentreOrStudy):
            if row.centre_id != asker.centre_id and not (row.centre_id is None and isinstance(row, OfCentreOrStudy)):
                raise Refused("this row belongs to another centre.")
        else:
            raise Refused(f"{type(row).__name__} is changed by the study itself, not by a person.")
