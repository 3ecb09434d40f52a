"""The queries that scoring asks the system of record, read through ADBC into Arrow files or a Parquet export.

The SQL is what both databases understand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import adbc_driver_manager as adbc
import adbc_driver_postgresql
import adbc_driver_sqlite
import pyarrow as pa
import pyarrow.compute as pc

from monitor.errors import MonitorError

Query: TypeAlias = Callable[[str], Iterator[pa.RecordBatch]]

# A truncated URL is the same item as the one full URL that begins with it, where there is just one.
_CANONICAL = """
SELECT c.id AS id, c.site_id AS site, COALESCE(f.id, c.id) AS content
FROM contents c LEFT JOIN (
  SELECT stem_digest, MIN(id) AS id FROM contents
  WHERE NOT truncated AND stem_digest IS NOT NULL AND recorded_at <= {known_at}
  GROUP BY stem_digest HAVING COUNT(*) = 1
) f ON c.truncated AND f.stem_digest = c.stem_digest
WHERE c.recorded_at <= {known_at}
"""
_ITEMS = "WITH item AS (" + _CANONICAL + ") "

# The same where some contents became one item, or are on another site than when they were stored: from the instant at
# which that was found. A cut form is that which it had at `known_at`. What was told of an item under two contents, in
# all the same, is one notice.
_ITEMS_WITH_IDENTITIES = """
WITH identity_now AS (
  SELECT d.content_id, d.item_id, d.site_id FROM item_identities d
  JOIN (SELECT MAX(id) AS id FROM item_identities WHERE recorded_at <= {known_at} GROUP BY content_id) l ON l.id = d.id
), stem_then AS (
  SELECT d.content_id, d.former_stem FROM item_identities d
  JOIN (SELECT MIN(id) AS id FROM item_identities WHERE recorded_at > {known_at} AND former_stem IS NOT NULL
        GROUP BY content_id) e ON e.id = d.id
), each_content AS (
  SELECT c.id, COALESCE(y.item_id, c.id) AS item, COALESCE(y.site_id, c.site_id) AS site, c.truncated,
    COALESCE(s.former_stem, c.stem_digest) AS stem
  FROM contents c LEFT JOIN identity_now y ON y.content_id = c.id LEFT JOIN stem_then s ON s.content_id = c.id
  WHERE c.recorded_at <= {known_at}
), item AS (
  SELECT o.id AS id, s.site AS site, COALESCE(f.id, s.id) AS content, o.id <> o.item AS joined
  FROM each_content o JOIN each_content s ON s.id = o.item LEFT JOIN (
    SELECT stem, MIN(id) AS id FROM each_content WHERE NOT truncated AND stem IS NOT NULL AND id = item
    GROUP BY stem HAVING COUNT(*) = 1
  ) f ON s.truncated AND f.stem = s.stem
) """
_ONCE = """
SELECT MIN(a.notice) AS notice, a.content, a.t, a.kind, a.delivery, a.deadline_hours
FROM ({notices}) a LEFT JOIN (SELECT DISTINCT content FROM item WHERE joined) j ON j.content = a.content
GROUP BY a.content, a.t, a.kind, a.delivery, a.deadline_hours, CASE WHEN j.content IS NULL THEN a.notice ELSE 0 END
"""
HAS_IDENTITIES = "SELECT COUNT(*) AS rows_found FROM (SELECT id FROM item_identities LIMIT 1) i"

_QUERIES = {
    "contents": "SELECT i.id AS content, i.site FROM item i WHERE i.content = i.id",
    "notices": """
SELECT n.id AS notice, i.content, n.sent_at AS t, n.kind, n.delivery, COALESCE(n.deadline_hours, -1.0) AS deadline_hours
FROM notices n JOIN item i ON i.id = n.content_id
WHERE n.recipient_role = 'hoster' AND n.recorded_at <= {known_at}
  AND NOT EXISTS (SELECT 1 FROM corrections c JOIN item w ON w.id = c.content_id
                  WHERE c.decision = 'withdraw_notice' AND c.recorded_at <= {known_at}
                  AND w.content = i.content AND (c.notice_id IS NULL OR c.notice_id = n.id))
""",
    "sightings": """
SELECT i.content, s.seen_at AS t, s.state, COALESCE(s.pause, '') AS pause, COALESCE(s.country, '') AS country
FROM sightings s JOIN item i ON i.id = s.content_id WHERE s.recorded_at <= {known_at}
""",
    "attributions": """
SELECT a.id AS attribution, i.content, COALESCE(a.company_id, 0) AS company, a.valid_from
FROM attributions a JOIN item i ON i.id = a.content_id WHERE a.recorded_at <= {known_at}
""",
    "suspensions": """
