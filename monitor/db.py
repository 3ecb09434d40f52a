"""The system of record: declarative base, UTC-only instants, sessions and bulk writes on SQLite and PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from itertools import repeat
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from sqlalchemy import (
    URL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Engine,
    Enum,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator, TypeEngine

from monitor.errors import ConfigurationError
from monitor.instants import to_datetime, to_instant

Identifier = BigInteger().with_variant(Integer, "sqlite")
Row: TypeAlias = tuple[Any, ...]

REFERS_TO = "refers_to"  # in a column's info: the table whose id it holds, where no foreign key says so

_WRITER_LOCK = 0x6D6F6E69746F72  # "monitor", the advisory lock that lets one writer of facts in at a time
WRITER_CACHE = 48 * 1024  # KiB of SQLite's pages a writer keeps at hand; digests fall anywhere in their index
_NO_COLUMNS: Mapping[str, object] = MappingProxyType({})
_ASKED_AT_ONCE = 10_000  # values in one question: below the 32,766 that SQLite takes


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


def table_of(model: type[Base]) -> Table:
    """The table of a model, for writing and reading in bulk."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


def connect(url: str) -> Engine:
    """An engine for the database at `url`: SQLite (WAL, foreign keys, 30 s busy timeout) or PostgreSQL."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if (file := database_file(parsed)) is not None:
            _make_privately(file)
        engine = create_engine(parsed, connect_args={"timeout": 30}, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "do_execute", _nothing_left_to_roll_back)
        return engine
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed.set(drivername="postgresql+psycopg"), hide_parameters=True)
    raise ConfigurationError(f"database {parsed.get_backend_name()!r} is not supported: use sqlite or postgresql")


def database_file(url: URL) -> Path | None:
    """The file of an SQLite database; None of any other, of one in memory, and of one that is named by a URI."""
    name = url.database if url.get_backend_name() == "sqlite" else None
    return Path(name) if name and name != ":memory:" and not name.startswith("file:") else None


def _make_privately(file: Path) -> None:
    """A new database is its owner's only, with all SQLite writes beside it: those files take its mode."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(OSError):  # where it cannot be made, opening it says why
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _nothing_left_to_roll_back(cursor: Any, statement: str, _parameters: object, _context: object) -> bool:
    """Whether to leave a statement out: going back to a savepoint that SQLite has undone with all of the transaction.

    It does so by itself where the disk is full (sqlite.org/lang_transaction.html). To go back all the same would fail
    with "no such savepoint" and hide what has happened.
    """
    return statement.startswith("ROLLBACK TO SAVEPOINT") and not cursor.connection.in_transaction


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: _begin_sqlite does
    # FULL: what was said to be ingested survives a power cut. A delivery is one commit, so it costs next to nothing.
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "busy_timeout=30000"):
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
        session.connection().exec_driver_sql("DELETE FROM alembic_version WHERE 0")
        session.connection().exec_driver_sql(f"PRAGMA cache_size=-{WRITER_CACHE}").close()


def next_identifier(session: Session, table: Table) -> int:
    """One more than the largest id in `table`; safe only under `lock_writers`."""
    session.flush()
    largest: int | None = session.connection().exec_driver_sql(f"SELECT max(id) FROM {table.name}").scalar()  # noqa: S608
    return (largest or 0) + 1


