"""Connections to the database of a study, SQLite or PostgreSQL, with the same promises of both."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

_WAIT_S = 30  # for another process that writes
_WRITES = "cohortex_writes"


def connect(url: str) -> Engine:
    """Make the engine of a database.

    Parameters
    ----------
    url : str
        SQLAlchemy URL.

    Returns
    -------
    Engine
        SQLite with write-ahead log, foreign keys and full durability at every commit.
    """
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    options = {"timeout": _WAIT_S, "check_same_thread": False}
    engine = create_engine(url, connect_args=options, max_overflow=-1)  # a connection is an open file

    @event.listens_for(engine, "connect")
    def _promise(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # begin is ours, below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_WAIT_S * 1000}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")  # a reader that turns writer would fail

    return engine


def writing(engine: Engine) -> Engine:
    """Give the same engine, whose transactions take the right to write when they begin."""
    return engine.execution_options(**{_WRITES: True})
