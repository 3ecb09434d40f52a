"""Engines: where the expressions run. DuckDB in process is the default; only the connection differs.

Sums and joins inside an engine are of whole numbers: they come out the same whatever engine adds them in what order.
Rows go into DuckDB and come out of it through its own interface: what Ibis has for that loads pandas, which takes half
a second and does nothing here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from monitor.errors import ConfigurationError

Engine = Any  # ibis.BaseBackend: the library ships no types
Expr = Any  # ibis.Table

MICROSECONDS_PER_HOUR = 3_600_000_000  # times are added up in microseconds

_ON_ONE_MACHINE: dict[str, Any] = {
    "spark.driver.memory": "4g",  # one process does it all, and Spark's 1 GB is not enough
    "spark.buffer.pageSize": "4m",  # every sort takes at least a page, and a step can have dozens of sorts
    "spark.sql.shuffle.partitions": "4",  # 200 are for clusters: here each is a task of some rows
    "spark.driver.bindAddress": "127.0.0.1",  # nobody else is to connect,
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",  # or to look in
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.warehouse.dir": str(Path(gettempdir()) / "monitor-spark"),  # not in the working directory; stays empty
}
_NAN = pa.Array.from_buffers(pa.float64(), 1, [None, pa.py_buffer(np.array([np.nan]))])[0]
_HINT = "use duckdb://, postgresql:// or sqlite:// (in place), or pyspark://local[*]"


@contextmanager
def opened(url: str, database_url: str | None = None) -> Iterator[Engine]:
    """The engine `connect` gives, closed in the end with all that is kept in it."""
    engine = connect(url, database_url)
    try:
        yield engine
    finally:
        engine.disconnect()


def connect(url: str, database_url: str | None = None) -> Engine:
    """A connection to the engine at `url`.

    `postgresql://` and `sqlite://` alone mean the system of record at `database_url`, in place; an engine of that
    kind that is another database has no facts, and is refused. Raises ConfigurationError for an engine there is not.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "duckdb":
        engine = ibis.connect(url)
        engine.raw_sql("SET allocator_background_threads = true")  # gives back at once what a large answer has taken
        return engine
    if scheme in ("pyspark", "spark"):
        return _spark(rest if scheme == "pyspark" else url)
    if scheme in ("sqlite", "postgresql"):
        return _in_place(url, database_url)
    raise ConfigurationError(f"engine {scheme!r} is not supported; {_HINT}")


def keep(expression: Expr) -> Expr:
    """The rows of an expression as a temporary table, computed now and once; `drop` it when it has served."""
    engine = expression.get_backend()
    name = _new_name(engine, "kept")
    if engine.name == "duckdb":
        table = engine.create_table(name, schema=expression.schema(), temp=True)
        engine.con.execute(f'INSERT INTO "{name}" {_compiled(expression.op())}')
        return table
    if engine.name != "pyspark":
        return engine.create_table(name, expression, temp=True)
    rows = _session().sql(engine.compile(expression)).localCheckpoint(eager=True)  # cuts a plan that only grows
    rows.createOrReplaceTempView(name)
    return engine.table(name)


def put(engine: Engine, prefix: str, table: pa.Table) -> Expr:
    """An Arrow table as a temporary table of the engine, under a new name."""
    name = _new_name(engine, prefix)
    if engine.name == "duckdb":
        engine.con.register(f"{name}_arrow", table)
        engine.con.execute(f'CREATE TEMPORARY TABLE "{name}" AS FROM "{name}_arrow"')
        engine.con.unregister(f"{name}_arrow")
        return engine.table(name)
    if engine.name != "pyspark":
        return engine.create_table(name, table, temp=True)
    _session().createDataFrame(table).createOrReplaceTempView(name)
    return engine.table(name)


def fetch(engine: Engine, expression: Expr) -> pa.Table:
    """The rows of an expression, in the types that it has."""
    if engine.name != "duckdb":
        return engine.to_pyarrow(expression)
    table, kinds = engine.con.sql(_compiled(expression.op())).to_arrow_table(), expression.schema().to_pyarrow()
    return pa.Table.from_arrays([table[kind.name].cast(kind.type) for kind in kinds], schema=kinds)


def _new_name(engine: Engine, prefix: str) -> str:
    """A name for a table, new in this engine; the same in another one for the same step of the same request."""
    if engine.name == "pyspark":  # one session for all that is asked in this process
        return str(ibis.util.gen_name(prefix))
    taken: set[str] = engine.__dict__.setdefault("names_of_tables", set())
    name = next(name for number in count(1) if (name := f"{prefix}_{number}") not in taken)
    taken.add(name)
    return name


