"""Engines: where the expressions run. DuckDB in process is the default; only the connection differs."""

from __future__ import annotations

import shutil
from typing import Any

import ibis
import pyarrow as pa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from monitor.errors import ConfigurationError

Engine = Any  # ibis.BaseBackend: the library ships no types
Expr = Any  # ibis.Table

_HINT = "use duckdb://, postgresql:// or sqlite:// (in place), or pyspark://local[*]"


def connect(url: str, database_url: str | None = None) -> Engine:
    """A connection to the engine at `url`.

    `postgresql://` and `sqlite://` alone mean the system of record at `database_url`, in place; an engine of that
    kind that is another database has no facts, and is refused. Raises ConfigurationError for an engine there is not.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "duckdb":
        return ibis.connect(url)
    if scheme in ("pyspark", "spark"):
        return _spark(rest if scheme == "pyspark" else url)
    if scheme in ("sqlite", "postgresql"):
        return _in_place(url, database_url)
    raise ConfigurationError(f"engine {scheme!r} is not supported; {_HINT}")


def put(engine: Engine, prefix: str, table: pa.Table) -> Expr:
    """An Arrow table as a temporary table of the engine, under a new name."""
    name = ibis.util.gen_name(prefix)
    if engine.name == "pyspark":  # which has views of a session instead
        from pyspark.sql import SparkSession

        SparkSession.active().createDataFrame(table).createOrReplaceTempView(name)
        return engine.table(name)
    return engine.create_table(name, table, temp=True)


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


def _spark(master: str) -> Engine:
    """A Spark session on `master`, e.g. `local[2]` or `spark://host:7077`; settings come from spark-defaults.conf."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ConfigurationError("engine pyspark is not installed; install the extra `spark`") from error
    if shutil.which("java") is None:
        raise ConfigurationError("engine pyspark needs Java 17 (Debian: openjdk-17-jre-headless)")
    session = (
        SparkSession.builder.master(master or "local[*]")
        .appName("monitor")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    return ibis.pyspark.connect(session)