def bulk_insert(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """`insert_rows` for rows that name their columns, each the same ones."""
    if rows:
        columns = tuple(rows[0])
        insert_rows(session, table, columns, [tuple(row[column] for column in columns) for row in rows])


def insert_rows(session: Session, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """`insert_columns` for rows of plain values, named by `columns`."""
    if rows:
        insert_columns(session, table, dict(zip(columns, zip(*rows, strict=True), strict=True)))


def insert_columns(
    session: Session, table: Table, each: Mapping[str, Sequence[Any]], always: Mapping[str, object] = _NO_COLUMNS
) -> None:
    """Insert plain values (instants as epoch seconds, words as strings) by columns, at the driver's own speed.

    `each` has a value for each row, all columns as many; `always` one for all of them. Raises ValueError for a value
    outside the vocabulary of its column, and for one that refers to a row that is not there.
    """
    count = len(next(iter(each.values())))
    if not count:
        return
    different = {name: set(values) for name, values in each.items() if _is_checked(table, name)}
    different |= {name: {value} for name, value in always.items() if _is_checked(table, name)}
    for found in different.values():
        found.discard(None)
    _check_words(table, different)
    _check_references(session, table, different)
    told = {name: values for name, values in each.items() if not _goes_without_saying(table.c[name], values)}
    quoted = session.get_bind().dialect.identifier_preparer.quote
    columns = [quoted(name) for name in (*told, *always)]
    constant = [repeat(value, count) for value in always.values()]
    if session.get_bind().dialect.name == "postgresql":
        _copy(session, table, columns, zip(*told.values(), *constant, strict=True))
        return
    quick = [_quick_to_bind(table.c[name].type, values) for name, values in told.items()]
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
    with _checks_spared(session.connection(), table), _cursor(session) as cursor:
        cursor.executemany(statement, zip(*quick, *constant, strict=True))


def _goes_without_saying(column: Column[Any], values: Sequence[Any]) -> bool:
    return column.server_default is None and all(value is None for value in values)


def _quick_to_bind(kind: TypeEngine[Any], values: Iterable[Any]) -> Iterable[Any]:
    """The values as types that Python's sqlite3 binds as they are; for `bytes` and `bool` it looks up adapters."""
    if isinstance(kind, LargeBinary):
        return [None if value is None else bytearray(value) for value in values]
    return [None if value is None else int(value) for value in values] if isinstance(kind, Boolean) else values


def _is_checked(table: Table, name: str) -> bool:
    column = table.c[name]
    return isinstance(column.type, Enum) or REFERS_TO in column.info


def _check_words(table: Table, different: Mapping[str, set[Any]]) -> None:
    for name, values in different.items():
        kind = table.c[name].type
        if isinstance(kind, Enum) and not values <= set(kind.enums):
            raise ValueError(f"{table.name}.{name} takes only {', '.join(kind.enums)}")


def _check_references(session: Session, table: Table, different: Mapping[str, set[Any]]) -> None:
    """A question a column and batch, where the check of a foreign key is one a row: most rows name the same few."""
    for name, values in different.items():
        parent = table.c[name].info.get(REFERS_TO)
        if parent and values and not _are_there(session, table.metadata.tables[parent], values):
            raise ValueError(f"{table.name}.{name} names one of {parent} that is not there")


def _are_there(session: Session, table: Table, identifiers: set[int]) -> bool:
    """Whether all of them are ids of the table."""
    first, width = min(identifiers), max(identifiers) - min(identifiers) + 1
    if width <= 2 * len(identifiers):  # ids are given out without gaps: those of new rows are a stretch, told at once
        count = f"SELECT count(*) FROM {table.name} WHERE id BETWEEN {first} AND {first + width - 1}"  # noqa: S608
        if session.connection().exec_driver_sql(count).scalar() == width:
            return True
    return sum(1 for _ in rows_where(session, table, ("id",), "id", identifiers)) == len(identifiers)


@contextmanager
def _checks_spared(connection: Connection, table: Table) -> Iterator[None]:
    """Spare SQLite the checks of vocabularies, a third of its time: `_check_words` has made them for the batch."""
    checks = sum(isinstance(constraint, CheckConstraint) for constraint in table.constraints)
    spared = checks == sum(isinstance(column.type, Enum) for column in table.columns)
    connection.exec_driver_sql(f"PRAGMA ignore_check_constraints={'ON' if spared else 'OFF'}")
    try:
        yield
    finally:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=OFF")


def _copy(session: Session, table: Table, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with _cursor(session) as cursor, cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def rows_where(
    session: Session, table: Table, columns: Sequence[str], key: str, values: Collection[bytes | int | str]
) -> Iterator[Row]:
    """Plain values (instants as epoch seconds) of the rows whose `key` is one of `values`, in no particular order."""
    asked = list(values)
    for start in range(0, len(asked), _ASKED_AT_ONCE):
        yield from _rows_where(session, table, columns, key, asked[start : start + _ASKED_AT_ONCE])


def _rows_where(session: Session, table: Table, columns: Sequence[str], key: str, values: list[Any]) -> Iterable[Row]:
    question = f"SELECT {', '.join(columns)} FROM {table.name} WHERE {key}"  # noqa: S608
    with _cursor(session) as cursor:
        if session.get_bind().dialect.name == "postgresql":
            yield from cursor.execute(f"{question} = ANY(%b)", [values], binary=True).fetchall()
        else:
            marks = ", ".join("?" * len(values))
            yield from cursor.execute(f"{question} IN ({marks})", _quick_to_bind(table.c[key].type, values)).fetchall()


@contextmanager
def _cursor(session: Session) -> Iterator[Any]:
    """A cursor of the driver itself, within the session's transaction; it fails as the session does."""
    connection = session.connection()
    driver: Any = connection.connection.driver_connection
    errors: Any = connection.dialect.loaded_dbapi.Error
    try:
        with closing(driver.cursor()) as cursor:
            yield cursor
    except errors as error:
        raise DBAPIError.instance(
            "by the driver", None, error, errors, hide_parameters=True, dialect=connection.dialect
        ) from error


def database_reachable(engine: Engine) -> None:
    """Raise ConfigurationError, without the password, where the database cannot be reached."""
    try:
        with engine.connect():
            return
    except OperationalError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise ConfigurationError(f"cannot reach the database {where}: {error.orig}") from error
