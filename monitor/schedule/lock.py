"""A lock that one process holds at a time and that its death frees, whatever it died of.

On PostgreSQL an advisory lock of one dedicated session; on SQLite, where all processes share a machine, a file lock.
A pooler that hands a connection's transactions to different sessions would break the first: connect without one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from monitor.db import connect
from monitor.errors import ConfigurationError, MonitorError
from monitor.settings import Settings

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
