"""A digest of each kind of fact as it was known at an instant: what a release was made from, to the last second.

SHA-256 a column, over the rows in the order of their ids; so that it shows in which column something was changed. All
instants are answered in one pass. It runs in a process of its own (`read_database`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitor.score.extract import open_database

Digests: TypeAlias = dict[str, dict[str, Any]]
Columns: TypeAlias = dict[str, "Column"]

# The columns that are digested beside `id` and `recorded_at`, by table.
# Not among them: what a new key changes (digests, sealed values), a delivery's file hash and a notice's reference, what
# may still be decided about a delivery, and the packed ranges of networks, of which the file's hash stands beside them.
COLUMNS: dict[str, tuple[str, ...]] = {
    "deliveries": (
        "source", "format", "received_at", "zone", "recheck_gap_seconds", "rows", "accepted", "duplicate",
        "quarantined", "warnings", "contents_new", "notices_new", "sightings_new",
    ),
    "contents": ("delivery_id", "site_id", "truncated"),
    "notices": (
        "delivery_id", "content_id", "sent_at", "kind", "recipient_role", "recipient", "recipient_country", "channel",
        "delivery", "deadline_hours",
    ),
    "sightings": ("delivery_id", "content_id", "seen_at", "state", "pause", "country", "observer"),
    "attributions": ("content_id", "company_id", "valid_from", "basis", "other_company_id", "netblock_table_id"),
    "suspensions": (
        "content_id", "starts_at", "ends_at", "pause", "reason", "source", "decided_by", "approved_by",
    ),
    "corrections": (
        "decision", "content_id", "notice_id", "company_id", "starts_at", "ends_at", "reason", "decided_by",
        "approved_by",
    ),
    "hash_hits": ("delivery_id", "content_id", "source", "checked_at"),
    "item_references": ("delivery_id", "content_id", "source"),
    "item_identities": ("content_id", "item_id", "site_id"),
    "companies": ("key",),
    "company_details": (
        "company_id", "name", "country", "registration", "proxy", "review", "legal_name", "legal_form",
        "natural_person", "parent_id", "successor_id", "ended_on",
    ),
    "company_claims": ("company_id", "claim", "value", "valid_from", "valid_to"),
    "netblock_tables": ("dated", "sha256", "format", "rows", "ranges_v4", "ranges_v6"),
}  # fmt: skip
_COUNTS = {"deliveries": "verdict = 'ok'"}  # which rows are facts, where not all are
_INT, _FLOAT, _TEXT = pa.int64(), pa.float64(), pa.string()
_NO_NUMBER = {_INT: "-9223372036854775807", _FLOAT: "-1e300"}  # what stands for NULL: none of ours is so small


@dataclass(frozen=True)
class Column:
    """A column as the models have it: "number", "fraction", "truth" or "text" (dates and JSON too)."""

    kind: str
    nullable: bool

    @property
    def arrow(self) -> pa.DataType:
        """The type it is digested as."""
        return {"fraction": _FLOAT, "text": _TEXT}.get(self.kind, _INT)


def digested_columns() -> dict[str, Columns]:
    """The columns that are digested, by table: `id` first, `recorded_at` last."""
    from sqlalchemy import Boolean, Float, Integer  # not for the process that digests: they take long to load

    import monitor.models  # noqa: F401 -- fills the metadata
    from monitor.db import Base, UtcDateTime

    def column(table: str, name: str) -> Column:
        found = Base.metadata.tables[table].columns[name]
        kinds = {Float: "fraction", Boolean: "truth", Integer: "number", UtcDateTime: "number"}
        kind = next((kind for of, kind in kinds.items() if isinstance(found.type, of)), "text")
        return Column(kind, bool(found.nullable))

    return {
        table: {name: column(table, name) for name in ("id", *columns, "recorded_at")}
        for table, columns in COLUMNS.items()
    }


def digests(address: str, tables: dict[str, Columns], known_at: Sequence[int]) -> list[Digests]:
    """For each of these instants the number of rows known by then, and a digest a column, by table.

    `tables` as `digested_columns` gives them.
    """
    last, found = max(known_at, default=0), [Digests() for _ in known_at]
    with open_database(address) as query:
        for table, columns in tables.items():
            every = [_Table({name: column.arrow for name, column in columns.items()}) for _ in known_at]
            for batch in query(_query(table, columns, last, on_sqlite=address.startswith("file:"))):
                _add_batch(batch, known_at, every)
            for answer, digested in zip(found, every, strict=True):
                answer[table] = digested.as_json()
    return found


def _query(table: str, columns: Columns, last: int, *, on_sqlite: bool) -> str:
    read = ", ".join(f"{_read(name, column, on_sqlite=on_sqlite)} AS {name}" for name, column in columns.items())
    known = f"recorded_at <= {last:d} AND {_COUNTS.get(table, '1 = 1')}"
    return f"SELECT {read} FROM {table} WHERE {known} ORDER BY {table}.id"  # noqa: S608 -- names and a number of ours


def _read(name: str, column: Column, *, on_sqlite: bool) -> str:
    """A column as it is digested: of its kind on both databases, and NULL different from every value."""
    plain = name
    if column.kind == "truth":
        plain = f"CAST({name} AS INTEGER)"
    elif column.kind == "text" and not on_sqlite:  # dates and JSON too
        plain = f"CAST({name} AS TEXT)"
    if not column.nullable:
        return plain
    return (
        f"COALESCE('+' || {plain}, '-')" if column.kind == "text" else f"COALESCE({plain}, {_NO_NUMBER[column.arrow]})"
    )


def _add_batch(batch: pa.RecordBatch, known_at: Sequence[int], every: Sequence[_Table]) -> None:
    recorded = batch["recorded_at"].cast(pa.int64())
    newest = pc.max(recorded).as_py()
    for instant, table in zip(known_at, every, strict=True):
        if len(batch):
            table.add(batch if newest <= instant else batch.filter(pc.less_equal(recorded, instant)))


@dataclass
class _Table:
    """The digests of one table as it was known at one instant, while its rows are read."""

    kinds: dict[str, pa.DataType]
    rows: int = 0
    hashes: dict[str, tuple[Any, Any]] = field(init=False)

    def __post_init__(self) -> None:
        """Of a text its lengths are hashed beside its bytes, so that no batch matters."""
        self.hashes = {name: (hashlib.sha256(), hashlib.sha256()) for name in self.kinds}

    def add(self, batch: pa.RecordBatch) -> None:
        """The next rows, without null. `to_numpy` of the library would load pandas."""
        self.rows += len(batch)
        for name, (values, lengths) in self.hashes.items():
            column = batch[name].cast(self.kinds[name])
            if self.kinds[name] != _TEXT:
                values.update(np.from_dlpack(column))
                continue
            lengths.update(np.from_dlpack(pc.binary_length(column)))
            for part in _bytes_of(column):
                values.update(part)

    def as_json(self) -> dict[str, Any]:
        """How many rows, and the digest of each column in hex."""
        columns = {}
        for name, (values, lengths) in self.hashes.items():
            if self.kinds[name] == _TEXT:
                values.update(lengths.digest())
            columns[name] = values.hexdigest()
        return {"rows": self.rows, "columns": columns}


def _bytes_of(column: pa.StringArray) -> Iterator[memoryview]:
    if len(column):
        _, offsets, content = column.buffers()
        ends = np.frombuffer(offsets, dtype=np.int32)[[column.offset, column.offset + len(column)]]
        yield memoryview(content)[ends[0] : ends[1]]
