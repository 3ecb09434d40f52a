"""Reads the facts out of the system of record, through ADBC, into Arrow files or a Parquet export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import dataset, feather
from sqlalchemy.engine import URL, make_url

from monitor.score.queries import COLUMNS, QUERIES

_ARROW = {"int64": pa.int64(), "float64": pa.float64(), "string": pa.string()}
_TIME = {"notices": "t", "sightings": "t", "attributions": "valid_from"}  # the tables that grow with time


def extract(url: str, known_at: int, folder: Path) -> None:
    """Write one Arrow file a query into `folder`; what they hold is numbers and states, no URL."""
    with open_database(make_url(url)) as connection:
        for name in QUERIES:
            table = pa.Table.from_batches(_batches(connection, name, known_at), _schema(name))
            feather.write_feather(table, folder / name, "uncompressed")


def export(url: str, known_at: int, folder: Path) -> None:
    """Write one folder of Parquet files a query into `folder`, by quarter (UTC) where the table grows with time."""
    with open_database(make_url(url)) as connection:
        for name in QUERIES:
            batches = _batches(connection, name, known_at)
            (folder / name).mkdir()
            if name in _TIME:
                _write_by_quarter(batches, name, folder / name)
            else:
                dataset.write_dataset(batches, folder / name, schema=_schema(name), format="parquet")


def _write_by_quarter(batches: Iterator[pa.RecordBatch], name: str, folder: Path) -> None:
    schema = _schema(name).append(pa.field("quarter", pa.string()))
    with_quarter = (batch.append_column("quarter", _quarter(batch[_TIME[name]])) for batch in batches)
    by_quarter = dataset.partitioning(pa.schema([("quarter", pa.string())]), flavor="hive")
    dataset.write_dataset(with_quarter, folder, schema=schema, format="parquet", partitioning=by_quarter)


def _quarter(seconds: pa.Array) -> pa.Array:
    instants = seconds.cast(pa.timestamp("s", tz="UTC"))
    parts = [pc.year(instants).cast(pa.string()), pc.quarter(instants).cast(pa.string())]
    return pc.binary_join_element_wise(*parts, "Q")


def open_database(url: URL) -> Any:
    """A connection of the Arrow drivers, which only reads."""
    if url.get_backend_name() == "sqlite":
        return adbc_driver_sqlite.dbapi.connect(f"file:{url.database}?mode=ro")
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return adbc_driver_postgresql.dbapi.connect(plain)


def _batches(connection: Any, name: str, known_at: int) -> Iterator[pa.RecordBatch]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[name].format(known_at=int(known_at)))
        for batch in cursor.fetch_record_batch():
            yield batch.cast(_schema(name))


def _schema(name: str) -> pa.Schema:
    return pa.schema([(column, _ARROW[kind]) for column, kind in COLUMNS[name].items()])