SELECT COALESCE(i.content, 0) AS content, s.starts_at AS a, COALESCE(s.ends_at, -1) AS b
FROM suspensions s LEFT JOIN item i ON i.id = s.content_id
WHERE s.recorded_at <= {known_at} AND s.source IS NULL AND (s.content_id IS NULL OR i.id IS NOT NULL)
UNION ALL
SELECT DISTINCT i.content, s.starts_at AS a, s.ends_at AS b
FROM suspensions s JOIN deliveries d ON d.source = s.source JOIN notices n ON n.delivery_id = d.id
JOIN item i ON i.id = n.content_id
WHERE s.recorded_at <= {known_at} AND n.recorded_at <= {known_at} AND n.recipient_role = 'hoster'
  AND n.sent_at < s.ends_at
UNION ALL
SELECT i.content, c.starts_at AS a, COALESCE(c.ends_at, -1) AS b FROM corrections c JOIN item i ON i.id = c.content_id
WHERE c.decision = 'exclude_interval' AND c.starts_at IS NOT NULL AND c.recorded_at <= {known_at}
""",
    "decided_removals": """
SELECT i.content, c.starts_at AS t FROM corrections c JOIN item i ON i.id = c.content_id
WHERE c.decision = 'set_removal' AND c.starts_at IS NOT NULL AND c.recorded_at <= {known_at}
""",
    "countries": """
SELECT d.company_id AS company, d.country FROM company_details d WHERE d.country IS NOT NULL AND d.id IN (
  SELECT MAX(id) FROM company_details WHERE recorded_at <= {known_at} GROUP BY company_id)
""",
}
# What only the measures beside the ranking read (`monitor.supplements`): it is in no export, and not loaded to score.
_SUPPLEMENTARY = {
    "reports": """
SELECT i.content, r.source, MIN(r.at) AS t FROM reports r JOIN item i ON i.id = r.content_id
WHERE r.recorded_at <= {known_at} GROUP BY i.content, r.source
""",
    "classifications": """
SELECT i.content, c.source, MIN(c.at) AS t FROM classifications c JOIN item i ON i.id = c.content_id
WHERE c.recorded_at <= {known_at} GROUP BY i.content, c.source
""",
    "first_notices": """
SELECT i.content, d.source, MIN(n.sent_at) AS t FROM notices n JOIN item i ON i.id = n.content_id
JOIN deliveries d ON d.id = n.delivery_id
WHERE n.recipient_role = 'hoster' AND n.delivery IN ('delivered', 'assumed') AND n.recorded_at <= {known_at}
  AND NOT EXISTS (SELECT 1 FROM corrections c JOIN item w ON w.id = c.content_id
                  WHERE c.decision = 'withdraw_notice' AND c.recorded_at <= {known_at}
                  AND w.content = i.content AND (c.notice_id IS NULL OR c.notice_id = n.id))
