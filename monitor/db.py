"""The system of record: declarative base, UTC-only instants, sessions and bulk writes on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, Integer, MetaData, Table, create_engine, event, select, text
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from monitor.errors import ConfigurationError
from monitor.instants import to_datetime, to_instant

Identifier = BigInteger().with_variant(Integer, "sqlite")
_WRITER_LOCK = 0x6D6F6E69746F72  # "monitor", the advisory lock that lets one writer of facts in at a time


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, stored as whole seconds since the epoch; refuses naive time (see docs/adr/0001)."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Aware datetime to epoch seconds; ValueError on naive time."""
        return None if value is None else to_instant(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Epoch seconds to aware UTC datetime."""
        return None if value is None else to_datetime(value)


class Base(DeclarativeBase):
    """Base of all models, with one naming convention so that migrations can name every constraint."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012


def connect(url: str) -> Engine:
    """An engine for the database at `url`: SQLite (WAL, foreign keys, 30 s busy timeout) or PostgreSQL."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": 30}, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed.set(drivername="postgresql+psycopg"), hide_parameters=True)
    raise ConfigurationError(f"database {parsed.get_backend_name()!r} is not supported: use sqlite or postgresql")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: _begin_sqlite does
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A session whose work is committed as a whole or not at all."""
    with Session(engine) as session, session.begin():
        yield session


def lock_writers(session: Session) -> None:
    """Wait until this transaction is the only one that writes facts; held until it ends."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITER_LOCK})
    else:  # a write to no row takes SQLite's one write lock
        session.execute(text("DELETE FROM alembic_version WHERE 0"))


def next_identifier(session: Session, table: Table) -> int:
    """One more than the largest id in `table`; safe only under `lock_writers`."""
    largest = session.scalar(select(table.c.id).order_by(table.c.id.desc()).limit(1))
    return (largest or 0) + 1


def bulk_insert(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of plain values (instants as epoch seconds, enums as strings) at the driver's own speed."""
    if not rows:
        return
    columns = list(rows[0])
    if session.get_bind().dialect.name == "postgresql":
        _copy(session, table, columns, rows)
        return
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
    session.connection().exec_driver_sql(statement, [tuple(row[c] for c in columns) for row in rows])


def _copy(session: Session, table: Table, columns: list[str], rows: Sequence[Mapping[str, Any]]) -> None:
    statement = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN"
    driver = session.connection().connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([row[c] for c in columns])


def database_reachable(engine: Engine) -> None:
    """Raise ConfigurationError, without the password, where the database cannot be reached."""
    try:
        with engine.connect():
            return
    except OperationalError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise ConfigurationError(f"cannot reach the database {where}: {error.orig}") from error
