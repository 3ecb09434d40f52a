"""One row in every guarded table, made up from the types of its columns."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Connection, Date, Enum, LargeBinary, String, insert

from monitor.db import Base, UtcDateTime
from monitor.instants import to_datetime


def one_of_each(connection: Connection) -> None:
    """Insert a row with id 1 into every table of the schema but those that are there already."""
    for table in Base.metadata.sorted_tables:
        if table.name not in ("leadership", "audit_entries"):
            connection.execute(insert(table), {column.name: _value(column) for column in table.columns})


def _value(column: Column[Any]) -> Any:
    kinds: tuple[tuple[type[Any], Any], ...] = (
        (Enum, None), (String, "x"), (Boolean, False), (LargeBinary, b"1"), (JSON, {}), (Date, date(2026, 1, 1)),
        (UtcDateTime, to_datetime(0)),
    )  # fmt: skip
    if column.nullable:
        return None
    if isinstance(column.type, Enum):
        return column.type.enum_class(column.type.enums[0])  # type: ignore[misc]
    return next((value for kind, value in kinds if isinstance(column.type, kind)), 1)