GROUP BY i.content, d.source
""",
}

# The columns of each answer: SQLite tells no type for an empty one, PostgreSQL tells it for all.
COLUMNS = {
    "contents": {"content": "int64", "site": "int64"},
    "notices": {
        "notice": "int64",
        "content": "int64",
        "t": "int64",
        "kind": "string",
        "delivery": "string",
        "deadline_hours": "float64",
    },
    "sightings": {"content": "int64", "t": "int64", "state": "string", "pause": "string", "country": "string"},
    "attributions": {"attribution": "int64", "content": "int64", "company": "int64", "valid_from": "int64"},
    "suspensions": {"content": "int64", "a": "int64", "b": "int64"},
    "decided_removals": {"content": "int64", "t": "int64"},
    "countries": {"company": "int64", "country": "string"},
} | {name: {"content": "int64", "source": "string", "t": "int64"} for name in _SUPPLEMENTARY}

QUERIES, SUPPLEMENTARY = tuple(_QUERIES), tuple(_SUPPLEMENTARY)
_WITHOUT_ITEMS = frozenset({"countries"})


def query(name: str, known_at: int, *, with_identities: bool) -> str:
    """The SQL of a table of facts. `with_identities`: whether there is any row that `HAS_IDENTITIES` counts."""
    asked = _QUERIES[name] if name in _QUERIES else _SUPPLEMENTARY[name]
    if with_identities and name == "notices":
        asked = _ONCE.replace("{notices}", asked)
    items = "" if name in _WITHOUT_ITEMS else _ITEMS_WITH_IDENTITIES if with_identities else _ITEMS
    return (items + asked).format(known_at=int(known_at))


UNREADABLE = "the facts could not be read from the database; is it reachable?"

_ARROW = {"int64": pa.int64(), "float64": pa.float64(), "string": pa.string()}
_TIME = {"notices": "t", "sightings": "t", "attributions": "valid_from"}  # the tables that grow with time


def extract(address: str, known_at: int, folder: Path, names: Sequence[str] = QUERIES) -> None:
    """Write one Arrow file a query into `folder`; what they hold is numbers and states, no URL."""
    with open_database(address) as query:
        for name in names:
            table = pa.Table.from_batches(_batches(query, name, known_at), _schema(name))
            with pa.ipc.new_file(folder / name, table.schema) as file:
                file.write_table(table)


def extract_contents(address: str, known_at: int, folder: Path, chunks: Sequence[Sequence[int]]) -> None:
    """As `extract`, of some contents: a query for each chunk of them, which holds all that share a stem with one.

    There must be no row that `HAS_IDENTITIES` counts. What holds for all contents comes once.
    """
    with open_database(address) as query_database:
        for name in QUERIES:
            batches = []
            for place, contents in enumerate(chunks):
                asked = _of_contents(query(name, known_at, with_identities=False), contents)
                found = [batch.cast(_schema(name)) for batch in query_database(asked)]
                if place and name == "suspensions":
                    found = [batch.filter(pc.not_equal(batch["content"], 0)) for batch in found]
                batches += found if not place or name not in _WITHOUT_ITEMS else []
            table = pa.Table.from_batches(batches, _schema(name))
            with pa.ipc.new_file(folder / name, table.schema) as file:
                file.write_table(table)


def _of_contents(sql: str, contents: Sequence[int]) -> str:
    """A query without identities, for some contents alone."""
    listed = ", ".join(str(int(content)) for content in contents) or "-1"
    stem, own = "stem_digest IS NOT NULL AND", "FROM contents c LEFT JOIN ("
    if own not in sql:
        return sql
    narrowed = sql.replace(stem, f"{stem} id IN ({listed}) AND", 1)
    end = narrowed.index("WHERE c.recorded_at", narrowed.index(own)) + len("WHERE")
    return f"{narrowed[:end]} c.id IN ({listed}) AND{narrowed[end:]}"


def export(address: str, known_at: int, folder: Path) -> None:
    """Write one folder of Parquet files a query into `folder`, by quarter (UTC) where the table grows with time."""
    from pyarrow import dataset  # here, for it loads pandas

    with open_database(address) as query:
        for name in QUERIES:
            batches = _batches(query, name, known_at)
            (folder / name).mkdir()
            if name in _TIME:
                _write_by_quarter(batches, name, folder / name)
            else:
                dataset.write_dataset(batches, folder / name, schema=_schema(name), format="parquet")


def _write_by_quarter(batches: Iterator[pa.RecordBatch], name: str, folder: Path) -> None:
    from pyarrow import dataset

    schema = _schema(name).append(pa.field("quarter", pa.string()))
    with_quarter = (batch.append_column("quarter", _quarter(batch[_TIME[name]])) for batch in batches)
    by_quarter = dataset.partitioning(pa.schema([("quarter", pa.string())]), flavor="hive")
    dataset.write_dataset(with_quarter, folder, schema=schema, format="parquet", partitioning=by_quarter)


def _quarter(seconds: pa.Array) -> pa.Array:
    instants = seconds.cast(pa.timestamp("s", tz="UTC"))
    parts = [pc.year(instants).cast(pa.string()), pc.quarter(instants).cast(pa.string())]
    return pc.binary_join_element_wise(*parts, "Q")


@contextmanager
def open_database(address: str) -> Iterator[Query]:
    """What reads from the database at an address of the Arrow drivers, in one transaction that only reads.

    The drivers' own layer for Python (`dbapi`) loads pandas, which takes longer than what most queries do. Raises
    MonitorError where the database cannot be read.
    """
    driver = adbc_driver_sqlite if address.startswith("file:") else adbc_driver_postgresql
    try:
        with driver.connect(address) as database, adbc.AdbcConnection(database) as connection:
            connection.set_autocommit(False)  # all queries see one state of the database
            yield lambda sql: _rows(connection, sql)
    except adbc.Error as error:
        raise MonitorError(UNREADABLE) from error


def _rows(connection: adbc.AdbcConnection, sql: str) -> Iterator[pa.RecordBatch]:
    with adbc.AdbcStatement(connection) as statement:
        statement.set_sql_query(sql)
        stream, _ = statement.execute_query()
        with pa.RecordBatchReader.from_stream(stream) as batches:
            rows = iter(batches)
            while (batch := _next(rows)) is not None:
                yield batch


def _next(rows: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
    try:
        return next(rows, None)
    except (OSError, pa.ArrowException) as error:  # what a driver meets while it reads comes as one of these
        raise MonitorError(UNREADABLE) from error


def _batches(query_database: Query, name: str, known_at: int) -> Iterator[pa.RecordBatch]:
    [[counted]] = [batch.column(0).to_pylist() for batch in query_database(HAS_IDENTITIES)]
    asked = query(name, known_at, with_identities=counted > 0)
    for batch in query_database(asked):
        yield batch.cast(_schema(name))


def _schema(name: str) -> pa.Schema:
    return pa.schema([(column, _ARROW[kind]) for column, kind in COLUMNS[name].items()])
