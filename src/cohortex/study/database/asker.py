"""The one place where it is decided who sees what: a session that carries the asker and filters every query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import (
    Alias,
    ClauseElement,
    Column,
    ColumnClause,
    Connection,
    Engine,
    Executable,
    FromClause,
    Join,
    Select,
    Table,
    TextClause,
    event,
    false,
    or_,
)
from sqlalchemy.orm import FromStatement, ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.base import ExecutableOption

from cohortex.errors import Refused
from cohortex.study.database.engine import writing
from cohortex.study.database.tables import Closed, OfCentre, OfCentreOrStudy, Role

Row = TypeVar("Row")


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
        self.gets = False

    def get(self, entity: type[Row], ident: Any, **options: Any) -> Row | None:  # type: ignore[override]  # only classes
        """Fetch a row by its key, filtered as every query; the mapper writes the statement, with columns of its own."""
        self.gets = True
        try:
            return super().get(entity, ident, **options)
        finally:
            self.gets = False

    def connection(self, *arguments: Any, **options: Any) -> Connection:
        """Give the bare connection, on which nothing is filtered: to the study itself only."""
        self._refuse_persons("the bare connection was asked for")
        return super().connection(*arguments, **options)

    def bulk_save_objects(self, *arguments: Any, **options: Any) -> None:
        """Write rows unseen: the study itself only."""
        self._refuse_persons("rows were to be written in bulk")
        super().bulk_save_objects(*arguments, **options)

    def bulk_insert_mappings(self, *arguments: Any, **options: Any) -> None:
        """Add rows unseen: the study itself only."""
        self._refuse_persons("rows were to be added in bulk")
        super().bulk_insert_mappings(*arguments, **options)

    def bulk_update_mappings(self, *arguments: Any, **options: Any) -> None:
        """Change rows by their keys unseen: the study itself only."""
        self._refuse_persons("rows were to be changed in bulk")
        super().bulk_update_mappings(*arguments, **options)

    def _refuse_persons(self, what: str) -> None:
        if not isinstance(self.asker, TheStudyItself):
            raise Refused(f"{what}, which bypasses the session; who may see the rows cannot be told.")


@event.listens_for(StudySession, "do_orm_execute")
def _filter(state: ORMExecuteState) -> None:
    asker = state.session.asker  # type: ignore[attr-defined]  # every session here is a StudySession
    if isinstance(asker, TheStudyItself):
        return
    if not state.is_orm_statement or (_is_asked_for(state) and _holds_unmapped(state.statement)):
        raise Refused("a query that bypasses the mapped classes was asked for; who may see its rows cannot be told.")
    if state.is_insert or isinstance(state.parameters, list):
        raise Refused("rows are added and changed one by one, so that each can be checked.")
    if state.is_update or state.is_delete:
        _check_change(state)
    state.statement = state.statement.options(*_rows_open_to(asker.centre_id))


@cache
def _rows_open_to(centre: int) -> tuple[ExecutableOption, ...]:
    return (
        with_loader_criteria(OfCentre, lambda cls: cls.centre_id == centre, include_aliases=True),
        with_loader_criteria(
            OfCentreOrStudy, lambda cls: or_(cls.centre_id == centre, cls.centre_id.is_(None)), include_aliases=True
        ),
        with_loader_criteria(Closed, lambda cls: false(), include_aliases=True),  # noqa: ARG005
    )


def _is_asked_for(state: ORMExecuteState) -> bool:
    """Whether a caller wrote the statement, not the mapper that fetches by key or follows a relationship."""
    return not (state.is_relationship_load or state.is_column_load or state.session.gets)  # type: ignore[attr-defined]


def _holds_unmapped(statement: Executable) -> bool:
    """Whether a statement holds text, or a column of a table that no mapped class stands for: neither is filtered."""
    if isinstance(statement, FromStatement):
        return True
    for part in visitors.iterate(cast(ClauseElement, statement)):
        if isinstance(part, TextClause) or (
            isinstance(part, ColumnClause)
            and part.is_literal
            and part.name not in ("*", "1")  # COUNT(*), EXISTS (SELECT 1 …)
        ):
            return True
        if isinstance(part, Select):  # of rows that are only counted no column is named
            origins = (*part._from_obj, *(target for target, *_ in part._setup_joins))  # no public name for either
            if any(map(_is_bare_table, origins)):
                return True
        if isinstance(part, Column) and "parentmapper" not in part._annotations and _is_of_table(part):
            return True
    return False


def _is_bare_table(origin: object) -> bool:
    """Whether rows are taken from a table itself, not by the class that stands for it."""
    if isinstance(origin, Join):
        return _is_bare_table(origin.left) or _is_bare_table(origin.right)
    bare = isinstance(origin, FromClause) and "parentmapper" not in origin._annotations
    while bare and isinstance(origin, Alias):
        origin = origin.element
    return bare and isinstance(origin, Table)


def _is_of_table(column: Column[Any]) -> bool:
    """Whether a column is one of a table itself, not of a subquery, which is looked through by itself."""
    origin: object = column.table
    while isinstance(origin, Alias):
        origin = origin.element
    return isinstance(origin, Table)


def _check_change(state: ORMExecuteState) -> None:
    if not state.session.writes:  # type: ignore[attr-defined]
        raise Refused("this session only reads.")
    changed = getattr(state.statement, "_values", None) or {}  # column -> value; SQLAlchemy has no public name for it
    if any(getattr(column, "key", column) == "centre_id" for column in changed):
        raise Refused("rows are given to another centre by nobody.")


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
