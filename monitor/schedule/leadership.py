"""Who leads the schedule, in which term, and whether it is alive; and the lock that the death of a process frees."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, event, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from monitor.db import connect, transaction
from monitor.errors import ConfigurationError, MonitorError
from monitor.instants import to_datetime, to_instant
from monitor.models.run import Leadership
from monitor.settings import Settings

# A lock that one process holds at a time and that its death frees, whatever it died of.
#
# On PostgreSQL an advisory lock of one dedicated session; on SQLite, where all processes share a machine, a file
# lock. A pooler that hands a connection's transactions to different sessions would break the first: connect without
# one.

# The client's side of a dead network: without these, a leader cut off from the database would not notice for hours.
NOTICE_LOSS = {
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "connect_timeout": "10",
}
# The server's side: without these, it would keep the lock of a leader whose machine is gone.
_NOTICE_DEATH = ("SET tcp_keepalives_idle = 10", "SET tcp_keepalives_interval = 5", "SET tcp_keepalives_count = 3")


class Lock(Protocol):
    """A lock by name."""

    def acquire(self) -> bool:
        """Try once, without waiting."""

    def held(self) -> bool:
        """Whether it is still ours."""

    def release(self) -> None:
        """Let go; harmless where it is not held."""


def lock_for(settings: Settings, name: str) -> Lock:
    """The lock of that name in the configured database, or beside it."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "postgresql":
        return AdvisoryLock(url.update_query_dict(NOTICE_LOSS).render_as_string(hide_password=False), name)
    return FileLock(settings.home / f"{name}.lock")


@contextmanager
def exclusive(lock: Lock, otherwise: str) -> Iterator[None]:
    """Hold a lock for a while; raises MonitorError with the words `otherwise` where another process has it."""
    try:
        if not lock.acquire():
            raise MonitorError(otherwise)
        yield
    finally:
        lock.release()


class FileLock:
    """An exclusive lock on a file; the file stays, the lock goes with the process."""

    def __init__(self, path: Path) -> None:
        """The file is made where it is missing."""
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Try once. The descriptor is not inherited, so a child that outlives us does not hold the lock."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(f"{self.path}: cannot be opened for locking ({error.strerror})") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        if self.held():
            return True
        self.release()
        return False

    def held(self) -> bool:
        """Whether the file we locked is the one that lies there: another could have been put in its place."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self.path.stat())
        except OSError:
            return False

    def release(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class AdvisoryLock:
    """A session-level advisory lock; it ends when PostgreSQL sees the connection end."""

    def __init__(self, url: str, name: str) -> None:
        """The lock's number is made from its name."""
        self._engine = connect(url)
        self._number = int.from_bytes(hashlib.sha256(f"monitor.{name}".encode()).digest()[:8], signed=True)
        self._connection: Connection | None = None
        self._session: int | None = None

    def acquire(self) -> bool:
        """Try once, on a connection that is kept for further tries."""
        try:
            connection = self._connected()
            got = connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": self._number})
            self._session = connection.scalar(text("SELECT pg_backend_pid()")) if got else None
        except DBAPIError as error:
            self.release()
            raise MonitorError(f"the database is out of reach ({type(error).__name__})") from error
        return self._session is not None

    def held(self) -> bool:
        """Whether the session that got the lock still answers; once it did not, it is lost for good."""
        if self._connection is None or self._session is None:
            return False
        try:
            still = bool(self._connection.scalar(text("SELECT pg_backend_pid()")) == self._session)
        except DBAPIError:
            still = False
        if not still:
            self.release()
        return still

    def release(self) -> None:
        """End the session."""
        if self._connection is not None:
            self._connection.close()
            self._connection = self._session = None
        self._engine.dispose()

    def _connected(self) -> Connection:
        if self._connection is None:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.detach()  # closing it ends the session, where the pool would keep it, and the lock with it
            for statement in _NOTICE_DEATH:
                connection.execute(text(statement))
            self._connection = connection
        return self._connection


_PATIENCE_MS = 1000


def connect_with_short_timeout(url: str) -> Engine:
    """An engine whose statements fail with OperationalError where a lock is not free within a second."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.update_query_dict(NOTICE_LOSS)
    engine = connect(parsed.render_as_string(hide_password=False))
    event.listen(engine, "connect", _hurry_sqlite if engine.dialect.name == "sqlite" else _hurry_postgresql)
    return engine


def _hurry_sqlite(connection: Any, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}").close()


def _hurry_postgresql(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {_PATIENCE_MS}")
        cursor.execute(f"SET statement_timeout = {20 * _PATIENCE_MS}")
    connection.commit()


# Who leads, in which term, and whether it is alive: the fencing token and the heartbeat of the schedule's leader.
#
# A leader can be paused at any point (SIGSTOP, a suspended machine) and wake up believing that it still leads; no
# lock can prevent that. So the database counts terms, and every transaction of a leader and of its collectors ends by
# checking that its term is still the present one, in the same transaction (a fencing token: Kleppmann, "How to do
# distributed locking", 2016).
#
# The heartbeat is a number that changes, so that two machines never need to compare their clocks. On PostgreSQL it is
# a column of the row that says who leads. On SQLite, where the one write lock may be held for as long as a large
# delivery takes, it is a file beside the database.

_PAUSED_TOO_LONG = 5 * 60.0  # seconds


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


def fence(engine: Engine, term: int, paused: float = _PAUSED_TOO_LONG) -> Engine:
    """Let this engine commit only while the term lasts; a commit after it raises Superseded and rolls back.

    On PostgreSQL the server ends a transaction whose client is silent in it for `paused` seconds, so that a process
    that is suspended there keeps its locks, and with them the term, no longer than that.
    """
    event.listen(engine, "commit", partial(_require, term))
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", partial(_end_when_paused, paused))
        engine.dispose()  # connections made before do not know
    return engine


def _require(term: int, connection: Connection) -> None:
    # PostgreSQL: the shared lock keeps the term until this commit is done. SQLite: who has written anything holds the
    # one write lock, so that the term cannot change either.
    present = connection.scalar(select(Leadership.term).where(Leadership.id == 1).with_for_update(read=True))
    if present != term:
        raise Superseded(f"superseded: this is term {term}, and term {present} has begun; nothing was kept")


def _end_when_paused(paused: float, connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = {round(1000 * paused)}")
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