@lru_cache(maxsize=256)
def _compiled(operation: Any) -> str:
    """The SQL of an expression. To write it takes up to half a second, so that of the same request is kept: to prove a
    draft, to preview a decision and to make a package is to ask for what was asked before.
    """
    expression = operation.to_expr()
    return str(expression.get_backend().compile(expression))


def to_numpy(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column of numbers as an array that may not be written to; nan where there is none. The library's own
    conversion would load pandas.
    """
    if not column.num_chunks:
        return np.zeros(0, column.type.to_pandas_dtype())
    values = column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
    return np.from_dlpack(pc.fill_null(values, _NAN) if values.null_count else values)


def integer_table(columns: Mapping[str, npt.NDArray[Any]]) -> pa.Table:
    """Whole numbers as a table that shares memory with the arrays; `pa.array` would load pandas."""
    kinds = {np.dtype(np.int64): pa.int64(), np.dtype(np.int32): pa.int32()}
    arrays = [
        pa.Array.from_buffers(kinds[values.dtype], len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])
        for values in columns.values()
    ]
    return pa.Table.from_arrays(arrays, names=list(columns))


def drop(*tables: Expr) -> None:
    """Forget tables that were kept."""
    for table in tables:
        engine, name = table.get_backend(), table.op().name
        if engine.name == "pyspark":
            _session().catalog.dropTempView(name)
        else:
            engine.drop_table(name)
            engine.__dict__["names_of_tables"].discard(name)


def to_microseconds(hours: Any) -> Any:
    """Hours as the nearest whole number of microseconds; null stays null."""
    return as_integer(hours * float(MICROSECONDS_PER_HOUR))


def as_integer(value: Any) -> Any:
    """The nearest whole number; halves go up, as no two engines round them alike."""
    return (value + 0.5).floor().cast("int64")


def round_down(value: Any, step: Any) -> Any:
    """A whole number down to a multiple of the step."""
    return (value / step).floor().cast("int64") * step


def round_up(value: Any, step: Any) -> Any:
    """A whole number up to a multiple of the step."""
    return round_down(value + step - 1, step)


def bool_to_int(condition: Any) -> Any:
    """1 where a condition holds, 0 where it does not or is null: a cast from boolean is not in every dialect."""
    return condition.ifelse(ibis.literal(1, "int64"), ibis.literal(0, "int64"))


def _session() -> Any:
    from pyspark.sql import SparkSession

    return SparkSession.active()


def _in_place(url: str, database_url: str | None) -> Engine:
    try:
        wanted = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(f"the engine's address cannot be read; {_HINT}") from error
    place = _same_database(wanted, make_url(database_url)) if database_url else wanted
    if place.get_backend_name() == "sqlite":
        return ibis.sqlite.connect(place.database)
    plain = {"host": place.host, "port": place.port, "user": place.username, "password": place.password}
    options = {name: value for name, value in place.query.items() if isinstance(value, str)}
    given = {name: value for name, value in (plain | options).items() if value is not None}
    return ibis.postgres.connect(database=place.database, **given)


def _same_database(wanted: URL, database: URL) -> URL:
    bare = wanted.database in (None, "") and wanted.host is None
    same = (wanted.host, wanted.port, wanted.database) == (database.host, database.port, database.database)
    if wanted.get_backend_name() != database.get_backend_name() or not (bare or same):
        raise ConfigurationError(f"the facts are in a {database.get_backend_name()} database other than that engine")
    return database


class _Doubles(PySparkCompiler):  # type: ignore[misc]  # Ibis has no types
    """Writes fractions as doubles. Spark reads 3600.0 as a decimal, and what it divides comes out rounded."""

    def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:  # noqa: N802  # the name Ibis gives it
        written = super().visit_NonNullLiteral(op, value=value, dtype=dtype)
        return self.cast(written, dtype) if dtype.is_floating() else written


def _spark(master: str) -> Engine:
    """A Spark session on `master`, e.g. `local[2]` or `spark://host:7077`; a cluster keeps its spark-defaults.conf."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ConfigurationError("engine pyspark is not installed; install the extra `spark`") from error
    if shutil.which("java") is None:
        raise ConfigurationError("engine pyspark needs Java 17 (Debian: openjdk-17-jre-headless)")
    builder = SparkSession.builder.master(master or "local[*]").appName("monitor")
    if not master or master.startswith("local"):
        builder = builder.config(map=_ON_ONE_MACHINE)
    engine = ibis.pyspark.connect(builder.getOrCreate())
    engine.compiler = _Doubles()
    return engine
