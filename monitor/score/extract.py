"""Reads the facts out of the system of record, through ADBC, into Arrow files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import pyarrow as pa
from pyarrow import feather
from sqlalchemy.engine import URL, make_url

from monitor.score.queries import QUERIES

_TYPES = {
    "kind": pa.string(),
    "delivery": pa.string(),
    "state": pa.string(),
    "pause": pa.string(),
    "country": pa.string(),
    "deadline_hours": pa.float64(),
}


def extract(url: str, known_at: int, folder: Path) -> None:
    """Write one Arrow file a query into `folder`; what they hold is numbers and states, no URL."""
    with _open(make_url(url)) as connection:
        for name, query in QUERIES.items():
            feather.write_feather(
                _read(connection, query.format(known_at=int(known_at))), folder / name, "uncompressed"
            )


def _open(url: URL) -> Any:
    if url.get_backend_name() == "sqlite":
        return adbc_driver_sqlite.dbapi.connect(f"file:{url.database}?mode=ro")
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return adbc_driver_postgresql.dbapi.connect(plain)


def _read(connection: Any, query: str) -> pa.Table:
    with connection.cursor() as cursor:
        cursor.execute(query)
        table = cursor.fetch_arrow_table()
    # one type a column on every database: SQLite tells none for an empty result
    return table.cast(pa.schema([(name, _TYPES.get(name, pa.int64())) for name in table.schema.names]))
