"""Who leads, in which term, and whether it is alive: the fencing token and the heartbeat of the schedule's leader.

A leader can be paused at any point (SIGSTOP, a suspended machine) and wake up believing that it still leads; no lock
can prevent that. So the database counts terms, and every transaction of a leader and of its collectors ends by checking
that its term is still the present one, in the same transaction (a fencing token: Kleppmann, "How to do distributed
locking", 2016).

The heartbeat is a number that changes, so that two machines never need to compare their clocks. On PostgreSQL it is a
column of the row that says who leads. On SQLite, where the one write lock may be held for as long as a large delivery
takes, it is a file beside the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from monitor.db import transaction
from monitor.errors import MonitorError
from monitor.instants import to_datetime, to_instant
from monitor.models.run import Leadership

_PAUSED_TOO_LONG_MS = 5 * 60 * 1000


class Superseded(MonitorError):
    """Another leader took over: nothing of this transaction is kept."""


def leadership(engine: Engine) -> Leadership:
    """The row as it stands, detached."""
    with transaction(engine) as session:
        row = session.get_one(Leadership, 1)
        session.expunge(row)
    return row


def take(
    engine: Engine, seen: int, holder: str, at: datetime, note: Callable[[Session], None] | None = None
) -> int | None:
    """Begin the term after `seen`; None where somebody else was faster. `note` writes down that it began, with it.

    On PostgreSQL this waits for transactions of the term before that are about to be committed: they still count.
    """
    begun = {"term": seen + 1, "holder": holder, "since": at, "beat_at": at}
    with transaction(engine) as session:
        done: Any = session.execute(update(Leadership).where(Leadership.term == seen).values(begun))
        if done.rowcount and note is not None:
            note(session)
    return seen + 1 if done.rowcount else None


def release_term(engine: Engine, term: int) -> None:
    """Say that nobody leads any more, so that the next need not wait."""
    with transaction(engine) as session:
        session.execute(update(Leadership).where(Leadership.term == term).values(holder=None))


def fence(engine: Engine, term: int) -> Engine:
    """Let this engine commit only while the term lasts; a commit after it raises Superseded and rolls back."""
    event.listen(engine, "commit", partial(_require, term))
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _end_when_paused)
        engine.dispose()  # connections made before do not know
    return engine


def _require(term: int, connection: Connection) -> None:
    # PostgreSQL: the shared lock keeps the term until this commit is done. SQLite: who has written anything holds the
    # one write lock, so that the term cannot change either.
    present = connection.scalar(select(Leadership.term).where(Leadership.id == 1).with_for_update(read=True))
    if present != term:
        raise Superseded(f"superseded: this is term {term}, and term {present} has begun; nothing was kept")


def _end_when_paused(connection: Any, _record: object) -> None:
    """A process that is paused within a transaction holds its locks: the server ends it, and others can go on."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = {_PAUSED_TOO_LONG_MS}")
    connection.commit()


@dataclass(frozen=True)
class HeartbeatState:
    """What an onlooker sees. As long as it is the same, nothing was heard of the leader; `at` is for people."""

    term: int
    held: bool
    beat: str
    at: int | None


def look(engine: Engine) -> HeartbeatState:
    """Who leads now, and the last sign of life."""
    row = leadership(engine)
    at = None if row.beat_at is None else to_instant(row.beat_at)
    beat = str(row.beat)
    if (file := _file(engine)) is not None and (said := _read(file)) is not None:
        beat, at = said
    return HeartbeatState(row.term, row.holder is not None, beat, at)


def beat(engine: Engine, term: int, number: int, at: int) -> bool:
    """Give a sign of life; False where the term is over."""
    if (file := _file(engine)) is not None:
        if leadership(engine).term != term:
            return False
        file.write_text(f"{term}.{number} {at}\n", "ascii")
        return True
    alive = update(Leadership).where(Leadership.term == term).values(beat=number, beat_at=to_datetime(at))
    with transaction(engine) as session:
        return session.execute(alive.returning(Leadership.term)).first() is not None


def _file(engine: Engine) -> Path | None:
    database = make_url(str(engine.url)).database
    return Path(f"{database}.beat") if engine.dialect.name == "sqlite" and database else None


def _read(file: Path) -> tuple[str, int] | None:
    """The beat and its time; None before the first, or while it is being written."""
    try:
        said, at = file.read_text("ascii").split()
        return said, int(at)
    except (FileNotFoundError, ValueError):
        return None
